//! Recordings in JSON: arrays of objects, of arrays or of numbers, objects of columns, one object per line, and server
//! responses that contain any of these.

use serde_json::{Map, Value};

use crate::header_names::{Role, role};
use crate::options::Options;
use crate::record::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::rows;
use crate::table::Table;

/// Depth of objects whose values become columns.
const FLAT_DEPTH: u32 = 5;

/// Parses one JSON document, or one per line.
pub(crate) fn parse(text: &str) -> Result<Value, Refusal> {
    let text = text.trim_start_matches('\u{feff}');
    let whole = serde_json::from_str(text);
    let Err(error) = whole else { return Ok(whole.unwrap_or_default()) };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut values = Vec::new();
    let mut strange = 0_usize;
    for line in lines {
        let line = line.trim().trim_end_matches(',');
        let value = serde_json::from_str(line);
        strange += usize::from(value.is_err());
        // Text that is not JSON becomes a rejected row, so that it is counted.
        values.push(value.unwrap_or_else(|_| Value::String(line.to_owned())));
    }
    if strange * 2 >= values.len() {
        return Err(Refusal::new(RefusalKind::Container, format!("is not valid JSON: {error}")));
    }
    Ok(Value::Array(values))
}

/// Rows found at one place of a document.
#[derive(Debug)]
pub(crate) struct Group {
    /// Where they are, without the indices of arrays: `data.rounds`.
    pub(crate) path: String,
    pub(crate) rows: Rows,
}

#[derive(Debug)]
pub(crate) enum Rows {
    /// The values of objects by their keys.
    Named(Vec<Fields>),
    /// Cells without names.
    Bare(Vec<Vec<String>>),
}

/// Keys and values of an object and of the objects in it.
pub(crate) type Fields = Vec<(String, String)>;

/// Returns the table in a document.
pub(crate) fn table(document: &Value, options: &Options) -> Result<Table, Refusal> {
    let mut groups = Vec::new();
    collect(document, "", &mut groups);
    choose(groups, "JSON", options)
}

/// Chooses the group that is a recording.
pub(crate) fn choose(
    mut groups: Vec<Group>,
    kind: &str,
    options: &Options,
) -> Result<Table, Refusal> {
    if let Some(path) = &options.path {
        groups.retain(|group| group.path == *path);
    } else {
        let best = groups.iter().map(Group::rank).max().unwrap_or_default();
        groups.retain(|group| group.rank() == best);
    }
    let shown: Vec<String> = groups.iter().map(|group| group.path.clone()).collect();
    let mut tables: Vec<Table> = groups.into_iter().map(|group| group.table(kind)).collect();
    if tables.len() > 1 {
        let good: Vec<usize> =
            (0..tables.len()).filter(|at| rows::columns(&tables[*at], options).is_ok()).collect();
        match good.as_slice() {
            [only] => return Ok(tables.swap_remove(*only)),
            [] => {}
            [first, second, ..] => {
                let message = format!(
                    "`{}` and `{}` may each be the recording",
                    shown[*first], shown[*second]
                );
                let refusal = Refusal::new(RefusalKind::SeveralTables, message);
                return Err(good.iter().take(8).fold(refusal, |refusal, at| {
                    refusal.remedy(format!("--path {}", rounds::shell_word(&shown[*at])))
                }));
            }
        }
    }
    let message = "holds no list of rounds: no array of objects, of arrays or of numbers";
    tables.into_iter().next().ok_or_else(|| Refusal::new(RefusalKind::Empty, message))
}

impl Group {
    /// Returns how much it resembles a recording: by the names of its columns, then by its kind.
    fn rank(&self) -> u32 {
        match &self.rows {
            Rows::Named(rows) => {
                let has = |wanted: Role| {
                    rows.iter().take(50).flatten().any(|(name, _)| role(name) == wanted)
                };
                match () {
                    () if has(Role::Multiplier) => 5,
                    () if has(Role::MaybeMultiplier) => 4,
                    () => 1,
                }
            }
            Rows::Bare(rows) if rows.iter().take(50).all(|row| row.len() > 1) => 3,
            Rows::Bare(_) => 2,
        }
    }

    fn table(self, kind: &str) -> Table {
        let kind =
            if self.path.is_empty() { kind.to_owned() } else { format!("{kind}, {}", self.path) };
        let rows = match self.rows {
            Rows::Bare(rows) => {
                (1..).zip(rows).map(|(line, cells)| Record::of(cells, line)).collect()
            }
            Rows::Named(rows) => return named(rows, &kind),
        };
        Table::held(None, rows, &kind)
    }
}

fn named(rows: Vec<Fields>, kind: &str) -> Table {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !names.contains(name) && names.len() < 200 {
            names.push(name.clone());
        }
    }
    let record = |(line, fields): (u64, Fields)| {
        let mut record = Record::at(line);
        for name in &names {
            let field = fields.iter().find(|(key, _)| key == name);
            record.push(field.map_or("", |(_, value)| value.as_str()));
        }
        record
    };
    let rows = (1..).zip(rows).map(record).collect();
    Table::held(Some(names), rows, kind)
}

/// Collects all rows of a document, those at the same path into one group.
fn collect(value: &Value, path: &str, groups: &mut Vec<Group>) {
    match value {
        Value::Array(items) => collect_array(items, path, groups),
        Value::Object(fields) => {
            if let Some(rows) = columns(fields) {
                push(groups, path, Rows::Named(rows));
                return;
            }
            for (key, value) in fields {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(value, &below, groups);
            }
        }
        _ => {}
    }
}

fn collect_array(items: &[Value], path: &str, groups: &mut Vec<Group>) {
    let objects = items.iter().filter(|item| item.is_object()).count();
    if objects * 2 > items.len() {
        let fields = items.iter().map(|item| match item {
            Value::Object(fields) => flat(fields),
            // The row is rejected because it lacks everything else.
            other => vec![("row".to_owned(), scalar(other).unwrap_or_default())],
        });
        push(groups, path, Rows::Named(fields.collect()));
        for item in items {
            collect_below(item, path, groups);
        }
        return;
    }
    let cells = |item: &Value| match item {
        Value::Array(cells) => cells.iter().map(scalar).collect::<Option<Vec<String>>>(),
        other => scalar(other).map(|cell| vec![cell]),
    };
    match items.iter().map(cells).collect::<Option<Vec<_>>>() {
        Some(rows) if !rows.is_empty() => push(groups, path, Rows::Bare(rows)),
        _ => items.iter().for_each(|item| collect(item, path, groups)),
    }
}

/// Collects the rows in the arrays of an object that is a row itself.
fn collect_below(item: &Value, path: &str, groups: &mut Vec<Group>) {
    let Value::Object(fields) = item else { return };
    for (key, value) in fields {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Array(_) => collect(value, &below, groups),
            Value::Object(_) => collect_below(value, &below, groups),
            _ => {}
        }
    }
}

pub(crate) fn push(groups: &mut Vec<Group>, path: &str, rows: Rows) {
    let known = groups.iter_mut().find(|group| group.path == path);
    match (known.map(|group| &mut group.rows), rows) {
        (Some(Rows::Named(known)), Rows::Named(rows)) => known.extend(rows),
        (Some(Rows::Bare(known)), Rows::Bare(rows)) => known.extend(rows),
        (_, rows) => groups.push(Group { path: path.to_owned(), rows }),
    }
}

/// Returns the rows of an object of columns, as pandas writes it: `{"time": {"0": …}, "multiplier": {"0": …}}`.
fn columns(fields: &Map<String, Value>) -> Option<Vec<Fields>> {
    if !fields.keys().any(|name| matches!(role(name), Role::Multiplier | Role::MaybeMultiplier)) {
        return None;
    }
    let mut rows: Vec<Fields> = Vec::new();
    for (at, (name, column)) in fields.iter().enumerate() {
        let cells: Vec<String> = match column {
            Value::Array(cells) => cells.iter().map(scalar).collect::<Option<_>>()?,
            Value::Object(cells) => cells.values().map(scalar).collect::<Option<_>>()?,
            _ => return None,
        };
        if at == 0 {
            rows.resize(cells.len(), Vec::new());
        }
        if cells.len() != rows.len() {
            return None;
        }
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push((name.clone(), cell)));
    }
    (rows.len() > 1).then_some(rows)
}

/// Returns the values of an object and of the objects in it; arrays are left out.
pub(crate) fn flat(fields: &Map<String, Value>) -> Fields {
    let mut all = Vec::new();
    flatten(fields, "", 0, &mut all);
    all
}

fn flatten(fields: &Map<String, Value>, prefix: &str, depth: u32, all: &mut Fields) {
    for (key, value) in fields {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inner) if depth < FLAT_DEPTH => flatten(inner, &name, depth + 1, all),
            value => all.extend(scalar(value).map(|text| (name, text))),
        }
    }
}

/// Returns a value as text, unless it is an object or array.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
