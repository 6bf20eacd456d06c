//! `--fsync`: how often written rounds are synced to the disk. This matters only for a power failure; a crash of the program
//! loses no written round under any policy.

use std::fmt;
use std::str::FromStr;

use rounds::disk::{SparingDisk, SyncPolicy};

use crate::duration_arg::{DurationArg, serde_as_text};

/// A [`SyncPolicy`] as an option gives it: `row` (the default; it takes under a millisecond of every 20 s), `never`, or the
/// time between two syncs, such as `5s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncPolicyArg(pub SyncPolicy);

impl SyncPolicyArg {
    /// Returns the real disk, synced by this policy.
    pub fn disk(self) -> SparingDisk {
        SparingDisk::new(
            self.0,
            |error| tracing::error!(%error, "The last rows may not survive a loss of power."),
        )
    }
}

impl FromStr for SyncPolicyArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "row" => Ok(Self(SyncPolicy::Always)),
            "never" => Ok(Self(SyncPolicy::Never)),
            other => match other.parse::<DurationArg>() {
                Ok(DurationArg(every)) => Ok(Self(SyncPolicy::Interval(every))),
                Err(_) => Err(format!("`{other}` is not row, never or a time such as 5s")),
            },
        }
    }
}

impl fmt::Display for SyncPolicyArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SyncPolicy::Always => f.write_str("row"),
            SyncPolicy::Interval(every) => DurationArg(every).fmt(f),
            SyncPolicy::Never => f.write_str("never"),
        }
    }
}

serde_as_text!(SyncPolicyArg);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_three_policies_are_parsed() {
        let every_five_seconds = SyncPolicy::Interval(Duration::from_secs(5));
        assert_eq!("row".parse(), Ok(SyncPolicyArg(SyncPolicy::Always)));
        assert_eq!("never".parse(), Ok(SyncPolicyArg(SyncPolicy::Never)));
        assert_eq!("5s".parse(), Ok(SyncPolicyArg(every_five_seconds)));
        assert!("often".parse::<SyncPolicyArg>().is_err());
    }
}
