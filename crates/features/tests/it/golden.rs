//! Comparison with an independent program: rows 1 to 120 of the fair stream with seed 42, and the
//! constants of long fair streams.

use features::{CATALOG, COUNT, Extractor, Window};

use crate::streams::fair;

const ROWS: &str = include_str!("golden/feature_golden_fair_seed42.csv");
const NAMES_CENTRES_SCALES: &str = include_str!("golden/feature_constants.csv");

#[test]
fn rows_equal_the_reference_to_1e_9() {
    let history = fair(42, 120);
    let mut lines = ROWS.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').skip(1).collect();
    assert_eq!(names, CATALOG.map(|feature| feature.name));
    // The reference has a row 0 of zeros, before any round. There is no such row here.
    for line in lines.skip(1) {
        let mut cells = line.split(',');
        let rounds: usize = cells.next().unwrap().parse().unwrap();
        let row = Window::new(&history[..rounds]).unwrap().row();
        for (i, cell) in cells.enumerate() {
            let expected: f64 = cell.parse().unwrap();
            let error = (row[i] - expected).abs() / expected.abs().max(1.0);
            assert!(error < 1e-9, "{} after {rounds}: {} not {expected}", names[i], row[i]);
        }
    }
}

#[test]
fn centres_and_scales_equal_the_reference() {
    let mut lines = NAMES_CENTRES_SCALES.lines().skip(1);
    for feature in CATALOG {
        let line = format!("{},{},{}", feature.name, feature.centre, feature.scale);
        assert_eq!(lines.next(), Some(line.as_str()));
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn centres_and_scales_equal_those_of_a_long_fair_stream() {
    let rounds = 200_000;
    let mut extractor = Extractor::new();
    let (mut sums, mut squares) = ([0.0; COUNT], [0.0; COUNT]);
    for x in fair(7, rounds) {
        let row = extractor.push(x).unwrap();
        for i in 0..COUNT {
            sums[i] += row[i];
            squares[i] += row[i] * row[i];
        }
    }
    for (i, feature) in CATALOG.iter().enumerate() {
        let mean = sums[i] / rounds as f64;
        let scale = (squares[i] / rounds as f64 - mean * mean).sqrt();
        assert!((mean - feature.centre).abs() < 0.05 * feature.scale, "{}: {mean}", feature.name);
        assert!((scale / feature.scale - 1.0).abs() < 0.03, "{}: {scale}", feature.name);
    }
}
