//! What an import writes, and what it does not.

use std::fs;
use std::path::Path;

use ::rounds::disk::RealDisk;
use ::rounds::scan::Directory;
use ::rounds::{Event, EventKind, EventLine, LogError, Origin, Round, read_events};
use chrono::TimeDelta;
use importer::{
    Dialogue, ImportError, Imported, Options, Outcome, Part, Source, SourceFile, Target, import,
    import_all, merge,
};
use test_support::{Fault, FaultyDisk};

use crate::fixtures::{options, rounds, text, usual};

#[derive(Default)]
struct Person {
    answer: Option<bool>,
    shown: String,
    asked: Vec<String>,
}

impl Dialogue for Person {
    fn show(&mut self, text: &str) -> std::io::Result<()> {
        self.shown += text;
        Ok(())
    }

    fn agrees(&mut self, question: &str) -> std::io::Result<Option<bool>> {
        self.asked.push(question.to_owned());
        Ok(self.answer)
    }

    fn progress(&mut self, read: u64, length: u64) {
        assert!(read <= length);
    }
}

fn source() -> Source {
    let row = |r: &Round| format!("{},{}", r.time.format("%Y-%m-%d %H:%M:%S"), r.multiplier);
    Source::bytes("downloads/march.csv", text("time,multiplier", &usual(), row).into_bytes())
}

fn run(
    dir: &Path,
    source: &Source,
    options: &Options,
    person: &mut Person,
    flags: [bool; 2],
) -> Result<Outcome, ImportError> {
    let target = Target {
        dir,
        disk: &RealDisk,
        is_dry_run: flags[0],
        is_agreed: flags[1],
        now: options.now,
    };
    import(source, options, &target, person)
}

fn files(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_recording_is_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut person = Person { answer: Some(true), ..Person::default() };
    let outcome = run(dir.path(), &source(), &options(), &mut person, [false, false]).unwrap();
    let first = usual()[0].time.format("aviator_payouts_%Y%m%d_%H%M%S.csv").to_string();
    let path = dir.path().join(&first);
    assert_eq!(outcome, Outcome::Written(path.clone()));
    assert!(person.shown.contains("120 rounds from 2026-03-20"), "{}", person.shown);
    assert_eq!(person.asked, [format!("Write 120 rounds to {}?", dir.path().display())]);
    let changes = Directory::new(dir.path()).scan().unwrap();
    assert_eq!(changes[0].rounds, usual());
    assert_eq!(Origin::of(dir.path()).unwrap(), Some(Origin::Recorded));
    let events = read_events(&path).unwrap();
    assert_eq!(
        events.iter().map(|line| line.event.kind).collect::<Vec<_>>(),
        [EventKind::Start, EventKind::Stop]
    );
    assert_eq!(events[0].event.detail.as_ref().unwrap()["import"]["file"], "march.csv");
    let before = files(dir.path());
    assert_eq!(before.len(), 3, "{before:?}");

    let again = run(dir.path(), &source(), &options(), &mut person, [false, true]).unwrap();
    assert_eq!(again, Outcome::Known(first));
    assert_eq!(files(dir.path()), before);

    // A file that is deleted has not been imported.
    fs::remove_file(&path).unwrap();
    let anew = run(dir.path(), &source(), &options(), &mut person, [false, true]).unwrap();
    assert!(matches!(anew, Outcome::Written(other) if other != path));
}

#[test]
fn nothing_is_written_unless_somebody_agrees() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut nobody = Person::default();
    assert_eq!(
        run(&data, &source(), &options(), &mut nobody, [true, false]).unwrap(),
        Outcome::Shown
    );
    let error = run(&data, &source(), &options(), &mut nobody, [false, false]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing was written: there is no terminal for the confirmation; to write it: predictor import downloads/march.csv \
         --timezone +00:00 --yes"
    );
    let mut person = Person { answer: Some(false), ..Person::default() };
    assert_eq!(
        run(&data, &source(), &options(), &mut person, [false, false]).unwrap(),
        Outcome::Declined
    );
    assert_eq!(files(&data), Vec::<String>::new());
}

#[test]
fn rounds_of_another_origin_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(::rounds::ORIGIN_FILE), "simulated\n").unwrap();
    let error =
        run(dir.path(), &source(), &options(), &mut Person::default(), [false, true]).unwrap_err();
    assert!(matches!(error, ImportError::Write(LogError::Mixed { .. })), "{error}");
    assert_eq!(files(dir.path()), [::rounds::ORIGIN_FILE]);
}

#[test]
fn estimated_times_are_marked_row_by_row() {
    let dir = tempfile::tempdir().unwrap();
    let list = text("Multiplier", &usual(), |round| round.multiplier.to_string());
    let mut options = options();
    options.without_times = true;
    let source = Source::bytes("list.txt", list.into_bytes());
    let outcome =
        run(dir.path(), &source, &options, &mut Person::default(), [false, true]).unwrap();
    let Outcome::Written(path) = outcome else { panic!("{outcome:?}") };
    let events = read_events(&path).unwrap();
    let rows: Vec<u64> = events
        .iter()
        .filter(|line| line.event.kind == EventKind::Backfill)
        .filter_map(|line| line.row)
        .collect();
    assert_eq!(rows, (1..=120).collect::<Vec<_>>());
}

/// Every call that writing makes to the disk fails once: what is there afterwards is the whole recording or no row.
#[test]
fn a_disk_that_fails_leaves_the_whole_recording_or_none() {
    for call in 1.. {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultyDisk::new(Fault::Broken, call, call);
        let target = Target {
            dir: dir.path(),
            disk: &disk,
            is_dry_run: false,
            is_agreed: true,
            now: options().now,
        };
        let result = import(&source(), &options(), &target, &mut Person::default());
        if !disk.was_hit() {
            assert!(result.is_ok() && call > 5);
            return;
        }
        assert!(
            matches!(result, Err(ImportError::Write(LogError::Io { .. }))),
            "{call}: {result:?}"
        );
        let rounds: usize =
            Directory::new(dir.path()).scan().unwrap().iter().map(|it| it.rounds.len()).sum();
        assert_eq!(rounds, 0, "{call}: {:?}", files(dir.path()));
        assert!(!files(dir.path()).iter().any(|name| name.contains(".part")), "{call}");
    }
}

/// Some of the rounds in a file, by a clock that is some seconds ahead.
fn stretch(name: &str, rounds: &[Round], ahead: i64) -> Source {
    let row = |r: &Round| {
        let time = r.time + TimeDelta::seconds(ahead);
        format!("{},{}", time.format("%Y-%m-%d %H:%M:%S"), r.multiplier)
    };
    Source::bytes(name, text("time,multiplier", rounds, row).into_bytes())
}

fn run_all(dir: &Path, sources: &[Source], person: &mut Person) -> Imported {
    let options = options();
    let target =
        Target { dir, disk: &RealDisk, is_dry_run: false, is_agreed: true, now: options.now };
    import_all(sources, &options, &target, person)
}

#[test]
fn files_imported_together_are_one_recording_without_doubles() {
    let all = rounds(3, 300, "2026-03-20T00:00:00");
    let sources = [stretch("a.csv", &all[..200], 0), stretch("b.csv", &all[120..], 9)];
    let dir = tempfile::tempdir().unwrap();
    let mut person = Person::default();
    let imported = run_all(dir.path(), &sources, &mut person);
    let Some(Ok(Outcome::Written(path))) = &imported.outcome else { panic!("{imported:?}") };
    let multipliers =
        |rounds: &[Round]| -> Vec<_> { rounds.iter().map(|it| it.multiplier).collect() };
    let written = Directory::new(dir.path()).scan().unwrap().remove(0).rounds;
    assert_eq!(multipliers(&written), multipliers(&all));
    assert_eq!(written[..200], all[..200], "the clock of the first file counts");
    assert!(person.shown.contains("merged: 300 rounds of 380 rows in 2 files"), "{}", person.shown);
    assert!(person.shown.contains("80 rounds counted once"), "{}", person.shown);
    let import = read_events(path).unwrap()[0].event.detail.clone().unwrap()["import"].take();
    assert_eq!(
        (&import["files"][0]["file"], &import["files"][1]["rounds"]),
        (&"a.csv".into(), &180.into())
    );

    let again = run_all(dir.path(), &sources, &mut person);
    assert_eq!((again.known.len(), again.outcome.is_none()), (2, true));
}

#[test]
fn files_that_overlap_without_shared_rounds_are_not_joined() {
    let one = rounds(5, 150, "2026-03-20T00:00:00");
    let other = rounds(6, 150, "2026-03-20T00:00:00");
    let sources = [stretch("a.csv", &one, 0), stretch("b.csv", &other, 0)];
    let dir = tempfile::tempdir().unwrap();
    let mut person = Person::default();
    let imported = run_all(&dir.path().join("data"), &sources, &mut person);
    let Some(Err(ImportError::Unresolved { first, second })) = &imported.outcome else {
        panic!("{imported:?}")
    };
    assert_eq!((first.as_str(), second.as_str()), ("a.csv", "b.csv"));
    assert!(person.shown.contains("unresolved"), "{}", person.shown);
    assert_eq!(files(&dir.path().join("data")), Vec::<String>::new());
}

#[test]
fn a_refused_file_does_not_keep_the_others_out() {
    let sources = [source(), Source::bytes("ids.csv", b"id,count\n17,3\n18,4\n".to_vec())];
    let dir = tempfile::tempdir().unwrap();
    let imported = run_all(dir.path(), &sources, &mut Person::default());
    assert_eq!(imported.refused.len(), 1);
    assert!(matches!(imported.outcome, Some(Ok(Outcome::Written(_)))));
}

#[test]
fn several_files_without_times_are_refused() {
    let list = |seed| {
        text("Multiplier", &rounds(seed, 100, "2026-03-20T00:00:00"), |it| {
            it.multiplier.to_string()
        })
    };
    let source = |seed| Source::bytes("list.txt", list(seed).into_bytes());
    let mut options = options();
    options.without_times = true;
    let dir = tempfile::tempdir().unwrap();
    let target = Target {
        dir: dir.path(),
        disk: &RealDisk,
        is_dry_run: false,
        is_agreed: true,
        now: options.now,
    };
    let imported = import_all(&[source(1), source(2)], &options, &target, &mut Person::default());
    assert!(matches!(imported.outcome, Some(Err(ImportError::WithoutTimes))));
}

fn part(name: &str, rounds: &[Round]) -> Part {
    let source =
        SourceFile { name: name.to_owned(), sha256: name.to_owned(), rounds: rounds.len() as u64 };
    Part { source, rounds: rounds.to_vec(), events: Vec::new() }
}

#[test]
fn merged_files_keep_their_origin_and_are_written_once() {
    let all = rounds(8, 300, "2026-03-20T00:00:00");
    let parts = [part("a", &all[..200]), part("b", &all[100..])];
    let dir = tempfile::tempdir().unwrap();
    let run = |person: &mut Person| {
        let now = options().now;
        let target =
            Target { dir: dir.path(), disk: &RealDisk, is_dry_run: false, is_agreed: true, now };
        merge(&parts, Origin::Simulated, &target, "predictor merge", person).unwrap()
    };
    let Outcome::Written(path) = run(&mut Person::default()) else { panic!("not written") };
    assert_eq!(Origin::of(dir.path()).unwrap(), Some(Origin::Simulated));
    let written = Directory::new(dir.path()).scan().unwrap().remove(0);
    assert_eq!(written.rounds, all);
    assert_eq!(read_events(&path).unwrap()[0].event.source, "merge");
    assert_eq!(run(&mut Person::default()), Outcome::Known(written.file));
}

#[test]
fn a_conflict_of_two_files_is_shown() {
    let all = rounds(9, 200, "2026-03-20T00:00:00");
    let mut other = all.clone();
    other[100].multiplier = "7.77".parse().unwrap();
    let parts = [part("a", &all), part("b", &other)];
    let dir = tempfile::tempdir().unwrap();
    let target = Target {
        dir: dir.path(),
        disk: &RealDisk,
        is_dry_run: true,
        is_agreed: false,
        now: options().now,
    };
    let mut person = Person::default();
    merge(&parts, Origin::Recorded, &target, "predictor merge", &mut person).unwrap();
    let shown = person.shown;
    assert!(shown.contains("199 rounds counted once; 1 conflicting"), "{shown}");
    assert!(shown.contains("7.77x of b: ") && shown.contains("x is kept"), "{shown}");
}

#[test]
fn a_gap_that_no_file_fills_is_noted_beside_the_merged_rounds() {
    let all = rounds(10, 300, "2026-03-20T00:00:00");
    let gapped = |name: &str, gaps: &[std::ops::Range<usize>]| {
        let is_kept = |at: &usize| !gaps.iter().any(|gap| gap.contains(at));
        let kept: Vec<usize> = (0..all.len()).filter(is_kept).collect();
        let rounds: Vec<Round> = kept.iter().map(|at| all[*at]).collect();
        let note = |gap: &std::ops::Range<usize>| EventLine {
            seq: 1,
            unix_ms: all[gap.end].time.timestamp_millis(),
            event: Event::new(EventKind::Gap, "demo"),
            row: None,
            file: None,
        };
        Part { events: gaps.iter().map(note).collect(), ..part(name, &rounds) }
    };
    let parts = [gapped("a", &[100..140, 200..220]), gapped("b", &[120..150, 250..260])];
    let dir = tempfile::tempdir().unwrap();
    let now = options().now;
    let target =
        Target { dir: dir.path(), disk: &RealDisk, is_dry_run: false, is_agreed: true, now };
    let mut person = Person::default();
    let outcome = merge(&parts, Origin::Recorded, &target, "predictor merge", &mut person).unwrap();
    let Outcome::Written(path) = outcome else { panic!("not written") };
    let events = read_events(&path).unwrap();
    let gaps: Vec<i64> = events
        .iter()
        .filter(|line| line.event.kind == EventKind::Gap)
        .map(|line| line.unix_ms)
        .collect();
    assert_eq!(gaps, [all[140].time.timestamp_millis()]);
    assert!(person.shown.contains("1 note of gaps and restarts"), "{}", person.shown);
}
