//! `predictor audit --fit`: the parameters of the game that fit the rounds.

use std::fmt::Write as _;

use anyhow::Context as _;
use evaluation::audit::p_value;
use evaluation::confidence_sequence::Estimate;
use evaluation::game::PRESETS;
use evaluation::game_fit::{self, FittedGame, ROUNDS_MIN};
use evaluation::quality::{GAPS_MIN, RecordedRound};
use serde::Serialize;

use super::AuditArgs;
use crate::commands::output;
use crate::commands::recording::{About, Recording};
use crate::input::recording_quality::recorded;

/// p-value of the fitted law below which no return fits the rounds.
const LAW_LEVEL: f64 = 1e-3;

/// The result, as `--json` writes it.
#[derive(Debug, Serialize)]
struct Fit {
    program: &'static str,
    data: About,
    #[serde(rename = "return")]
    returns: Estimate,
    atom: Estimate,
    /// Whether 1.00x has not the probability that the curve leaves.
    atom_is_own: bool,
    /// Highest multiplier, if several rounds share it.
    cap: Option<f64>,
    pause_seconds: Option<Estimate>,
    slope_seconds: Option<Estimate>,
    /// Gaps between timed rounds.
    gaps: usize,
    /// p-value of the chi² test of the fitted law.
    law_p: f64,
    nearest: Nearest,
    /// The section of the configuration.
    toml: String,
    #[serde(skip)]
    fitted: FittedGame,
}

/// The nearest preset, and whether its values lie within the intervals.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each value")]
struct Nearest {
    name: &'static str,
    source: &'static str,
    agrees: bool,
    #[serde(rename = "return")]
    returns: bool,
    atom: bool,
    cap: bool,
    pause_seconds: Option<bool>,
    slope_seconds: Option<bool>,
}

pub(super) fn run(args: &AuditArgs) -> anyhow::Result<()> {
    let recording = Recording::read(&args.recording, ROUNDS_MIN)?;
    output::check_writable(args.json.as_deref(), "--json")?;
    let rounds: Vec<RecordedRound> = recording.rounds.iter().map(recorded).collect();
    let fitted = game_fit::fit(&rounds).context("estimating the parameters of the game")?;
    let fit = Fit::of(recording.about, fitted);
    output::print(&fit.text())?;
    args.json.as_ref().map_or(Ok(()), |path| output::write_json(path, &fit))
}

impl Fit {
    fn of(data: About, fitted: FittedGame) -> Self {
        let nearest = fitted.nearest;
        Self {
            program: concat!("predictor ", env!("CARGO_PKG_VERSION")),
            data,
            returns: fitted.returns,
            atom: fitted.atom,
            atom_is_own: fitted.has_own_atom,
            cap: fitted.cap.map(|cap| evaluation::multiplier(cap.cents)),
            pause_seconds: fitted.pace.map(|pace| pace.pause),
            slope_seconds: fitted.pace.map(|pace| pace.slope),
            gaps: fitted.gaps,
            law_p: fitted.law_p,
            nearest: Nearest {
                name: nearest.preset.name,
                source: nearest.preset.source,
                agrees: nearest.agrees(),
                returns: nearest.has_return,
                atom: nearest.has_atom,
                cap: nearest.has_cap,
                pause_seconds: nearest.has_pause,
                slope_seconds: nearest.has_slope,
            },
            toml: toml(&fitted),
            fitted,
        }
    }

    fn text(&self) -> String {
        let preset = self.fitted.nearest.preset;
        let pace = preset.measured_pace;
        let mut lines = vec![
            self.data.text(),
            format!("{:<18} {:>9}  {:<20} {}", "", "fits", "95 % interval", preset.name),
            row("return", self.returns, 4, Some((preset.returns, self.nearest.returns))),
            row("ends at 1.00x", self.atom, 4, Some((preset.law().atom(), self.nearest.atom))),
        ];
        lines.push(match self.fitted.cap {
            Some(cap) => {
                let highest = evaluation::multiplier(cap.cents);
                format!("{:<18} {highest:>8.2}x  {} rounds end there", "cap", cap.count)
            }
            None => format!("{:<18} {:>9}", "cap", "none seen"),
        });
        match (self.pause_seconds, self.slope_seconds) {
            (Some(pause), Some(slope)) => {
                let theirs = |value: Option<f64>, agrees: Option<bool>| value.zip(agrees);
                let at_one = theirs(pace.map(|it| it.pause), self.nearest.pause_seconds);
                let per_ln = theirs(pace.map(|it| it.slope), self.nearest.slope_seconds);
                lines.push(row("pause, s", pause, 2, at_one));
                lines.push(row("slope, s per ln M", slope, 2, per_ln));
            }
            _ => lines.push(format!(
                "pause and slope: unknown; of {GAPS_MIN} gaps between timed rounds there are {}",
                self.gaps
            )),
        }
        lines.push(String::new());
        lines.push(self.law());
        lines.push(self.nearest());
        lines.push(format!("\n{}", self.toml));
        lines.push(
            "A law that was fitted to these rounds cannot be tested on them: to test the house, set the return \
             that it states.\n"
                .to_owned(),
        );
        lines.join("\n")
    }

    fn law(&self) -> String {
        let p = p_value(Some(self.law_p));
        if self.law_p < LAW_LEVEL {
            format!("No return fits these rounds: they do not follow return/x (chi² p {p}).")
        } else {
            format!("The rounds follow return/x with this return (chi² p {p}).")
        }
    }

    fn nearest(&self) -> String {
        let Nearest { name, source, agrees, .. } = self.nearest;
        let verdict = if agrees {
            "all its known values lie within the intervals"
        } else {
            "not all its values lie within the intervals"
        };
        let others: Vec<&str> =
            PRESETS.iter().map(|it| it.name).filter(|other| *other != name).collect();
        format!("Nearest preset: {name}; {verdict} ({source}). Others: {}.", others.join(", "))
    }
}

/// Returns a line of the table; `preset` is the value of the preset and whether it lies within the interval.
fn row(name: &str, fits: Estimate, digits: usize, preset: Option<(f64, bool)>) -> String {
    let bounds = format!("[{:.digits$}, {:.digits$}]", fits.lo, fits.hi);
    let preset = preset.map(|(value, agrees)| {
        let word = if agrees { "within" } else { "outside" };
        format!("{} {word}", trimmed(value, digits))
    });
    let preset = preset.unwrap_or_else(|| "not known".to_owned());
    format!("{name:<18} {:>9.digits$}  {bounds:<20} {preset}", fits.value)
}

/// Returns the `[game]` section: the nearest preset, and what is outside of its intervals or in none.
fn toml(fitted: &FittedGame) -> String {
    let nearest = fitted.nearest;
    let mut text = format!("[game]\nname = \"{}\"\n", nearest.preset.name);
    let mut key = |key: &str, value: f64, digits: usize| {
        writeln!(text, "{key} = {}", trimmed(value, digits)).expect("writing to a string");
    };
    if !nearest.has_return {
        key("return", fitted.returns.value, 4);
    }
    if fitted.has_own_atom {
        key("atom", fitted.atom.value, 4);
    }
    if let Some(cap) = fitted.cap {
        key("cap", evaluation::multiplier(cap.cents), 2);
    }
    if let Some(pace) = fitted.pace {
        key("pause_seconds", pace.pause.value.max(0.0), 2);
        key("slope_seconds", pace.slope.value.max(0.0), 2);
    }
    text
}

/// Returns a number with at most so many digits, and one at least.
fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GameSettings;
    use test_support::simulate::Scenario;

    fn fitted(cents: impl IntoIterator<Item = u64>, seconds: Option<f64>) -> FittedGame {
        let mut now = 0.0;
        let round = |cents| {
            now += seconds.unwrap_or_default() + 16.6 * evaluation::ln_multiplier(cents);
            RecordedRound { cents, unix_seconds: seconds.map(|_| now) }
        };
        game_fit::fit(&cents.into_iter().map(round).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_section_can_be_pasted_into_the_configuration() {
        let stake = Scenario::Independent { r: 0.99, theta: 1.0 };
        let section = toml(&fitted(stake.rounds(3000, 4), Some(11.8)));
        assert_eq!(
            section,
            "[game]\nname = \"stake\"\npause_seconds = 11.8\nslope_seconds = 16.6\n"
        );
        let capped = Scenario::Independent { r: 0.9, theta: 1.0 };
        let capped = capped.rounds(3000, 4).into_iter().map(|cents| cents.min(2000));
        let section = toml(&fitted(capped, None));
        let keys = section.strip_prefix("[game]\n").unwrap();
        let game = toml::from_str::<GameSettings>(keys).unwrap().parameters().unwrap();
        assert_eq!(game.law().cap_cents(), 2000);
        assert!((game.law().r() - 0.9).abs() < 0.02, "{section}");
    }

    #[test]
    fn numbers_have_no_digits_to_spare() {
        let all = [(0.97, "0.97"), (11.0, "11.0"), (0.965_43, "0.9654"), (0.0, "0.0")];
        for (value, text) in all {
            assert_eq!(trimmed(value, 4), text);
        }
    }
}
