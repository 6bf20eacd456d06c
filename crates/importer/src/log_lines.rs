//! Logs: lines that begin with a time and tell in words what happened, such as
//! `2026-01-01 12:00:00 [INFO] crashed at 2.31x`.

use crate::encoding::TextSource;
use crate::header_names::{NOT_THE_ROUNDS, normalised};
use crate::lines::Lines;
use crate::number_forms::Convention;
use crate::options::Options;
use crate::record::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::table::Table;
use crate::time_forms::{self, DateText};

/// Lines that decide whether a text is a log.
const SAMPLE_LINES: usize = 500;
/// Maximum length of a time at the start of a line.
const TIME_BYTES_MAX: usize = 48;
/// Words before the time, such as a level.
const WORDS_BEFORE_MAX: usize = 2;
/// Maximum length of a message that tells one kind of line from another.
const EVENT_CHARS_MAX: usize = 80;
/// Kinds of lines that are named in a refusal.
const EVENTS_SHOWN: usize = 8;
/// Maximum size of a log, whose lines with multipliers are held in memory.
const LOG_BYTES_MAX: u64 = 512 << 20;

/// How words begin that say that a round has ended.
const ENDS: [&str; 14] = [
    "crash",
    "bust",
    "flew",
    "explod",
    "blew",
    "bang",
    "caiu",
    "voou",
    "estour",
    "explot",
    "взорв",
    "улетел",
    "краш",
    "patlad",
];
/// How words begin that a multiplier follows.
const MULTIPLIERS: [&str; 5] = ["multipl", "coef", "result", "коэф", "odd"];
/// Words between these and the multiplier.
const BETWEEN: [&str; 14] = [
    "at",
    "is",
    "was",
    "on",
    "with",
    "point",
    "em",
    "en",
    "a",
    "на",
    "bei",
    "away",
    "off",
    "multiplier",
];

/// A log.
#[derive(Debug)]
pub(crate) struct Log {
    lines: Vec<LogLine>,
    /// Lines without a multiplier.
    others: u64,
}

/// A line with a multiplier.
#[derive(Debug, PartialEq)]
struct LogLine {
    line: u64,
    time: String,
    multiplier: String,
    /// The message with `#` for its numbers.
    event: String,
    /// Whether it says that a round has ended.
    is_end: bool,
}

/// Reads a text as a log; `None` if it is another text.
pub(crate) fn read(text: &TextSource) -> Result<Option<Log>, Refusal> {
    if text.len() > LOG_BYTES_MAX || !is_log(text)? {
        return Ok(None);
    }
    let mut lines = Lines::open(text)?;
    let mut log = Log { lines: Vec::new(), others: 0 };
    while lines.advance()? {
        let text = lines.line();
        match log_line(text, lines.count) {
            Some(line) => log.lines.push(line),
            None => log.others += u64::from(!text.trim().is_empty()),
        }
    }
    Ok((!log.lines.is_empty()).then_some(log))
}

/// Returns whether nearly all of the first lines are a time and a message, and not the cells of a row.
fn is_log(text: &TextSource) -> Result<bool, Refusal> {
    let mut lines = Lines::open(text)?;
    let (mut all, mut messages) = (0, 0);
    while all < SAMPLE_LINES && lines.advance()? {
        let line = lines.line().trim();
        if !line.is_empty() {
            all += 1;
            messages += usize::from(split(line).is_some_and(|parts| parts.is_message()));
        }
    }
    Ok(messages * 5 > all * 4)
}

/// The two parts of a line.
struct Parts<'a> {
    time: &'a str,
    /// Whether the time is in brackets, or words precede it.
    is_marked: bool,
    message: &'a str,
}

impl Parts<'_> {
    fn is_message(&self) -> bool {
        let is_word = |word: &&str| {
            let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
            word.chars().count() >= 2 && word.chars().all(char::is_alphabetic)
        };
        let words = self.message.split_whitespace().filter(is_word).count();
        // `PM;2.31`: the delimiter of a table follows.
        let first = self.message.split_whitespace().next().unwrap_or_default();
        let is_cell = self.message.starts_with([',', ';', '\t'])
            || first.trim_end_matches([',', ';']).contains([',', ';', '\t']);
        words >= if self.is_marked { 1 } else { 2 } && !is_cell
    }
}

/// Splits a line behind the time that it begins with.
fn split(line: &str) -> Option<Parts<'_>> {
    let mut rest = line.trim_start_matches('\u{feff}').trim();
    for words in 0..=WORDS_BEFORE_MAX {
        let inner = rest.trim_start_matches(['[', '(', '<', '"']);
        if let Some((time, message)) = time_before(inner) {
            let is_marked = words > 0 || inner.len() < rest.len();
            return Some(Parts { time, is_marked, message });
        }
        let (word, after) = rest.split_once(char::is_whitespace)?;
        if word.contains(|c: char| c.is_ascii_digit() || matches!(c, ',' | ';')) {
            return None;
        }
        rest = after.trim_start_matches([' ', '-', '|', ':']);
    }
    None
}

/// Returns the longest time at the start of a text, and what follows it.
fn time_before(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let head = &text[..text.floor_char_boundary(TIME_BYTES_MAX)];
    let is_end = |c: char| c.is_whitespace() || matches!(c, ']' | ')' | '>' | '"' | '|');
    // What may follow a time of day: its half of the day, an offset, the name of a zone.
    let may_continue = |rest: &str| {
        rest.trim_start()
            .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '+' | '-' | '('))
    };
    let mut found: Option<&str> = None;
    for (end, _) in head.match_indices(is_end) {
        let time = text[..end].trim_end_matches([' ', ',', ':', '-', ']', ')']);
        if time.len() <= found.map_or(0, str::len) {
            continue;
        }
        let is_time = time_forms::read(time).is_ok_and(|parts| {
            // A message that begins with a number must not lend it to a time of day.
            let is_whole = !matches!(parts.date, DateText::None) || !time.contains(' ');
            parts.clock.is_some() && is_whole
        });
        if is_time {
            found = Some(time);
        }
        if found.is_some() && (!is_time || !may_continue(&text[end..])) {
            break;
        }
    }
    let time = found?;
    let message = text[time.len()..].trim_start_matches([' ', ']', ')', '>', '"', '|', '-', ':']);
    Some((time, message))
}

/// A word of a message, and the number it is.
struct Word<'a> {
    text: &'a str,
    is_number: bool,
    has_sign: bool,
}

fn words(message: &str) -> Vec<Word<'_>> {
    let is_between = |c: char| c.is_whitespace() || "=:@()[]{}<>\"'!;|*→".contains(c);
    let texts = message.split(is_between).map(|word| word.trim_matches(['.', ',']));
    texts
        .filter(|word| !word.is_empty())
        .map(|text| {
            let number = Convention::default().read(text);
            let is_number = text.contains(|c: char| c.is_ascii_digit())
                && !matches!(number, Err(crate::number_forms::NumberProblem::NotANumber));
            Word { text, is_number, has_sign: number.is_ok_and(|number| number.has_sign) }
        })
        .collect()
}

fn log_line(text: &str, line: u64) -> Option<LogLine> {
    let parts = split(text)?;
    let words = words(parts.message);
    let lower: Vec<String> = words.iter().map(|word| word.text.to_lowercase()).collect();
    let starts = |at: usize, names: &[&str]| names.iter().any(|name| lower[at].starts_with(name));
    let ends_at = (0..words.len()).find(|at| starts(*at, &ENDS));
    let follows = |at: usize| {
        let next = (at + 1..words.len()).find(|next| !BETWEEN.contains(&lower[*next].as_str()))?;
        words[next].is_number.then_some(next)
    };
    let of_end = ends_at.and_then(follows);
    let signed = || {
        let is_signed = |at: &usize| {
            let is_apart =
                lower.get(at + 1).is_some_and(|next| matches!(next.as_str(), "x" | "×" | "х"));
            words[*at].is_number && (words[*at].has_sign || is_apart)
        };
        match (0..words.len()).filter(is_signed).collect::<Vec<_>>().as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    };
    let named = || (0..words.len()).filter(|at| starts(*at, &MULTIPLIERS)).find_map(follows);
    let at = of_end.or_else(signed).or_else(named)?;
    let is_other = || lower.iter().any(|word| NOT_THE_ROUNDS.contains(&normalised(word).as_str()));
    Some(LogLine {
        line,
        time: parts.time.to_owned(),
        multiplier: words[at].text.to_owned(),
        event: event(parts.message),
        is_end: ends_at.is_some() && (of_end.is_some() || !is_other()),
    })
}

/// Returns a message with `#` for each number.
fn event(message: &str) -> String {
    let mut event = String::new();
    for char in message.trim().chars() {
        let is_inside = event.ends_with('#');
        match char {
            '0'..='9' if is_inside => {}
            '0'..='9' => event.push('#'),
            '.' | ',' if is_inside => event.push(char),
            char if char.is_control() => event.push(' '),
            char => event.push(char),
        }
    }
    let joined = event.replace("#.#", "#").replace("#,#", "#");
    joined.trim_end_matches(['.', ',']).chars().take(EVENT_CHARS_MAX).collect()
}

impl Log {
    /// Returns whether any line reports the end of a round.
    pub(crate) fn has_ends(&self) -> bool {
        self.lines.iter().any(|line| line.is_end)
    }

    /// Returns whether words stand before a multiplier; if none do, the text may be columns separated by spaces.
    pub(crate) fn tells_events(&self) -> bool {
        self.lines.iter().any(|line| !line.event.starts_with(['#', 'x', 'X', '×']))
    }

    /// Returns the lines that say so as a table, or all with a multiplier if a filter tells which are meant.
    ///
    /// # Errors
    /// No line says that a round has ended.
    pub(crate) fn table(self, options: &Options) -> Result<Table, Refusal> {
        if options.filter.is_none() && !self.has_ends() {
            return Err(self.without_ends());
        }
        let Self { mut lines, mut others } = self;
        if options.filter.is_none() {
            let before = lines.len();
            lines.retain(|line| line.is_end);
            others += (before - lines.len()) as u64;
        }
        let has_kinds = lines.iter().any(|line| line.event != lines[0].event);
        let mut names = vec!["time".to_owned(), "multiplier".to_owned()];
        names.extend((has_kinds || options.filter.is_some()).then(|| "event".to_owned()));
        let record = |it: &LogLine| {
            let cells = [&it.time, &it.multiplier, &it.event];
            Record::of(&cells[..names.len()], it.line)
        };
        let rows = lines.iter().map(record).collect();
        let kind = match others {
            0 => "log".to_owned(),
            others => format!("log with {} of other kinds", rounds::counted(others, "line")),
        };
        Ok(Table::held(Some(names), rows, &kind))
    }

    fn without_ends(&self) -> Refusal {
        let message = "is a log, and no line with a multiplier says that a round has crashed; name the lines that do";
        let mut events: Vec<&str> = Vec::new();
        for line in &self.lines {
            if events.len() < EVENTS_SHOWN && !events.contains(&line.event.as_str()) {
                events.push(&line.event);
            }
        }
        let flag =
            |event: &&str| format!("--where {}", rounds::shell_word(&format!("event={event}")));
        let mut refusal = Refusal::new(RefusalKind::SeveralRowsPerRound, message);
        refusal.remedies = events.iter().map(flag).collect();
        refusal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, time: &str, multiplier: &str, event: &str) {
        let found = log_line(line, 1).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(
            (found.time.as_str(), found.multiplier.as_str(), found.event.as_str(), found.is_end),
            (time, multiplier, event, true),
            "{line}"
        );
    }

    #[test]
    fn a_line_is_a_time_and_a_message() {
        let time = "2026-01-01 12:00:00";
        check("2026-01-01 12:00:00 [INFO] crashed at 2.31x", time, "2.31x", "[INFO] crashed at #x");
        check("[2026-01-01 12:00:00] INFO crashed at 2.31x", time, "2.31x", "INFO crashed at #x");
        check("INFO 2026-01-01 12:00:00 round 553 crash: 2.31", time, "2.31", "round # crash: #");
        check("[INFO] [2026-01-01 12:00:00] Crashed @ x2.31.", time, "x2.31", "Crashed @ x#");
        check(
            "2026-01-01 12:00:00,123 - root - INFO - cashed out 1.50x, crashed at 2.31x",
            "2026-01-01 12:00:00,123",
            "2.31x",
            "root - INFO - cashed out #x, crashed at #x",
        );
        check(
            "[01/03/2026, 12:00:00] Bot: Voou em 2,31x",
            "01/03/2026, 12:00:00",
            "2,31x",
            "Bot: Voou em #x",
        );
        check(
            "01/03/2026, 12:00 - Bot: flew away 2.31 x",
            "01/03/2026, 12:00",
            "2.31",
            "Bot: flew away # x",
        );
        check(
            "2026-01-01T12:00:00.123Z game crashed, multiplier=2.31",
            "2026-01-01T12:00:00.123Z",
            "2.31",
            "game crashed, multiplier=#",
        );
        check("12:00:00 round crashed at 2.31x", "12:00:00", "2.31x", "round crashed at #x");
    }

    #[test]
    fn other_lines_are_not_the_end_of_a_round() {
        for line in [
            "2026-01-01 12:00:00 [INFO] bob cashed out at 2.31x before the crash",
            "2026-01-01 12:00:00 [INFO] flying, now 1.50x",
            "2026-01-01 12:00:00 [INFO] next crash expected: maybe 2.31x",
        ] {
            assert!(log_line(line, 1).is_some_and(|line| !line.is_end), "{line}");
        }
        for line in [
            "2026-01-01 12:00:00 [INFO] connected",
            "2026-01-01 12:00:00,2.31",
            "crashed at 2.31x",
            "",
            "2.31",
        ] {
            assert_eq!(log_line(line, 1), None, "{line}");
        }
    }
}
