//! Estimates when rounds ended that were not observed live.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rounds::Round;
use serde_json::{Value, json};

use super::Deduplicator;

/// Average time from one end to the next: 11.5 + 11.7 E[ln M] seconds.
pub(super) const TYPICAL_ROUND: Duration = Duration::from_secs(23);
/// Minimum number of gaps for a mean.
const GAPS_MIN: u32 = 5;
/// A step back of the wall clock is written as it is from this size on. A smaller one is a
/// correction of the clock, and rows stay in order.
const SMALL_STEP: TimeDelta = TimeDelta::minutes(5);

/// Returns the mean time between rounds, or the typical one if there are too few.
pub(super) fn pace(rounds: &[Round]) -> Duration {
    let (Some(first), Some(last)) = (rounds.first(), rounds.last()) else { return TYPICAL_ROUND };
    let gaps = u32::try_from(rounds.len() - 1).unwrap_or(u32::MAX);
    match (last.time - first.time).to_std() {
        Ok(span) if gaps >= GAPS_MIN => span / gaps,
        _ => TYPICAL_ROUND,
    }
}

/// Returns `count` times, oldest first, spread evenly over the open interval from `since` to `now`;
/// the last one is `now` itself if that round was observed live. Without `since` the interval has
/// the length that so many rounds usually take, but does not begin before `newest`.
pub(super) fn spread(
    since: Option<DateTime<Utc>>,
    newest: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    count: usize,
    is_newest_live: bool,
) -> Vec<DateTime<Utc>> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let usual = now - TimeDelta::from_std(TYPICAL_ROUND).unwrap_or_default() * count;
    let begin = since.unwrap_or_else(|| newest.map_or(usual, |newest| newest.max(usual))).min(now);
    let parts = if is_newest_live { count } else { count + 1 };
    let span = (now - begin).num_milliseconds();
    let offset = |i: i32| span * i64::from(i) / i64::from(parts);
    (1..=count).map(|i| begin + TimeDelta::milliseconds(offset(i))).collect()
}

/// Returns `detail`, extended by how far the wall clock stepped back before this round, if it did.
pub(super) fn with_step(detail: Option<Value>, stepped_back: Option<TimeDelta>) -> Option<Value> {
    let Some(step) = stepped_back else { return detail };
    let mut detail = detail.unwrap_or_else(|| json!({}));
    detail["clock_stepped_back_s"] = json!(step.num_seconds());
    Some(detail)
}

impl Deduplicator {
    /// Returns the time to write for a round that ended at `ended_at`, or now if that is unknown.
    pub(super) fn time_of(
        &self,
        ended_at: Option<DateTime<Utc>>,
        wall: DateTime<Utc>,
    ) -> (DateTime<Utc>, Option<TimeDelta>) {
        match ended_at {
            Some(time) if self.settings.keeps_times() => (time, None),
            // A time in the future means that the source's clock is ahead.
            Some(time) => self.ordered_time(time.min(wall)),
            None => self.ordered_time(wall),
        }
    }

    /// Returns the time to write. After a small step back of the clock it is the newest time so
    /// far, so that rows stay in order; after a large one it is `time`, together with the size of
    /// the step.
    pub(super) fn ordered_time(&self, time: DateTime<Utc>) -> (DateTime<Utc>, Option<TimeDelta>) {
        match self.newest {
            Some(newest) if time < newest && newest - time < SMALL_STEP => (newest, None),
            Some(newest) if time < newest => (time, Some(newest - time)),
            _ => (time, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    #[test]
    fn rounds_of_an_outage_are_spread_evenly_inside_it() {
        let times = spread(Some(at(0)), Some(at(0)), at(100), 4, false);
        assert_eq!(times, [at(20), at(40), at(60), at(80)]);
    }

    #[test]
    fn a_round_observed_live_ends_now() {
        assert_eq!(spread(Some(at(0)), Some(at(0)), at(20), 1, true), [at(20)]);
        assert_eq!(spread(Some(at(0)), Some(at(0)), at(20), 2, true), [at(10), at(20)]);
    }

    #[test]
    fn after_a_gap_rounds_take_their_usual_time() {
        let times = spread(None, Some(at(0)), at(1000), 2, false);
        assert!(times[0] > at(950) && times[0] < times[1] && times[1] < at(1000), "{times:?}");
        let tight = spread(None, Some(at(990)), at(1000), 4, false);
        assert_eq!(tight, [at(992), at(994), at(996), at(998)]);
    }

    #[test]
    fn a_clock_behind_the_newest_row_gives_no_earlier_time() {
        assert_eq!(spread(Some(at(50)), Some(at(50)), at(20), 2, false), [at(20), at(20)]);
    }
}
