//! A7: coverage of the adaptive intervals on 10 streams of 10,000 rounds for each scenario, from
//! round 501 on.

use evaluation::intervals::PitInterval;
use evaluation::pit::SplitMix64;
use evaluation::{TiltedLaw, multiplier};
use test_support::simulate::{Scenario, SimpleModel};

use crate::table::{Table, for_seeds};

const ROUNDS: usize = 10_000;
const FIRST: usize = 500;

/// Coverage in one stream: over all rounds, and over the worst and best 500 consecutive rounds.
#[derive(Clone, Copy)]
struct Coverage {
    whole: f64,
    worst: f64,
    best: f64,
}

impl Coverage {
    fn of(covered: &[bool]) -> Self {
        let covered: Vec<f64> = covered[FIRST..].iter().map(|&c| f64::from(c)).collect();
        let whole = covered.iter().sum::<f64>() / covered.len() as f64;
        let windows = covered.windows(500).map(|window| window.iter().sum::<f64>() / 500.0);
        let (worst, best) = windows.fold((1.0f64, 0.0f64), |(w, b), c| (w.min(c), b.max(c)));
        Self { whole, worst, best }
    }
}

/// Returns the coverage of the 80 and 90 % intervals under the law of the simple model.
fn test(scenario: Scenario, seed: u64) -> [Coverage; 2] {
    let mut model = SimpleModel::new(seed + 1_000_003);
    let mut intervals = [PitInterval::new(0.2), PitInterval::new(0.1)];
    let mut covered = [Vec::new(), Vec::new()];
    for cents in scenario.rounds(ROUNDS, seed) {
        let forecast = model.forecast();
        let z = model.update(cents);
        for (interval, covered) in intervals.iter_mut().zip(&mut covered) {
            covered.push(contains(forecast.interval(interval.levels()), cents));
            interval.update(forecast.transform(z));
        }
    }
    covered.map(|covered| Coverage::of(&covered))
}

/// Returns the coverage of the 80 and 90 % intervals under the house law, as the predictor serves
/// it.
fn house(scenario: Scenario, seed: u64) -> [Coverage; 2] {
    let law = TiltedLaw::new(1.0);
    let mut random = SplitMix64::new(seed + 1_000_003);
    let mut intervals = [PitInterval::new(0.2), PitInterval::new(0.1)];
    let mut covered = [Vec::new(), Vec::new()];
    for cents in scenario.rounds(ROUNDS, seed) {
        let u = law.pit(cents, random.uniform());
        for (interval, covered) in intervals.iter_mut().zip(&mut covered) {
            covered.push(contains(interval.interval(&law), cents));
            interval.update(u);
        }
    }
    covered.map(|covered| Coverage::of(&covered))
}

fn contains((lo, hi): (f64, f64), cents: u64) -> bool {
    let m = multiplier(cents);
    m > lo - 0.005 && m < hi + 0.005
}

pub(crate) fn run(table: &mut Table) {
    let seeds: Vec<u64> = (20_000..20_010).collect();
    for (name, reference) in [
        ("fair", [".804", ".772-.836"]),
        ("ar03", [".806", ".774-.838"]),
        ("shift", [".803", ".769-.835"]),
    ] {
        let scenario = Scenario::named(name).expect("the scenario is one of the ten");
        let test = for_seeds(&seeds, |seed| test(scenario, seed));
        lines(table, &format!("{name}, simple model"), &test, reference);
        let house = for_seeds(&seeds, |seed| house(scenario, seed));
        lines(table, &format!("{name}, house law"), &house, ["-", "-"]);
    }
}

fn lines(table: &mut Table, name: &str, streams: &[[Coverage; 2]], reference: [&str; 2]) {
    let mean = |of: &dyn Fn(&[Coverage; 2]) -> f64| {
        streams.iter().map(of).sum::<f64>() / streams.len() as f64
    };
    let c80 = mean(&|c| c[0].whole);
    table.line(
        ("A7", &format!("80 % coverage: {name}")),
        (format!("{c80:.3}"), reference[0]),
        ("[.79, .82]", (0.79..=0.82).contains(&c80)),
    );
    table.note(
        ("A7", &format!("  mean worst and best 500: {name}")),
        (format!("{:.3}-{:.3}", mean(&|c| c[0].worst), mean(&|c| c[0].best)), reference[1]),
    );
    let worst = streams.iter().map(|c| c[0].worst).fold(1.0, f64::min);
    let best = streams.iter().map(|c| c[0].best).fold(0.0, f64::max);
    table.line(
        ("A7", &format!("  every 500 of every stream: {name}")),
        (format!("{worst:.3}-{best:.3}"), ""),
        ("[.74, .86]", worst >= 0.74 && best <= 0.86),
    );
    let c90 = mean(&|c| c[1].whole);
    table.line(
        ("A7", &format!("90 % coverage: {name}")),
        (format!("{c90:.3}"), ".909-.918"),
        ("[.89, .925]", (0.89..=0.925).contains(&c90)),
    );
}
