//! What an import writes, and what it does not.

use std::fs;
use std::path::Path;

use importer::{Dialogue, ImportError, Options, Outcome, Source, Target, import};
use rounds::disk::RealDisk;
use rounds::scan::Directory;
use rounds::{EventKind, LogError, Origin, Round, read_events};
use test_support::{Fault, FaultyDisk};

use crate::fixtures::{options, text, usual};

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
    let target = Target { dir, disk: &RealDisk, is_dry_run: flags[0], is_agreed: flags[1] };
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
        "nothing was written: there is no terminal for the confirmation; to import it: predictor import downloads/march.csv \
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
    fs::write(dir.path().join(rounds::ORIGIN_FILE), "simulated\n").unwrap();
    let error =
        run(dir.path(), &source(), &options(), &mut Person::default(), [false, true]).unwrap_err();
    assert!(matches!(error, ImportError::Write(LogError::Mixed { .. })), "{error}");
    assert_eq!(files(dir.path()), [rounds::ORIGIN_FILE]);
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
        let target = Target { dir: dir.path(), disk: &disk, is_dry_run: false, is_agreed: true };
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
