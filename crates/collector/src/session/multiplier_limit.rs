//! Drops values that are too large to be multipliers: ids, amounts or times read from the wrong field.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rounds::Multiplier;

use crate::observation::{HistoryEntry, Observation, Report};

/// Multipliers that are remembered as reported.
const REPORTED_MAX: usize = 100;

/// The largest multiplier that is recorded.
#[derive(Debug)]
pub(super) struct MultiplierLimit {
    max: Multiplier,
    /// Those left out, each of which is reported once: a list shows them again and again.
    reported: BTreeSet<Multiplier>,
}

impl MultiplierLimit {
    pub(super) fn new(max: Multiplier) -> Self {
        Self { max, reported: BTreeSet::new() }
    }

    /// Returns the observation without multipliers above the limit, and a message if one is left out for the first time.
    pub(super) fn apply<'o>(
        &mut self,
        observation: &'o Observation,
    ) -> (Cow<'o, Observation>, Option<String>) {
        let max = self.max;
        let (report, above) = match &observation.report {
            Report::Round { multiplier, .. } if *multiplier > max => {
                (Report::Alive, vec![*multiplier])
            }
            Report::List(list) => with_holes(list, max),
            Report::Ids(list) => without(list, max),
            _ => return (Cow::Borrowed(observation), None),
        };
        if above.is_empty() {
            return (Cow::Borrowed(observation), None);
        }
        let message = self.message(&above);
        (Cow::Owned(Observation { report, ..*observation }), message)
    }

    fn message(&mut self, above: &[Multiplier]) -> Option<String> {
        let new = above.iter().find(|it| !self.reported.contains(it)).copied()?;
        if self.reported.len() < REPORTED_MAX {
            self.reported.extend(above);
        }
        Some(format!(
            "{new}x is above the limit of {}x and is not recorded (--max-multiplier)",
            self.max
        ))
    }
}

/// Returns the list with entries above the limit as unreadable ones, so that the others keep their places, and the
/// multipliers above it.
fn with_holes(list: &[HistoryEntry], max: Multiplier) -> (Report, Vec<Multiplier>) {
    let mut above = Vec::new();
    let entries = list.iter().map(|entry| match entry {
        HistoryEntry::Round(multiplier) if *multiplier > max => {
            above.push(*multiplier);
            HistoryEntry::Unreadable(format!("{multiplier}x"))
        }
        entry => entry.clone(),
    });
    let entries = entries.collect();
    (Report::List(entries), above)
}

/// Returns the rounds up to the limit, and the multipliers above it. A list with no round left is no observation.
fn without(list: &[(String, Multiplier)], max: Multiplier) -> (Report, Vec<Multiplier>) {
    let (kept, above): (Vec<_>, Vec<_>) =
        list.iter().cloned().partition(|(_, multiplier)| *multiplier <= max);
    let above = above.into_iter().map(|(_, multiplier)| multiplier).collect();
    (if kept.is_empty() { Report::Alive } else { Report::Ids(kept) }, above)
}

#[cfg(test)]
mod tests {
    use rounds::ReadSettings;

    use super::*;

    fn multiplier(value: f64) -> Multiplier {
        Multiplier::new(value).unwrap()
    }

    fn apply(limit: &mut MultiplierLimit, report: Report) -> (Report, Option<String>) {
        let observation = Observation::now(report);
        let (kept, message) = limit.apply(&observation);
        (kept.into_owned().report, message)
    }

    #[test]
    fn a_time_stamp_is_no_multiplier_and_is_reported_once() {
        let mut limit = MultiplierLimit::new(ReadSettings::default().max_multiplier);
        let stamp = || Report::Round {
            id: None,
            multiplier: multiplier(1_765_395_155_123.0),
            ended_at: None,
            backfill: false,
            detail: None,
        };
        let (report, message) = apply(&mut limit, stamp());
        assert_eq!(report, Report::Alive);
        assert_eq!(
            message.unwrap(),
            "1765395155123.00x is above the limit of 1000000.00x and is not recorded (--max-multiplier)"
        );
        assert_eq!(apply(&mut limit, stamp()), (Report::Alive, None));
    }

    #[test]
    fn a_list_has_a_hole_where_a_multiplier_is_above_the_limit() {
        let mut limit = MultiplierLimit::new(multiplier(100.0));
        let round = |value| HistoryEntry::Round(multiplier(value));
        let (report, message) =
            apply(&mut limit, Report::List([2.0, 100.5, 100.0].map(round).to_vec()));
        let hole = HistoryEntry::Unreadable("100.50x".to_owned());
        assert_eq!(report, Report::List(vec![round(2.0), hole, round(100.0)]));
        assert!(message.is_some());
        let small = Report::List(vec![round(2.0)]);
        assert_eq!(apply(&mut limit, small.clone()), (small, None));
        let ids = |values: &[f64]| {
            Report::Ids(values.iter().map(|it| (it.to_string(), multiplier(*it))).collect())
        };
        assert_eq!(apply(&mut limit, ids(&[7.0, 200.0])).0, ids(&[7.0]));
        assert_eq!(apply(&mut limit, ids(&[200.0])).0, Report::Alive);
    }
}
