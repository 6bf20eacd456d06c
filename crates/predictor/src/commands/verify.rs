//! `predictor verify`: checks whether published seeds and hashes give the multipliers shown, and if
//! not, which step differs.

mod events;

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use rounds::Multiplier;
use rounds::provably_fair::aviator::{self, Claim};
use rounds::provably_fair::bustabit::{self, Version};
use rounds::provably_fair::{HashClaim, HexError, Step, roobet, stake};

use crate::commands::UsageError;
use crate::commands::output;

/// Games whose rounds can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Game {
    /// Spribe Aviator: server seed and players' seeds
    Aviator,
    /// bustabit until 2018: a chain of hashes
    Bustabit1,
    /// bustabit from the seeding event of 2018
    Bustabit2,
    /// bustabit from game 12,279,451
    Bustabit3,
    /// Stake Crash: a chain of hashes
    Stake,
    /// Roobet Crash: a chain of hashes
    Roobet,
}

/// Flags of `verify`.
#[derive(Debug, Clone, Default, Args)]
pub struct VerifyArgs {
    /// Whose formula [default: aviator]
    #[arg(long, value_enum, value_name = "GAME")]
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
    /// Games with a hash chain: list so many games, this one and those before it
    #[arg(long, value_name = "N")]
    pub chain: Option<u64>,
    /// Games with a hash chain: the hash of the game before, as it was published
    #[arg(long, value_name = "HEX")]
    pub previous: Option<String>,
    /// Check every round that a collector kept with its seeds: an `….events.jsonl` or a directory
    #[arg(long, value_name = "PATH", conflicts_with_all = ["game", "server_seed", "client_seed", "commitment", "hash", "multiplier", "chain", "previous"])]
    pub events: Option<PathBuf>,
}

/// Games of a chain that are listed one by one; the rest are counted.
const LISTED: u64 = 1000;

/// Games of a chain that are walked at most: the longest chain in use has ten million.
const CHAIN_MAX: u64 = 20_000_000;

/// Does it.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.events {
        return events::run(path);
    }
    check_flags(args)?;
    match args.game.unwrap_or(Game::Aviator) {
        Game::Aviator => verdict(&aviator(args)?),
        game => {
            let hash = args.hash.as_deref().unwrap_or_default();
            let claim = HashClaim {
                hash: hash.to_owned(),
                previous: args.previous.clone(),
                digest: None,
                multiplier: args.multiplier,
            };
            let steps = steps(game, &claim).map_err(|error| bad_hex("--hash", &error))?;
            verdict(&steps)?;
            args.chain.map_or(Ok(()), |games| chain(game, hash, games))
        }
    }
}

/// Says what of the flags is missing, or does not go with the game.
fn check_flags(args: &VerifyArgs) -> Result<(), UsageError> {
    let said = |text: &str| Err(UsageError(text.to_owned()));
    if args.game.is_some_and(|game| game != Game::Aviator) {
        let seeds = args.server_seed.is_some() || !args.client_seed.is_empty();
        return match (&args.hash, seeds || args.commitment.is_some(), args.chain) {
            (None, ..) => said("this game needs --hash, the hash of the game"),
            (_, true, _) => said("seeds and --commitment belong to --game aviator"),
            (_, _, Some(0)) => said("--chain counts games from 1"),
            (_, _, Some(CHAIN_MAX..)) => said("--chain takes at most 20,000,000 games"),
            _ => hex("--previous", args.previous.as_deref(), 64),
        };
    }
    if args.chain.is_some() || args.previous.is_some() {
        return said(
            "--chain and --previous need the --game of a chain: bustabit1, bustabit2, bustabit3, stake or roobet",
        );
    }
    match (&args.server_seed, args.client_seed.is_empty()) {
        (Some(_), true) => {
            said("--server-seed needs the players' seeds: --client-seed, once for each")
        }
        (None, false) => said("--client-seed needs the --server-seed"),
        (None, true) if args.commitment.is_some() => said("--commitment needs the --server-seed"),
        (None, true) if args.hash.is_none() => said(
            "nothing to verify: give --server-seed and three --client-seed, or --game and --hash, or --events",
        ),
        (Some(_), false) => {
            hex("--commitment", args.commitment.as_deref(), 64)?;
            hex("--hash", args.hash.as_deref(), 128)
        }
        (None, true) => Ok(()),
    }
}

/// A digest that was given must be one.
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

fn aviator(args: &VerifyArgs) -> Result<Vec<Step>, UsageError> {
    let (Some(server_seed), hash) = (&args.server_seed, &args.hash) else {
        return from_digest(args.hash.as_deref().unwrap_or_default(), args.multiplier);
    };
    let claim = Claim {
        server_seed: server_seed.clone(),
        client_seeds: args.client_seed.clone(),
        commitment: args.commitment.clone(),
        digest: hash.clone(),
        decimal: None,
        multiplier: args.multiplier,
    };
    Ok(claim.steps())
}

/// Without seeds only the last two steps can be done.
fn from_digest(digest: &str, said: Option<Multiplier>) -> Result<Vec<Step>, UsageError> {
    let wrong = |error| bad_hex("--hash", &error);
    let decimal = aviator::decimal(digest.trim()).map_err(wrong)?;
    let multiplier = aviator::multiplier(digest.trim()).map_err(wrong)?;
    let step = |name, said: Option<String>, computed| Step { name, said, computed };
    Ok(vec![
        step("decimal of its first 13 digits", None, decimal.to_string()),
        step("multiplier", said.map(|said| said.to_string()), multiplier.to_string()),
    ])
}

fn steps(game: Game, claim: &HashClaim) -> Result<Vec<Step>, HexError> {
    match (version(game), game) {
        (Some(version), _) => bustabit::steps(version, claim),
        (None, Game::Stake) => stake::steps(claim),
        (None, _) => roobet::steps(claim),
    }
}

fn version(game: Game) -> Option<Version> {
    match game {
        Game::Bustabit1 => Some(Version::V1),
        Game::Bustabit2 => Some(Version::V2),
        Game::Bustabit3 => Some(Version::V3),
        Game::Aviator | Game::Stake | Game::Roobet => None,
    }
}

/// Prints the steps; an error when one of them does not match.
fn verdict(steps: &[Step]) -> anyhow::Result<()> {
    output::say(&steps.iter().map(line).collect::<String>())?;
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
    let said = step.said.as_deref().filter(|_| step.matches() == Some(false));
    let but = said.map_or_else(String::new, |said| format!("{:<15} but said: {said}\n", ""));
    format!("{mark:<15} {}: {}\n{but}", step.name, step.computed)
}

/// Walks the chain backwards, and says where it reaches its published end.
fn chain(game: Game, hash: &str, games: u64) -> anyhow::Result<()> {
    let mut hash = hash.trim().to_ascii_lowercase();
    let mut lines = vec![format!("\n{:>10}  {:>12}  hash", "games back", "multiplier")];
    let mut reached = None;
    for back in 0..games {
        if end(game) == Some(hash.as_str()) {
            reached = Some(back);
            break;
        }
        if back < LISTED {
            let multiplier = multiplier(game, &hash)?.to_string();
            lines.push(format!("{back:>10}  {multiplier:>11}x  {hash}"));
        } else if back == LISTED {
            lines.push(format!("{:>10}  and the games before them, not listed", "…"));
        }
        hash = previous(game, &hash)?;
    }
    lines.push(match reached {
        Some(back) => end_reached(game, back),
        None => format!("The hash of the game before these is {hash}"),
    });
    output::say(&(lines.join("\n") + "\n"))
}

fn end_reached(game: Game, back: u64) -> String {
    let number = match game {
        Game::Bustabit2 => format!(": this is game {back}"),
        Game::Bustabit3 => format!(": this is game {}", bustabit::V3_GAME_OFFSET + back),
        Game::Aviator | Game::Bustabit1 | Game::Stake | Game::Roobet => String::new(),
    };
    format!("The published end of the chain is {back} games back{number}.")
}

/// The published last hash of a chain, where one is known.
fn end(game: Game) -> Option<&'static str> {
    match game {
        Game::Bustabit2 => Some(bustabit::V2_TERMINATING_HASH),
        Game::Bustabit3 => Some(bustabit::V3_TERMINATING_HASH),
        Game::Stake => Some(stake::TERMINATING_HASH),
        Game::Aviator | Game::Bustabit1 | Game::Roobet => None,
    }
}

fn previous(game: Game, hash: &str) -> Result<String, HexError> {
    match (version(game), game) {
        (Some(version), _) => bustabit::previous(version, hash),
        (None, Game::Stake) => stake::previous(hash),
        (None, _) => roobet::previous(hash),
    }
}

fn multiplier(game: Game, hash: &str) -> Result<Multiplier, HexError> {
    match (version(game), game) {
        (Some(version), _) => bustabit::multiplier(version, &bustabit::digest(version, hash)?),
        (None, Game::Stake) => stake::multiplier(&stake::digest(hash)?),
        (None, _) => roobet::multiplier(&roobet::digest(hash)?),
    }
}
