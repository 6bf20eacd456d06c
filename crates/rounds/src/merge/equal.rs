//! Rounds of equal time and multiplier in recordings that share too few for an alignment.

use super::evidence::common_span;
use super::recording::Recording;
use super::report::{OverlapCounts, Report};

/// Recordings with at least this many rounds each in the time they have in common …
const MANY: usize = 20;
/// … must share one in this many for equal rounds to be the same: unrelated tables whose times
/// have no milliseconds meet by chance.
const SHARED_MIN: usize = 10;

/// Removes from the second recording the rounds whose time and multiplier the first one has.
///
/// A recording's own repetitions stay: of each time and multiplier the larger of the two counts
/// remains.
pub(super) fn leave_out(
    first: &Recording<'_>,
    second: &mut Recording<'_>,
    counts: &mut OverlapCounts,
) {
    let Some((start, end)) = common_span(first, second) else { return };
    let (ours, theirs) = (first.between(start, end), second.between(start, end));
    let mut shared: Vec<(usize, usize)> = Vec::new();
    let mut at = ours.start;
    let mut taken: Vec<usize> = Vec::new();
    for index in theirs.clone() {
        let round = second.rounds[index];
        while at < ours.end && first.rounds[at].time < round.time {
            at += 1;
            taken.clear();
        }
        let same_time = at..ours.end;
        let mut same = same_time.take_while(|&it| first.rounds[it].time == round.time);
        let is_free =
            |it: &usize| first.rounds[*it].multiplier == round.multiplier && !taken.contains(it);
        if let Some(found) = same.find(is_free) {
            taken.push(found);
            shared.push((found, index));
        }
    }
    let fewer = ours.len().min(theirs.len());
    if fewer >= MANY && shared.len() * SHARED_MIN < fewer {
        return;
    }
    for &(ours, theirs) in &shared {
        let files = (first.owner(ours), second.owner(theirs));
        counts.share(Report { files, time: first.rounds[ours].time, aligned: None });
    }
    let dropped: Vec<usize> = shared.into_iter().map(|(_, theirs)| theirs).collect();
    if !dropped.is_empty() {
        second.drop_rounds(&dropped);
    }
}
