use super::*;

/// A clock that is turned by hand.
fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn collector(state: &str, since: i64) -> Seen {
    let collector = CollectorSeen {
        source: "websocket".to_owned(),
        state: state.to_owned(),
        state_since: Some(at(since)),
        age: Some(TimeDelta::seconds(1)),
        error: None,
    };
    Seen { collector: Some(collector), ..Seen::default() }
}

fn silent_for(seconds: i64) -> Seen {
    let mut seen = collector("connected", 0);
    seen.collector.as_mut().unwrap().age = Some(TimeDelta::seconds(seconds));
    seen
}

/// What is told at each of these seconds.
fn told(
    watchman: &mut AlertRules,
    seen: &Seen,
    seconds: impl IntoIterator<Item = i64>,
) -> Vec<(i64, Event, String)> {
    let told = |second| {
        watchman.observe(seen, at(second)).into_iter().map(move |it| (second, it.event, it.text))
    };
    seconds.into_iter().flat_map(told).collect()
}

#[test]
fn a_source_that_is_down_is_told_once_and_then_that_it_is_up_and_for_how_long_it_was_not() {
    let mut watchman = AlertRules::default();
    assert_eq!(told(&mut watchman, &collector("connected", 0), 0..100), []);
    let mut down = collector("reconnecting", 100);
    down.collector.as_mut().unwrap().error = Some("it closed".to_owned());
    let text = "No rounds from websocket for 30 s (reconnecting): it closed.";
    assert_eq!(told(&mut watchman, &down, 100..825), [(130, Event::SourceDown, text.to_owned())]);
    let text = "websocket is there again after 12 min 5 s.";
    let up = collector("connected", 825);
    assert_eq!(told(&mut watchman, &up, 825..900), [(825, Event::SourceUp, text.to_owned())]);
}

#[test]
fn a_disk_that_refuses_rounds_is_told_with_its_reason() {
    let mut full = collector("writing_failed", 0);
    full.collector.as_mut().unwrap().error = Some("no space left".to_owned());
    let text = "No rounds from websocket for 30 s (writing failed): no space left.";
    let expected = [(30, Event::SourceDown, text.to_owned())];
    assert_eq!(told(&mut AlertRules::default(), &full, 0..600), expected);
}

#[test]
fn a_short_break_is_no_news() {
    let mut watchman = AlertRules::default();
    assert_eq!(told(&mut watchman, &collector("reconnecting", 0), 0..29), []);
    assert_eq!(told(&mut watchman, &collector("connected", 29), 29..100), []);
}

#[test]
fn a_source_that_comes_and_goes_is_told_once_in_ten_minutes() {
    let mut watchman = AlertRules::default();
    let mut events = Vec::new();
    // Down for 45 s and up for 15 s, an hour long.
    for minute in 0..60 {
        let start = minute * 60;
        events.extend(told(&mut watchman, &collector("reconnecting", start), start..start + 45));
        events.extend(told(
            &mut watchman,
            &collector("connected", start + 45),
            start + 45..start + 60,
        ));
    }
    for event in [Event::SourceDown, Event::SourceUp] {
        let times: Vec<_> = events.iter().filter(|it| it.1 == event).map(|it| it.0).collect();
        assert!(times.len() >= 5, "{event:?} is told at {times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 600), "{event:?}: {times:?}");
    }
}

#[test]
fn what_may_not_be_told_yet_is_told_later_if_it_still_holds() {
    let mut watchman = AlertRules::default();
    assert_eq!(told(&mut watchman, &silent_for(61), [0]).len(), 1);
    assert_eq!(told(&mut watchman, &silent_for(1), [60]), []);
    let again = told(&mut watchman, &silent_for(61), 120..700);
    assert_eq!(
        again.iter().map(|it| (it.0, it.1)).collect::<Vec<_>>(),
        [(600, Event::CollectorSilent)]
    );
}

#[test]
fn a_collector_that_was_stopped_is_not_silent_but_one_that_failed_is() {
    let mut watchman = AlertRules::default();
    let mut stopped = collector("stopped", 0);
    stopped.collector.as_mut().unwrap().age = Some(TimeDelta::hours(1));
    assert_eq!(told(&mut watchman, &stopped, 0..100), []);
    stopped.collector.as_mut().unwrap().error = Some("no such page".to_owned());
    let text = "The collector has said nothing for 1 h 0 min; the last it said: no such page.";
    assert_eq!(
        told(&mut watchman, &stopped, 100..200),
        [(100, Event::CollectorSilent, text.to_owned())]
    );
}

#[test]
fn a_silent_collector_says_nothing_of_its_source() {
    let mut seen = collector("reconnecting", 0);
    seen.collector.as_mut().unwrap().age = Some(TimeDelta::seconds(100));
    let events: Vec<_> =
        told(&mut AlertRules::default(), &seen, 100..110).iter().map(|it| it.1).collect();
    assert_eq!(events, [Event::CollectorSilent]);
}

#[test]
fn a_training_that_fails_is_told_once_until_one_succeeds() {
    let mut watchman = AlertRules::default();
    let failed = Seen { training_error: Some("no memory".to_owned()), ..Seen::default() };
    assert_eq!(told(&mut watchman, &failed, 0..2000).len(), 1);
    assert_eq!(told(&mut watchman, &Seen::default(), 2000..2001), []);
    assert_eq!(told(&mut watchman, &failed, 2001..4000).len(), 1);
}

#[test]
fn a_verdict_is_told_when_another_test_is_in_it_and_not_when_its_figures_move() {
    let verdict = |evidence, sentence: &str| Seen {
        verdict: Some(VerdictSeen { evidence, sentence: sentence.to_owned() }),
        is_simulated: true,
        ..Seen::default()
    };
    let mut watchman = AlertRules::default();
    let none = [false, false, false];
    assert_eq!(told(&mut watchman, &verdict(none, "after 1,000 rounds"), 0..10), []);
    assert_eq!(told(&mut watchman, &verdict(none, "after 1,001 rounds"), 10..20), []);
    let law = verdict([false, true, false], "the law is broken");
    let notices = watchman.observe(&law, at(20));
    assert_eq!(notices.len(), 1);
    assert_eq!(
        (notices[0].event, notices[0].text.as_str()),
        (Event::VerdictChanged, "the law is broken")
    );
    assert!(notices[0].is_simulated && notices[0].title().contains("simulated"));
}

#[test]
fn a_disk_is_low_until_it_is_well_again() {
    let free = |mebibytes: u64| Seen { disk_free: Some(mebibytes << 20), ..Seen::default() };
    let mut watchman = AlertRules::default();
    assert_eq!(told(&mut watchman, &free(1000), 0..10), []);
    let text = "199 MiB are left on the disk of the rounds.";
    assert_eq!(told(&mut watchman, &free(199), 10..20), [(10, Event::DiskLow, text.to_owned())]);
    assert_eq!(told(&mut watchman, &free(300), 20..2000), []);
    assert_eq!(told(&mut watchman, &free(100), 2000..3000), []);
    assert_eq!(told(&mut watchman, &free(500), 3000..3001), []);
    assert_eq!(told(&mut watchman, &free(100), 3001..3010).len(), 1);
}

#[test]
fn a_clock_that_is_set_back_silences_nobody() {
    let mut watchman = AlertRules::default();
    assert_eq!(told(&mut watchman, &silent_for(61), [100_000]).len(), 1);
    assert_eq!(told(&mut watchman, &silent_for(1), [100_001]), []);
    assert_eq!(told(&mut watchman, &silent_for(61), [10_000]).len(), 1);
}

#[test]
fn a_status_file_of_another_shape_is_no_trouble() {
    let seen = CollectorSeen::of(&serde_json::json!({ "state": 7 }), at(0));
    assert!(!seen.is_silent() && !seen.is_up() && seen.down_since(at(100)).is_none());
}
