use rounds::Multiplier;

use super::Value;

/// The few messages of the game that say which rounds ended; everything else (ticks, bets, cash-outs) is not one of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The answer to the login: which of the game's instances this is. Each has rounds of its own.
    Instance(String),
    /// The last rounds with their ids, newest first; sent after every login.
    History(Vec<(String, Multiplier)>),
    /// A round ended.
    Finished {
        /// The game's own name of the round. Ids grow but are not consecutive.
        id: String,
        /// Where it ended.
        multiplier: Multiplier,
    },
}

/// The system controller's requests and answers.
const SYSTEM: i64 = 0;
/// The game's own ("extension") messages.
const EXTENSION: i64 = 1;
const EXTENSION_CALL: i64 = 13;
const LOGIN: i64 = 1;

impl Message {
    /// What a packet says about finished rounds; nothing, for nearly every packet.
    ///
    /// `crashX` in the ticks is a round's end too, but names no round; `roundChartInfo` follows it with the id.
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

    fn of_call(command: &str, parameters: &Value) -> Option<Self> {
        match command {
            "roundChartInfo" => {
                let (id, multiplier) = round(parameters)?;
                Some(Self::Finished { id, multiplier })
            }
            "init" => {
                let listed = parameters.get("roundsInfo")?.as_array()?;
                // Cut at the first entry that is not a round: a history with a hole would pass for one without.
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
