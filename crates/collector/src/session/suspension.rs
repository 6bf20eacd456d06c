//! Notices that the process did not run for a while (a closed laptop, SIGSTOP), and estimates when the rounds ended that
//! arrive all at once afterwards.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::observation::{Observation, Report};

/// A longer time between two signs of life is a suspension: the recorder has one each second, even on a busy machine.
const SUSPENDED_MIN: TimeDelta = TimeDelta::seconds(15);
/// Rounds that arrive this soon after a suspension ended in it: they come from buffers.
const BURST: TimeDelta = TimeDelta::seconds(2);

/// Watches the wall clock, which goes on while the process does not run. On most systems the monotonic one does not.
#[derive(Debug)]
pub(super) struct SuspensionWatch {
    awake_at: DateTime<Utc>,
    last: Option<Suspension>,
}

/// A time in which the process did not run.
#[derive(Clone, Copy, Debug)]
struct Suspension {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// The estimated time of the last round that arrived after it.
    placed: DateTime<Utc>,
}

impl SuspensionWatch {
    /// Starts watching at `now`.
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self { awake_at: now, last: None }
    }

    /// Notes that the process runs; returns the length of a suspension that this ends.
    pub(super) fn awake(&mut self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let (from, length) = (self.awake_at, now - self.awake_at);
        self.awake_at = now;
        if length < SUSPENDED_MIN {
            return None;
        }
        self.last = Some(Suspension { from, until: now, placed: from });
        Some(length)
    }

    /// Returns the length of the suspension that ended just before `now`.
    pub(super) fn just_ended(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let suspension = self.last.filter(|last| now - last.until <= BURST)?;
        Some(suspension.until - suspension.from)
    }

    /// Gives a round that arrived from a buffer after a suspension the time at which it probably ended: rounds follow one
    /// another at the usual pace, `mean`, from the beginning of the suspension on. Returns whether it did.
    pub(super) fn place(&mut self, observation: &mut Observation, mean: TimeDelta) -> bool {
        let now = observation.wall;
        let Some(suspension) = self.last.as_mut().filter(|last| now - last.until <= BURST) else {
            return false;
        };
        let length = (suspension.until - suspension.from).num_seconds();
        let Report::Round { ended_at: ended_at @ None, detail, .. } = &mut observation.report
        else {
            return false;
        };
        suspension.placed = (suspension.placed + mean).min(suspension.until);
        *ended_at = Some(suspension.placed);
        let detail = detail.get_or_insert_with(|| json!({}));
        if let Value::Object(fields) = detail {
            fields.insert("time".to_owned(), "estimated".into());
            fields.insert("suspended_s".to_owned(), length.into());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_800_000_000_000 + millis).unwrap()
    }

    fn round(wall: DateTime<Utc>) -> Observation {
        let multiplier = "2.5".parse().unwrap();
        let report =
            Report::Round { id: None, multiplier, ended_at: None, backfill: false, detail: None };
        Observation { mono: std::time::Instant::now(), wall, report }
    }

    /// Returns the time that a round gets, in milliseconds, and its details.
    fn placed(watch: &mut SuspensionWatch, wall: i64) -> Option<(i64, Value)> {
        let mut observation = round(at(wall));
        let is_placed = watch.place(&mut observation, TimeDelta::seconds(20));
        let Report::Round { ended_at, detail, .. } = observation.report else { unreachable!() };
        assert_eq!(is_placed, ended_at.is_some());
        Some(((ended_at? - at(0)).num_milliseconds(), detail?))
    }

    /// A laptop that was closed for 45 s: 73 rows had the same time, and were marked as observed live.
    #[test]
    fn rounds_that_arrive_after_a_suspension_are_placed_in_it_and_marked() {
        let mut watch = SuspensionWatch::new(at(0));
        assert_eq!(watch.awake(at(1000)), None);
        assert_eq!(placed(&mut watch, 1000), None);
        assert_eq!(watch.awake(at(46_000)), Some(TimeDelta::seconds(45)));
        assert_eq!(watch.just_ended(at(46_500)), Some(TimeDelta::seconds(45)));
        let detail = json!({"time": "estimated", "suspended_s": 45});
        for expected in [21_000, 41_000, 46_000, 46_000] {
            assert_eq!(placed(&mut watch, 46_010), Some((expected, detail.clone())));
        }
        assert_eq!(watch.awake(at(47_000)), None);
        assert_eq!(placed(&mut watch, 48_001), None);
        assert_eq!(watch.just_ended(at(48_001)), None);
    }

    #[test]
    fn a_busy_machine_is_not_a_suspended_one() {
        let mut watch = SuspensionWatch::new(at(0));
        assert_eq!(watch.awake(at(14_999)), None);
        assert_eq!(watch.awake(at(5000)), None);
        assert_eq!(placed(&mut watch, 5000), None);
    }

    #[test]
    fn a_round_that_has_a_time_keeps_it() {
        let mut watch = SuspensionWatch::new(at(0));
        watch.awake(at(60_000)).unwrap();
        let mut observation = round(at(60_000));
        if let Report::Round { ended_at, .. } = &mut observation.report {
            *ended_at = Some(at(30_000));
        }
        assert!(!watch.place(&mut observation, TimeDelta::seconds(20)));
        let mut list = Observation { report: Report::List(Vec::new()), ..round(at(60_000)) };
        assert!(!watch.place(&mut list, TimeDelta::seconds(20)));
    }
}
