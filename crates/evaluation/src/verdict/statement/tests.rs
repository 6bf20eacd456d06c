use super::*;
use crate::quality::Fault;
use crate::sequential::MeasuredCap;
use crate::verdict::{Chance, Changes};

const SKILL: Estimate = Estimate { value: 4.6, lo: 3.4, hi: 5.9 };
const NO_SKILL: Estimate = Estimate { value: 0.1, lo: -0.3, hi: 0.5 };

fn quiet(rounds: u64) -> Verdict {
    Verdict {
        rounds,
        forecasts: rounds.saturating_sub(30),
        order: false,
        law: false,
        forecast: false,
        advertised_return: 0.97,
        deviations: Vec::new(),
        skill: Some(NO_SKILL),
        skill_against_climatology: Some(NO_SKILL),
        negligible_after: None,
        changes: None,
        fault: None,
        next: None,
    }
}

fn ten_times() -> Deviation {
    let measured = Estimate { value: 92.6, lo: 91.2, hi: 94.3 };
    Deviation::Return { target: 10.0, measured, stated: 97.0 }
}

/// Every combination of what a statement depends on: faults, rounds, tests, skill against both references, where the
/// law deviates, the chance of the next round, and notes.
fn all() -> Vec<Verdict> {
    let faults = [
        None,
        Some(Fault::GapsTooLong { count: 3, of: 400 }),
        Some(Fault::Capped { cents: 3_500, count: 40 }),
        Some(Fault::RepeatsDropped { seen: 0, expected: 24.0 }),
        Some(Fault::TimesToTheMinute),
    ];
    let deviations = [
        vec![],
        vec![ten_times()],
        vec![Deviation::Cap(MeasuredCap { at: 35.0, rounds: 40 })],
        vec![ten_times(), Deviation::Cap(MeasuredCap { at: 35.0, rounds: 40 })],
    ];
    let chance = |probability| Some(Chance { target: 2.0, probability });
    let nexts = [None, chance(0.485), chance(0.52)];
    let combinations = faults.into_iter().flat_map(|fault| {
        [1, 99, 100, 5_100].into_iter().flat_map(move |rounds| {
            (0..64).flat_map(move |bits| {
                nexts.into_iter().map(move |next| (fault, rounds, bits, next))
            })
        })
    });
    combinations
        .flat_map(|(fault, rounds, bits, next)| {
            let facts = Verdict { fault, next, ..tested(rounds, bits) };
            deviations.clone().map(|deviations| Verdict {
                deviations: if facts.law { deviations } else { Vec::new() },
                ..facts.clone()
            })
        })
        .collect()
}

/// The facts with the tests, skills and notes that these bits name.
fn tested(rounds: u64, bits: u32) -> Verdict {
    let is = |bit: u32| bits & (1 << bit) != 0;
    let skill = |bit| if is(bit) { SKILL } else { NO_SKILL };
    Verdict {
        order: is(0),
        law: is(1),
        forecast: is(2),
        skill: Some(skill(3)),
        skill_against_climatology: Some(skill(4)),
        negligible_after: is(5).then_some(rounds),
        changes: is(5).then_some(Changes { times: 1, last: 60 }),
        ..quiet(rounds)
    }
}

fn has(claims: &[Claim], is: fn(&Claim) -> bool) -> bool {
    claims.iter().any(is)
}

#[test]
fn no_combination_of_facts_claims_more_than_they_show() {
    let all = all();
    assert_eq!(all.len(), 5 * 4 * 64 * 3 * 4);
    for facts in all {
        let Statement { headline, notes } = facts.statement();
        let text = format!("{facts:?}\n{headline:?}\n{notes:?}");
        let says = |is| has(&headline, is);
        if facts.is_suspect() {
            assert!(matches!(headline[..], [Claim::NotWhole { .. }]), "{text}");
            assert!(matches!(notes[..], [Claim::Remedy { .. }]), "{text}");
            continue;
        }
        let is_quiet = !(facts.order || facts.law || facts.forecast);
        assert_eq!(
            says(|it| matches!(it, Claim::TooFew { .. })),
            is_quiet && facts.rounds < 100,
            "{text}"
        );
        assert_eq!(
            says(|it| matches!(it, Claim::NoSign { .. })),
            is_quiet && facts.rounds >= 100,
            "{text}"
        );
        // What every target loses is known only under the advertised law.
        assert!(!facts.law || !says(|it| matches!(it, Claim::HouseEdge { .. })), "{text}");
        let is_skill = |it: &Claim| matches!(it, Claim::BeatsFixedOdds { .. });
        let above = |skill: Option<Estimate>| skill.unwrap().lo > 0.0;
        let is_proven =
            facts.forecast && above(facts.skill) && above(facts.skill_against_climatology);
        assert_eq!(says(is_skill), is_proven, "{text}");
        let is_order = |it: &Claim| match it {
            Claim::OrderUnused { .. } | Claim::OrderUsed { .. } => true,
            Claim::BeatsFixedOdds { served, .. } => *served,
            _ => false,
        };
        assert_eq!(says(is_order), facts.order, "{text}");
        // A law that deviates is no reason to bet, and neither is a forecast without a finding of the order test.
        let is_stake = |it: &Claim| matches!(it, Claim::Pays { .. } | Claim::DoesNotPay { .. });
        assert_eq!(says(is_stake), facts.order && facts.next.is_some(), "{text}");
        let pays = facts.next.is_some_and(|next| next.pays());
        assert!(pays || !says(|it| matches!(it, Claim::Pays { .. })), "{text}");
        let is_law = |it: &Claim| matches!(it, Claim::LawDiffers | Claim::LawUnlocated { .. });
        let is_explained = facts.order && facts.deviations.is_empty();
        assert_eq!(says(is_law), facts.law && !is_explained, "{text}");
        // Each answer says how many rounds it rests on.
        let sentence = facts.statement().sentence();
        let counts = [facts.rounds, facts.forecasts].map(crate::figures::thousands);
        assert!(counts.iter().any(|count| sentence.contains(count)), "{sentence}");
        let is_incomplete = facts.fault.is_some();
        assert_eq!(
            has(&notes, |it| matches!(it, Claim::Incomplete { .. })),
            is_incomplete,
            "{text}"
        );
    }
}

#[test]
fn silence_is_worded_as_silence() {
    assert_eq!(quiet(12).statement().sentence(), "Too few rounds to say: 12 of 100.");
    assert_eq!(quiet(12).statement().notes_text(), "");
    let statement = quiet(549).statement();
    assert_eq!(
        statement.sentence(),
        "No: nothing in 549 rounds helps to guess the next one. \
         Whatever you aim for, about 3 of every 100 staked are lost in the long run."
    );
    assert_eq!(
        statement.notes_text(),
        "Tested: the order and the multipliers of 549 rounds, and 519 forecasts made before their rounds."
    );
    let fair = Verdict { advertised_return: 1.0, ..quiet(549) };
    assert!(!fair.statement().sentence().contains("lost"), "a game that returns all loses nothing");
}

#[test]
fn a_proven_skill_says_its_size_and_whether_it_pays() {
    let found = Verdict {
        order: true,
        forecast: true,
        skill: Some(SKILL),
        skill_against_climatology: Some(SKILL),
        next: Chance::best_of(&[0.63, 0.4968, 0.31, 0.18, 0.09]),
        ..quiet(2_130)
    };
    assert_eq!(
        found.statement().sentence(),
        "Yes, a little: our forecasts beat fixed odds (over 2,100 rounds, by 3.4 to 5.9 %). \
         For the next round: 49.6 % for 2×, 50 % needed, so it does not pay now."
    );
    let pays = found.clone().before_round(Some(&[0.63, 0.5001, 0.31, 0.18, 0.09]));
    assert!(pays.statement().sentence().ends_with(
        "For the next round: 50.1 % for 2×, 50 % needed, so it pays now if the forecast is right."
    ));
    let only_against_house =
        Verdict { skill_against_climatology: Some(NO_SKILL), next: None, ..found.clone() };
    assert_eq!(
        only_against_house.statement().sentence(),
        "Something is not random in these 2,130 rounds, and the models see some of it. \
         How much that helps is not certain yet."
    );
    let unproven = Verdict { forecast: false, ..only_against_house };
    assert_eq!(
        unproven.statement().sentence(),
        "Something is not random in these 2,130 rounds. Our forecasts cannot use it yet."
    );
}

/// A law that deviates lets forecasts beat fixed odds; that is no skill against the observed frequencies.
#[test]
fn another_law_is_told_with_its_measure_and_not_as_skill() {
    let law = Verdict { law: true, deviations: vec![ten_times()], ..quiet(5_000) };
    assert_eq!(
        law.statement().sentence(),
        "The game pays differently from what it says. Over 5,000 rounds, 10× comes back 91 to 94 of 100 staked, \
         not 97. That alone does not tell the next round."
    );
    let both = Verdict { forecast: true, skill: Some(SKILL), ..law.clone() };
    assert!(
        both.statement()
            .sentence()
            .ends_with("not 97. That alone may be why the models do better than fixed odds.")
    );
    let capped = Deviation::Cap(MeasuredCap { at: 35.0, rounds: 140 });
    let capped = Verdict { deviations: vec![capped], ..law.clone() };
    assert!(
        capped.statement().sentence().contains("None of 5,000 rounds exceeds 35×, where 140 end.")
    );
    let unlocated = Verdict { deviations: Vec::new(), ..law };
    assert!(
        unlocated
            .statement()
            .sentence()
            .contains("5,000 rounds show it, but not yet at which target")
    );
    // Rounds that depend on each other fail the law test as well.
    let dependent = Verdict { order: true, ..unlocated };
    assert_eq!(
        dependent.statement().sentence(),
        "Something is not random in these 5,000 rounds. Our forecasts cannot use it yet."
    );
}

#[test]
fn the_gravest_fault_comes_first() {
    let faults = [
        Fault::Capped { cents: 3_500, count: 40 },
        Fault::RepeatsDropped { seen: 0, expected: 24.0 },
        Fault::GapsTooLong { count: 3, of: 400 },
    ];
    let verdict = Verdict { order: true, ..quiet(5_000) }.on_recording(&faults);
    assert_eq!(
        verdict.statement().sentence(),
        "These rounds are not whole, so they say nothing about the game: the recorder drops repeats: 0 pairs of equal \
         neighbours, 24 expected."
    );
    let incomplete = quiet(5_000).on_recording(&faults[..1]);
    assert!(incomplete.statement().sentence().starts_with("No: nothing"));
    assert!(
        incomplete
            .statement()
            .notes_text()
            .contains("The recording is incomplete: 40 rounds share")
    );
}
