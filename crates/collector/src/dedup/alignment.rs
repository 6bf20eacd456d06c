//! Compares lists exactly: repeats, offsets and common subsequences. Everything here is newest first.

/// Minimum length of a list for a baseline.
pub(super) const BASELINE_LEN: usize = 5;
/// Minimum length of a list, and of a repeat within one.
pub(super) const OVERLAP: usize = 3;

/// Returns every possible number of new rounds: those, up to `max_new_rounds`, at which a list of
/// `shown` values lines up with `known` ones. `same(i, j)` says whether shown value `i` can be
/// known value `j`; at least `least` values must overlap.
pub(super) fn matching_offsets(
    shown: usize,
    known: usize,
    least: usize,
    max_new_rounds: usize,
    same: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let fits = |&shift: &usize| {
        let overlap = (shown - shift).min(known);
        overlap >= least && (0..overlap).all(|i| same(shift + i, i))
    };
    (0..=max_new_rounds.min(shown)).filter(fits).collect()
}

/// Returns the length of a list up to where it repeats itself; some pages contain the history
/// twice.
pub(super) fn len_without_repeat<T: PartialEq>(shown: &[T]) -> usize {
    let begins_again =
        |&period: &usize| shown[period..].iter().zip(shown).all(|(again, first)| again == first);
    // A tail of three that equals the head by chance is cut too; the rest is still enough to align.
    (OVERLAP..(shown.len() + 1).saturating_sub(OVERLAP)).find(begins_again).unwrap_or(shown.len())
}

/// Returns, for each shown value, the index of the known value that it is paired with. The pairs
/// are a longest common subsequence, so one value missing on either side leaves the others paired.
pub(super) fn lcs_pairs(
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
    fn check_offsets(shown: &[u64], known: &[u64], max_new_rounds: usize, expected: &[usize]) {
        let found = matching_offsets(shown.len(), known.len(), OVERLAP, max_new_rounds, |i, j| {
            shown[i] == known[j]
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn one_new_round_shifts_the_list_by_one() {
        check_offsets(&[9, 1, 2, 3, 4], &[1, 2, 3, 4, 5], 2, &[1]);
    }

    #[test]
    fn an_equal_neighbour_is_a_new_round() {
        check_offsets(&[1, 1, 1, 2, 3, 4], &[1, 1, 2, 3, 4, 5], 2, &[1]);
    }

    #[test]
    fn more_new_rounds_than_time_allows_do_not_match() {
        check_offsets(&[7, 8, 9, 1, 2, 3, 4], &[1, 2, 3, 4, 5], 2, &[]);
    }

    #[test]
    fn two_equal_values_prove_nothing() {
        check_offsets(&[8, 9, 1, 2], &[1, 2, 3, 4, 5], 9, &[]);
    }

    #[test]
    fn all_equal_values_match_everywhere() {
        check_offsets(&[1; 6], &[1; 6], 2, &[0, 1, 2]);
    }

    #[track_caller]
    fn check_len(shown: &[u64], expected: usize) {
        assert_eq!(len_without_repeat(shown), expected, "{shown:?}");
    }

    #[test]
    fn a_list_shown_twice_counts_once() {
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
        let found = lcs_pairs(shown.len(), known.len(), |i, j| shown[i] == known[j]);
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
