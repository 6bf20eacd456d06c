//! The `[game]` section: the game whose rounds are read, and where it differs from its preset.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use evaluation::game::{GameError, GameParameters, PRESETS, Pace, Preset};
use rounds::Multiplier;
use serde::{Deserialize, Serialize};

/// The name of a known game.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct GameName(&'static Preset);

/// The name is not that of a known game.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unknown game {name}: expected {}; for another, take the nearest and set its return",
    known()
)]
pub struct UnknownGame {
    name: String,
}

fn known() -> String {
    PRESETS.map(|preset| preset.name).join(", ")
}

impl FromStr for GameName {
    type Err = UnknownGame;

    fn from_str(name: &str) -> Result<Self, UnknownGame> {
        let unknown = || UnknownGame { name: name.to_owned() };
        Preset::named(&name.to_ascii_lowercase()).map(Self).ok_or_else(unknown)
    }
}

impl TryFrom<String> for GameName {
    type Error = UnknownGame;

    fn try_from(name: String) -> Result<Self, UnknownGame> {
        name.parse()
    }
}

impl fmt::Display for GameName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// The game whose rounds are read; the `[game]` section of the file.
#[derive(Args, Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[group(skip)]
#[serde(deny_unknown_fields, default)]
pub struct GameSettings {
    /// Game whose rounds are read: aviator, stake, bustabit, 1xbet or roobet [default: aviator]
    #[arg(id = "game_name", long = "game", value_name = "NAME", env = "AVIATOR_GAME")]
    pub name: Option<GameName>,
    /// Share of all stakes that the game returns, such as 0.99 [default: that of the game]
    #[arg(
        id = "game_return",
        long = "game-return",
        value_name = "SHARE",
        env = "AVIATOR_GAME_RETURN"
    )]
    #[serde(rename = "return")]
    pub returns: Option<f64>,
    /// Share of rounds that end at 1.00x [default: what the return leaves, 1 - return/1.01]
    #[arg(id = "game_atom", long = "game-atom", value_name = "SHARE", env = "AVIATOR_GAME_ATOM")]
    pub atom: Option<f64>,
    /// Highest multiplier of the game; rows with larger ones are rejected [default: 1000000]
    #[arg(id = "game_cap", long = "game-cap", value_name = "MULTIPLIER", env = "AVIATOR_GAME_CAP")]
    pub cap: Option<Multiplier>,
    /// Seconds from round to round at 1.00x, with --game-slope-seconds [default: fitted to the rounds]
    #[arg(
        id = "game_pause_seconds",
        long = "game-pause-seconds",
        value_name = "SECONDS",
        env = "AVIATOR_GAME_PAUSE_SECONDS"
    )]
    pub pause_seconds: Option<f64>,
    /// Seconds of flight per unit of ln M, with --game-pause-seconds [default: fitted to the rounds]
    #[arg(
        id = "game_slope_seconds",
        long = "game-slope-seconds",
        value_name = "SECONDS",
        env = "AVIATOR_GAME_SLOPE_SECONDS"
    )]
    pub slope_seconds: Option<f64>,
}

impl GameSettings {
    /// Returns these settings, completed by `other` where they are absent. A game that is named here takes
    /// nothing from another one.
    pub(crate) fn or(self, other: Self) -> Self {
        let is_other_game =
            self.name.is_some() && other.name.is_some_and(|it| Some(it) != self.name);
        let other = if is_other_game { Self::default() } else { other };
        Self {
            name: self.name.or(other.name),
            returns: self.returns.or(other.returns),
            // A share of 1.00x belongs to its return.
            atom: self.atom.or(other.atom.filter(|_| self.returns.is_none())),
            cap: self.cap.or(other.cap),
            pause_seconds: self.pause_seconds.or(other.pause_seconds),
            slope_seconds: self.slope_seconds.or(other.slope_seconds),
        }
    }

    /// Returns the parameters of the game.
    ///
    /// # Errors
    /// No game can have them.
    pub fn parameters(&self) -> Result<GameParameters, GameError> {
        let mut game =
            self.name.map_or_else(GameParameters::default, |GameName(it)| GameParameters::of(it));
        if let Some(returns) = self.returns {
            game = game.with_return(returns)?;
        }
        if let Some(cap) = self.cap {
            game = game.with_cap_cents(cap.cents())?;
        }
        if let Some(atom) = self.atom {
            game = game.with_atom(atom)?;
        }
        match (self.pause_seconds, self.slope_seconds) {
            (None, None) => Ok(game),
            (Some(pause), Some(slope)) => game.with_pace(Pace { pause, slope }),
            _ => Err(GameError::HalfAPace),
        }
    }
}

/// The parameters as they stand in the file; `None` for what follows from the others or from the rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct GameSection {
    name: &'static str,
    #[serde(rename = "return")]
    returns: f64,
    atom: Option<f64>,
    cap: f64,
    pause_seconds: Option<f64>,
    slope_seconds: Option<f64>,
}

impl From<&GameParameters> for GameSection {
    fn from(game: &GameParameters) -> Self {
        Self {
            name: game.preset().name,
            returns: game.law().r(),
            atom: game.own_atom(),
            cap: evaluation::multiplier(game.law().cap_cents()),
            pause_seconds: game.pace().map(|pace| pace.pause),
            slope_seconds: game.pace().map(|pace| pace.slope),
        }
    }
}

/// Serialises parameters as their section of the file.
pub(crate) fn as_section<S: serde::Serializer>(
    game: &GameParameters,
    to: S,
) -> Result<S::Ok, S::Error> {
    GameSection::from(game).serialize(to)
}

/// Returns the highest multiplier of a game, the default limit of rows.
pub(crate) fn limit(game: &GameParameters) -> Multiplier {
    Multiplier::from_cents(game.law().cap_cents()).expect("a cap is above 1.02x")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> GameSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn without_settings_the_game_is_aviator() {
        assert_eq!(GameSettings::default().parameters(), Ok(GameParameters::default()));
    }

    #[test]
    fn a_preset_is_named_and_its_parameters_replaced() {
        let game = settings("name = 'Stake'\ncap = 35\npause_seconds = 8\nslope_seconds = 6.5");
        let game = game.parameters().unwrap();
        assert_eq!((game.preset().name, game.law().cap_cents()), ("stake", 3500));
        assert!((game.law().r() - 0.99).abs() < 1e-12);
        assert_eq!(game.pace(), Some(Pace { pause: 8.0, slope: 6.5 }));
        assert_eq!(limit(&game).cents(), 3500);
    }

    #[test]
    fn every_preset_can_be_named() {
        for preset in &PRESETS {
            let name: GameName = preset.name.parse().unwrap();
            assert_eq!(name.to_string(), preset.name);
        }
        let error = "crash".parse::<GameName>().unwrap_err().to_string();
        assert!(error.contains("aviator, stake, bustabit, 1xbet, roobet"), "{error}");
    }

    #[test]
    fn another_game_on_the_command_line_takes_nothing_from_the_file() {
        let file = settings("name = 'stake'\nreturn = 0.98\ncap = 100");
        let flag = settings("name = 'roobet'");
        assert_eq!(flag.or(file), flag);
        let same = settings("name = 'stake'\ncap = 50");
        assert_eq!(same.or(file), settings("name = 'stake'\nreturn = 0.98\ncap = 50"));
        assert_eq!(GameSettings::default().or(file), file);
    }

    #[test]
    fn the_share_of_the_lowest_multiplier_belongs_to_the_return_beside_it() {
        let file = settings("return = 0.95\natom = 0.1");
        assert_eq!(settings("return = 0.99").or(file), settings("return = 0.99"));
        assert_eq!(settings("cap = 9").or(file), settings("return = 0.95\natom = 0.1\ncap = 9"));
    }

    #[test]
    fn pause_and_slope_come_together() {
        assert_eq!(settings("pause_seconds = 5").parameters(), Err(GameError::HalfAPace));
        assert!(settings("return = 1.5").parameters().is_err());
        assert!(toml::from_str::<GameSettings>("returns = 0.9").is_err(), "unknown key");
    }
}
