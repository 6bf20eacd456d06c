//! Merges the rounds of many files into one series and leaves out copies of files.

use std::collections::HashMap;

use crate::round::Round;

/// The rounds of one file, in its order.
#[derive(Debug, Clone, Copy)]
pub struct FileRounds<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// Its rounds.
    pub rounds: &'a [Round],
}

/// The rounds of many files as one series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// By time; rounds of one time stay in the order of their files and rows, or in the reverse
    /// order of the rows of a file that has its newest round first.
    pub rounds: Vec<Round>,
    /// The files that were left out.
    pub copies: Vec<FileCopy>,
}

/// A file whose rounds all occur, as an unbroken run, in another file too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCopy {
    /// The file that was left out.
    pub file: String,
    /// The file that holds its rounds.
    pub of: String,
    /// How many they are.
    pub rounds: u64,
}

/// Returns the rounds of all files in order of time, leaving out copies of files.
///
/// Only whole files are compared: single rounds that are equal may well be two rounds.
/// Of files with the same rounds the first one is kept.
pub fn merge(files: &[FileRounds<'_>]) -> Merged {
    let holders = holders(files);
    let mut merged = Merged::default();
    for (index, holder) in holders.iter().enumerate() {
        let FileRounds { file, rounds } = files[index];
        match holder {
            None if is_newest_first(rounds) => merged.rounds.extend(rounds.iter().rev()),
            None => merged.rounds.extend_from_slice(rounds),
            Some(holder) => merged.copies.push(FileCopy {
                file: file.to_owned(),
                of: files[last_holder(&holders, *holder)].file.to_owned(),
                rounds: rounds.len() as u64,
            }),
        }
    }
    merged.rounds.sort_by_key(|round| round.time);
    merged
}

/// Returns whether times decrease more often than increase from row to row.
fn is_newest_first(rounds: &[Round]) -> bool {
    let (mut up, mut down) = (0usize, 0usize);
    for pair in rounds.windows(2) {
        up += usize::from(pair[0].time < pair[1].time);
        down += usize::from(pair[0].time > pair[1].time);
    }
    down > up
}

/// For each file the first other one that holds all its rounds, if there is one.
fn holders(files: &[FileRounds<'_>]) -> Vec<Option<usize>> {
    let mut by_first: HashMap<Round, Vec<usize>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        if let Some(first) = file.rounds.first() {
            by_first.entry(*first).or_default().push(index);
        }
    }
    let mut holders = vec![None; files.len()];
    for (holder, file) in files.iter().enumerate() {
        let starts = file.rounds.iter().enumerate().flat_map(|(at, round)| {
            by_first.get(round).into_iter().flatten().map(move |&index| (at, index))
        });
        for (at, index) in starts {
            let rounds = files[index].rounds;
            // Of two equal files the first one stays, so only it can hold the other.
            let may_hold = rounds.len() < file.rounds.len() || holder < index;
            if may_hold && holders[index].is_none() && file.rounds[at..].starts_with(rounds) {
                holders[index] = Some(holder);
            }
        }
    }
    holders
}

/// The file that stays: a holder may itself be held by another one.
fn last_holder(holders: &[Option<usize>], mut index: usize) -> usize {
    while let Some(holder) = holders[index] {
        index = holder;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Multiplier;

    /// A round at a second of its own for each letter.
    fn rounds(letters: &str) -> Vec<Round> {
        let round = |letter: u8| Round {
            time: chrono::DateTime::from_timestamp(i64::from(letter), 0).unwrap(),
            multiplier: Multiplier::ONE,
        };
        letters.bytes().map(round).collect()
    }

    #[track_caller]
    fn check(files: &[&str], merged: &str, copies: &[(&str, &str)]) {
        let all: Vec<(String, Vec<Round>)> = files
            .iter()
            .enumerate()
            .map(|(index, letters)| (index.to_string(), rounds(letters)))
            .collect();
        let files: Vec<FileRounds<'_>> =
            all.iter().map(|(file, rounds)| FileRounds { file, rounds }).collect();
        let found = merge(&files);
        assert_eq!(found.rounds, rounds(merged));
        let found: Vec<(&str, &str)> =
            found.copies.iter().map(|copy| (copy.file.as_str(), copy.of.as_str())).collect();
        assert_eq!(found, copies);
    }

    #[test]
    fn rounds_are_put_in_the_order_of_time() {
        check(&["bdf", "ace"], "abcdef", &[]);
        check(&[], "", &[]);
        check(&["", "a", ""], "a", &[]);
    }

    #[test]
    fn a_copy_is_left_out_and_named() {
        check(&["abc", "abc"], "abc", &[("1", "0")]);
        check(&["abc", "abc", "abc"], "abc", &[("1", "0"), ("2", "0")]);
        check(&["bc", "abcd"], "abcd", &[("0", "1")]);
        check(&["c", "bc", "abcd"], "abcd", &[("0", "2"), ("1", "2")]);
        check(&["abcd", "cd", "ef"], "abcdef", &[("1", "0")]);
    }

    #[test]
    fn what_only_overlaps_is_kept_whole() {
        check(&["abc", "bcd"], "abbccd", &[]);
        check(&["abd", "abcd"], "aabbcdd", &[]);
        check(&["aa", "aba"], "aaaab", &[]);
    }

    #[test]
    fn rounds_of_one_time_keep_their_order() {
        let time = chrono::DateTime::UNIX_EPOCH;
        let round = |cents| Round { time, multiplier: Multiplier::from_cents(cents).unwrap() };
        let (first, second) = ([round(300), round(200)], [round(100)]);
        let files =
            [FileRounds { file: "a", rounds: &first }, FileRounds { file: "b", rounds: &second }];
        assert_eq!(merge(&files).rounds, [round(300), round(200), round(100)]);
    }

    /// A strip that is scraped newest first gives several rounds the time of one look.
    #[test]
    fn rounds_of_one_time_are_turned_round_in_a_file_that_is() {
        let round = |seconds, cents| Round {
            time: chrono::DateTime::from_timestamp(seconds, 0).unwrap(),
            multiplier: Multiplier::from_cents(cents).unwrap(),
        };
        let rounds = [round(9, 500), round(9, 400), round(5, 300), round(5, 200), round(1, 100)];
        let files = [FileRounds { file: "a", rounds: &rounds }];
        let mut turned = rounds;
        turned.reverse();
        assert_eq!(merge(&files).rounds, turned);
    }
}
