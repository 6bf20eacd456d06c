//! The meaning of the tests in one plain sentence.

use serde::{Deserialize, Serialize};

use crate::HouseLaw;
use crate::confidence_sequence::{Estimate, beta_binomial};
use crate::sequential::{Evidence, FALSE_CHANGE_ROUNDS, Level};
use crate::skill::SkillTrack;

/// The conclusion that the evidence supports after some number of rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Rounds seen.
    pub rounds: u64,
    /// Whether the evidence of the order test has ever reached its threshold.
    pub order: bool,
    /// Whether the evidence of the law test has ever reached its threshold.
    pub law: bool,
    /// Whether the evidence of the forecast test has ever reached its threshold.
    pub forecast: bool,
    /// The advertised return r.
    pub advertised_return: f64,
    /// The measured return, with a confidence sequence.
    pub measured_return: Option<Estimate>,
    /// The skill of the models' forecasts, weighed by trust, against the house, in percent, with a
    /// confidence sequence.
    pub skill_percent: Option<Estimate>,
    /// The number of scored forecasts, once they show that the learners' forecasts before shrinkage
    /// have an edge of less than 0.5 %, if any.
    pub negligible_after: Option<u64>,
    /// The first rounds of the epochs after noticed changes: the game may have changed around them.
    pub changes: Vec<u64>,
}

/// The count of rounds above 1.00x: the sufficient statistic of the return under the house law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnCount {
    rounds: u64,
    above_atom: u64,
}

impl ReturnCount {
    /// Returns a count of no rounds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a round.
    pub fn update(&mut self, cents: u64) {
        self.rounds += 1;
        self.above_atom += u64::from(cents > 100);
    }

    /// Returns the measured return, 1.01 P(M > 1.00), with a 95 % confidence sequence.
    pub fn estimate(&self) -> Option<Estimate> {
        Some(beta_binomial(self.above_atom, self.rounds, 0.05)?.times(1.01))
    }
}

impl Verdict {
    /// Returns the verdict on the tests so far. An alarm counts for ever.
    ///
    /// `candidate` is the skill of the models' forecasts weighed by trust, `unshrunk` that of the learners
    /// before shrinkage. Only the latter can show that there is no edge: forecasts shrunk to those of the
    /// house show no difference after any number of rounds.
    pub fn of(
        tests: &Evidence,
        house: &HouseLaw,
        candidate: &SkillTrack,
        unshrunk: &SkillTrack,
        count: &ReturnCount,
    ) -> Self {
        let [order, law, forecast] = tests.levels().map(|level| level >= Level::Amber);
        Self {
            rounds: tests.rounds(),
            order,
            law,
            forecast,
            advertised_return: house.r(),
            measured_return: count.estimate(),
            skill_percent: candidate.shown_percent(),
            negligible_after: unshrunk.edge_is_negligible().then(|| unshrunk.rounds()),
            changes: tests.closed().iter().map(|epoch| epoch.last_round + 1).collect(),
        }
    }

    /// Returns one to three sentences for the top of a page.
    pub fn sentence(&self) -> String {
        let edge = percent(100.0 * (1.0 - self.advertised_return));
        let chance = percent(100.0 * self.advertised_return / 2.0);
        let beats = format!("The models beat fixed odds; measured skill {}.", self.skill());
        match (self.order, self.forecast, self.law) {
            (false, false, false) => format!(
                "No evidence of any pattern after {} rounds. Best forecast: fixed odds. \
                 Every cash-out target loses {edge} of the stake on average.",
                thousands(self.rounds)
            ),
            (false, false, true) => {
                format!("{} That does not make the next round predictable.", self.law_sentence())
            }
            (true, false, false) => ORDER_ONLY.to_owned(),
            (true, false, true) => format!("{ORDER_ONLY} {}", self.law_sentence()),
            (true, true, _) => format!(
                "{beats} To beat the {edge} house edge at 2x the chance must exceed 50 % instead of {chance}."
            ),
            (false, true, true) => format!(
                "{beats} {} That explains it: the order of the rounds shows no pattern, so corrected \
                 fixed odds would do as well.",
                self.law_sentence()
            ),
            (false, true, false) => {
                format!("{beats} The test of the order alone has not confirmed it.")
            }
        }
    }

    /// Returns the statement that any edge is negligible, once there is enough evidence of that.
    pub fn absence(&self) -> Option<String> {
        self.negligible_after.map(|forecasts| {
            format!(
                "After {} forecasts we can say: if the learners have an edge, it improves forecasts by \
                 less than 0.5 %.",
                thousands(forecasts)
            )
        })
    }

    /// Returns a note on noticed changes of the game; `None` without a change. It supports no claim.
    pub fn change_note(&self) -> Option<String> {
        let last = thousands(*self.changes.last()?);
        let one_in = thousands(FALSE_CHANGE_ROUNDS);
        let chance = format!("by chance, one such note is expected in {one_in} rounds or more");
        Some(match self.changes.len() {
            1 => format!("The game may have changed around round {last} ({chance})."),
            n => {
                format!("The game may have changed {n} times, last around round {last} ({chance}).")
            }
        })
    }

    fn law_sentence(&self) -> String {
        let measured = self.measured_return.map_or_else(String::new, |estimate| {
            format!(" (return looks like {})", with_bounds(estimate.times(100.0), 1))
        });
        format!(
            "The multipliers do not follow the advertised {}/x law{measured}.",
            self.advertised_return
        )
    }

    fn skill(&self) -> String {
        self.skill_percent.map_or_else(|| "not yet known".to_owned(), |skill| with_bounds(skill, 2))
    }
}

const ORDER_ONLY: &str =
    "Order matters somewhere (drift or dependence), but the models do not exploit it yet.";

/// Formats a percentage with its bounds: 95.1 % [94.2, 96.0].
fn with_bounds(estimate: Estimate, digits: usize) -> String {
    let Estimate { value, lo, hi } = estimate;
    format!("{value:.digits$} % [{lo:.digits$}, {hi:.digits$}]")
}

/// Formats a percentage without trailing zeros: 3 %, 48.5 %.
pub(crate) fn percent(value: f64) -> String {
    let text = format!("{value:.2}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Formats a number with thousands separators: 12,345.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(order: bool, law: bool, forecast: bool) -> Verdict {
        Verdict {
            rounds: 12_345,
            order,
            law,
            forecast,
            advertised_return: 0.97,
            measured_return: Some(Estimate { value: 0.951, lo: 0.942, hi: 0.96 }),
            skill_percent: Some(Estimate { value: 4.26, lo: 3.1, hi: 5.4 }),
            negligible_after: None,
            changes: Vec::new(),
        }
    }

    #[test]
    fn every_combination_of_alarms_has_its_sentence() {
        for (tests, sentence) in [
            (
                (false, false, false),
                "No evidence of any pattern after 12,345 rounds. Best forecast: fixed odds. \
                 Every cash-out target loses 3 % of the stake on average.",
            ),
            (
                (false, true, false),
                "The multipliers do not follow the advertised 0.97/x law (return looks like 95.1 % [94.2, 96.0]). \
                 That does not make the next round predictable.",
            ),
            (
                (true, false, false),
                "Order matters somewhere (drift or dependence), but the models do not exploit it yet.",
            ),
            (
                (true, false, true),
                "The models beat fixed odds; measured skill 4.26 % [3.10, 5.40]. \
                 To beat the 3 % house edge at 2x the chance must exceed 50 % instead of 48.5 %.",
            ),
        ] {
            let (order, law, forecast) = tests;
            assert_eq!(verdict(order, law, forecast).sentence(), sentence);
        }
        assert!(
            verdict(true, true, false).sentence().contains("yet. The multipliers do not follow")
        );
        assert!(verdict(false, true, true).sentence().contains("corrected fixed odds"));
        assert!(verdict(false, false, true).sentence().ends_with("has not confirmed it."));
    }

    #[test]
    fn absence_and_changes_are_stated_only_when_there_is_evidence() {
        let mut verdict = verdict(false, false, false);
        assert_eq!((verdict.absence(), verdict.change_note()), (None, None));
        verdict.negligible_after = Some(11_000);
        verdict.changes = vec![2600];
        assert!(verdict.absence().unwrap().starts_with("After 11,000 forecasts"));
        let note = verdict.change_note().unwrap();
        assert!(note.starts_with("The game may have changed around round 2,600 (by chance, one"));
    }

    #[test]
    fn numbers_are_formatted_for_people() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([3.0, 48.5, 2.999_999, 0.5].map(percent), ["3 %", "48.5 %", "3 %", "0.5 %"]);
    }
}
