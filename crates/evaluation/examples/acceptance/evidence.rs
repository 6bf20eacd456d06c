//! A2 to A4: false alarms, power and specificity of the three tests on 200 streams of 5,000 rounds
//! for each scenario, checked after every round.

use evaluation::HouseLaw;
use evaluation::returns::TargetCounts;
use evaluation::scores::mean_brier;
use evaluation::sequential::{
    AMBER, Bettor, ChangeDetector, ForecastTest, LawTest, ObservedRound, OrderTest,
};
use evaluation::skill::{AsymptoticCs, BernsteinCs};
use test_support::simulate::{Scenario, SimpleModel, day_phase};

use crate::table::{Table, for_seeds, percent, quantile};

const ROUNDS: usize = 5000;
const STREAMS: u64 = 200;

/// The round of the first alarm of each test.
#[derive(Clone, Copy, Default)]
struct Alarms {
    order: Option<usize>,
    law: Option<usize>,
    forecast: Option<usize>,
    change: Option<usize>,
}

/// Returns the log-wealth of the reference's portfolio, the mean of these bettors. The power of our
/// own portfolio is measured by the example `power` of `forecasting`.
pub(crate) fn mean_of(bettors: &[Bettor]) -> f64 {
    let largest = bettors.iter().map(|it| it.ln_e).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = bettors.iter().map(|it| (it.ln_e - largest).exp()).sum();
    largest + (sum / bettors.len() as f64).ln()
}

fn alarms(scenario: Scenario, seed: u64) -> Alarms {
    let house = HouseLaw::default();
    let mut order = OrderTest::new(seed + 2_000_003);
    let mut law = LawTest::new(house, seed + 1_000_003);
    let mut forecast = ForecastTest::skipping(&house, 30);
    let mut model = SimpleModel::new(seed + 1_000_003);
    let mut detector = ChangeDetector::new();
    let mut alarms = Alarms::default();
    let is_amber = |ln_e: f64| ln_e >= AMBER.ln();
    for (t, cents) in (0u64..).zip(scenario.rounds(ROUNDS, seed)) {
        let round = ObservedRound::at(cents, day_phase(t));
        let note = |alarm: &mut Option<usize>, raised: bool| {
            if raised && alarm.is_none() {
                *alarm = usize::try_from(t + 1).ok();
            }
        };
        if alarms.order.is_none() || alarms.change.is_none() {
            let z = order.update(&round);
            note(&mut alarms.order, is_amber(mean_of(&order.bettors()[..5])));
            note(&mut alarms.change, detector.update(z, &TargetCounts::new()).is_some());
        }
        if alarms.forecast.is_none() {
            let served = model.forecast().shrunk();
            model.update(cents);
            forecast.update(Some(&served), cents);
            note(&mut alarms.forecast, is_amber(forecast.ln_e()));
        }
        if alarms.law.is_none() {
            law.update(&round);
            note(&mut alarms.law, is_amber(mean_of(&law.bettors()[..7])));
        }
    }
    alarms
}

/// The alarm rounds of all streams, sorted; infinity where there was no alarm.
struct Rounds(Vec<f64>);

impl Rounds {
    fn of(alarms: &[Alarms], which: impl Fn(&Alarms) -> Option<usize>) -> Self {
        let late = |alarm: Option<usize>| alarm.map_or(f64::INFINITY, |round| round as f64);
        let mut rounds: Vec<f64> = alarms.iter().map(|alarm| late(which(alarm))).collect();
        rounds.sort_by(f64::total_cmp);
        Self(rounds)
    }

    fn share(&self) -> f64 {
        self.0.iter().filter(|round| round.is_finite()).count() as f64 / self.0.len() as f64
    }

    fn at(&self, tau: f64) -> f64 {
        quantile(&self.0, tau)
    }
}

pub(crate) fn run(table: &mut Table) {
    let seeds: Vec<u64> = (10_000..10_000 + STREAMS).collect();
    let run = |name: &str| {
        let scenario = Scenario::named(name).expect("the scenario is one of the ten");
        for_seeds(&seeds, |seed| alarms(scenario, seed))
    };
    false_alarms(table, &seeds, &run("fair"));
    margins(table, &seeds);
    for power in POWER {
        power.check(table, &run(power.name));
    }
    specificity(table, "iid_r95", &run("iid_r95"), ("2.5 %", "99.5 %"));
    specificity(table, "iid_th09", &run("iid_th09"), ("3.0 %", "100.0 %"));
    change(table, &run("shift"));
}

fn false_alarms(table: &mut Table, seeds: &[u64], alarms: &[Alarms]) {
    let count = |which: fn(&Alarms) -> Option<usize>| alarms.iter().filter_map(which).count();
    for (test, which, reference) in [
        ("E3 order", (|a| a.order) as fn(&Alarms) -> Option<usize>, 5),
        ("E1 law", |a| a.law, 6),
        ("E2 forecast", |a| a.forecast, 0),
    ] {
        let ours = count(which);
        let what = format!("{test}: false alarms in 200 fair streams");
        table.line(("A2", &what), (ours, reference), ("<= 10", ours <= 10));
    }
    let ours: Vec<String> = seeds
        .iter()
        .zip(alarms)
        .filter_map(|(seed, alarm)| Some(format!("{seed}@{}", alarm.order?)))
        .collect();
    let theirs = ["10063@583", "10100@744", "10128@1988", "10182@631", "10195@210"];
    for (place, theirs) in theirs.iter().enumerate() {
        let ours = ours.get(place).map_or("-", String::as_str);
        table.line(("A2", "E3: the same alarm"), (ours, theirs), ("equal", ours == *theirs));
    }
    let any = alarms.iter().filter(|a| a.order.or(a.law).or(a.forecast).is_some()).count();
    let any = any as f64 / alarms.len() as f64;
    table.note(("A2", "any of the three"), (percent(any), "5.0 %"));
    let change = count(|a| a.change) as f64 / alarms.len() as f64;
    let what = ("A2", "change detector: fair streams with an alarm");
    table.line(what, (percent(change), "18.5 %"), ("<= 2 %", change <= 0.02));
}

/// Returns, for each of the two confidence sequences of skill, whether it ever misses and its final
/// half-width.
fn skill_misses(seed: u64) -> [(bool, f64); 2] {
    let house = HouseLaw::default().probabilities();
    let mut model = SimpleModel::new(seed + 1_000_003);
    let (mut shown, mut claimed) = (AsymptoticCs::new(0.05), BernsteinCs::new(0.05));
    let mut truth = 0.0;
    let mut missed = [false; 2];
    let mut half = [0.0; 2];
    for (t, cents) in (1u32..).zip(Scenario::Fair.rounds(ROUNDS, seed)) {
        let raw = model.forecast().probabilities();
        let served: [f64; 5] = std::array::from_fn(|c| {
            raw[c].clamp(house[c] - 0.2, house[c] + 0.2).clamp(0.001, 0.999)
        });
        model.update(cents);
        // On fair rounds the expected difference is minus the mean squared distance.
        truth -= served.iter().zip(house).map(|(q, p)| (q - p) * (q - p)).sum::<f64>() / 5.0;
        let difference = mean_brier(&house, cents) - mean_brier(&served, cents);
        shown.update(difference);
        claimed.update(difference);
        let early = [100, 10];
        for (i, estimate) in [shown.estimate(), claimed.estimate()].into_iter().enumerate() {
            if let Some(estimate) = estimate.filter(|_| t > early[i]) {
                missed[i] |= !estimate.contains(truth / f64::from(t));
                half[i] = (estimate.hi - estimate.lo) / 2.0;
            }
        }
    }
    [(missed[0], half[0]), (missed[1], half[1])]
}

fn margins(table: &mut Table, seeds: &[u64]) {
    let results = for_seeds(seeds, skill_misses);
    for (i, (name, misses, width)) in
        [("asymptotic", "3.0 %", "0.00072"), ("Bernstein", "0.0 %", "0.0028")]
            .into_iter()
            .enumerate()
    {
        let n = results.len() as f64;
        let missed = results.iter().filter(|result| result[i].0).count() as f64 / n;
        let what = format!("skill margin, {name}: streams ever missed");
        table.line(("A2", &what), (percent(missed), misses), ("<= 8 %", missed <= 0.08));
        let half = results.iter().map(|result| result[i].1).sum::<f64>() / n;
        let what = format!("skill margin, {name}: half-width at 5,000");
        table.note(("A2", &what), (format!("{half:.5}"), width));
    }
}

/// The required power of the order test, and the figures of the reference.
struct Power {
    name: &'static str,
    share_min: f64,
    median_max: Option<f64>,
    p90_max: Option<f64>,
    /// Share, median and p90 of E3; share and median of E1; share of E2.
    reference: [&'static str; 6],
}

const POWER: [Power; 6] = [
    Power {
        name: "ar03",
        share_min: 1.0,
        median_max: Some(200.0),
        p90_max: Some(350.0),
        reference: ["100.0 %", "159", "282", "100.0 %", "160", "100.0 %"],
    },
    Power {
        name: "ar02",
        share_min: 1.0,
        median_max: Some(400.0),
        p90_max: Some(800.0),
        reference: ["100.0 %", "312", "616", "100.0 %", "321", "100.0 %"],
    },
    Power {
        name: "ar01",
        share_min: 0.95,
        median_max: Some(1600.0),
        p90_max: None,
        reference: ["100.0 %", "1256", "3020", "99.5 %", "1338", "38.5 %"],
    },
    Power {
        name: "regime",
        share_min: 0.90,
        median_max: Some(1800.0),
        p90_max: None,
        reference: ["95.0 %", "1390", "3524", "97.0 %", "1163", "49.5 %"],
    },
    Power {
        name: "tod",
        share_min: 1.0,
        median_max: Some(2300.0),
        p90_max: None,
        reference: ["100.0 %", "1945", "3039", "100.0 %", "733", "14.5 %"],
    },
    Power {
        name: "due",
        share_min: 0.70,
        median_max: None,
        p90_max: None,
        reference: ["79.0 %", "3298", "-", "92.0 %", "2775", "3.0 %"],
    },
];

impl Power {
    fn check(&self, table: &mut Table, alarms: &[Alarms]) {
        let order = Rounds::of(alarms, |a| a.order);
        let share = order.share();
        let bound = format!(">= {:.0} %", 100.0 * self.share_min);
        table.line(
            ("A3", &format!("{}: E3 alarms by 5,000", self.name)),
            (percent(share), self.reference[0]),
            (&bound, share >= self.share_min),
        );
        for (what, tau, limit, reference) in [
            ("median", 0.5, self.median_max, self.reference[1]),
            ("p90", 0.9, self.p90_max, self.reference[2]),
        ] {
            let what = format!("{}: E3 {what} alarm round", self.name);
            let round = order.at(tau);
            match limit {
                Some(limit) => {
                    let bound = format!("<= {limit:.0}");
                    let figures = (late(round), reference);
                    table.line(("A3", &what), figures, (&bound, round <= limit));
                }
                None => table.note(("A3", &what), (late(round), reference)),
            }
        }
        let law = Rounds::of(alarms, |a| a.law);
        let what = format!("{}: E1 alarms by 5,000", self.name);
        table.note(("A3", &what), (percent(law.share()), self.reference[3]));
        let what = format!("{}: E1 median alarm round", self.name);
        table.note(("A3", &what), (late(law.at(0.5)), self.reference[4]));
        let forecast = Rounds::of(alarms, |a| a.forecast).share();
        let what = format!("{}: E2 alarms by 5,000 (simple model)", self.name);
        table.note(("A3", &what), (percent(forecast), self.reference[5]));
    }
}

fn specificity(table: &mut Table, name: &str, alarms: &[Alarms], reference: (&str, &str)) {
    let order = Rounds::of(alarms, |a| a.order).share();
    let law = Rounds::of(alarms, |a| a.law).share();
    let what = format!("{name}: E3 alarms (must stay quiet)");
    table.line(("A4", &what), (percent(order), reference.0), ("<= 5 %", order <= 0.05));
    let what = format!("{name}: E1 alarms");
    table.line(("A4", &what), (percent(law), reference.1), (">= 95 %", law >= 0.95));
}

fn change(table: &mut Table, alarms: &[Alarms]) {
    let mut delays: Vec<f64> = alarms
        .iter()
        .filter_map(|a| a.change.filter(|&round| round > 2500))
        .map(|round| (round - 2500) as f64)
        .collect();
    delays.sort_by(f64::total_cmp);
    let (median, p90) = (quantile(&delays, 0.5), quantile(&delays, 0.9));
    let bound = ("<= 1800", median <= 1800.0);
    table.line(("A4", "shift: median delay of the change detector"), (median, 378), bound);
    let bound = ("<= 4500", p90 <= 4500.0);
    let figures = (format!("{p90:.0}"), 858);
    table.line(("A4", "shift: p90 delay of the change detector"), figures, bound);
}

/// Formats an alarm round, which is infinite if most streams have no alarm.
fn late(round: f64) -> String {
    if round.is_finite() { format!("{round:.1}") } else { "> 5000".to_owned() }
}
