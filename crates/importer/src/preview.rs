//! The preview that the user confirms before anything is written.

use chrono::{DateTime, TimeDelta, Utc};
use rounds::{Round, TimeZoneOfRows, counted};

use crate::options::Options;
use crate::recording::Recording;
use crate::time_forms::DateOrder;
use crate::timeline::Order;

/// Number of rounds shown from each end.
const ENDS: usize = 3;
/// Maximum number of unread columns that are named.
const OTHERS_SHOWN: usize = 8;

impl Recording {
    /// Returns the preview: columns, order, first and last rounds, rows left out, and figures.
    pub fn preview(&self) -> String {
        let mut lines =
            vec![format!("{}: {}, {}", self.name, self.kind, counted(self.rows, "row"))];
        let mut line = |name: &str, text: &str| lines.push(format!("  {name:<11} {text}"));
        line("time", &format!("{}{}", self.time_column, self.time_notes()));
        line("multiplier", &self.multiplier_column);
        if !self.other_columns.is_empty() {
            line("not read", &self.other_names());
        }
        line("order", &order(self.order));
        line("rounds", &self.rounds_text());
        let (first, last) = self.ends();
        line("first", &first);
        line("last", &last);
        line("figures", &self.figures_text());
        let left_out = self.left_out();
        if left_out.is_empty() {
            line("left out", "nothing");
        }
        for text in &left_out {
            line("left out", text);
        }
        lines.join("\n") + "\n"
    }

    fn time_notes(&self) -> String {
        let mut notes = String::new();
        match self.date_order {
            Some(DateOrder::DayFirst) => notes.push_str("; the day comes first"),
            Some(DateOrder::MonthFirst) => notes.push_str("; the month comes first"),
            None => {}
        }
        match self.zone {
            Some(TimeZoneOfRows::Machine) => notes
                .push_str("; without an offset, taken in this machine's time zone (--timezone)"),
            Some(zone) => {
                notes.push_str("; without an offset, taken in ");
                notes.push_str(&zone.to_string());
            }
            None => {}
        }
        notes
    }

    fn other_names(&self) -> String {
        let shown =
            self.other_columns.iter().take(OTHERS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = self.other_columns.len().saturating_sub(OTHERS_SHOWN);
        if more > 0 { format!("{shown} and {more} more") } else { shown }
    }

    fn rounds_text(&self) -> String {
        let count = counted(self.rounds.len() as u64, "round");
        let (Some(first), Some(last)) = (self.rounds.first(), self.rounds.last()) else {
            return count;
        };
        let estimated = if self.is_estimated { ", estimated" } else { "" };
        format!("{count} from {} to {} UTC{estimated}", seconds(first.time), seconds(last.time))
    }

    fn ends(&self) -> (String, String) {
        let shown = |rounds: &[Round]| {
            let all: Vec<String> = rounds
                .iter()
                .map(|round| format!("{} {}x", seconds(round.time), round.multiplier))
                .collect();
            all.join(", ")
        };
        let count = self.rounds.len();
        (shown(&self.rounds[..count.min(ENDS)]), shown(&self.rounds[count.saturating_sub(ENDS)..]))
    }

    fn figures_text(&self) -> String {
        let figures = self.figures();
        let mut text =
            format!("median {:.2}x, {:.1} % below 2x", figures.median, figures.below_two * 100.0);
        if let Some((gap, end)) = figures.longest_gap.filter(|_| !self.is_estimated) {
            let gap = format!(", longest gap {} before {} UTC", duration(gap), seconds(end));
            text.push_str(&gap);
        }
        text
    }

    fn left_out(&self) -> Vec<String> {
        let mut all: Vec<String> = self.rejected.iter().map(ToString::to_string).collect();
        let others = [
            (self.repeated_rounds, "repeating the round of another row"),
            (self.repeated_headers, "repeating the header"),
            (self.filtered, "by --where"),
        ];
        let others = others.iter().filter(|(rows, _)| *rows > 0);
        all.extend(others.map(|(rows, why)| format!("{} {why}", counted(*rows, "row"))));
        all
    }
}

fn order(order: Order) -> String {
    match order {
        Order::OldestFirst => "oldest round first".to_owned(),
        Order::NewestFirst => "newest round first; reversed".to_owned(),
        Order::Mixed { backward } => {
            format!("{} earlier than the row before; sorted by time", counted(backward, "row"))
        }
    }
}

/// Returns the command that would write what previews show.
pub(crate) fn confirmed_command(names: &[&str], options: &Options) -> String {
    let mut words = vec!["predictor import".to_owned()];
    words.extend(names.iter().map(|name| rounds::shell_word(name)));
    words.extend(options.flags());
    words.push("--yes".to_owned());
    words.join(" ")
}

pub(crate) fn seconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn duration(delta: TimeDelta) -> String {
    match delta.num_seconds() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        seconds => format!("{} days", seconds / 86_400),
    }
}
