use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use features::FeatureRow;
use forecasting::engine::{Effect, Engine, Installed, Settings};
use forecasting::forecast::{Forecaster, Means};
use forecasting::history::HistoryChain;
use rounds::Multiplier;
use test_support::simulate::Scenario;

use super::*;

#[derive(Debug)]
struct Momentum;

impl Forecaster for Momentum {
    fn means(&self, row: &FeatureRow) -> Means {
        let mean = 0.6 + 0.4 * row[0].min(2.0);
        Means { members: [mean, 0.5, row[1].min(2.0)], mean }
    }
}

fn rounds(count: usize) -> Vec<Round> {
    // A change in the middle ends an epoch of the tests.
    let cents = Scenario::Fair.stream(5).take(count / 2).chain(
        Scenario::named("ar03")
            .unwrap()
            .stream(6)
            .map(|cents| 100 + cents / 2)
            .take(count - count / 2),
    );
    let round = |(number, cents): (i64, u64)| Round {
        time: DateTime::UNIX_EPOCH + TimeDelta::seconds(20 * number),
        multiplier: Multiplier::from_cents(cents).unwrap(),
    };
    (0..).zip(cents).map(round).collect()
}

fn new() -> Engine {
    Engine::new(Settings { auto_train: false, can_be_late: false })
}

fn install(engine: &mut Engine, rounds: &[Round]) {
    let thirty = HistoryChain::of(&rounds[..30]);
    let (model, history) = (Arc::new(Momentum), thirty.head());
    let installed = Installed { model, version: 1, trained_on: 30, history };
    engine.install(installed, engine.last().unwrap().time);
}

fn observe(engine: &mut Engine, rounds: &[Round]) -> Vec<Effect> {
    rounds.iter().flat_map(|round| engine.observe(*round, round.time)).collect()
}

/// Returns an engine that has seen these rounds, with a model from the thirtieth on.
fn engine_after(rounds: &[Round]) -> Engine {
    let mut engine = new();
    observe(&mut engine, &rounds[..30]);
    install(&mut engine, rounds);
    observe(&mut engine, &rounds[30..]);
    engine
}

fn checkpoint(engine: &Engine, rounds: &[Round]) -> Checkpoint {
    Checkpoint::new(
        &RoundsDigest::of(rounds),
        CheckpointInputs {
            ledger: LedgerPosition::after(77, b"before"),
            open: engine.frozen().copied(),
            absent: Absent { count: 3, until: None },
            model_version: 1,
            learned: engine.learned().clone(),
        },
    )
}

/// Returns the state of the engine as text, exact to the bit.
fn bits(engine: &Engine) -> String {
    serde_json::to_string(engine.learned()).unwrap()
}

#[test]
fn an_engine_that_was_restored_says_and_knows_the_same_to_the_bit_ever_after() {
    let all = rounds(3000);
    for cut in [31, 90, 700, 1501, 2222] {
        let mut whole = engine_after(&all[..cut]);
        let text = checkpoint(&whole, &all[..cut]).encode();
        let found = Checkpoint::decode(&text).unwrap();
        assert!(found.check_rounds(&all).is_ok());
        let mut restored = new();
        restored.restore(&all[..cut], HistoryChain::of(&all[..cut]), found.learned);
        restored.resume(found.open.unwrap());
        install(&mut restored, &all);
        install(&mut whole, &all);
        assert_eq!(bits(&restored), bits(&whole), "after {cut} rounds");
        assert_eq!(observe(&mut restored, &all[cut..]), observe(&mut whole, &all[cut..]));
        assert_eq!(bits(&restored), bits(&whole), "{cut} rounds, and the rest");
        assert_eq!(restored.scorecard().verdict(), whole.scorecard().verdict());
        assert_eq!(restored.kappa().to_bits(), whole.kappa().to_bits());
    }
    let epochs = engine_after(&all).scorecard().evidence().epoch();
    assert!(epochs > 0, "the change was seen");
}

#[test]
fn no_changed_byte_and_no_cut_goes_unseen() {
    let all = rounds(200);
    let text = checkpoint(&engine_after(&all), &all).encode();
    assert!(Checkpoint::decode(&text).is_ok());
    // Every byte of the head, then some hundreds over the whole file.
    let positions = (0..300).chain((300..text.len()).step_by(text.len() / 400));
    for at in positions {
        let mut changed = text.clone();
        changed[at] ^= 1 << (at % 8);
        assert_eq!(Checkpoint::decode(&changed).err(), Some(Refusal::Damaged), "byte {at}");
        assert_eq!(Checkpoint::decode(&text[..at]).err(), Some(Refusal::Damaged), "cut at {at}");
    }
    let longer = [text.as_slice(), b" "].concat();
    assert_eq!(Checkpoint::decode(&longer).err(), Some(Refusal::Damaged));
}

#[test]
fn a_checkpoint_of_another_version_is_refused_by_name() {
    let all = rounds(40);
    let mut other = checkpoint(&engine_after(&all), &all);
    other.head.program = "9.9.9".to_owned();
    let refusal = Checkpoint::decode(&other.encode()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!(
            "predictor 9.9.9 wrote it in format {FORMAT}; this is predictor {}, format {FORMAT}",
            env!("CARGO_PKG_VERSION")
        )
    );
    other.head = Head { format: FORMAT + 1, ..Head::current() };
    assert!(matches!(Checkpoint::decode(&other.encode()), Err(Refusal::OtherProgram { .. })));
}

#[test]
fn changed_rounds_are_seen_and_later_ones_are_not_minded() {
    let all = rounds(120);
    let found = checkpoint(&engine_after(&all[..100]), &all[..100]);
    for known in [100, 101, 120] {
        assert!(found.check_rounds(&all[..known]).is_ok());
    }
    let refused = |rounds: &[Round]| found.check_rounds(rounds).err() == Some(Refusal::OtherRounds);
    assert!(refused(&all[..99]));
    for at in [0, 50, 99] {
        let mut other = all.clone();
        other[at].multiplier = Multiplier::from_cents(12_345).unwrap();
        assert!(refused(&other), "round {at}");
        let mut other = all.clone();
        other[at].time += TimeDelta::milliseconds(1);
        assert!(refused(&other), "round {at}");
        let mut other = all.clone();
        other.remove(at);
        assert!(refused(&other), "without round {at}");
    }
    let mut swapped = all;
    swapped.swap(3, 4);
    assert!(refused(&swapped));
}

#[test]
fn rounds_that_come_back_to_their_forecasts_are_taken_anew() {
    let all = rounds(120);
    let mut found = checkpoint(&engine_after(&all[..100]), &all[..100]);
    found.absent = Absent { count: 1, until: Some(all[99].time) };
    assert!(found.check_rounds(&all[..100]).is_ok(), "none has come");
    assert_eq!(found.check_rounds(&all).err(), Some(Refusal::RoundsCameBack));
    found.absent.until = Some(all[98].time);
    assert!(found.check_rounds(&all).is_ok(), "what comes now is later than any of them");
}

/// Collects the names of all fields, and the lengths of arrays of numbers, which depend on the
/// number of features.
fn names(value: &serde_json::Value, path: &str, names: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, it) in fields {
                self::names(it, &format!("{path}.{name}"), names);
            }
        }
        serde_json::Value::Array(values) if path.ends_with(".covariance") => {
            names.insert(format!("{path}[{}]", values.len()));
        }
        serde_json::Value::Array(values) => {
            for it in values {
                self::names(it, &format!("{path}[]"), names);
            }
        }
        _ => drop(names.insert(path.to_owned())),
    }
}

/// When this fails, a field of a checkpoint was renamed, added or removed, or a regression has another
/// size: raise [`FORMAT`], then put the new digest here.
#[test]
fn a_format_has_one_layout() {
    let all = rounds(3000);
    let value = serde_json::to_value(checkpoint(&engine_after(&all), &all)).unwrap();
    let mut found = std::collections::BTreeSet::new();
    names(&value, "", &mut found);
    let layout = found.into_iter().collect::<Vec<_>>().join("\n");
    assert_eq!((FORMAT, &digest_of(layout.as_bytes())[..16]), (6, "b224095f62ab1168"), "{layout}");
}
