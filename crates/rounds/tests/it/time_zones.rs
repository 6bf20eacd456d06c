//! Times without an offset, in the zone that the settings name.

use std::fmt::Write as _;
use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rounds::scan::Directory;
use rounds::{ReadSettings, Round};

use crate::directory::round;

/// Zones with the end of their summer time; on Lord Howe half an hour comes twice.
const ENDS: [(&str, &str); 4] = [
    ("Europe/Berlin", "2025-10-26T01:00:00Z"),
    ("Europe/London", "2025-10-26T01:00:00Z"),
    ("America/New_York", "2025-11-02T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
];

/// Rounds every half minute, from two hours before the end of summer time to two hours after it.
fn truth(end: &str) -> Vec<Round> {
    let end: DateTime<Utc> = end.parse().unwrap();
    let time = |n: i64| end + TimeDelta::seconds(30 * (n - 240));
    (0..480).map(|n| Round { time: time(n), ..round(n.unsigned_abs()) }).collect()
}

fn read(zone: &str, rounds: &[Round]) -> Vec<Round> {
    let named: Tz = zone.parse().unwrap();
    let mut text = "timestamp,multiplier\n".to_owned();
    for Round { time, multiplier } in rounds {
        let local = time.with_timezone(&named).format("%Y-%m-%d %H:%M:%S");
        writeln!(text, "{local},{multiplier}").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("aviator_payouts_a.csv"), text).unwrap();
    let settings = ReadSettings { time_zone: zone.parse().unwrap(), ..ReadSettings::default() };
    let change = Directory::with_settings(dir.path(), settings).scan().unwrap().remove(0);
    assert_eq!(change.rejected_count, 0);
    change.rounds
}

#[test]
fn rounds_of_the_hour_that_comes_twice_are_read_as_they_were() {
    for (zone, end) in ENDS {
        let rounds = truth(end);
        assert_eq!(read(zone, &rounds), rounds, "{zone}");
    }
}

#[test]
fn rounds_of_that_hour_are_read_as_they_were_with_the_newest_first() {
    for (zone, end) in ENDS {
        let mut rounds = truth(end);
        rounds.reverse();
        assert_eq!(read(zone, &rounds), rounds, "{zone}");
    }
}
