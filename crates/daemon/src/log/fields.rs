//! Writes the fields of a log line for people, one line for each event.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// Writes the message and then each field as `name=value`. Control characters are escaped, so that nothing a file, a page or
/// another machine says can begin a line of its own or change the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct EscapedFields;

impl<'w> FormatFields<'w> for EscapedFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, is_first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'w> {
    writer: Writer<'w>,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, name: &str, value: &str) -> fmt::Result {
        if !self.is_first {
            self.writer.write_char(' ')?;
        }
        self.is_first = false;
        match name {
            "message" => {}
            _ if self.writer.has_ansi_escapes() => {
                write!(self.writer, "\u{1b}[3m{name}\u{1b}[0m=")?;
            }
            _ => write!(self.writer, "{name}=")?,
        }
        escape_controls(&mut self.writer, value)
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // The `log` crate's own metadata, which the line shows already.
        if self.result.is_ok() && !field.name().starts_with("log.") {
            self.result = self.write(field.name(), &format!("{value:?}"));
        }
    }
}

fn escape_controls(writer: &mut impl fmt::Write, text: &str) -> fmt::Result {
    for character in text.chars() {
        // The separators U+2028 and U+2029 break lines in some viewers; the bidirectional controls reorder what is shown.
        let is_hidden = character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_hidden {
            write!(writer, "{}", character.escape_default())?;
        } else {
            writer.write_char(character)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_or_reorders_lines_is_escaped_and_the_rest_is_kept() {
        for (text, shown) in [
            ("a\nINFO forged", "a\\nINFO forged"),
            ("a\r\u{1b}[2Kb\tc", "a\\r\\u{1b}[2Kb\\tc"),
            ("\u{85}\u{2028}\u{202e}", "\\u{85}\\u{2028}\\u{202e}"),
            ("🔄 é ت \\n \"quoted\"", "🔄 é ت \\n \"quoted\""),
        ] {
            let mut written = String::new();
            escape_controls(&mut written, text).unwrap();
            assert_eq!(written, shown);
        }
    }
}
