//! The subject under which a round is stored, which decides whether two rows are the same round.
//!
//! The stream keeps the first message of each subject and rejects later ones, so the subject is the
//! key of a round. Where the feed has ids it is the id, so that two recorders of a table store the
//! round once. Otherwise it is the position in the recorder's files and the contents, so that a row
//! sent again is stored once.

use rounds::{Origin, Round, TableName};

/// Maximum length of an id or a file name in a subject.
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
    /// Returns the wildcard of all its subjects.
    pub fn all(&self) -> String {
        format!("{}.>", self.prefix())
    }

    /// Returns the wildcard of the rows without ids of one site.
    pub fn rows_of(&self, site: &TableName) -> String {
        format!("{}.at.{site}.>", self.prefix())
    }

    /// Returns the subject of a round with an id; `None` if the id is empty or too long.
    pub fn round(&self, id: &str) -> Option<String> {
        Some(format!("{}.id.{}", self.prefix(), token(id)?))
    }

    /// Returns the subject of a round without an id; `None` if the file name is empty or too long. It includes the contents
    /// of the row, so that the rows of a rewritten file are stored too.
    pub fn row(&self, site: &TableName, row: &Row<'_>) -> Option<String> {
        let file = token(row.file)?;
        let (unix_ms, cents) = (row.round.time.timestamp_millis(), row.round.multiplier.cents());
        Some(format!("{}.at.{site}.{file}.{}.{unix_ms}.{cents}", self.prefix(), row.number))
    }

    /// Returns the subject of a site's report that a round ended at another multiplier than the stored one.
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
    /// The name of the file without extension.
    pub file: &'a str,
    /// Number of the row, counted from 1 without the header.
    pub number: u64,
    /// Its contents.
    pub round: &'a Round,
}

/// Returns the name of a table's stream.
pub fn stream_name(table: &TableName) -> String {
    format!("AVIATOR_{table}")
}

/// Parses the wildcard of a stream into its table and origin.
pub fn table_of(all: &str) -> Option<Table> {
    let mut parts = all.strip_prefix("aviator.rounds.")?.strip_suffix(".>")?.split('.');
    let (origin, name) = (parts.next()?, parts.next()?);
    let origin = Origin::ALL.into_iter().find(|known| known.word() == origin)?;
    let name = name.parse().ok()?;
    parts.next().is_none().then_some(Table { name, origin })
}

/// Encodes `text` as one token of a subject: letters, digits, `-` and `_` stay, every other byte becomes `=` and two hex
/// digits. `None` if the token is empty or too long.
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
    fn any_id_becomes_one_token_of_the_subject() {
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
    fn the_subject_of_a_row_has_its_position_and_contents() {
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
    fn the_subject_of_a_stream_identifies_its_table_and_origin() {
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
