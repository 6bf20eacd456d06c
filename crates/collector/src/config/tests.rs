use std::fs;

use super::*;
use crate::sources::replay::Times;

fn with_file(text: &str) -> Result<Options, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("collector.toml");
    fs::write(&path, text).unwrap();
    read(&path)
}

#[test]
fn without_options_the_demo_records_into_its_own_directory() {
    let config = Config::default();
    assert_eq!(config.source, SourceKind::Demo);
    assert_eq!(config.data_dir, Path::new("data/demo"));
    assert_eq!(config.pace, Pace::Every(demo::DEFAULT_GAP));
}

#[test]
fn other_sources_record_into_data() {
    let config = Config::from(Options { source: Some(SourceKind::Browser), ..Options::default() });
    assert_eq!(config.data_dir, Path::new("data"));
}

#[test]
fn a_flag_overrides_the_same_key_of_the_file_only() {
    let file =
        with_file("source = 'replay'\npace = 0.2\n[replay]\nfile = 'a.csv'\ntimes = 'now'\n")
            .unwrap();
    let mut flags = Options { pace: Some(Pace::Max), ..Options::default() };
    flags.replay.file = Some(PathBuf::from("b.csv"));
    let options = merged(&file, &flags).unwrap();
    assert_eq!(options.source, Some(SourceKind::Replay));
    assert_eq!(options.pace, Some(Pace::Max));
    assert_eq!(options.replay.file.as_deref(), Some(Path::new("b.csv")));
    assert_eq!(options.replay.times, Some(Times::Now));
}

#[track_caller]
fn check_error(text: &str, line: usize, says: &str) {
    let error = with_file(text).unwrap_err();
    let ConfigError::File { line: at, problem, .. } = &error else { panic!("{error}") };
    assert_eq!(*at, line, "{error}");
    assert!(problem.contains(says), "{error}");
}

#[test]
fn an_unknown_key_is_reported_with_its_line() {
    check_error("source = 'demo'\npase = 3\n", 2, "`pase`");
    check_error("[demo]\n\nhistori = 3\n", 3, "`histori`");
}

#[test]
fn an_invalid_value_is_reported_with_its_line() {
    check_error("\npace = 'fast'\n", 2, "`fast`");
    check_error("rounds = -1\n", 1, "-1");
}

#[test]
fn the_metrics_address_must_be_loopback() {
    let options = |address: &str| Options {
        metrics_listen: Some(address.parse().unwrap()),
        ..Options::default()
    };
    let error = Config::load(&options("0.0.0.0:5002"), None).unwrap_err();
    assert!(error.to_string().starts_with("--metrics-listen: 0.0.0.0:5002"), "{error}");
    assert!(Config::load(&options("127.0.0.1:5002"), None).is_ok());
    assert!(Config::load(&options("[::1]:5002"), None).is_ok());
}

#[test]
fn a_missing_file_is_reported_by_name() {
    let error = read::<Options>(Path::new("no/such.toml")).unwrap_err();
    assert!(error.to_string().contains("no/such.toml (--config): "), "{error}");
}

/// Unless told otherwise, clap makes a group of each flattened struct, and groups of the same name
/// collide.
#[test]
fn no_two_flags_or_variables_have_the_same_name() {
    let command = Options::augment_args(clap::Command::new("collector"));
    let mut variables: Vec<_> = command.get_arguments().filter_map(clap::Arg::get_env).collect();
    variables.sort_unstable();
    assert!(variables.windows(2).all(|pair| pair[0] != pair[1]), "{variables:?}");
    command.debug_assert();
}
