//! The banner at the start of a run on a terminal.

use std::fmt::Write as _;

use rounds::counted;
use rounds::scan::Directory;

use crate::config::Config;
use crate::observation::SourceKind;
use crate::output::status::STATUS_FILE;

/// Returns five lines: the version, the source, the directory and its rounds, the status file, and the next command to try.
pub fn banner(config: &Config) -> String {
    let mut text = format!("aviator collector {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, value: String| {
        writeln!(text, "  {name:<7}  {value}").expect("writing to a string cannot fail");
    };
    let dir = config.directory();
    let dir = dir.display();
    let source = match config.source {
        SourceKind::Demo => {
            let pattern = config.demo.pattern.unwrap_or_default();
            format!("demo: simulated rounds, {}", pattern.text())
        }
        SourceKind::Replay => "replay: rounds of a recording".to_owned(),
        other => format!("{}, read-only", other.name()),
    };
    line("source", source);
    line("rounds", format!("{dir}: {}", existing_rounds(config)));
    line("status", format!("{dir}/{STATUS_FILE}"));
    line("next", format!("predictor --data-dir {dir} --open; Ctrl-C stops this"));
    text
}

fn existing_rounds(config: &Config) -> String {
    let changes =
        Directory::with_settings(config.directory(), config.read).scan().unwrap_or_default();
    let rounds: u64 = changes.iter().map(|change| change.total).sum();
    let files = changes.len();
    if files == 0 {
        return "none yet".to_owned();
    }
    format!("{} in {}", counted(rounds, "round"), counted(files as u64, "file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    #[test]
    fn the_banner_has_five_lines_with_source_and_directory() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { data_dir: Some(dir.path().to_owned()), ..Options::default() };
        let config = Config::from(options);
        assert!(banner(&config).contains(": none yet\n"));
        let rows = "timestamp,multiplier\n2026-01-01T00:00:00.000Z,2.00\n";
        std::fs::write(dir.path().join("aviator_payouts_20260101_000000.csv"), rows).unwrap();
        let banner = banner(&config);
        assert_eq!(banner.lines().count(), 5, "{banner}");
        assert!(
            banner.contains("simulated") && banner.contains(": 1 round in 1 file\n"),
            "{banner}"
        );
    }
}
