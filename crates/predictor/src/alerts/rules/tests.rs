use super::*;

/// Returns a time of the test's clock.
fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn collector(state: &str, since: i64) -> AlertInputs {
    let collector = CollectorInputs {
        source: "websocket".to_owned(),
        state: state.to_owned(),
        state_since: Some(at(since)),
        age: Some(TimeDelta::seconds(1)),
        error: None,
    };
    AlertInputs { collector: Some(collector), ..AlertInputs::default() }
}

fn silent_for(seconds: i64) -> AlertInputs {
    let mut inputs = collector("connected", 0);
    inputs.collector.as_mut().unwrap().age = Some(TimeDelta::seconds(seconds));
    inputs
}

/// Returns the alerts sent at each of these seconds.
fn alerts(
    rules: &mut AlertRules,
    inputs: &AlertInputs,
    seconds: impl IntoIterator<Item = i64>,
) -> Vec<(i64, AlertKind, String)> {
    let observe = |second| {
        rules.observe(inputs, at(second)).into_iter().map(move |it| (second, it.kind, it.text))
    };
    seconds.into_iter().flat_map(observe).collect()
}

#[test]
fn one_alert_when_a_source_goes_down_and_one_with_the_downtime_when_it_is_back() {
    let mut rules = AlertRules::default();
    assert_eq!(alerts(&mut rules, &collector("connected", 0), 0..100), []);
    let mut down = collector("reconnecting", 100);
    down.collector.as_mut().unwrap().error = Some("it closed".to_owned());
    let text = "No rounds from websocket for 30 s (reconnecting): it closed.";
    assert_eq!(
        alerts(&mut rules, &down, 100..825),
        [(130, AlertKind::SourceDown, text.to_owned())]
    );
    let text = "websocket is back after 12 min 5 s.";
    let up = collector("connected", 825);
    assert_eq!(alerts(&mut rules, &up, 825..900), [(825, AlertKind::SourceUp, text.to_owned())]);
}

#[test]
fn an_alert_about_failed_writes_has_the_reason() {
    let mut full = collector("writing_failed", 0);
    full.collector.as_mut().unwrap().error = Some("no space left".to_owned());
    let text = "No rounds from websocket for 30 s (writing failed): no space left.";
    let expected = [(30, AlertKind::SourceDown, text.to_owned())];
    assert_eq!(alerts(&mut AlertRules::default(), &full, 0..600), expected);
}

#[test]
fn a_short_interruption_sends_no_alert() {
    let mut rules = AlertRules::default();
    assert_eq!(alerts(&mut rules, &collector("reconnecting", 0), 0..29), []);
    assert_eq!(alerts(&mut rules, &collector("connected", 29), 29..100), []);
}

#[test]
fn a_flapping_source_sends_one_alert_of_a_kind_in_ten_minutes() {
    let mut rules = AlertRules::default();
    let mut events = Vec::new();
    // Down for 45 s and up for 15 s, an hour long.
    for minute in 0..60 {
        let start = minute * 60;
        events.extend(alerts(&mut rules, &collector("reconnecting", start), start..start + 45));
        events.extend(alerts(
            &mut rules,
            &collector("connected", start + 45),
            start + 45..start + 60,
        ));
    }
    for kind in [AlertKind::SourceDown, AlertKind::SourceUp] {
        let times: Vec<_> = events.iter().filter(|it| it.1 == kind).map(|it| it.0).collect();
        assert!(times.len() >= 5, "{kind:?} at {times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 600), "{kind:?}: {times:?}");
    }
}

#[test]
fn an_alert_held_back_is_sent_later_if_its_condition_still_holds() {
    let mut rules = AlertRules::default();
    assert_eq!(alerts(&mut rules, &silent_for(61), [0]).len(), 1);
    assert_eq!(alerts(&mut rules, &silent_for(1), [60]), []);
    let again = alerts(&mut rules, &silent_for(61), 120..700);
    assert_eq!(
        again.iter().map(|it| (it.0, it.1)).collect::<Vec<_>>(),
        [(600, AlertKind::CollectorSilent)]
    );
}

#[test]
fn a_collector_that_was_stopped_is_not_silent_but_one_that_failed_is() {
    let mut rules = AlertRules::default();
    let mut stopped = collector("stopped", 0);
    stopped.collector.as_mut().unwrap().age = Some(TimeDelta::hours(1));
    assert_eq!(alerts(&mut rules, &stopped, 0..100), []);
    stopped.collector.as_mut().unwrap().error = Some("no such page".to_owned());
    let text = "The collector has not reported for 1 h 0 min; its last error: no such page.";
    assert_eq!(
        alerts(&mut rules, &stopped, 100..200),
        [(100, AlertKind::CollectorSilent, text.to_owned())]
    );
}

#[test]
fn a_silent_collector_sends_no_alert_about_its_source() {
    let mut inputs = collector("reconnecting", 0);
    inputs.collector.as_mut().unwrap().age = Some(TimeDelta::seconds(100));
    let events: Vec<_> =
        alerts(&mut AlertRules::default(), &inputs, 100..110).iter().map(|it| it.1).collect();
    assert_eq!(events, [AlertKind::CollectorSilent]);
}

#[test]
fn a_failed_training_sends_one_alert_until_one_succeeds() {
    let mut rules = AlertRules::default();
    let failed =
        AlertInputs { training_error: Some("no memory".to_owned()), ..AlertInputs::default() };
    assert_eq!(alerts(&mut rules, &failed, 0..2000).len(), 1);
    assert_eq!(alerts(&mut rules, &AlertInputs::default(), 2000..2001), []);
    assert_eq!(alerts(&mut rules, &failed, 2001..4000).len(), 1);
}

#[test]
fn an_alert_when_another_test_joins_the_verdict_but_not_when_its_figures_change() {
    let verdict = |findings, sentence: &str| AlertInputs {
        verdict: Some(VerdictInputs { findings, sentence: sentence.to_owned() }),
        is_simulated: true,
        ..AlertInputs::default()
    };
    let mut rules = AlertRules::default();
    let none = Findings::None;
    assert_eq!(alerts(&mut rules, &verdict(none, "after 1,000 rounds"), 0..10), []);
    assert_eq!(alerts(&mut rules, &verdict(none, "after 1,001 rounds"), 10..20), []);
    let law = verdict(Findings::Tests([false, true, false]), "the law is broken");
    let sent = rules.observe(&law, at(20));
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].kind, sent[0].text.as_str()),
        (AlertKind::VerdictChanged, "the law is broken")
    );
    assert!(sent[0].is_simulated && sent[0].title().contains("simulated"));
}

/// A test that finds something in a suspect recording has found nothing about the game.
#[test]
fn an_alert_when_the_recording_becomes_suspect_and_none_for_tests_on_it() {
    let verdict = |findings, sentence: &str| AlertInputs {
        verdict: Some(VerdictInputs { findings, sentence: sentence.to_owned() }),
        ..AlertInputs::default()
    };
    let mut rules = AlertRules::default();
    assert_eq!(alerts(&mut rules, &verdict(Findings::None, "nothing"), 0..10), []);
    let suspect = verdict(Findings::Suspect, "not whole");
    let sent = alerts(&mut rules, &suspect, 10..2000);
    assert_eq!(sent, [(10, AlertKind::VerdictChanged, "not whole".to_owned())]);
}

#[test]
fn a_disk_is_low_until_it_has_recovered() {
    let free =
        |mebibytes: u64| AlertInputs { disk_free: Some(mebibytes << 20), ..AlertInputs::default() };
    let mut rules = AlertRules::default();
    assert_eq!(alerts(&mut rules, &free(1000), 0..10), []);
    let text = "The data directory's disk has only 199 MiB left.";
    assert_eq!(alerts(&mut rules, &free(199), 10..20), [(10, AlertKind::DiskLow, text.to_owned())]);
    assert_eq!(alerts(&mut rules, &free(300), 20..2000), []);
    assert_eq!(alerts(&mut rules, &free(100), 2000..3000), []);
    assert_eq!(alerts(&mut rules, &free(500), 3000..3001), []);
    assert_eq!(alerts(&mut rules, &free(100), 3001..3010).len(), 1);
}

#[test]
fn a_clock_that_is_set_back_suppresses_no_alert() {
    let mut rules = AlertRules::default();
    assert_eq!(alerts(&mut rules, &silent_for(61), [100_000]).len(), 1);
    assert_eq!(alerts(&mut rules, &silent_for(1), [100_001]), []);
    assert_eq!(alerts(&mut rules, &silent_for(61), [10_000]).len(), 1);
}

#[test]
fn a_status_file_of_another_shape_is_accepted() {
    let inputs = CollectorInputs::of(&serde_json::json!({ "state": 7 }), at(0));
    assert!(!inputs.is_silent() && !inputs.is_up() && inputs.down_since(at(100)).is_none());
}
