//! Why a recording is not read, and the command that would read it.

use std::fmt;
use std::io;

use crate::options::Options;

/// What kind of reason a [`Refusal`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The system could not read it.
    Io,
    /// It is empty.
    Empty,
    /// The container is damaged, of a kind that is not read, or too large.
    Container,
    /// Several tables in it may be the recording.
    SeveralTables,
    /// The rows have more or fewer fields than the header.
    FieldCount,
    /// A flag names a column that is not there.
    NoSuchColumn,
    /// No column is recognized as multipliers.
    NoMultiplierColumn,
    /// More than one column may hold them.
    SeveralMultiplierColumns,
    /// The column that should hold them holds something else.
    NotMultipliers,
    /// All multipliers are whole and at least 100: hundredths.
    Hundredths,
    /// The multipliers are percentages.
    Percentages,
    /// Too many numbers can be read in two ways.
    AmbiguousNumbers,
    /// No column holds times.
    NoTimes,
    /// More than one column may hold them.
    SeveralTimeColumns,
    /// Times of day without a date.
    NoDate,
    /// Day and month cannot be told apart.
    DateOrder,
    /// Two-digit years.
    TwoDigitYears,
    /// Several rows per round.
    SeveralRowsPerRound,
    /// No row is a round.
    NoRounds,
}

/// Why a recording is not read.
#[derive(Debug)]
pub struct Refusal {
    /// What kind of reason it is.
    pub kind: RefusalKind,
    /// What is wrong, in a sentence without a final dot.
    pub message: String,
    /// What was seen in each column.
    pub columns: Vec<String>,
    /// Sets of flags that would read it, one per alternative.
    pub remedies: Vec<String>,
    /// The file, and the flags that were given.
    command: Option<Box<(String, Vec<String>)>>,
}

impl Refusal {
    pub(crate) fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            columns: Vec::new(),
            remedies: Vec::new(),
            command: None,
        }
    }

    pub(crate) fn io(error: &io::Error) -> Self {
        Self::new(RefusalKind::Io, format!("cannot be read: {error}"))
    }

    /// Adds flags that would read it.
    pub(crate) fn remedy(mut self, flags: impl Into<String>) -> Self {
        self.remedies.push(flags.into());
        self
    }

    /// Adds what was seen in each column, unless it is known already.
    pub(crate) fn with_columns(mut self, columns: impl FnOnce() -> Vec<String>) -> Self {
        if self.columns.is_empty() {
            self.columns = columns();
        }
        self
    }

    /// Names the file and the flags given, for the commands in the message.
    pub(crate) fn of(mut self, file: &str, options: &Options) -> Self {
        self.command = Some(Box::new((file.to_owned(), options.flags())));
        self
    }

    /// Returns the commands that would read the recording, as far as any would.
    pub fn commands(&self) -> Vec<String> {
        let (file, given) =
            self.command.as_deref().cloned().unwrap_or(("FILE".to_owned(), Vec::new()));
        let command = |remedy: &String| {
            let name = |flag: &str| flag.split(' ').next().unwrap_or_default().to_owned();
            let replaced = name(remedy);
            let kept = given.iter().filter(|flag| name(flag) != replaced).cloned();
            let words: Vec<String> = kept.chain([remedy.clone()]).collect();
            format!("predictor import {} {}", rounds::shell_word(&file), words.join(" "))
        };
        self.remedies.iter().map(command).collect()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, _)) = self.command.as_deref() {
            write!(f, "{file}: ")?;
        }
        f.write_str(&self.message)?;
        if !self.columns.is_empty() {
            f.write_str("\n  Seen:")?;
            self.columns.iter().try_for_each(|column| write!(f, "\n    {column}"))?;
        }
        match self.commands().as_slice() {
            [] => Ok(()),
            [command] => write!(f, "\n  To read it: {command}"),
            commands => {
                f.write_str("\n  To read it, one of:")?;
                commands.iter().try_for_each(|command| write!(f, "\n    {command}"))
            }
        }
    }
}

impl std::error::Error for Refusal {}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::io(&error)
    }
}
