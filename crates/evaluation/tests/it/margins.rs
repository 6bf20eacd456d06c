//! Bounds of confidence sequences and intervals, compared with independently computed figures.

use evaluation::TiltedLaw;
use evaluation::intervals::{PitInterval, outward};
use evaluation::skill::{AsymptoticCs, BernsteinCs, SkillTrack};

/// Returns differences between -.25 and .25 with a small mean.
fn differences(count: u32) -> impl Iterator<Item = f64> {
    (1..=count).map(|i| (f64::from(i * 37 % 101) - 50.0) / 200.0)
}

#[track_caller]
fn check(ours: impl Into<Option<evaluation::confidence_sequence::Estimate>>, theirs: [f64; 3]) {
    let ours = ours.into().unwrap();
    for (ours, theirs) in [ours.value, ours.lo, ours.hi].into_iter().zip(theirs) {
        assert!((ours - theirs).abs() < 1e-11, "ours {ours}, expected {theirs}");
    }
}

#[test]
fn the_asymptotic_sequence_has_the_bounds_of_its_formula() {
    for (alpha, count, ends) in [
        (0.05, 100, [0.0025, -0.045_355_799_180_980_61, 0.050_355_799_180_980_6]),
        (0.05, 250, [0.0001, -0.028_099_330_842_492_68, 0.028_299_330_842_492_68]),
        (0.20, 100, [0.0025, -0.037_330_393_045_033_08, 0.042_330_393_045_033_07]),
    ] {
        let mut sequence = AsymptoticCs::new(alpha);
        for x in differences(count) {
            sequence.update(x);
        }
        assert_eq!(sequence.n(), u64::from(count));
        assert!((sequence.mean() - ends[0]).abs() < 1e-15);
        check(sequence.estimate(), ends);
    }
}

#[test]
fn the_bernstein_sequence_has_the_bounds_of_its_formula() {
    for (count, ends) in [
        (1, [-0.065, -9.546_084_987_055_87, 9.416_084_987_055_87]),
        (40, [0.0075, -0.332_481_609_724_940_6, 0.347_481_609_724_940_7]),
        (250, [0.0001, -0.074_281_411_713_301_53, 0.074_481_411_713_301_53]),
    ] {
        let mut sequence = BernsteinCs::new(0.05);
        for x in differences(count) {
            sequence.update(x);
        }
        check(sequence.estimate(), ends);
    }
    // Differences beyond the largest possible one are clamped to it.
    let mut cut = BernsteinCs::new(0.05);
    for i in 0..30 {
        cut.update(if i % 3 == 0 { -0.7 } else { 0.9 });
    }
    check(cut.estimate(), [0.4 / 3.0, -0.480_231_463_633_969_3, 0.746_898_130_300_635_9]);
}

#[test]
fn skill_is_in_percent_of_the_mean_score_of_the_reference() {
    let mut track = SkillTrack::default();
    for x in differences(250) {
        track.update(0.25 - x, 0.25);
    }
    assert_eq!(track.rounds(), 250);
    let percent = |ends: [f64; 3]| ends.map(|end| 400.0 * end);
    let shown = [0.0001, -0.028_099_330_842_492_68, 0.028_299_330_842_492_68];
    let claimed = [0.0001, -0.074_281_411_713_301_53, 0.074_481_411_713_301_53];
    let (near, far) = (track.shown_percent().unwrap(), track.claimed_percent().unwrap());
    for (ours, theirs) in [(near, percent(shown)), (far, percent(claimed))] {
        for (ours, theirs) in [ours.value, ours.lo, ours.hi].into_iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-8, "ours {ours}, expected {theirs}");
        }
    }
    assert!(!track.edge_is_negligible());
}

#[test]
fn against_a_perfect_reference_skill_is_undefined() {
    let mut track = SkillTrack::new();
    for _ in 0..200 {
        track.update(0.1, 0.0);
    }
    assert_eq!((track.shown_percent(), track.claimed_percent()), (None, None));
}

#[test]
fn each_level_moves_inward_after_a_hit_and_outward_after_a_miss() {
    let mut interval = PitInterval::with_gamma(0.2, 0.01);
    assert!((interval.alpha() - 0.2).abs() < 1e-15);
    for (u, lower, upper) in [
        // Inside: both move inward by a step of alpha/2.
        (0.5, 0.101, 0.899),
        // Below, then above: that side moves outward by gamma (1 - alpha/2), the other inward.
        (0.05, 0.092, 0.898),
        (0.95, 0.093, 0.907),
        // A value equal to a level is inside.
        (0.093, 0.094, 0.906),
    ] {
        interval.update(u);
        let (a, b) = interval.levels();
        assert!((a - lower).abs() < 1e-12 && (b - upper).abs() < 1e-12, "{u}: {a} {b}");
    }
}

#[test]
fn levels_never_cross_one_half_and_never_leave_the_unit_interval() {
    let mut inward = PitInterval::with_gamma(0.8, 0.5);
    let mut outward = inward;
    for _ in 0..20 {
        inward.update(0.5);
        outward.update(0.0);
        outward.update(1.0);
    }
    assert_eq!(inward.levels(), (0.5, 0.5));
    assert_eq!(outward.levels(), (0.0, 1.0));
    let law = TiltedLaw::new(1.0);
    assert_eq!(outward.interval(&law), (1.0, 1_000_000.0));
}

#[test]
fn alpha_is_clamped_to_between_zero_and_one() {
    for (given, clamped) in [(-1.0, 1e-6), (0.3, 0.3), (7.0, 1.0 - 1e-6)] {
        let interval = PitInterval::new(given);
        assert!((interval.alpha() - clamped).abs() < 1e-15);
        let (lower, upper) = interval.levels();
        assert!(
            (lower - clamped / 2.0).abs() < 1e-12 && (upper - 1.0 + clamped / 2.0).abs() < 1e-12
        );
    }
}

#[test]
fn an_interval_widens_to_whole_cents_and_no_further() {
    assert_eq!(outward(1.234, 5.671), (1.23, 5.68));
    assert_eq!(outward(1.23, 5.67), (1.23, 5.67));
    assert_eq!(outward(0.4, 0.7), (1.0, 1.0));
    assert_eq!(outward(2.31, 2.31), (2.31, 2.31));
}
