//! Recordings that overlap in time and were not aligned.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::evidence::common_span;
use super::recording::Recording;
use super::report::UnresolvedOverlap;

/// A recording is under way between two of its rounds that are at most this far apart …
const PAUSE: i64 = 120_000;
/// … or this many times its median time between rounds, because a file may hold only high rounds.
const PAUSE_GAPS: i64 = 6;

/// Pairs of files of different recordings with rounds that ended while both recorded.
pub(super) fn find(
    recordings: &[Recording<'_>],
    name: impl Fn(u32) -> String,
) -> Vec<UnresolvedOverlap> {
    let mut found: BTreeMap<(u32, u32), Common> = BTreeMap::new();
    let mut by_start: Vec<(i64, i64, usize)> = recordings
        .iter()
        .enumerate()
        .filter_map(|(index, recording)| recording.span().map(|(from, to)| (from, to, index)))
        .collect();
    by_start.sort_unstable();
    let mut open: Vec<(i64, usize)> = Vec::new();
    for (from, to, index) in by_start {
        open.retain(|(end, _)| *end >= from);
        for (_, other) in &open {
            let (first, second) = (*other.min(&index), *other.max(&index));
            count(&recordings[first], &recordings[second], false, &mut found);
            count(&recordings[second], &recordings[first], true, &mut found);
        }
        open.push((to, index));
    }
    let overlap = |((first, second), common): ((u32, u32), Common)| UnresolvedOverlap {
        files: [name(first), name(second)],
        from: common.from,
        to: common.to,
        rounds: common.rounds,
    };
    found.into_iter().map(overlap).collect()
}

/// Counts the rounds that ended while both files recorded.
#[derive(Debug)]
struct Common {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    rounds: [u64; 2],
}

/// Counts the rounds of a recording that ended while another one was under way.
fn count(
    recording: &Recording<'_>,
    other: &Recording<'_>,
    is_swapped: bool,
    found: &mut BTreeMap<(u32, u32), Common>,
) {
    let Some((start, end)) = common_span(recording, other) else { return };
    let gaps = other.gaps();
    let median = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    let pause = (median * PAUSE_GAPS).max(PAUSE);
    let pause = TimeDelta::milliseconds(pause);
    let mut next = other.at(start);
    let mut is_under_way = false;
    let mut seen = None;
    let mut current: Option<((u32, u32), Common)> = None;
    for index in recording.between(start, end) {
        let round = recording.rounds[index];
        while other.rounds.get(next).is_some_and(|it| it.time <= round.time) {
            next += 1;
        }
        if seen != Some(next) {
            seen = Some(next);
            is_under_way = next > 0
                && next < other.len()
                && other.rounds[next].time - other.rounds[next - 1].time <= pause;
        }
        if !is_under_way {
            continue;
        }
        let (here, there) = (recording.owner(index), other.owner(next));
        let files = if is_swapped { (there, here) } else { (here, there) };
        if current.as_ref().is_none_or(|(known, _)| *known != files) {
            found.extend(current.take());
        }
        let (_, common) = current.get_or_insert_with(|| {
            let new = Common { from: round.time, to: round.time, rounds: [0, 0] };
            (files, found.remove(&files).unwrap_or(new))
        });
        common.from = common.from.min(round.time);
        common.to = common.to.max(round.time);
        common.rounds[usize::from(is_swapped)] += 1;
    }
    found.extend(current);
}
