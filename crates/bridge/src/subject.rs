//! What makes two rows one round: the subject under which a round is stored.
//!
//! The stream keeps one message for each subject and refuses every other one, for ever. So the subject is the key of a
//! round: its id where the feed has ids, so that two recorders of one table store it once, else its place in the files of
//! its recorder and what it says, so that a row sent again is stored once.

use rounds::{Origin, Round, TableName};

/// No id and no name of a file in a subject is longer.
const PART_MAX: usize = 128;

/// The subjects of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Where its rounds come from; rounds of different origins never share a stream.
    pub origin: Origin,
}

impl Table {
    /// All of its subjects.
    pub fn all(&self) -> String {
        format!("{}.>", self.prefix())
    }

    /// The rows without ids that come from one site.
    pub fn rows_of(&self, site: &TableName) -> String {
        format!("{}.at.{site}.>", self.prefix())
    }

    /// The subject of a round with an id; `None` if the id cannot stand in one.
    pub fn round(&self, id: &str) -> Option<String> {
        Some(format!("{}.id.{}", self.prefix(), token(id)?))
    }

    /// The subject of a round without an id: the row, and what it says, so that a file that was rewritten loses nothing.
    pub fn row(&self, site: &TableName, row: &Row<'_>) -> Option<String> {
        let file = token(row.file)?;
        let (unix_ms, cents) = (row.round.time.timestamp_millis(), row.round.multiplier.cents());
        Some(format!("{}.at.{site}.{file}.{}.{unix_ms}.{cents}", self.prefix(), row.number))
    }

    /// The subject of a site's word that a round ended at another multiplier than the one that is stored.
    pub fn conflict(&self, id: &str, site: &TableName, cents: u64) -> Option<String> {
        Some(format!("{}.conflict.{}.{site}.{cents}", self.prefix(), token(id)?))
    }

    fn prefix(&self) -> String {
        format!("aviator.rounds.{}.{}", self.origin, self.name)
    }
}

/// A row of a file.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The name of the file without its ending.
    pub file: &'a str,
    /// Counted from 1, without the header.
    pub number: u64,
    /// What it says.
    pub round: &'a Round,
}

/// The name of the stream that keeps a table.
pub fn stream_name(table: &TableName) -> String {
    format!("AVIATOR_{table}")
}

/// The table and origin that a stream's subject is for.
pub fn table_of(all: &str) -> Option<Table> {
    let mut parts = all.strip_prefix("aviator.rounds.")?.strip_suffix(".>")?.split('.');
    let (origin, name) = (parts.next()?, parts.next()?);
    let origin = Origin::ALL.into_iter().find(|known| known.word() == origin)?;
    let name = name.parse().ok()?;
    parts.next().is_none().then_some(Table { name, origin })
}

/// `text` as one part of a subject: letters, digits, `-` and `_` as they are, every other byte as `=` and two hex digits.
fn token(text: &str) -> Option<String> {
    use std::fmt::Write as _;
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            token.push(char::from(byte));
        } else {
            write!(token, "={byte:02x}").expect("a string takes everything");
        }
    }
    (1..=PART_MAX).contains(&token.len()).then_some(token)
}

#[cfg(test)]
mod tests {
    use rounds::Multiplier;

    use super::*;

    fn table() -> Table {
        Table { name: "spribe-1".parse().unwrap(), origin: Origin::Recorded }
    }

    #[test]
    fn an_id_is_one_part_of_the_subject_whatever_is_in_it() {
        let check = |id: &str, subject: Option<&str>| {
            let expected = subject.map(|end| format!("aviator.rounds.recorded.spribe-1.id.{end}"));
            assert_eq!(table().round(id), expected, "{id:?}");
        };
        check("17", Some("17"));
        check("A-b_9", Some("A-b_9"));
        check("a.b", Some("a=2eb"));
        check("* >\u{e4}", Some("=2a=20=3e=c3=a4"));
        check("", None);
        check(&"x".repeat(129), None);
    }

    #[test]
    fn different_ids_never_share_a_subject() {
        let ids = ["a.b", "a=2eb", "a b", "A.b", "a_b", "a-b", "=", "=3d"];
        let mut subjects: Vec<_> = ids.iter().map(|id| table().round(id).unwrap()).collect();
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), ids.len());
    }

    #[test]
    fn a_row_is_named_by_its_place_and_what_it_says() {
        let round = Round {
            time: "2025-12-10T19:32:35.123Z".parse().unwrap(),
            multiplier: Multiplier::from_cents(1206).unwrap(),
        };
        let row = Row { file: "aviator_payouts_20251210_193235", number: 3, round: &round };
        assert_eq!(
            table().row(&"attic".parse().unwrap(), &row).unwrap(),
            "aviator.rounds.recorded.spribe-1.at.attic.aviator_payouts_20251210_193235.3.1765395155123.1206"
        );
    }

    #[test]
    fn a_streams_subject_tells_its_table_and_origin() {
        assert_eq!(table_of(&table().all()), Some(table()));
        for other in [
            "aviator.rounds.>",
            "aviator.rounds.recorded.a.b.>",
            "orders.>",
            "aviator.rounds.invented.a.>",
        ] {
            assert_eq!(table_of(other), None, "{other}");
        }
    }
}
