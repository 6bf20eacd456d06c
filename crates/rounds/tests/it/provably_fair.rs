//! Checks the formulas of provably fair games against rounds whose results are public.

use rounds::Multiplier;
use rounds::provably_fair::bustabit::Version;
use rounds::provably_fair::roobet::Roobet;
use rounds::provably_fair::stake::Stake;
use rounds::provably_fair::{
    HashChain as _, Published, SCHEMES, Scheme as _, Step, aviator, bustabit, roobet, scheme, stake,
};

fn cents(multiplier: f64) -> Multiplier {
    Multiplier::new(multiplier).unwrap()
}

fn names_of_wrong(steps: &[Step]) -> Vec<&str> {
    steps.iter().filter(|step| step.matches() == Some(false)).map(|step| step.name).collect()
}

/// From a publicly shown panel of a round.
#[test]
fn aviator_turns_the_published_decimal_into_the_published_result() {
    assert_eq!(aviator::decimal("f2868c9116e73").unwrap(), 4_266_555_165_732_467);
    assert_eq!(aviator::cents(4_266_555_165_732_467), 1842);
}

/// The operator's published example, round 4112625.
#[test]
fn aviator_turns_the_published_digest_into_the_published_result() {
    let digest = "f0fbffc79944c21b4ac70740860fdf88b1e724c743eb04b65bec578492b1e737\
                  049d77536500ba1e12b7a1e326fafac594fd98e07b835ee863b804c8e86808b3";
    assert_eq!(aviator::decimal(digest).unwrap(), 4_239_441_899_656_268);
    assert_eq!(aviator::multiplier(digest).unwrap(), cents(16.53));
    assert_eq!(aviator::decimal("7b014b8eb78afAA").unwrap(), 2_163_927_885_248_687);
}

const SERVER_SEED: &str = "Kq3Zp9Vb2Lm8Xw4T";
const CLIENT_SEEDS: [&str; 3] = [
    "b1f0c2d3e4a5968778695a4b3c2d1e0f",
    "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "ffeeddccbbaa99887766554433221100",
];

#[test]
fn aviator_goes_from_seeds_to_the_result_step_by_step() {
    let commitment = "6185563d64c1d1bcfd91817cba5ecfccf33cfecad054ae4159e6e398c561ca86";
    let digest = "70f35c41852968709bcc43d08fc83485c641c08695e508111e12fc6ed0d58008\
                  7612d12a0f9a970523462c32f1c806f3d5490a76dc657305a9121a40a172b167";
    assert_eq!(aviator::commit(SERVER_SEED), commitment);
    assert_eq!(aviator::digest(SERVER_SEED, &CLIENT_SEEDS), digest);
    assert_eq!(aviator::decimal(digest).unwrap(), 0x0007_0f35_c418_5296);
    assert_eq!(aviator::multiplier(digest).unwrap(), cents(1.73));

    let claim = aviator::Claim::of(SERVER_SEED, &CLIENT_SEEDS);
    assert_eq!(claim.multiplier, Some(cents(1.73)));
    assert!(claim.steps().iter().all(|step| step.matches() == Some(true)));
    let text = serde_json::to_string(&claim).unwrap();
    assert_eq!(serde_json::from_str::<aviator::Claim>(&text).unwrap(), claim);
}

#[test]
fn a_check_names_the_step_that_does_not_match() {
    let fair = aviator::Claim::of(SERVER_SEED, &CLIENT_SEEDS);
    let other = aviator::Claim { multiplier: Some(cents(1.74)), ..fair.clone() };
    assert_eq!(names_of_wrong(&other.steps()), ["multiplier"]);
    let other = aviator::Claim { commitment: Some("00".to_owned()), ..fair.clone() };
    assert_eq!(names_of_wrong(&other.steps()), ["SHA-256 of the server seed"]);
    let other = aviator::Claim { decimal: Some(1), ..fair.clone() };
    assert_eq!(names_of_wrong(&other.steps()), ["decimal of its first 13 digits"]);
    // Another seed changes every step.
    let other = aviator::Claim { server_seed: "another".to_owned(), ..fair.clone() };
    assert_eq!(names_of_wrong(&other.steps()).len(), 4);
    // The order of the players counts.
    let client_seeds = fair.client_seeds.iter().rev().cloned().collect();
    let other = aviator::Claim { client_seeds, ..fair.clone() };
    assert_eq!(names_of_wrong(&other.steps()).len(), 3);
    // A value that was not published cannot be wrong.
    let silent = aviator::Claim { commitment: None, digest: None, ..fair };
    assert_eq!(silent.steps()[0].matches(), None);
    assert_eq!(names_of_wrong(&silent.steps()), [""; 0]);
}

#[test]
fn aviator_never_ends_below_one_and_has_a_largest_result() {
    assert_eq!(aviator::multiplier("0000000000000").unwrap(), cents(1.0));
    // 97 / (1 - u) reaches 101 at u = 4 / 101.
    let edge = (1u64 << 52) * 4 / 101;
    assert_eq!(aviator::cents(edge), 100);
    assert_eq!(aviator::cents(edge + 1), 101);
    assert_eq!(aviator::cents((1 << 52) - 1), 97 << 52);
}

#[test]
fn a_malformed_digest_is_refused() {
    for text in ["", "f2868c9116e7", "f2868c9116e7g", "+2868c9116e73", "ééééééééééééé"]
    {
        assert!(aviator::multiplier(text).is_err(), "{text}");
    }
    for text in ["", "12", &"g".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
        assert!(Version::V2.digest(text).is_err(), "{text}");
        assert!(Stake.digest(text).is_err(), "{text}");
        assert!(Roobet.previous(text).is_err(), "{text}");
    }
}

#[track_caller]
fn check_bustabit(version: Version, hash: &str, digest_start: &str, multiplier: f64) {
    let digest = version.digest(hash).unwrap();
    assert!(digest.starts_with(digest_start), "{digest}");
    assert_eq!(version.multiplier(&digest).unwrap(), cents(multiplier));
    // Upper-case digits denote the same hash.
    assert_eq!(version.digest(&hash.to_uppercase()).unwrap(), digest);
}

#[test]
fn bustabit_of_2018_gives_its_published_games() {
    for (hash, digest, multiplier) in [
        ("b2acd37fbdb5509926ab5d7329704c840f8467266c90019682f3b260a029bdba", "372952a33767a", 1.26),
        ("82886b71b3b26e4b162bbdf4e7024f50f6a7250c207fb9ce497ad56a3e7e700a", "2a5a668bef004", 1.18),
        ("cb7da3ec6cb68d4c0fccd9640641cabcac641f12ff97e7314ec3e074ac0981e0", "37486e0fdecfb", 1.26),
        ("b459e199bac1342bf22d7aa6d19180aff35ab69f453d809949aab3e8d5e545aa", "bce409b895de7", 3.77),
        (
            "5d07719b61b0abb6f1c3b17b1d69c838278f87f9b5e75077026e5fedf96c2eb2",
            "ffe0711a343b7",
            2055.90,
        ),
    ] {
        check_bustabit(Version::V2, hash, digest, multiplier);
    }
}

#[test]
fn bustabit_classic_gives_its_published_game() {
    let hash = "df5d54b8ca42cb40ea80e8ba74b3281f7b9d49bc27fecbe104847de1e91e4929";
    check_bustabit(Version::V3, hash, "f9716ffb4ea9e", 38.65);
}

#[test]
fn the_first_bustabit_gives_its_published_chain() {
    let mut hash = "0f81acc25a875c843f3ee3f9563bfa875be311d7585306e743120a4e68f51f0f".to_owned();
    let mut results = Vec::new();
    for start in ["0f81acc2", "1da773ad50c9f5ce2098713e90bfe667", "c0799484", "ba5faf9f"] {
        assert!(hash.starts_with(start), "{hash}");
        let digest = Version::V1.digest(&hash).unwrap();
        results.push(bustabit::cents(Version::V1, &digest).unwrap());
        hash = Version::V1.previous(&hash).unwrap();
    }
    assert_eq!(results, [112, 866, 167, 389]);
}

#[test]
fn one_digest_in_a_hundred_and_one_ends_the_first_bustabit_at_once() {
    // 101 * 2^200: but for being a multiple of 101, it would give a good result.
    let digest = format!("000000000000{:02x}{:050}", 101, 0);
    assert_eq!(bustabit::cents(Version::V1, &digest), Ok(0));
    assert_eq!(Version::V1.multiplier(&digest), Ok(Multiplier::ONE));
    let digest = format!("000000000000{:02x}{:050}", 102, 0);
    assert_eq!(bustabit::cents(Version::V1, &digest), Ok(100));
}

#[test]
fn a_game_is_numbered_by_its_distance_from_the_end_of_its_chain() {
    let end = bustabit::V2_TERMINATING_HASH;
    assert_eq!(Version::V2.number(end, 0), Ok(Some(0)));
    let end = bustabit::V3_TERMINATING_HASH;
    assert_eq!(Version::V3.number(end, 0), Ok(Some(10_000_000)));
    let game = "b2acd37fbdb5509926ab5d7329704c840f8467266c90019682f3b260a029bdba";
    assert_eq!(Version::V2.number(game, 1000), Ok(None));
    assert_eq!(Version::V2.number(game, 1_394_728), Ok(Some(1_394_728)));
    assert_eq!(Version::V1.number(game, 10), Ok(None));
    assert!(Version::V2.number("none", 10).is_err());
}

#[test]
fn stake_gives_its_published_games() {
    for (hash, multiplier) in [
        ("f951df36a7a0781b332493fe5d0fe38f64a0517d9318c20a664ff88142b89699", 1.21),
        ("ec43103fc75da482a4fb4b7d8ff70606099693920c70b6bda002dca7d6711a80", 1.40),
        ("0e1ab031cd19b6b72d077887ae1d44cbf301f6854c67d1a407fdbed80d048273", 3.96),
        ("39b6c0b2ed6caad21580e2f76514e1eabf6e2aed57079cbd36a58c35091005d9", 6.46),
        ("7bde4c13a179022e3c6d516f2e5b991699ca59bfca3d27a27908f14ab9f3bad0", 1.16),
    ] {
        let digest = Stake.digest(hash).unwrap();
        assert_eq!(Stake.multiplier(&digest).unwrap(), cents(multiplier), "{hash}");
    }
    assert_eq!(
        Stake.digest("a7f71d980b02e79a570c164c1c075e164b20cf7f62024021992bd84623ec6cf6").unwrap(),
        "f50f7df8dfbf504e265de573acc349b4bad657bf339bf01a6f2a0c0cc0a5b67e"
    );
    assert_eq!(stake::cents(u64::from(u32::MAX)), 100);
    assert_eq!(stake::cents(0), 99 << 32);
}

#[test]
fn roobet_gives_its_published_chain() {
    let mut hash = "100af1b49f5e9f87efc81f838bf9b1f5e38293e5b4cf6d0b366c004e0a8d9987".to_owned();
    for multiplier in [1.34, 1.45, 4.01] {
        let digest = Roobet.digest(&hash).unwrap();
        assert_eq!(Roobet.multiplier(&digest).unwrap(), cents(multiplier));
        hash = Roobet.previous(&hash).unwrap();
    }
    // 33 * 2^248 is a multiple of 33; 0x21 as the first byte would otherwise give 1.14.
    assert_eq!(roobet::cents(&format!("21{:062}", 0)), Ok(100));
    assert_eq!(roobet::cents(&format!("22{:062}", 0)), Ok(115));
}

#[test]
fn games_of_a_chain_are_checked_step_by_step() {
    let hash = "b459e199bac1342bf22d7aa6d19180aff35ab69f453d809949aab3e8d5e545aa";
    let published = Published {
        hash: Some(hash.to_owned()),
        previous: Some(Version::V2.previous(hash).unwrap()),
        multiplier: Some(cents(3.77)),
        ..Published::default()
    };
    let steps = Version::V2.steps(&published).unwrap();
    let found: Vec<Option<bool>> = steps.iter().map(Step::matches).collect();
    assert_eq!(found, [Some(true), None, Some(true)]);
    let steps = Version::V3.steps(&published).unwrap();
    assert_eq!(names_of_wrong(&steps), ["hash of the game before", "multiplier"]);
    assert_eq!(Stake.steps(&published).unwrap()[0].matches(), Some(true));
    assert_eq!(names_of_wrong(&Roobet.steps(&published).unwrap()), ["multiplier"]);
}

#[test]
fn every_scheme_is_found_by_its_name_and_names_what_it_needs() {
    for game in SCHEMES {
        assert_eq!(scheme(game.name()).unwrap().summary(), game.summary());
        let error = game.steps(&Published::default()).unwrap_err().to_string();
        assert!(error.starts_with("this game needs"), "{error}");
    }
    assert!(scheme("roulette").is_none());
}

#[test]
fn a_scheme_checks_what_its_formulas_compute() {
    let hash = Some("ab".repeat(32));
    for game in SCHEMES.into_iter().filter(|game| game.chain().is_some()) {
        let chain = game.chain().unwrap();
        let previous = chain.previous(hash.as_deref().unwrap()).unwrap();
        let digest = chain.digest(hash.as_deref().unwrap()).unwrap();
        let multiplier = Some(chain.multiplier(&digest).unwrap());
        let fair = Published { hash: hash.clone(), multiplier, ..Published::default() };
        let fair = Published { previous: Some(previous), ..fair };
        assert_eq!(names_of_wrong(&game.steps(&fair).unwrap()), [""; 0]);
        let other = Published { multiplier: Some(cents(123_456.0)), ..fair };
        assert_eq!(names_of_wrong(&game.steps(&other).unwrap()), ["multiplier"]);
    }
    let claim = aviator::Claim::of(SERVER_SEED, &CLIENT_SEEDS);
    let published = Published {
        hash: claim.digest.clone(),
        multiplier: claim.multiplier,
        ..Published::default()
    };
    let aviator = scheme("aviator").unwrap();
    assert_eq!(aviator.steps(&published).unwrap().len(), 2);
    let published = Published {
        server_seed: Some(claim.server_seed.clone()),
        client_seeds: claim.client_seeds.clone(),
        ..published
    };
    assert!(aviator.steps(&published).unwrap().iter().all(|step| step.matches() != Some(false)));
}
