//! The pace of simulated and replayed rounds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rounds::{Multiplier, usual_gap};
use tokio::time::{Instant, sleep_until};

use crate::duration_arg::{DurationArg, serde_as_text};

/// The pace of simulated and replayed rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Like the game: 11.5 + 11.7 ln M seconds between ends.
    Real,
    /// As fast as the disk allows.
    Max,
    /// One round per interval.
    Every(Duration),
}

impl Pace {
    /// Returns the time from the end of the previous round to the end of a round with this multiplier.
    pub fn gap(self, multiplier: Multiplier) -> Duration {
        match self {
            Self::Real => usual_gap(multiplier),
            Self::Max => Duration::ZERO,
            Self::Every(gap) => gap,
        }
    }
}

/// Schedules simulated and replayed rounds.
#[derive(Debug, Default)]
pub struct Metronome {
    due: Option<Instant>,
}

impl Metronome {
    /// Sleeps until `gap` after the previous tick; the first tick counts from the first call. After
    /// the machine was suspended, the missed rounds do not follow in one burst.
    pub async fn wait(&mut self, gap: Duration) {
        let now = Instant::now();
        let due = self.due.unwrap_or(now) + gap;
        let due = if due + gap < now { now } else { due };
        self.due = Some(due);
        if due > now {
            sleep_until(due).await;
        }
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "real" => Ok(Self::Real),
            "max" => Ok(Self::Max),
            other => match other.parse::<DurationArg>() {
                Ok(DurationArg(gap)) => Ok(Self::Every(gap)),
                Err(_) => Err(format!("`{other}` is not real, max or a number of seconds")),
            },
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Real => f.write_str("real"),
            Self::Max => f.write_str("max"),
            Self::Every(gap) => DurationArg(*gap).fmt(f),
        }
    }
}

serde_as_text!(Pace);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_pace_are_parsed() {
        assert_eq!("real".parse(), Ok(Pace::Real));
        assert_eq!("max".parse(), Ok(Pace::Max));
        assert_eq!("0.2".parse(), Ok(Pace::Every(Duration::from_millis(200))));
        assert!("fast".parse::<Pace>().is_err());
    }

    #[test]
    fn the_real_pace_grows_with_the_logarithm_of_the_multiplier() {
        let gap = |m: f64| Pace::Real.gap(Multiplier::new(m).unwrap()).as_secs_f64();
        assert!((gap(1.0) - 11.5).abs() < 1e-9);
        assert!((gap(10.0) - 38.44).abs() < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn the_metronome_neither_drifts_nor_catches_up_in_bursts() {
        let second = Duration::from_secs(1);
        let (start, mut metronome) = (Instant::now(), Metronome::default());
        metronome.wait(second).await;
        tokio::time::advance(second / 2).await;
        metronome.wait(second).await;
        assert_eq!(start.elapsed(), second * 2);
        tokio::time::advance(second * 100).await;
        metronome.wait(second).await;
        metronome.wait(second).await;
        assert_eq!(start.elapsed(), second * 103);
    }
}
