//! Prints our scores of 2,000 forecasts, an audit and confidence sequences as JSON; `tests/peers.py`
//! and `tests/peers_sequences.py` compare them with other packages.
#![expect(clippy::print_stdout, reason = "the comparison reads its output")]

use evaluation::audit::{self, AuditOptions};
use evaluation::confidence_sequence::beta_binomial;
use evaluation::pit::normal_scores;
use evaluation::quality::RecordedRound;
use evaluation::score_sheet::{ForecastRecord, ScoreSheet};
use evaluation::skill::{AsymptoticCs, BernsteinCs};
use evaluation::{HouseLaw, TiltedLaw, ln_multiplier, multiplier, scores};
use serde_json::json;
use test_support::simulate::Scenario;

fn main() {
    let house = HouseLaw::default();
    let mut sheet = ScoreSheet::new("waves", &house);
    let mut rounds = Vec::new();
    for (t, cents) in (0u32..2000).zip(Scenario::Fair.stream(1)) {
        let law = TiltedLaw::new(1.0 + 0.4 * (f64::from(t) / 50.0).sin());
        let issued = ForecastRecord {
            interval80: Some((law.quantile(0.1), law.quantile(0.9))),
            ..ForecastRecord::law(law.median(), law.scale())
        };
        sheet.record(&issued, cents);
        rounds.push(json!({
            "m": multiplier(cents),
            "point": law.median(),
            "scale": law.scale(),
            "p": law.probabilities(),
            "interval": issued.interval80,
            "log_crps": scores::log_crps(ln_multiplier(cents), &law),
        }));
    }
    let audited = Scenario::Autoregressive(0.1).rounds(2000, 2);
    let rounds_audited: Vec<RecordedRound> =
        audited.iter().map(|&cents| RecordedRound { cents, unix_seconds: None }).collect();
    let options = AuditOptions::default();
    let tests = audit::run(&rounds_audited, &options).map(|report| report.tests);
    println!(
        "{}",
        json!({
            "rounds": rounds,
            "summary": sheet.all_time(),
            "audited": audited,
            "audited_z": normal_scores(&house, options.salt, &audited),
            "tests": tests.unwrap_or_default(),
            "sequences": sequences(&house),
        })
    );
}

/// Confidence sequences of the share of rounds at 2x or more, and of differences of Brier scores, after
/// each of 2,000 rounds: the bounds of the beta-binomial, asymptotic and empirical-Bernstein ones.
fn sequences(house: &HouseLaw) -> serde_json::Value {
    let (mut hits, mut asymptotic, mut bernstein) =
        (0, AsymptoticCs::new(0.05), BernsteinCs::new(0.05));
    let tilted = TiltedLaw::new(1.1).probabilities();
    let step = |(n, cents): (u64, u64)| {
        let is_hit = cents >= 200;
        hits += u64::from(is_hit);
        let difference =
            scores::mean_brier(&house.probabilities(), cents) - scores::mean_brier(&tilted, cents);
        asymptotic.update(difference);
        bernstein.update(difference);
        json!({
            "hit": u8::from(is_hit),
            "difference": difference,
            "beta_binomial": beta_binomial(hits, n, 0.05),
            "asymptotic": asymptotic.estimate(),
            "bernstein": bernstein.estimate(),
        })
    };
    (1..=2000).zip(Scenario::Fair.stream(3)).map(step).collect()
}
