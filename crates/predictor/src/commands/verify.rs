//! `predictor verify`: checks whether published seeds and hashes give the multipliers shown, and if
//! not, which step differs.

mod events;

use std::fmt;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use rounds::Multiplier;
use rounds::provably_fair::aviator::Aviator;
use rounds::provably_fair::{
    ChainEnd, HashChain, HexError, Published, SCHEMES, Scheme, SchemeError, Step, scheme,
};

use crate::commands::UsageError;
use crate::commands::output;

/// A game whose rounds can be checked, chosen by its name.
#[derive(Clone, Copy)]
pub struct Game(&'static dyn Scheme);

impl Game {
    /// Parses the name of a game; the help lists all of them.
    fn parser() -> impl TypedValueParser<Value = Self> {
        let names = SCHEMES.map(|it| PossibleValue::new(it.name()).help(it.summary()));
        PossibleValuesParser::new(names)
            .map(|name| Self(scheme(&name).expect("only names of games are accepted")))
    }

    /// Returns the hash chain of the game; `None` for a game whose rounds come from seeds.
    fn chain(self) -> Option<&'static dyn HashChain> {
        self.0.chain()
    }
}

impl Default for Game {
    fn default() -> Self {
        Self(&Aviator)
    }
}

impl fmt::Debug for Game {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// Flags of `verify`.
#[derive(Debug, Clone, Default, Args)]
pub struct VerifyArgs {
    /// Game whose formula is used [default: aviator]
    #[arg(long, value_parser = Game::parser(), value_name = "GAME")]
    pub game: Option<Game>,
    /// aviator: the server seed the house revealed
    #[arg(long, value_name = "SEED")]
    pub server_seed: Option<String>,
    /// aviator: a player's seed, in the order the house shows them; given once for each player
    #[arg(long, value_name = "SEED")]
    pub client_seed: Vec<String>,
    /// aviator: the SHA-256 of the server seed that was shown before the round
    #[arg(long, value_name = "HEX")]
    pub commitment: Option<String>,
    /// aviator: the combined SHA-512 that is shown; other games: the hash of the game
    #[arg(long, value_name = "HEX")]
    pub hash: Option<String>,
    /// The multiplier the house showed
    #[arg(long, value_name = "X")]
    pub multiplier: Option<Multiplier>,
    /// Games with a hash chain: list this many games, ending with this one
    #[arg(long, value_name = "N")]
    pub chain: Option<u64>,
    /// Games with a hash chain: the hash of the game before, as it was published
    #[arg(long, value_name = "HEX")]
    pub previous: Option<String>,
    /// Check every round that a collector recorded with its seeds: an `….events.jsonl` or a directory
    #[arg(long, value_name = "PATH", conflicts_with_all = ["game", "server_seed", "client_seed", "commitment", "hash", "multiplier", "chain", "previous"])]
    pub events: Option<PathBuf>,
}

/// Number of games of a chain listed individually; the rest are counted.
const LISTED: u64 = 1000;

/// Maximum number of games of a chain: the longest chain in use has ten million.
const CHAIN_MAX: u64 = 20_000_000;

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.events {
        return events::run(path);
    }
    check_flags(args)?;
    let Game(game) = args.game.unwrap_or_default();
    let published = Published {
        hash: args.hash.clone(),
        previous: args.previous.clone(),
        server_seed: args.server_seed.clone(),
        client_seeds: args.client_seed.clone(),
        commitment: args.commitment.clone(),
        multiplier: args.multiplier,
    };
    let steps = game.steps(&published).map_err(|error| match error {
        SchemeError::Hex(error) => bad_hex("--hash", &error),
        error => UsageError(error.to_string()),
    })?;
    verdict(&steps)?;
    match (game.chain(), &args.hash, args.chain) {
        (Some(chain), Some(hash), Some(games)) => list_chain(chain, hash, games),
        _ => Ok(()),
    }
}

/// Checks that no flag is missing and that all belong to the game.
fn check_flags(args: &VerifyArgs) -> Result<(), UsageError> {
    let refuse = |text: &str| Err(UsageError(text.to_owned()));
    if args.game.and_then(Game::chain).is_some() {
        let seeds = args.server_seed.is_some() || !args.client_seed.is_empty();
        return match (&args.hash, seeds || args.commitment.is_some(), args.chain) {
            (None, ..) => refuse("this game needs --hash, the hash of the game"),
            (_, true, _) => refuse("seeds and --commitment belong to --game aviator"),
            (_, _, Some(0)) => refuse("--chain must be at least 1"),
            (_, _, Some(CHAIN_MAX..)) => refuse("--chain takes at most 20,000,000 games"),
            _ => hex("--previous", args.previous.as_deref(), 64),
        };
    }
    if args.chain.is_some() || args.previous.is_some() {
        return refuse(
            "--chain and --previous need a --game with a hash chain: bustabit1, bustabit2, bustabit3, stake or roobet",
        );
    }
    match (&args.server_seed, args.client_seed.is_empty()) {
        (Some(_), true) => {
            refuse("--server-seed needs the players' seeds: --client-seed, once for each")
        }
        (None, false) => refuse("--client-seed needs the --server-seed"),
        (None, true) if args.commitment.is_some() => refuse("--commitment needs the --server-seed"),
        (None, true) if args.hash.is_none() => refuse(
            "nothing to verify: give --server-seed and three --client-seed, or --game and --hash, or --events",
        ),
        (Some(_), false) => {
            hex("--commitment", args.commitment.as_deref(), 64)?;
            hex("--hash", args.hash.as_deref(), 128)
        }
        (None, true) => Ok(()),
    }
}

/// Checks a digest, if it is given.
fn hex(flag: &str, text: Option<&str>, digits: usize) -> Result<(), UsageError> {
    let is_hex = |text: &str| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    match text.map(str::trim) {
        Some(text) if !is_hex(text) => {
            Err(bad_hex(flag, &HexError { digits, text: text.to_owned() }))
        }
        _ => Ok(()),
    }
}

fn bad_hex(flag: &str, error: &HexError) -> UsageError {
    UsageError(format!("{flag}: {error}"))
}

/// Prints the steps; an error if one of them does not match.
fn verdict(steps: &[Step]) -> anyhow::Result<()> {
    output::print(&steps.iter().map(line).collect::<String>())?;
    let wrong: Vec<&str> =
        steps.iter().filter(|step| step.matches() == Some(false)).map(|step| step.name).collect();
    if wrong.is_empty() { Ok(()) } else { bail!("does not match: {}", wrong.join(", ")) }
}

fn line(step: &Step) -> String {
    let mark = match step.matches() {
        Some(true) => "matches",
        Some(false) => "DOES NOT MATCH",
        None => "computed",
    };
    let published = step.said.as_deref().filter(|_| step.matches() == Some(false));
    let published =
        published.map_or_else(String::new, |it| format!("{:<15} published: {it}\n", ""));
    format!("{mark:<15} {}: {}\n{published}", step.name, step.computed)
}

/// Walks the chain backwards, up to its published end.
fn list_chain(chain: &dyn HashChain, hash: &str, games: u64) -> anyhow::Result<()> {
    let mut hash = hash.trim().to_ascii_lowercase();
    let mut lines = vec![format!("\n{:>10}  {:>12}  hash", "games back", "multiplier")];
    let end = chain.end();
    let mut reached = None;
    for back in 0..games {
        if let Some(end) = end.filter(|end| end.hash == hash) {
            reached = Some(end_reached(end, back));
            break;
        }
        if back < LISTED {
            let multiplier = chain.multiplier(&chain.digest(&hash)?)?.to_string();
            lines.push(format!("{back:>10}  {multiplier:>11}x  {hash}"));
        } else if back == LISTED {
            lines.push(format!("{:>10}  and the games before them, not listed", "…"));
        }
        hash = chain.previous(&hash)?;
    }
    lines.push(reached.unwrap_or_else(|| format!("The hash of the game before these is {hash}")));
    output::print(&(lines.join("\n") + "\n"))
}

fn end_reached(end: ChainEnd, back: u64) -> String {
    let number = end.number.map(|first| format!(": this is game {}", first + back));
    let number = number.unwrap_or_default();
    format!("The published end of the chain is {back} games back{number}.")
}
