//! The rounds of a directory whose seeds stand in the side files: those of the demo.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rounds::provably_fair::aviator::Claim;
use rounds::{Cursor, EventLine, Round};
use serde_json::Value;

use super::print;

const SIDE_FILE: &str = ".events.jsonl";

/// Checks every round that has seeds beside it.
///
/// # Errors
/// Names the first round that does not match; also when there is none with seeds.
pub(super) fn run(dir: &Path) -> anyhow::Result<()> {
    let (mut checked, mut without) = (0u64, 0u64);
    let mut files = CsvFiles { dir: dir.to_owned(), rounds: BTreeMap::new() };
    for path in side_files(dir)? {
        // The house commits itself to the next seed before it is used.
        let mut committed: Option<String> = None;
        for line in BufReader::new(open(&path)?).lines() {
            let line = line.with_context(|| format!("reading {}", path.display()))?;
            // The last line may be half written; what is no event is no round either.
            let Ok(event) = serde_json::from_str::<EventLine>(&line) else { continue };
            let Some(row) = event.row else { continue };
            let Some(published) = event.event.detail.as_ref().and_then(Published::of) else {
                without += 1;
                continue;
            };
            let csv = event.file.unwrap_or_else(|| csv_beside(&path));
            let place = format!("{csv}, row {row}");
            let round = files.round(&csv, row)?.with_context(|| format!("{place}: no such row"))?;
            published.check(&round, &place)?;
            let before = std::mem::replace(&mut committed, published.next_commitment);
            if before.is_some() && before != published.claim.commitment {
                anyhow::bail!("{place}: another seed than the one committed to");
            }
            checked += 1;
        }
    }
    if checked == 0 {
        anyhow::bail!("no rounds with seeds in {}", dir.display());
    }
    let others = if without == 0 { String::new() } else { format!("; {without} have no seeds") };
    print(&format!("{checked} rounds match their seeds step by step{others}\n"))
}

/// What an event says of its seeds.
struct Published {
    claim: Claim,
    /// SHA-256 of the seed of the round after it.
    next_commitment: Option<String>,
}

impl Published {
    fn of(detail: &Value) -> Option<Self> {
        let text = |key: &str| detail.get(key).and_then(Value::as_str).map(str::to_owned);
        let seeds = detail.get("client_seeds")?.as_array()?;
        let claim = Claim {
            server_seed: text("server_seed")?,
            client_seeds: seeds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            commitment: text("server_seed_sha256"),
            digest: text("combined_sha512"),
            decimal: None,
            multiplier: None,
        };
        Some(Self { claim, next_commitment: text("next_server_seed_sha256") })
    }

    fn check(&self, round: &Round, place: &str) -> anyhow::Result<()> {
        let claim = Claim { multiplier: Some(round.multiplier), ..self.claim.clone() };
        match claim.steps().into_iter().find(|step| step.matches() == Some(false)) {
            Some(step) => anyhow::bail!(
                "{place}: does not match: {}: recorded {}, computed {}",
                step.name,
                step.said.unwrap_or_default(),
                step.computed
            ),
            None => Ok(()),
        }
    }
}

fn side_files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> =
        paths.collect::<Result<_, _>>().context("reading the directory")?;
    paths.retain(|path| path.to_string_lossy().ends_with(SIDE_FILE));
    paths.sort();
    Ok(paths)
}

fn csv_beside(side_file: &Path) -> String {
    let name = side_file.file_name().unwrap_or_default().to_string_lossy();
    format!("{}.csv", name.strip_suffix(SIDE_FILE).unwrap_or(&name))
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("opening {}", path.display()))
}

/// Files read so far.
struct CsvFiles {
    dir: PathBuf,
    rounds: BTreeMap<String, Vec<Round>>,
}

impl CsvFiles {
    /// A row, counted from 1.
    fn round(&mut self, csv: &str, row: u64) -> anyhow::Result<Option<Round>> {
        if !self.rounds.contains_key(csv) {
            let path = self.dir.join(csv);
            let mut file = open(&path)?;
            let length = file.metadata().context("asking for the length")?.len();
            let piece = Cursor::default().read(&mut file, length);
            let rounds = piece.with_context(|| format!("reading {}", path.display()))?.rounds;
            self.rounds.insert(csv.to_owned(), rounds);
        }
        let at = usize::try_from(row).ok().and_then(|row| row.checked_sub(1));
        Ok(at.and_then(|at| self.rounds.get(csv)?.get(at)).copied())
    }
}
