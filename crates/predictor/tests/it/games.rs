//! The parameters of the game: presets beside the published formulas, and what follows from them.

use evaluation::game::{GameParameters, PRESETS, Preset};
use rounds::provably_fair::{aviator, bustabit, roobet, stake};

use crate::test_app::{Data, TestApp};

/// Number of rounds of a formula.
const ROUNDS: usize = 40_000;
/// Targets, in cents.
const TARGETS: [u64; 7] = [101, 110, 150, 200, 300, 500, 1000];

fn preset(name: &str) -> &'static Preset {
    Preset::named(name).unwrap()
}

/// Digests of 256 random bits, in hexadecimal digits.
fn digests() -> impl Iterator<Item = String> {
    let mut random = evaluation::pit::SplitMix64::new(17);
    let digits = |bits: u64| format!("{bits:016x}");
    std::iter::repeat_with(move || (0..4).map(|_| digits(random.next_u64())).collect::<String>())
        .take(ROUNDS)
}

/// Compares the share of rounds at each target with what is expected, within four standard errors.
#[track_caller]
fn check(name: &str, cents: &[u64], expected: impl Fn(u64) -> f64) {
    for target in TARGETS {
        let share = cents.iter().filter(|&&it| it >= target).count() as f64 / ROUNDS as f64;
        let p = expected(target);
        let error = (p * (1.0 - p) / ROUNDS as f64).sqrt();
        assert!((share - p).abs() < 4.0 * error, "{name} at {target}: {share}, expected {p}");
    }
}

#[test]
fn the_presets_have_the_laws_of_the_published_formulas() {
    let by = |cents: &dyn Fn(&str) -> u64| -> Vec<u64> {
        digests().map(|digest| cents(&digest)).collect()
    };
    for (name, cents) in [
        ("aviator", by(&|it| aviator::cents(aviator::decimal(it).unwrap()))),
        ("stake", by(&|it| stake::cents(stake::decimal(it).unwrap()))),
        ("bustabit", by(&|it| bustabit::cents(bustabit::Version::V2, it).unwrap())),
        ("bustabit", by(&|it| bustabit::cents(bustabit::Version::V3, it).unwrap())),
    ] {
        check(name, &cents, |target| preset(name).law().survival_cents(target));
    }
}

/// A round in 33 ends at once, and the others follow .99/(x - .01): so .96 is returned at high targets, and
/// .0096/(x - .01) more at low ones.
#[test]
fn roobet_returns_what_its_preset_says_and_a_little_more_at_low_targets() {
    let cents: Vec<u64> = digests().map(|digest| roobet::cents(&digest).unwrap()).collect();
    let law = preset("roobet").law();
    let exact = |target: u64| 32.0 / 33.0 * 99.0 / (target - 1) as f64;
    check("roobet", &cents, exact);
    for target in TARGETS {
        let more = exact(target) - law.survival_cents(target);
        assert!((0.0..0.0097).contains(&more), "{target}: {more}");
    }
}

/// The recorder's prior and the default game of the predictor are the same game.
#[test]
fn the_default_game_is_that_of_recorder_and_demo() {
    let pace = PRESETS[0].measured_pace.unwrap();
    assert_eq!(PRESETS[0].returns.to_bits(), rounds::USUAL_RETURN.to_bits());
    for cents in [100, 200, 5000] {
        let multiplier = rounds::Multiplier::from_cents(cents).unwrap();
        let gap = rounds::usual_gap(multiplier).as_secs_f64();
        assert!((gap - pace.gap_of_cents(cents)).abs() < 1e-6);
    }
}

#[tokio::test]
async fn the_page_is_told_which_game_it_shows() {
    let data = Data::with_rounds(40);
    let app = TestApp::start(data.manual());
    let game = &app.look().await["game"];
    assert_eq!((&game["name"], &game["return"]), (&"aviator".into(), &0.97.into()));
    assert_eq!((&game["cap"], &game["pause_seconds"]), (&1e6.into(), &serde_json::Value::Null));
    drop(app);

    let stake = GameParameters::of(preset("stake")).with_cap_cents(1_000_000).unwrap();
    let config = rounds_config(&data, stake);
    let app = TestApp::start(config);
    let game = &app.look().await["game"];
    assert_eq!((&game["name"], &game["return"]), (&"stake".into(), &0.99.into()));
    assert_eq!(game["cap"], 10_000.0);
    let point = &app.get("/api/distribution").await["points"][0];
    let (multiplier, house) =
        (point["multiplier"].as_f64().unwrap(), point["house"].as_f64().unwrap());
    assert!((house - 0.99 / multiplier).abs() <= 0.000_05, "{point}");
    let mut events = app.events().await;
    app.train().await;
    events.training_ended().await;
    let forecast = app.get("/api/predict").await;
    let prediction = &forecast["prediction"];
    assert_eq!(prediction["house_multiplier"], 1.98, "{prediction}");
    let target = &prediction["probabilities"][1];
    assert!((target["house"].as_f64().unwrap() - 0.495).abs() < 1e-9, "{target}");
}

fn rounds_config(data: &Data, game: GameParameters) -> predictor::config::Config {
    predictor::config::Config { game, ..data.manual() }
}
