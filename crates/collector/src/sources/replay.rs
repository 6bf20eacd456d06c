//! The replay source: recorded rounds, as if live.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use rounds::{Chunk, Cursor, ReadOptions, ReadSettings, Round, usual_gap};
use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;
use crate::observation::{Observation, Report};
use crate::source_error::SourceError;
use crate::sources::pacing::{Metronome, Pace};

/// A longer pause between two recorded rounds is an outage of the recorder.
const RECORDED_GAP_MAX: Duration = Duration::from_mins(5);

/// The replay's flags and its `[replay]` section.
#[derive(Args, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
#[group(skip)]
pub struct ReplayOptions {
    /// replay: the CSV file to replay; har: the file that the developer tools saved
    #[arg(long, env = "AVIATOR_FILE", value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// replay: write the recorded times or the current ones [default: recorded]
    #[arg(long, env = "AVIATOR_TIMES", value_enum, value_name = "WHICH")]
    pub times: Option<Times>,
}

/// Which times a replay writes.
#[derive(ValueEnum, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Times {
    /// As in the file: the same replay writes the same bytes.
    #[default]
    Recorded,
    /// The time of writing.
    Now,
}

/// Replays the rounds of a file.
#[derive(Debug)]
pub struct Replay {
    times: Times,
    pace: Pace,
    rounds: VecDeque<Round>,
    before: Option<DateTime<Utc>>,
    metronome: Metronome,
}

impl Replay {
    /// Reads the file, before a data directory is created.
    ///
    /// # Errors
    ///
    /// `--file` is missing, cannot be read, or holds no rounds.
    pub fn new(
        options: &ReplayOptions,
        pace: Pace,
        rounds: Option<u64>,
        read: ReadSettings,
    ) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::flag("file", problem);
        let file = options.file.as_deref();
        let file = file.ok_or_else(|| wrong("is missing: the CSV file to replay".to_owned()))?;
        let name = file.display();
        let chunk = read_file(file, read).map_err(|error| wrong(format!("{name}: {error}")))?;
        if let Some(refusal) = &chunk.refused {
            let command = refusal.command(&name.to_string());
            return Err(wrong(format!("{name} is not read: {refusal}; to read it: {command}")));
        }
        if chunk.rounds.is_empty() {
            return Err(wrong(format!(
                "{name} holds no rounds; name a file with rounds to replay"
            )));
        }
        if chunk.rejected_count > 0 || chunk.torn_bytes > 0 {
            let first = chunk.rejected.first().map(|rejected| rejected.line);
            tracing::warn!(
                file = %name, lines = chunk.rejected_count, first_line = first, bytes_without_newline = chunk.torn_bytes,
                "Some lines of the file are not rounds and are skipped."
            );
        }
        let limit = rounds.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        Ok(Self {
            times: options.times.unwrap_or_default(),
            pace,
            rounds: chunk.rounds.into_iter().take(limit).collect(),
            before: None,
            metronome: Metronome::default(),
        })
    }

    /// Waits for the next row; returns [`Report::End`] after the last.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn next(&mut self) -> Result<Observation, SourceError> {
        let Some(round) = self.rounds.pop_front() else { return Ok(Observation::now(Report::End)) };
        self.metronome.wait(self.gap(&round)).await;
        self.before = Some(round.time);
        Ok(Observation::now(Report::Round {
            id: None,
            multiplier: round.multiplier,
            ended_at: (self.times == Times::Recorded).then_some(round.time),
            backfill: false,
            detail: None,
        }))
    }

    /// Returns the pause before a round: at the real pace the recorded one, if it is plausible.
    fn gap(&self, round: &Round) -> Duration {
        let recorded = self.before.and_then(|before| (round.time - before).to_std().ok());
        match self.pace {
            Pace::Real => recorded
                .filter(|gap| *gap > Duration::ZERO && *gap <= RECORDED_GAP_MAX)
                .unwrap_or_else(|| usual_gap(round.multiplier)),
            pace => pace.gap(round.multiplier),
        }
    }
}

fn read_file(path: &Path, settings: ReadSettings) -> io::Result<Chunk> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    Cursor::default().read_with(&mut file, length, &ReadOptions::from(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(text: &str, pace: Pace, rounds: Option<u64>, times: Times) -> Replay {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rounds.csv");
        std::fs::write(&path, text).unwrap();
        let options = ReplayOptions { file: Some(path), times: Some(times) };
        Replay::new(&options, pace, rounds, ReadSettings::default()).unwrap()
    }

    async fn all(mut replay: Replay) -> Vec<(u64, Option<DateTime<Utc>>)> {
        let mut all = Vec::new();
        while let Report::Round { multiplier, ended_at, .. } = replay.next().await.unwrap().report {
            all.push((multiplier.cents(), ended_at));
        }
        all
    }

    const ROWS: &str = "timestamp,multiplier\n2026-01-01T00:00:00.000Z,1.00\nrubbish\n2026-01-01T00:00:20.000Z,\"1,090.08x\"\n\
                        2026-01-01T09:00:00.000Z,10.00\n2026-01-01T09:00:20.000Z,3.00";

    #[tokio::test]
    async fn rows_keep_their_times_and_order_and_a_torn_one_is_skipped() {
        let all = all(replay(ROWS, Pace::Max, None, Times::Recorded)).await;
        let cents: Vec<u64> = all.iter().map(|(cents, _)| *cents).collect();
        assert_eq!(cents, [100, 109_008, 1000]);
        assert_eq!(all[0].1, Some("2026-01-01T00:00:00Z".parse().unwrap()));
    }

    #[tokio::test]
    async fn current_times_and_a_limit_of_rounds_are_applied_on_request() {
        let all = all(replay(ROWS, Pace::Max, Some(2), Times::Now)).await;
        assert_eq!(all, [(100, None), (109_008, None)]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_real_pace_is_the_recorded_one_except_during_outages() {
        let start = tokio::time::Instant::now();
        all(replay(ROWS, Pace::Real, None, Times::Recorded)).await;
        let expected = 11.5 + 20.0 + (11.5 + 11.7 * 10_f64.ln());
        assert!((start.elapsed().as_secs_f64() - expected).abs() < 0.01, "{:?}", start.elapsed());
    }

    #[test]
    fn a_replay_without_a_file_is_refused_by_flag() {
        let error =
            Replay::new(&ReplayOptions::default(), Pace::Real, None, ReadSettings::default())
                .unwrap_err();
        assert_eq!(error.to_string(), "--file: is missing: the CSV file to replay");
    }

    #[test]
    fn times_without_an_offset_are_of_the_time_zone_given() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rounds.csv");
        std::fs::write(&path, "timestamp,multiplier\n2026-01-01 00:00:00,2.00\n").unwrap();
        let options = ReplayOptions { file: Some(path), times: None };
        let read = ReadSettings {
            time_zone: "America/Sao_Paulo".parse().unwrap(),
            ..ReadSettings::default()
        };
        let replay = Replay::new(&options, Pace::Max, None, read).unwrap();
        let expected: DateTime<Utc> = "2026-01-01T03:00:00Z".parse().unwrap();
        assert_eq!(replay.rounds[0].time, expected);
    }

    fn of(file: &str) -> Result<Replay, ConfigError> {
        let options = ReplayOptions { file: Some(PathBuf::from(file)), times: None };
        Replay::new(&options, Pace::Real, None, ReadSettings::default())
    }

    #[test]
    fn a_missing_file_is_bad_usage() {
        let error = of("no/such.csv").unwrap_err();
        assert!(error.to_string().starts_with("--file: no/such.csv: "), "{error}");
    }

    #[test]
    fn a_file_without_rounds_is_bad_usage() {
        let error = of("Cargo.toml").unwrap_err().to_string();
        assert!(error.starts_with("--file: Cargo.toml is not read: it has no header"), "{error}");
        let empty = tempfile::NamedTempFile::new().unwrap();
        let error = of(empty.path().to_str().unwrap()).unwrap_err().to_string();
        assert!(error.ends_with("holds no rounds; name a file with rounds to replay"), "{error}");
    }
}
