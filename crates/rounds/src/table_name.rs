//! The name of a table, usable in paths and addresses.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of the default table.
const DEFAULT: &str = "default";
/// Maximum length of a name, in bytes.
const LENGTH_MAX: usize = 64;

/// The name of a table, or of a site that records one: 1 to 64 lower-case letters, digits,
/// `-` and `_`, starting with a letter or a digit. It needs no escaping in a path or a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableName(String);

/// The error of a text that is not a [`TableName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a table name: use 1 to {LENGTH_MAX} of a-z, 0-9, - and _, beginning with a letter or a digit"
)]
pub struct TableNameError(String);

impl TableName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is the default table.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }

    /// Returns the directory of the table's files: the subdirectory of `data_dir` with the
    /// table's name, or for the default table `data_dir` itself.
    pub fn directory(&self, data_dir: &Path) -> PathBuf {
        if self.is_default() { data_dir.to_owned() } else { data_dir.join(&self.0) }
    }
}

/// The default table.
impl Default for TableName {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TableName {
    type Err = TableNameError;

    fn from_str(text: &str) -> Result<Self, TableNameError> {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_name = text.starts_with(is_letter)
            && text.len() <= LENGTH_MAX
            && text.chars().all(|c| is_letter(c) || "-_".contains(c));
        if is_name { Ok(Self(text.to_owned())) } else { Err(TableNameError(text.to_owned())) }
    }
}

impl TryFrom<String> for TableName {
    type Error = TableNameError;

    fn try_from(text: String) -> Result<Self, TableNameError> {
        text.parse()
    }
}

impl From<TableName> for String {
    fn from(name: TableName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_in_a_path() {
        for text in ["a", "9", "spribe-eu_2", &"x".repeat(64)] {
            assert_eq!(text.parse::<TableName>().unwrap().as_str(), text);
        }
        for text in ["", "-a", "_a", "A", "a b", "a/b", "..", "a.b", "ä", &"x".repeat(65)] {
            let error = text.parse::<TableName>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn only_the_default_table_lies_in_the_data_directory_itself() {
        let root = Path::new("data");
        assert_eq!(TableName::default().directory(root), root);
        assert_eq!("eu".parse::<TableName>().unwrap().directory(root), root.join("eu"));
        assert!("default".parse::<TableName>().unwrap().is_default());
    }
}
