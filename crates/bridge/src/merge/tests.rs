//! Tests of merging recordings without round ids.

use rounds::{Multiplier, last_rounds};

use super::*;

const ROUNDS: u64 = 600;

fn round(number: u64) -> Round {
    let hash = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let millis = number * 19_000 + hash % 9_000;
    let time = DateTime::from_timestamp_millis(1_765_395_155_000 + millis.cast_signed()).unwrap();
    Round { time, multiplier: Multiplier::from_cents(100 + hash % 300).unwrap() }
}

/// Records the rounds that `records` selects, with a clock that is `off` milliseconds ahead.
fn record(dir: &std::path::Path, off: i64, records: impl Fn(u64) -> bool) {
    let mut log = RoundLog::open_on(
        Box::new(SparingDisk::new(SyncPolicy::Never, |_| {})),
        dir,
        Origin::Recorded,
        round(0).time,
    )
    .unwrap();
    for number in (0..ROUNDS).filter(|number| records(*number)) {
        let Round { time, multiplier } = round(number);
        let time = time + chrono::TimeDelta::milliseconds(off);
        log.append(&Round { time, multiplier }, &Event::new(EventKind::Live, "feed")).unwrap();
    }
}

fn multipliers(dir: &std::path::Path) -> Vec<u64> {
    let rounds = last_rounds(dir, usize::MAX).unwrap();
    rounds.iter().map(|round| round.multiplier.cents()).collect()
}

fn truth() -> Vec<u64> {
    (0..ROUNDS).map(|number| round(number).multiplier.cents()).collect()
}

fn merge_of(parts: &[(&str, &std::path::Path)], dir: &std::path::Path) -> Merge {
    let from = parts
        .iter()
        .map(|(site, dir)| MergeSource { site: site.parse().unwrap(), dir: dir.to_path_buf() })
        .collect();
    Merge { from, dir: dir.to_owned(), follow: false, read: ReadSettings::default() }
}

#[test]
fn gaps_of_one_recorder_are_filled_from_the_other() {
    let [attic, cellar, whole] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    record(attic.path(), 0, |number| !(100..250).contains(&number) && number % 13 != 0);
    // No round is missing from both: it could not be recovered.
    record(cellar.path(), 42_000, |number| {
        (100..250).contains(&number) || number.is_multiple_of(13) || number > 20 && number % 13 != 1
    });
    let merge = merge_of(&[("attic", attic.path()), ("cellar", cellar.path())], whole.path());
    let shutdown = CancellationToken::new();
    let counts = run(&merge, &shutdown).unwrap();
    assert_eq!(counts, MergeCounts { written: ROUNDS, ..MergeCounts::default() });
    assert_eq!(multipliers(whole.path()), truth());
    // Again, and in the other order: nothing is added.
    assert_eq!(run(&merge, &shutdown).unwrap(), MergeCounts::default());
    let reversed = merge_of(&[("cellar", cellar.path()), ("attic", attic.path())], whole.path());
    assert_eq!(run(&reversed, &shutdown).unwrap(), MergeCounts::default());
}

#[test]
fn rounds_recorded_since_the_last_merge_are_added() {
    let [attic, cellar, whole] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    record(attic.path(), 0, |number| number < 300);
    record(cellar.path(), -3_500, |number| number < 200);
    let merge = merge_of(&[("attic", attic.path()), ("cellar", cellar.path())], whole.path());
    let shutdown = CancellationToken::new();
    assert_eq!(run(&merge, &shutdown).unwrap().written, 300);
    record(cellar.path(), -3_500, |number| number >= 200);
    assert_eq!(run(&merge, &shutdown).unwrap().written, 300);
    assert_eq!(multipliers(whole.path()), truth());
}

#[test]
fn a_conflict_is_reported_once_and_the_first_record_is_kept() {
    let [attic, cellar, whole] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    record(attic.path(), 0, |_| true);
    record(cellar.path(), 0, |number| number != 50);
    let mut log = RoundLog::open(cellar.path(), Origin::Recorded, round(50).time).unwrap();
    let other = Round { multiplier: Multiplier::from_cents(123_456).unwrap(), ..round(50) };
    log.append(&other, &Event::new(EventKind::Live, "feed")).unwrap();
    let merge = merge_of(&[("attic", attic.path()), ("cellar", cellar.path())], whole.path());
    let shutdown = CancellationToken::new();
    assert_eq!(
        run(&merge, &shutdown).unwrap(),
        MergeCounts { written: ROUNDS, conflicts: 1, ..MergeCounts::default() }
    );
    assert_eq!(run(&merge, &shutdown).unwrap(), MergeCounts::default());
    assert_eq!(multipliers(whole.path()), truth());
}

#[test]
fn recordings_that_cannot_be_merged_are_rejected() {
    let [attic, cellar, whole] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let parts = [("attic", attic.path()), ("cellar", cellar.path())];
    let shutdown = CancellationToken::new();
    let refused = |merge: &Merge| run(merge, &shutdown).unwrap_err().to_string();
    assert!(refused(&merge_of(&parts, whole.path())).contains("holds a round"));
    record(attic.path(), 0, |number| number < 3);
    drop(RoundLog::open(cellar.path(), Origin::Simulated, round(0).time).unwrap());
    assert!(refused(&merge_of(&parts, whole.path())).contains("origins"));
    assert!(refused(&merge_of(&parts, attic.path())).contains("both"));
}

#[test]
fn rounds_that_cannot_be_placed_are_counted_over_all_recordings() {
    let [attic, cellar, den, whole] = [(); 4].map(|()| tempfile::tempdir().unwrap());
    record(attic.path(), 0, |_| true);
    // Too few rounds for their place to be certain.
    record(cellar.path(), 5_000, |number| (100..102).contains(&number));
    record(den.path(), 7_000, |number| (300..302).contains(&number));
    let parts = [("attic", attic.path()), ("cellar", cellar.path()), ("den", den.path())];
    let counts = run(&merge_of(&parts, whole.path()), &CancellationToken::new()).unwrap();
    assert_eq!((counts.written, counts.unplaced), (ROUNDS, 4));
}

#[test]
fn a_row_that_is_read_before_its_event_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let csv = path("aviator_payouts_20251210_193235.csv");
    std::fs::write(&csv, format!("timestamp,multiplier\n{}", round(0).to_row())).unwrap();
    let events = rounds::event_file_of(&csv);
    let start = "{\"seq\":1,\"unix_ms\":5,\"kind\":\"start\",\"source\":\"demo\"}\n";
    std::fs::write(&events, start).unwrap();
    let mut followed = Recording::new(dir.path(), ReadSettings::default(), true);
    followed.scan().unwrap();
    assert!(followed.recorded().is_empty());
    let event = "{\"seq\":2,\"unix_ms\":5,\"kind\":\"backfill\",\"source\":\"demo\",\"row\":1}\n";
    std::fs::write(&events, format!("{start}{event}")).unwrap();
    assert!(followed.scan().unwrap());
    let [recorded] = followed.recorded().try_into().unwrap();
    assert_eq!((recorded.round, recorded.is_estimate), (round(0), true));
    assert!(!followed.scan().unwrap());
    // A merge that ends does not wait.
    std::fs::write(&events, start).unwrap();
    let mut once = Recording::new(dir.path(), ReadSettings::default(), false);
    once.scan().unwrap();
    assert_eq!(once.recorded().len(), 1);
}

#[test]
fn times_without_an_offset_are_those_of_the_given_zone() {
    let site = tempfile::tempdir().unwrap();
    let row = |number| {
        let Round { time, multiplier } = round(number);
        let time = time - chrono::TimeDelta::hours(3);
        format!("{},{multiplier}\n", time.format("%Y-%m-%d %H:%M:%S%.3f"))
    };
    let rows = (0..40).map(row).collect::<Vec<_>>().concat();
    let csv = site.path().join("aviator_payouts_20251210_193235.csv");
    std::fs::write(csv, format!("timestamp,multiplier\n{rows}")).unwrap();
    std::fs::write(site.path().join(rounds::ORIGIN_FILE), "recorded\n").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let read = ReadSettings { time_zone: "-03:00".parse().unwrap(), ..ReadSettings::default() };
    let merge = Merge { read, ..merge_of(&[("attic", site.path())], dir.path()) };
    run(&merge, &CancellationToken::new()).unwrap();
    let found = last_rounds(dir.path(), usize::MAX).unwrap();
    assert_eq!(found, (0..40).map(round).collect::<Vec<_>>());
}
