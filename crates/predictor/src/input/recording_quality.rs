//! Whether the recorded rounds are whole: rounds that were played, all of them, once.

use evaluation::Pace;
use evaluation::quality::{Fault, Quality, RecordedRound, State};
use rounds::{Origin, Round};
use serde::Serialize;

/// Precedes all figures of a suspect recording.
pub(crate) const NOT_WHOLE: &str =
    "These rounds are not whole: every figure below describes the recording and not the game.";

/// The judgement of a table's rounds, updated round by round.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordingQuality(Quality);

impl RecordingQuality {
    /// Returns the judgement of no rounds; gaps will be judged by this pace, if one is given, instead of by that of the
    /// recording.
    pub(crate) fn with_pace(pace: Option<Pace>) -> Self {
        Self(Quality::with_pace(pace))
    }

    /// Judges a recording that is over, once more after its last round.
    pub(crate) fn of(rounds: &[Round], pace: Option<Pace>) -> Self {
        Self(Quality::of_recording(rounds.iter().map(recorded), pace))
    }

    /// Adds the next round.
    pub(crate) fn push(&mut self, round: &Round) {
        self.0.push(&recorded(round));
    }

    /// Returns what is wrong with the recording.
    pub(crate) fn faults(&self, origin: Origin) -> impl Iterator<Item = &Fault> {
        self.0.faults().iter().filter(move |fault| counts(fault, origin))
    }

    /// Returns the pace by which gaps were judged, if one is known.
    pub(crate) fn pace(&self) -> Option<Pace> {
        self.0.pace()
    }

    /// Returns the judgement for display.
    pub(crate) fn view(&self, origin: Origin) -> QualityView {
        QualityView {
            state: State::of(self.faults(origin)),
            rounds: self.0.judged_at(),
            reasons: self.faults(origin).map(QualityReason::from).collect(),
        }
    }
}

/// Returns a round as evaluation reads it.
pub(crate) fn recorded(round: &Round) -> RecordedRound {
    let unix_seconds = Some(round.time.timestamp_micros() as f64 / 1e6);
    RecordedRound { cents: round.multiplier.cents(), unix_seconds }
}

/// Returns whether a fault says something of rounds of this origin. Simulated and replayed rounds have the pace that
/// somebody chose, so their gaps say nothing.
pub(crate) fn counts(fault: &Fault, origin: Origin) -> bool {
    let has_own_pace = matches!(origin, Origin::Simulated | Origin::Replayed);
    !(has_own_pace && fault.is_of_pace())
}

/// How far the recording can be relied on.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct QualityView {
    pub(crate) state: State,
    /// Number of rounds at the latest judgement; 0 before the first.
    pub(crate) rounds: u64,
    pub(crate) reasons: Vec<QualityReason>,
}

/// Why a recording is not sound.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct QualityReason {
    /// In English.
    pub(crate) sentence: String,
    /// What to do about it, in English.
    pub(crate) remedy: &'static str,
    /// What was counted, for a page in another language.
    #[serde(flatten)]
    pub(crate) fault: Fault,
}

impl From<&Fault> for QualityReason {
    fn from(fault: &Fault) -> Self {
        Self { sentence: fault.to_string(), remedy: fault.remedy(), fault: *fault }
    }
}
