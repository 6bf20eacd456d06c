//! What a person sees first on a terminal.

use std::fmt::Write as _;

use rounds::scan::Directory;

use crate::config::Config;
use crate::observation::SourceKind;
use crate::output::status::STATUS_FILE;

/// Five lines: version, where rounds come from, where they go and how many are there, how to follow, what next.
pub fn banner(config: &Config) -> String {
    let mut text = format!("aviator collector {}\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, what: String| {
        writeln!(text, "  {name:<7}  {what}").expect("a string takes everything");
    };
    let dir = config.directory();
    let dir = dir.display();
    let source = match config.source {
        SourceKind::Demo => "demo: simulated rounds, provably fair".to_owned(),
        SourceKind::Replay => "replay: rounds of a recording".to_owned(),
        other => format!("{}, read-only", other.name()),
    };
    line("source", source);
    line("rounds", format!("{dir}: {}", found(config)));
    line("status", format!("{dir}/{STATUS_FILE}"));
    line("next", format!("predictor --data-dir {dir} --open; Ctrl-C stops this"));
    text
}

fn found(config: &Config) -> String {
    let changes = Directory::new(config.directory()).scan().unwrap_or_default();
    let rounds: u64 = changes.iter().map(|change| change.total).sum();
    match changes.len() {
        0 => "none yet".to_owned(),
        1 => format!("{rounds} rounds in 1 file"),
        files => format!("{rounds} rounds in {files} files"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    #[test]
    fn the_banner_is_five_lines_that_say_where_and_what_next() {
        let dir = tempfile::tempdir().unwrap();
        let told = Options { data_dir: Some(dir.path().to_owned()), ..Options::default() };
        let config = Config::from(told);
        assert!(banner(&config).contains(": none yet\n"));
        let rows = "timestamp,multiplier\n2026-01-01T00:00:00.000Z,2.00\n";
        std::fs::write(dir.path().join("aviator_payouts_20260101_000000.csv"), rows).unwrap();
        let banner = banner(&config);
        assert_eq!(banner.lines().count(), 5, "{banner}");
        assert!(
            banner.contains("simulated") && banner.contains(": 1 rounds in 1 file\n"),
            "{banner}"
        );
    }
}
