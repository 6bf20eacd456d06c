//! Tests of the merge: one round counts once.

pub(crate) mod generated;
mod near_miss;
mod overlaps;
mod plain;
mod properties;

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
fn rounds_of_equal_time_and_multiplier_count_once() {
    check(&["abc", "bcd"], "abcd", &[]);
    check(&["abd", "abcd"], "abcd", &[]);
    check(&["aab", "ab"], "aab", &[("1", "0")]);
    check(&["aab", "abb"], "aabb", &[]);
    check(&["aa", "aba"], "aab", &[("0", "1")]);
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
