//! A8: the false-positive rates of the audit on 400 fair streams, and the confidence sequence of the
//! return when checked after every round.

use evaluation::audit::{self, AuditOptions, AuditReport};
use evaluation::confidence_sequence::beta_binomial;
use evaluation::quality::RecordedRound;
use test_support::simulate::Scenario;

use crate::table::{Table, for_seeds, percent};

fn audit(seed: u64) -> AuditReport {
    let times = (0u32..).map(|t| Some(f64::from(t) * 30.0));
    let stream = Scenario::Fair.stream(seed).take(5000).zip(times);
    let rounds: Vec<RecordedRound> =
        stream.map(|(cents, unix_seconds)| RecordedRound { cents, unix_seconds }).collect();
    let options = AuditOptions { salt: seed + 10_000, ..AuditOptions::default() };
    audit::run(&rounds, &options).expect("5,000 rounds are enough")
}

/// Returns whether the confidence sequence of P(M >= 2) ever misses.
fn ever_missed(seed: u64) -> bool {
    let mut hits = 0;
    (1..).zip(Scenario::Fair.rounds(5000, seed)).any(|(n, cents)| {
        hits += u64::from(cents >= 200);
        beta_binomial(hits, n, 0.05).is_none_or(|estimate| !estimate.contains(0.485))
    })
}

pub(crate) fn run(table: &mut Table) {
    let seeds: Vec<u64> = (30_000..30_400).collect();
    let reports = for_seeds(&seeds, audit);
    let n = reports.len() as f64;
    let reference = [
        ".062", ".055", ".048", ".033", ".030", ".040", ".055", ".062", ".022", ".065", ".040", "-",
    ];
    for (test, reference) in reference.into_iter().enumerate() {
        let low = |report: &&AuditReport| report.tests[test].p.is_some_and(|p| p < 0.05);
        let share = reports.iter().filter(low).count() as f64 / n;
        let what = format!("rejections at .05: {}", reports[0].tests[test].name);
        let holds = (0.015..=0.085).contains(&share);
        table.line(("A8", &what), (format!("{share:.3}"), reference), ("[.015, .085]", holds));
    }
    let any = reports.iter().filter(|report| report.findings().count() > 0).count() as f64 / n;
    let what = ("A8", "Holm: any of twelve");
    table.line(what, (percent(any), "3.8 %"), ("<= 7 %", any <= 0.07));

    let seeds: Vec<u64> = (70_000..70_200).collect();
    let missed = for_seeds(&seeds, ever_missed).into_iter().filter(|&missed| missed).count();
    let missed = missed as f64 / seeds.len() as f64;
    let what = ("A8", "return sequence ever missed, checked every round");
    table.line(what, (percent(missed), "3.0 %"), ("<= 8 %", missed <= 0.08));
}
