//! The audit report as text.

use std::fmt::{self, Display, Formatter};

use super::{AuditReport, PaceSource, Recording, has_alarm};
use crate::figures::{percent, thousands};
use crate::quality::{GAPS_MIN, State};

impl Display for AuditReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let law = &self.options.house;
        writeln!(
            f,
            "Audit of {} rounds against P(M >= x) = {}/x",
            thousands(self.rounds as u64),
            law.r()
        )?;
        writeln!(f)?;
        self.battery(f)?;
        writeln!(f)?;
        self.returns(f)?;
        writeln!(f)?;
        self.evidence(f)?;
        writeln!(f)?;
        self.recording(f)
    }
}

impl AuditReport {
    fn battery(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<18} {:>9} {:>9}  {:<20} question", "test", "p", "Holm p", "about")?;
        for test in &self.tests {
            let mark = if test.stands_out { "*" } else { " " };
            writeln!(
                f,
                "{:<18} {:>9} {:>9}{mark} {:<20} {}",
                test.name,
                p_value(test.p),
                p_value(test.holm_p),
                test.about,
                test.question
            )?;
        }
        let names: Vec<&str> = self.findings().map(|test| test.name).collect();
        let alpha = percent(100.0 * self.options.alpha);
        if names.is_empty() {
            writeln!(f, "Nothing stands out (Holm over all tests, {alpha}).")
        } else {
            writeln!(f, "* stands out (Holm over all tests, {alpha}): {}.", names.join(", "))?;
            writeln!(f, "A finding about the law does not make the next round predictable.")
        }
    }

    fn returns(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>8} {:>10} {:>9} {:>19} {:>8}",
            "target", "reached", "return", "95 % interval", "stated"
        )?;
        for row in &self.returns {
            let bounds = format!("[{:.4}, {:.4}]", row.measured.lo, row.measured.hi);
            let mark = if row.agrees { "" } else { "  *" };
            writeln!(
                f,
                "{:>7.2}x {:>10} {:>9.4} {bounds:>19} {:>8.4}{mark}",
                row.target,
                thousands(row.hits),
                row.measured.value,
                row.stated
            )?;
        }
        Ok(())
    }

    fn evidence(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for test in &self.evidence {
            let highest = 10f64.ln().recip() * test.ln_e_max;
            let state = match test.alarm_round {
                Some(round) if has_alarm(test) => {
                    format!("{:?} since round {}", test.level, thousands(round))
                }
                _ => "quiet".to_owned(),
            };
            writeln!(
                f,
                "{} test: {state} (highest E 10^{highest:.1}, anytime-valid p {})",
                test.name,
                p_value(Some(test.anytime_p))
            )?;
        }
        for epoch in &self.epochs {
            writeln!(
                f,
                "The game may have changed around round {} (noticed at round {}).",
                thousands(epoch.last_round + 1),
                thousands(epoch.noticed_at)
            )?;
        }
        Ok(())
    }

    fn recording(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seen = &self.recording;
        let word = match seen.state {
            State::Sound => "sound",
            State::Incomplete => "incomplete",
            State::Suspect => "suspect: it says more about the recorder than about the game",
        };
        writeln!(f, "Recording: {word}")?;
        for fault in &seen.faults {
            writeln!(f, "  {fault}. {}", fault.remedy())?;
        }
        gaps(seen, f)?;
        writeln!(
            f,
            "Equal neighbours: {}, expected {:.0} of these rounds in random order (p {}).",
            thousands(seen.equal_neighbours),
            seen.equal_neighbours_expected,
            p_value(Some(seen.equal_neighbours_p)),
        )
    }
}

fn gaps(seen: &Recording, f: &mut Formatter<'_>) -> fmt::Result {
    let count = thousands(seen.gaps_seen as u64);
    let Some(pace) = seen.pace else {
        return match seen.gaps_seen {
            0 => writeln!(f, "Gaps: no clock, so missed rounds cannot be seen."),
            _ => writeln!(f, "Gaps: {count}; {GAPS_MIN} are needed to know the usual one."),
        };
    };
    let source = match seen.pace_source {
        PaceSource::Game => "as configured",
        PaceSource::Fitted | PaceSource::Unknown => "fitted",
    };
    writeln!(
        f,
        "Gaps: of {count}, {} are too long (room for about {:.0} missed rounds) and {} too short; usual are \
         {:.1} + {:.1} ln M seconds ({source}).",
        thousands(seen.gaps_too_long as u64),
        seen.rounds_missing,
        thousands(seen.gaps_too_short as u64),
        pace.pause,
        pace.slope,
    )
}

/// Formats a p-value; a dash stands for a test without one.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        None => "-".to_owned(),
        Some(p) if p < 1e-4 => format!("{p:.1e}"),
        Some(p) => format!("{p:.4}"),
    }
}
