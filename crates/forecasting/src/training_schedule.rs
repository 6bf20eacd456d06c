//! The number of rounds at which the next training is due.

/// Number of rounds at which the first training is due.
pub const FIRST_AT: u64 = 30;
/// Maximum number of new rounds until the next training is due.
const NEW_ROUNDS: u64 = 5;
/// The next training is due earlier, once the new rounds are this fraction (one in twenty) of the
/// rounds of the last training.
const SHARE: u64 = 20;

/// Returns the number of rounds at which the next training is due, given the number of rounds that
/// the last one had.
///
/// ```text
/// never trained: 30;  trained on 30: 32 (5 %);  trained on 1,000: 1,005
/// ```
pub fn due_at(trained_on: Option<u64>) -> u64 {
    trained_on.map_or(FIRST_AT, |records| {
        (records + NEW_ROUNDS).min(records + records.div_ceil(SHARE).max(1)).max(FIRST_AT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(trained_on: Option<u64>, due: u64) {
        assert_eq!(due_at(trained_on), due, "{trained_on:?}");
    }

    #[test]
    fn the_first_training_is_due_at_thirty_rounds() {
        check(None, 30);
    }

    #[test]
    fn below_a_hundred_rounds_five_percent_more_are_due_first() {
        check(Some(30), 32);
        check(Some(40), 42);
        check(Some(41), 44);
        check(Some(80), 84);
        check(Some(81), 86);
    }

    #[test]
    fn from_a_hundred_rounds_on_five_more_are_due_first() {
        check(Some(100), 105);
        check(Some(101), 106);
        check(Some(16_379), 16_384);
        check(Some(1_000_000), 1_000_005);
    }

    #[test]
    fn no_training_is_due_below_thirty_rounds() {
        check(Some(0), 30);
        check(Some(12), 30);
    }
}
