//! `predictor verify`: were published seeds and hashes turned into the shown multiplier?

mod recorded;

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;
use rounds::Multiplier;
use rounds::provably_fair::aviator::{self, Claim};
use rounds::provably_fair::bustabit::{self, Version};
use rounds::provably_fair::{HashClaim, HexError, Step, chain_length, roobet, stake};

use crate::cli::{AviatorArgs, BustabitArgs, Game, HashArgs};

/// Checks what is asked for.
///
/// # Errors
/// When a step does not match, or what was given is no hash.
pub(crate) fn run(game: &Game) -> anyhow::Result<()> {
    match game {
        Game::Aviator(args) => conclude(&aviator_steps(args)?),
        Game::Bustabit(args) => bustabit(args),
        Game::Stake(args) => {
            conclude(&stake::steps(&claim(args)?)?)?;
            chain(args, stake::previous)
        }
        Game::Roobet(args) => {
            conclude(&roobet::steps(&claim(args)?)?)?;
            chain(args, roobet::previous)
        }
        Game::Recorded { data_dir } => recorded::run(data_dir),
    }
}

fn aviator_steps(args: &AviatorArgs) -> anyhow::Result<Vec<Step>> {
    if let (None, Some(digest)) = (&args.server_seed, &args.digest) {
        // The seeds of a panel are often cut off; the last two steps can still be checked.
        return Ok(from_digest(args, digest)?);
    }
    let server_seed = args.server_seed.clone().context("give --server-seed or --digest")?;
    let claim = Claim {
        server_seed,
        client_seeds: args.client_seed.clone(),
        commitment: args.commitment.clone(),
        digest: args.digest.clone(),
        decimal: args.decimal,
        multiplier: multiplier(args.multiplier.as_deref())?,
    };
    Ok(claim.steps())
}

fn from_digest(args: &AviatorArgs, digest: &str) -> Result<Vec<Step>, HexError> {
    let step = |name, said: Option<String>, computed| Step { name, said, computed };
    let said = args.decimal.map(|decimal| decimal.to_string());
    let shown = args.multiplier.as_deref().and_then(|text| text.parse::<Multiplier>().ok());
    Ok(vec![
        step("decimal of its first 13 digits", said, aviator::decimal(digest)?.to_string()),
        step(
            "multiplier",
            shown.map(|multiplier| multiplier.to_string()),
            aviator::multiplier(digest)?.to_string(),
        ),
    ])
}

fn bustabit(args: &BustabitArgs) -> anyhow::Result<()> {
    let version = match args.formula {
        1 => Version::V1,
        2 => Version::V2,
        _ => Version::V3,
    };
    let claim = claim(&args.hash)?;
    conclude(&bustabit::steps(version, &claim)?)?;
    if args.number {
        let number = bustabit::game_number(version, &claim.hash, args.hash.steps_max)?;
        let text = number.map_or_else(
            || format!("not on the published chain within {} games\n", args.hash.steps_max),
            |number| format!("game number {number}\n"),
        );
        print(&text)?;
    }
    chain(&args.hash, |hash| bustabit::previous(version, hash))
}

fn claim(args: &HashArgs) -> anyhow::Result<HashClaim> {
    Ok(HashClaim {
        hash: args.hash.clone(),
        previous: args.previous.clone(),
        digest: args.digest.clone(),
        multiplier: multiplier(args.multiplier.as_deref())?,
    })
}

fn multiplier(text: Option<&str>) -> anyhow::Result<Option<Multiplier>> {
    text.map(|text| text.parse().with_context(|| format!("--multiplier {text}"))).transpose()
}

/// How far the hash is from the one that ends the chain.
fn chain(
    args: &HashArgs,
    previous: impl Fn(&str) -> Result<String, HexError>,
) -> anyhow::Result<()> {
    let Some(last) = &args.last else { return Ok(()) };
    match chain_length(previous, &args.hash, last, args.steps_max)? {
        Some(games) => print(&format!("{last} is {games} games before it\n")),
        None => anyhow::bail!("{last} is not among the {} games before it", args.steps_max),
    }
}

/// Prints all steps.
///
/// # Errors
/// Names the first step that does not match.
fn conclude(steps: &[Step]) -> anyhow::Result<()> {
    print(&text(steps))?;
    match steps.iter().find(|step| step.matches() == Some(false)) {
        Some(step) => anyhow::bail!("does not match: {}", step.name),
        None => Ok(()),
    }
}

fn text(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        let verdict = match step.matches() {
            Some(true) => "matches",
            Some(false) => "DIFFERS",
            None => "computed",
        };
        writeln!(text, "{verdict:<9} {}: {}", step.name, step.computed)
            .expect("a string takes all text");
        if let (Some(false), Some(said)) = (step.matches(), &step.said) {
            writeln!(text, "{:<9} but said was: {said}", "").expect("a string takes all text");
        }
    }
    text
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("writing the result")
}
