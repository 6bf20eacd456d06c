use super::*;

fn list(selector: usize, popup: bool, texts: &[&str]) -> ListTexts {
    ListTexts {
        selector,
        popup,
        texts: texts.iter().map(ToString::to_string).collect(),
        ..ListTexts::default()
    }
}

/// Checks the chosen list: its selector, whether it is the pop-up's, and its values in hundredths, newest first; 0 for one
/// that cannot be read.
#[track_caller]
fn check_among(lists: &[ListTexts], order: Order, expected: (usize, bool, &[u64])) {
    match parse_lists(lists, order) {
        ParsedList::List { entries, selector, popup } => {
            let cents: Vec<_> = entries.iter().map(|entry| entry.cents().unwrap_or(0)).collect();
            assert_eq!((selector, popup, cents.as_slice()), expected);
        }
        other => panic!("no list but {other:?}"),
    }
}

/// Checks the values parsed from one list, in hundredths, newest first.
#[track_caller]
fn check(texts: &[&str], expected: &[u64]) {
    check_among(&[list(0, false, texts)], Order::NewestFirst, (0, false, expected));
}

#[test]
fn multipliers_are_parsed_in_every_notation_of_the_sites() {
    check(
        &["1,090.08x", "2,31x", "\u{a0}1.05\u{a0}x ", "3.20×", "4.10х", "1x", "100000.00x", "2.31"],
        &[109_008, 231, 105, 320, 410, 100, 10_000_000, 231],
    );
}

#[test]
fn a_list_may_start_with_its_oldest_round() {
    let lists = [list(0, false, &["1.00x", "2.00x", "3.00x", "4.00x"])];
    check_among(&lists, Order::OldestFirst, (0, false, &[400, 300, 200, 100]));
}

#[test]
fn a_running_round_without_a_number_is_left_out() {
    check(&["—", "1.00x", "2.00x", "3.00x"], &[100, 200, 300]);
    check(&["", "1.00x", "2.00x", "3.00x"], &[100, 200, 300]);
    let lists = [list(0, false, &["1.00x", "2.00x", "3.00x", "…"])];
    check_among(&lists, Order::OldestFirst, (0, false, &[300, 200, 100]));
}

/// An advertisement between the rounds stopped the recording.
#[test]
fn an_entry_without_digits_is_passed_over() {
    check(&["1.00x", "2.00x", "RAIN", "3.00x"], &[100, 200, 300]);
    check(&["RAIN", "1.00x", "", "2.00x", "3.00x", "4.00x"], &[100, 200, 300, 400]);
}

/// If it were passed over, the older rounds behind it would be taken for newer ones.
#[test]
fn an_entry_with_digits_that_cannot_be_read_keeps_its_place() {
    check(&["1.00x", "1.23Q", "2.00x", "3.00x", "4.00x"], &[100, 0, 200, 300, 400]);
    check(&["0.50x", "1.00x", "2.00x", "3.00x"], &[0, 100, 200, 300]);
}

#[test]
fn a_list_of_which_most_cannot_be_read_is_none() {
    let lists = [list(0, false, &["1 of 3", "2 of 3", "3 of 3", "#4", "1.00x", "2.00x", "3.00x"])];
    assert!(matches!(parse_lists(&lists, Order::NewestFirst), ParsedList::List { .. }));
    let lists = [list(0, false, &["1 of 3", "2 of 3", "3 of 3", "#4", "#5", "1.00x", "2.00x"])];
    assert_eq!(parse_lists(&lists, Order::NewestFirst), ParsedList::Few(2));
}

#[test]
fn the_popup_is_the_last_choice() {
    let lists = [
        list(0, true, &["9.00x", "8.00x", "7.00x", "6.00x"]),
        list(0, false, &["1.00x", "2.00x", "3.00x"]),
    ];
    check_among(&lists, Order::NewestFirst, (0, false, &[100, 200, 300]));
    check_among(&lists[..1], Order::NewestFirst, (0, true, &[900, 800, 700, 600]));
    let lists = [lists[0].clone(), list(3, false, &["1.00x", "2.00x", "3.00x"])];
    check_among(&lists, Order::NewestFirst, (3, false, &[100, 200, 300]));
}

#[test]
fn the_first_selector_that_finds_a_list_wins() {
    let lists = [
        list(0, false, &["Payouts", "Bets"]),
        list(1, false, &["1.00x", "2.00x"]),
        list(2, false, &["3.00x", "2.00x", "1.00x"]),
        list(4, false, &["4.00x", "2.00x", "1.00x"]),
    ];
    check_among(&lists, Order::NewestFirst, (2, false, &[300, 200, 100]));
}

#[test]
fn two_numbers_are_not_a_list() {
    let lists = [list(0, false, &["1.00x", "2.00x"]), list(0, true, &["1.00x"])];
    assert_eq!(parse_lists(&lists, Order::NewestFirst), ParsedList::Few(2));
}

#[test]
fn entries_without_text_are_a_list_that_is_still_being_drawn() {
    assert_eq!(
        parse_lists(&[list(0, false, &["", "", ""])], Order::NewestFirst),
        ParsedList::Few(0)
    );
}

#[test]
fn texts_that_are_not_multipliers_are_shown_to_the_user() {
    let lists = [list(0, false, &["", "Bet 10 €", "—", "0.50x", "cash out"])];
    let shown = ["Bet 10 €", "—", "0.50x"].map(str::to_owned).to_vec();
    assert_eq!(parse_lists(&lists, Order::NewestFirst), ParsedList::Unreadable(shown));
}

#[test]
fn a_page_without_entries_shows_nothing() {
    assert_eq!(parse_lists(&[], Order::NewestFirst), ParsedList::Nothing);
}

#[test]
fn a_selector_cannot_break_out_of_its_string_in_the_script() {
    let own = r#"a"], alert("x"), ["\"#.to_owned();
    let script = ListScript::new(&[own], Order::NewestFirst);
    assert!(
        script.as_str().contains(r#"const selectors = ["a\"], alert(\"x\"), [\"\\"]"#),
        "{}",
        script.as_str()
    );
}
