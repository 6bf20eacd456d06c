//! Files whose rounds are an unbroken run of another file.

use std::borrow::Cow;

use crate::round::Round;

use super::FileRounds;
use super::report::FileCopy;

/// Returns the copies, and for each file whether it is one.
///
/// Of files with the same rounds the first one stays. `sorted` holds the rounds in order of time.
pub(super) fn find(
    files: &[FileRounds<'_>],
    sorted: &[Cow<'_, [Round]>],
) -> (Vec<FileCopy>, Vec<bool>) {
    let mut holders: Vec<Option<usize>> = vec![None; files.len()];
    let mut by_start: Vec<usize> = (0..files.len()).filter(|&it| !sorted[it].is_empty()).collect();
    // A holder starts no later than its copies and, if at the same time, is no shorter.
    by_start.sort_by_key(|&it| (sorted[it][0].time, usize::MAX - sorted[it].len(), it));
    // Files that may hold a later one: they have not ended.
    let mut open: Vec<usize> = Vec::new();
    for index in by_start {
        let rounds = &*sorted[index];
        open.retain(|&holder| sorted[holder].last().is_some_and(|it| it.time >= rounds[0].time));
        holders[index] = open.iter().copied().find(|&holder| holds(&sorted[holder], rounds));
        if holders[index].is_none() {
            open.push(index);
        }
    }
    let copies = holders.iter().enumerate().filter_map(|(index, holder)| {
        Some(FileCopy {
            file: files[index].file.to_owned(),
            of: files[(*holder)?].file.to_owned(),
            rounds: sorted[index].len() as u64,
        })
    });
    (copies.collect(), holders.iter().map(Option::is_some).collect())
}

fn holds(holder: &[Round], rounds: &[Round]) -> bool {
    let (Some(first), Some(last)) = (rounds.first(), rounds.last()) else { return false };
    if holder.last().is_none_or(|it| it.time < last.time) {
        return false;
    }
    let from = holder.partition_point(|round| round.time < first.time);
    let to = holder.partition_point(|round| round.time <= first.time);
    (from..to).any(|start| holder[start..].starts_with(rounds))
}
