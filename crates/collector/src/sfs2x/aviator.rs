//! The messages of the game that report which rounds have ended.

use chrono::{DateTime, Utc};
use rounds::Multiplier;

use super::Value;
use crate::observation::Report;

/// A message of the game about rounds that ended; ticks, bets and cash-outs are ignored.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The answer to the login: the name of the game instance. Each instance plays its own rounds.
    Instance(String),
    /// The last rounds with their ids, newest first; sent after every login.
    History(Vec<(String, Multiplier)>),
    /// A round ended.
    Finished {
        /// The game's id of the round. Ids grow but are not consecutive.
        id: String,
        /// The multiplier at which it ended.
        multiplier: Multiplier,
    },
}

/// Id of the system controller, for requests and answers.
const SYSTEM: i64 = 0;
/// Id of the extension controller, for the game's own messages.
const EXTENSION: i64 = 1;
const EXTENSION_CALL: i64 = 13;
const LOGIN: i64 = 1;

impl Message {
    /// Returns the message in a packet; `None` for most packets.
    ///
    /// `crashX` in a tick also marks the end of a round, but has no id; `roundChartInfo` with the id follows it.
    pub fn of(packet: &Value) -> Option<Self> {
        let controller = packet.get("c")?.as_int()?;
        let action = packet.get("a")?.as_int()?;
        let body = packet.get("p")?;
        match (controller, action) {
            (SYSTEM, LOGIN) => Some(Self::Instance(body.get("zn")?.as_text()?.to_owned())),
            (EXTENSION, EXTENSION_CALL) => Self::of_call(body.get("c")?.as_text()?, body.get("p")?),
            _ => None,
        }
    }

    /// Returns the report of this message; `ended_at` is the time at which a finished round ended, if it is known.
    pub fn into_report(self, ended_at: Option<DateTime<Utc>>) -> Report {
        match self {
            Self::Instance(name) => Report::OtherInstance(name),
            Self::History(rounds) => Report::Ids(rounds),
            Self::Finished { id, multiplier } => {
                Report::Round { id: Some(id), multiplier, ended_at, backfill: false, detail: None }
            }
        }
    }

    fn of_call(command: &str, parameters: &Value) -> Option<Self> {
        match command {
            "roundChartInfo" => {
                let (id, multiplier) = round(parameters)?;
                Some(Self::Finished { id, multiplier })
            }
            "init" => {
                let listed = parameters.get("roundsInfo")?.as_array()?;
                // Cut at the first entry that is not a round: leaving it out would hide that a round is missing.
                let rounds: Vec<_> = listed.iter().map_while(round).collect();
                (!rounds.is_empty()).then_some(Self::History(rounds))
            }
            _ => None,
        }
    }
}

fn round(fields: &Value) -> Option<(String, Multiplier)> {
    let id = match fields.get("roundId")? {
        Value::Int(id) => id.to_string(),
        Value::Text(id) if !id.is_empty() => id.clone(),
        _ => return None,
    };
    let multiplier = Multiplier::new(fields.get("maxMultiplier")?.as_number()?).ok()?;
    Some((id, multiplier))
}
