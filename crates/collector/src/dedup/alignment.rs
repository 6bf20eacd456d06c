//! Where a visible list lies on the rounds that are known. Everything here is newest first.

/// The shortest list from which a first baseline is taken.
pub(super) const BASELINE_LEN: usize = 5;
/// Equal values that prove a place: two unrelated lists share three with less than one in a million.
pub(super) const OVERLAP: usize = 3;

/// Where a list lies on the window.
pub(super) enum Alignment {
    /// It shows `fresh` rounds more than the window, and lacks `lag` that came with their ids. `others` are the other numbers of
    /// new rounds with which it would fit as well.
    Proven {
        fresh: usize,
        lag: usize,
        others: Vec<usize>,
    },
    /// The rows of an earlier run fit as far as `kept`; the older ones have a hole.
    Broken {
        fresh: usize,
        kept: usize,
    },
    /// One or two values overlap, and so many rounds may have ended that no more could.
    Weak {
        fresh: usize,
    },
    Nowhere,
}

/// Every number of new rounds, at most `bound`, with which `shown` values continue `known` ones: `same(i, j)` says that shown
/// value `i` can be known value `j`, and at least `least` of them must overlap.
pub(super) fn shifts(
    shown: usize,
    known: usize,
    least: usize,
    bound: usize,
    same: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let fits = |&shift: &usize| {
        let overlap = (shown - shift).min(known);
        overlap >= least && (0..overlap).all(|i| same(shift + i, i))
    };
    (0..=bound.min(shown)).filter(fits).collect()
}

/// The newest recorded rounds that prove a place although older ones do not fit: one more than elsewhere.
const OVERLAP_BEFORE_BREAK: usize = OVERLAP + 1;

/// As [`shifts`], where the known values come from files and may have holes: `(new rounds, known values that fit)` with the
/// longest run of fitting ones before the first that does not. `may_break(j)`: a hole before known value `j` is possible.
pub(super) fn broken_shift(
    shown: usize,
    known: usize,
    bound: usize,
    may_break: impl Fn(usize) -> bool,
    same: impl Fn(usize, usize) -> bool,
) -> Option<(usize, usize)> {
    let run = |shift: usize| {
        let overlap = (shown - shift).min(known);
        let fitting = (0..overlap).take_while(|&i| same(shift + i, i)).count();
        (fitting >= OVERLAP_BEFORE_BREAK && fitting < overlap && may_break(fitting))
            .then_some((shift, fitting))
    };
    // Of equally long ones the smallest shift, as elsewhere.
    (0..=bound.min(shown))
        .filter_map(run)
        .max_by_key(|&(shift, fitting)| (fitting, usize::MAX - shift))
}

/// How much of a list stands before it begins again: some pages hold the same history twice.
pub(super) fn undoubled_len(shown: &[u64]) -> usize {
    let begins_again =
        |&period: &usize| shown[period..].iter().zip(shown).all(|(again, first)| again == first);
    // A tail of three that looks like the head by chance is cut too; the rest is still enough to align.
    (OVERLAP..(shown.len() + 1).saturating_sub(OVERLAP)).find(begins_again).unwrap_or(shown.len())
}

/// For each of `shown`, which of `known` it is, both in the same order: the longest common subsequence, so that one value
/// missing on either side does not make strangers of the rest.
pub(super) fn pairs(
    shown: usize,
    known: usize,
    same: impl Fn(usize, usize) -> bool,
) -> Vec<Option<usize>> {
    let mut longest = vec![vec![0_usize; known + 1]; shown + 1];
    for i in (0..shown).rev() {
        for j in (0..known).rev() {
            longest[i][j] = if same(i, j) {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut pairs, mut j) = (Vec::with_capacity(shown), 0);
    for (i, row) in longest.iter().enumerate().take(shown) {
        while j < known && !same(i, j) && row[j] == row[j + 1] {
            j += 1;
        }
        let is_pair = j < known && same(i, j);
        pairs.push(is_pair.then_some(j));
        j += usize::from(is_pair);
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_shifts(shown: &[u64], known: &[u64], bound: usize, expected: &[usize]) {
        let found = shifts(shown.len(), known.len(), OVERLAP, bound, |i, j| shown[i] == known[j]);
        assert_eq!(found, expected);
    }

    #[test]
    fn one_new_round_shifts_the_list_by_one() {
        check_shifts(&[9, 1, 2, 3, 4], &[1, 2, 3, 4, 5], 2, &[1]);
    }

    #[test]
    fn an_equal_neighbour_is_a_new_round() {
        check_shifts(&[1, 1, 1, 2, 3, 4], &[1, 1, 2, 3, 4, 5], 2, &[1]);
    }

    #[test]
    fn more_new_rounds_than_time_allows_are_no_fit() {
        check_shifts(&[7, 8, 9, 1, 2, 3, 4], &[1, 2, 3, 4, 5], 2, &[]);
    }

    #[test]
    fn two_equal_values_prove_nothing() {
        check_shifts(&[8, 9, 1, 2], &[1, 2, 3, 4, 5], 9, &[]);
    }

    #[test]
    fn all_equal_values_fit_everywhere() {
        check_shifts(&[1; 6], &[1; 6], 2, &[0, 1, 2]);
    }

    #[test]
    fn files_with_a_hole_fit_up_to_the_hole() {
        let shown = [9, 1, 2, 3, 4, 5, 6];
        let check = |known: &[u64], bound, may_break, expected| {
            let same = |i: usize, j: usize| shown[i] == known[j];
            assert_eq!(
                broken_shift(shown.len(), known.len(), bound, |_| may_break, same),
                expected
            );
        };
        check(&[1, 2, 3, 4, 70, 71], 2, true, Some((1, 4)));
        check(&[1, 2, 3, 4, 70, 71], 2, false, None);
        check(&[1, 2, 3, 4, 70, 71], 0, true, None);
        check(&[1, 2, 3, 70, 71], 2, true, None);
        // Without a hole it is no broken one.
        check(&[1, 2, 3, 4], 2, true, None);
        check(&[1, 2, 3, 4, 5, 6, 7], 2, true, None);
    }

    #[test]
    fn of_two_broken_fits_the_longer_one_counts_and_of_equal_ones_the_one_with_fewer_new_rounds() {
        let check = |shown: &[u64], known: &[u64], expected| {
            let same = |i: usize, j: usize| shown[i] == known[j];
            assert_eq!(broken_shift(shown.len(), known.len(), 9, |_| true, same), expected);
        };
        check(&[1, 1, 1, 1, 1, 3, 3], &[1, 1, 1, 1, 7, 7], Some((0, 4)));
        check(&[1, 1, 1, 1, 1, 3, 3], &[1, 1, 1, 1, 1, 7, 7], Some((0, 5)));
        check(&[1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 3], &[1, 1, 1, 1, 1, 7, 7], Some((5, 5)));
    }

    #[track_caller]
    fn check_len(shown: &[u64], expected: usize) {
        assert_eq!(undoubled_len(shown), expected, "{shown:?}");
    }

    #[test]
    fn a_list_that_stands_twice_is_taken_once() {
        check_len(&[1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], 6);
        check_len(&[1, 2, 3, 4, 5, 6, 1, 2, 3], 6);
        check_len(&[1, 2, 3, 4, 5, 6, 1, 2], 8);
        check_len(&[1, 2, 3, 4, 5, 6, 7, 8], 8);
        check_len(&[], 0);
        check_len(&[1, 1], 2);
        check_len(&[1, 2, 3, 1, 2, 3], 3);
        check_len(&[1, 2, 1, 2], 4);
    }

    #[track_caller]
    fn check_pairs(shown: &[u64], known: &[u64], expected: &[Option<usize>]) {
        let found = pairs(shown.len(), known.len(), |i, j| shown[i] == known[j]);
        assert_eq!(found, expected, "{shown:?} in {known:?}");
    }

    #[test]
    fn a_missing_value_leaves_the_others_paired() {
        check_pairs(&[1, 2, 3], &[1, 3], &[Some(0), None, Some(1)]);
        check_pairs(&[1, 3], &[1, 2, 3], &[Some(0), Some(2)]);
        check_pairs(&[7, 1], &[8, 1], &[None, Some(1)]);
        check_pairs(&[1, 2], &[3], &[None, None]);
        check_pairs(&[2, 1, 2], &[1, 2], &[None, Some(0), Some(1)]);
        check_pairs(&[1, 1], &[1], &[Some(0), None]);
        check_pairs(&[1, 9, 1, 2], &[1, 1, 2], &[Some(0), None, Some(1), Some(2)]);
        check_pairs(&[], &[1], &[]);
        check_pairs(&[1], &[], &[None]);
    }
}
