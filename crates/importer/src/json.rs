//! Recordings in JSON: arrays of objects, of arrays or of numbers, objects of columns, objects keyed by the id or time of
//! the round, one object per line, and server responses that contain any of these.

use std::borrow::Cow;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::header_names::{Role, role};
use crate::options::Options;
use crate::record::Record;
use crate::refusal::{Refusal, RefusalKind};
use crate::rows;
use crate::table::Table;

/// Depth of objects whose values become columns.
const FLAT_DEPTH: u32 = 5;
/// Rounds in an object that is keyed by their ids, if each of them is an object that names its multiplier.
const KEYED_OBJECTS_MIN: usize = 3;
/// The same if they are numbers, which prices and settings are as well.
const KEYED_NUMBERS_MIN: usize = 20;
/// Name of the column of these keys.
const KEY: &str = "key";

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
        let message = format!(
            "is not valid JSON: {error}; if the file was cut off, close its brackets after the last whole round"
        );
        return Err(Refusal::new(RefusalKind::Container, message));
    }
    Ok(Value::Array(values))
}

/// Rows found at one place of a document.
#[derive(Debug)]
pub(crate) struct Group {
    /// Where they are, without the indices of arrays: `data.rounds`.
    pub(crate) path: String,
    pub(crate) rows: Rows,
    /// Whether the rows are in the order of the document, or in that of their numbers.
    pub(crate) is_ordered: bool,
}

#[derive(Debug)]
pub(crate) enum Rows {
    /// The values of objects by their keys.
    Named(NamedRows),
    /// Cells without names.
    Bare(Vec<Record>),
}

/// Keys and values of an object and of the objects in it.
pub(crate) type Fields<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Rows whose cells have names. They are kept as cells, because a million objects do not fit into a small memory.
#[derive(Debug, Default)]
pub(crate) struct NamedRows {
    names: Vec<String>,
    /// A row ends where it was read before later names were known.
    rows: Vec<Record>,
}

/// Names that become columns.
const NAMES_MAX: usize = 200;

impl NamedRows {
    /// Makes a column of a name, unless there are too many.
    fn learn(&mut self, name: &str) {
        if self.names.len() < NAMES_MAX && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    pub(crate) fn push(&mut self, fields: &Fields<'_>) {
        let are_known = fields.len() == self.names.len()
            && fields.iter().zip(&self.names).all(|((name, _), known)| name == known);
        let bytes = fields.iter().map(|(_, value)| value.len()).sum();
        let line = self.rows.len() as u64 + 1;
        let mut record = Record::with_room(line, self.names.len().max(fields.len()), bytes);
        if are_known {
            for (_, value) in fields {
                record.push(value);
            }
        } else {
            for (name, _) in fields {
                self.learn(name);
            }
            for name in &self.names {
                let field = fields.iter().find(|(key, _)| key == name);
                record.push(field.map_or("", |(_, value)| &**value));
            }
        }
        self.rows.push(record);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends other rows.
    fn extend(&mut self, other: &Self) {
        for row in &other.rows {
            let cells = other.names.iter().zip(row.cells());
            self.push(&cells.map(|(name, cell)| (Cow::from(name), Cow::from(cell))).collect());
        }
    }

    fn into_table(mut self, kind: &str) -> Table {
        for row in &mut self.rows {
            (row.len()..self.names.len()).for_each(|_| row.push(""));
        }
        Table::held(Some(self.names), self.rows, kind)
    }
}

impl<'a> FromIterator<Fields<'a>> for NamedRows {
    fn from_iter<T: IntoIterator<Item = Fields<'a>>>(rows: T) -> Self {
        let mut all = Self::default();
        rows.into_iter().for_each(|fields| all.push(&fields));
        all
    }
}

/// Reads a list of objects one by one, an array or one object a line, without keeping the whole document; `None` if the
/// text is anything else.
pub(crate) fn objects(text: &str) -> Option<Vec<Group>> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut list = ObjectList::default();
    if text.starts_with('[') {
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.deserialize_seq(&mut list).ok()?;
        reader.end().ok()?;
    } else {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let is_object = |line: &str| {
            line.starts_with('{')
                && serde_json::from_str::<IgnoredAny>(line.trim_end_matches(',')).is_ok()
        };
        if !lines.clone().next().is_some_and(is_object)
            || !lines.clone().nth(1).is_some_and(is_object)
        {
            return None;
        }
        lines.try_for_each(|line| {
            let line = line.trim_end_matches(',');
            // Text that is not JSON becomes a rejected row, so that it is counted.
            list.add(serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_owned())))
        })?;
    }
    list.into_groups()
}

/// Objects that are seen one by one.
#[derive(Debug, Default)]
struct ObjectList {
    rows: NamedRows,
    /// Rows in the arrays of these objects.
    below: Vec<Group>,
    objects: usize,
}

impl ObjectList {
    fn add(&mut self, item: Value) -> Option<()> {
        self.objects += usize::from(item.is_object());
        self.rows.push(&row(&item));
        collect_below(item, "", &mut self.below);
        // A list of other things is read as a whole.
        let seen = self.rows.rows.len();
        (seen < 100 || self.objects * 2 > seen).then_some(())
    }

    fn into_groups(self) -> Option<Vec<Group>> {
        let is_list = self.objects * 2 > self.rows.rows.len();
        is_list.then(|| {
            let rows =
                Group { path: String::new(), rows: Rows::Named(self.rows), is_ordered: true };
            [rows].into_iter().chain(self.below).collect()
        })
    }
}

impl<'de> Visitor<'de> for &mut ObjectList {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<Value>()? {
            self.add(item).ok_or_else(|| A::Error::custom("not objects"))?;
        }
        Ok(())
    }
}

/// Returns the table in a document.
pub(crate) fn table(document: Value, options: &Options) -> Result<Table, Refusal> {
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
    let message = "holds no list of rounds: no array of objects, of arrays or of numbers, and no object keyed by the id \
                   of the round. Write the rounds as CSV with the header timestamp,multiplier";
    tables.into_iter().next().ok_or_else(|| Refusal::new(RefusalKind::Empty, message))
}

impl Group {
    /// Returns how much it resembles a recording: by the names of its columns, then by its kind.
    fn rank(&self) -> u32 {
        match &self.rows {
            Rows::Named(rows) => {
                let has = |wanted: Role| rows.names.iter().any(|name| role(name) == wanted);
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
            Rows::Bare(mut rows) => {
                (1..).zip(&mut rows).for_each(|(line, row)| row.line = line);
                rows
            }
            Rows::Named(rows) => return rows.into_table(&kind).in_order(self.is_ordered),
        };
        Table::held(None, rows, &kind).in_order(self.is_ordered)
    }
}

/// Collects all rows of a document, those at the same path into one group.
fn collect(value: Value, path: &str, groups: &mut Vec<Group>) {
    match value {
        Value::Array(items) => collect_array(items, path, groups),
        Value::Object(fields) => {
            if let Some(rows) = columns(&fields) {
                return push_in_order(groups, path, rows.0, rows.1);
            }
            if let Some(rows) = keyed(&fields) {
                return push_in_order(groups, path, rows, are_numbers(fields.keys()));
            }
            for (key, value) in fields {
                collect(value, &below(path, &key), groups);
            }
        }
        _ => {}
    }
}

fn collect_array(items: Vec<Value>, path: &str, groups: &mut Vec<Group>) {
    let objects = items.iter().filter(|item| item.is_object()).count();
    if objects * 2 > items.len() {
        let mut rows = NamedRows::default();
        let mut inner = Vec::new();
        // Each item is freed once it is a row: as a tree of values it takes several times as much memory.
        for item in items {
            rows.push(&row(&item));
            collect_below(item, path, &mut inner);
        }
        push(groups, path, Rows::Named(rows));
        for Group { path, rows, is_ordered } in inner {
            push_in_order(groups, &path, rows, is_ordered);
        }
        return;
    }
    let cells = |item: &Value| bare_row(None, item);
    match items.iter().map(cells).collect::<Option<Vec<_>>>() {
        Some(rows) if !rows.is_empty() => push(groups, path, Rows::Bare(rows)),
        _ => items.into_iter().for_each(|item| collect(item, path, groups)),
    }
}

/// Returns the fields of a row; anything but an object is rejected later, because it lacks everything else.
fn row(item: &Value) -> Fields<'_> {
    match item {
        Value::Object(fields) => flat(fields),
        other => vec![("row".into(), scalar(other).unwrap_or_default())],
    }
}

/// Returns the path of a key within the object at `path`.
fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Collects the rows in the arrays of an object that is a row itself.
fn collect_below(item: Value, path: &str, groups: &mut Vec<Group>) {
    let Value::Object(fields) = item else { return };
    for (key, value) in fields {
        match value {
            Value::Array(_) => collect(value, &below(path, &key), groups),
            Value::Object(_) => collect_below(value, &below(path, &key), groups),
            _ => {}
        }
    }
}

pub(crate) fn push(groups: &mut Vec<Group>, path: &str, rows: Rows) {
    push_in_order(groups, path, rows, true);
}

fn push_in_order(groups: &mut Vec<Group>, path: &str, rows: Rows, is_ordered: bool) {
    let mut known = groups.iter_mut().find(|group| group.path == path);
    if let Some(group) = &mut known {
        group.is_ordered &= is_ordered;
    }
    match (known.map(|group| &mut group.rows), rows) {
        (Some(Rows::Named(known)), Rows::Named(rows)) => known.extend(&rows),
        (Some(Rows::Bare(known)), Rows::Bare(rows)) => known.extend(rows),
        (_, rows) => groups.push(Group { path: path.to_owned(), rows, is_ordered }),
    }
}

/// Returns the rounds of an object that is keyed by their ids or times: `{"123": 2.31}`, `{"123": ["12:00", 2.31]}` or
/// `{"123": {"multiplier": 2.31}}`. Nearly every key contains a digit, which the names of settings hardly do.
fn keyed(fields: &Map<String, Value>) -> Option<Rows> {
    let count = fields.len();
    let with_digits =
        fields.keys().filter(|key| key.contains(|c: char| c.is_ascii_digit())).count();
    if count < KEYED_OBJECTS_MIN || with_digits * 10 < count * 9 {
        return None;
    }
    let fields = by_number(fields);
    let objects = fields.iter().filter_map(|(key, value)| {
        let mut row: Fields<'_> = vec![(KEY.into(), key.as_str().into())];
        row.extend(flat(value.as_object()?));
        Some(row)
    });
    let objects: Vec<Fields<'_>> = objects.collect();
    let names_multiplier = |row: &&Fields<'_>| {
        row.iter().any(|(name, _)| matches!(role(name), Role::Multiplier | Role::MaybeMultiplier))
    };
    if objects.len() == count && objects.iter().filter(names_multiplier).count() * 5 > count * 4 {
        return Some(Rows::Named(objects.into_iter().collect()));
    }
    let rows = fields.iter().map(|(key, value)| bare_row(Some(key), value));
    let rows: Vec<Record> = rows.collect::<Option<_>>()?;
    (count >= KEYED_NUMBERS_MIN).then_some(Rows::Bare(rows))
}

/// Returns the cells of a value without names, those of an array or itself, behind its key if it has one.
fn bare_row(key: Option<&str>, value: &Value) -> Option<Record> {
    let cells = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut row = Record::default();
    if let Some(key) = key {
        row.push(key);
    }
    for cell in cells {
        row.push(&scalar(cell)?);
    }
    Some(row)
}

/// Returns the fields of an object in the order of their keys, as numbers where all are; a JSON object has no other order.
fn by_number(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut all: Vec<(&String, &Value)> = fields.iter().collect();
    if are_numbers(fields.keys()) {
        all.sort_by_cached_key(|(key, _)| key.parse::<u128>().unwrap_or_default());
    }
    all
}

fn are_numbers<'a>(mut keys: impl Iterator<Item = &'a String>) -> bool {
    keys.all(|key| key.parse::<u128>().is_ok())
}

/// Returns the rows of an object of columns, as pandas writes it: `{"time": {"0": …}, "multiplier": {"0": …}}`, and
/// whether they are in order.
fn columns(fields: &Map<String, Value>) -> Option<(Rows, bool)> {
    if !fields.keys().any(|name| matches!(role(name), Role::Multiplier | Role::MaybeMultiplier)) {
        return None;
    }
    let mut rows: Vec<Fields<'_>> = Vec::new();
    let mut is_ordered = true;
    for (at, (name, column)) in fields.iter().enumerate() {
        let cells: Vec<Cow<'_, str>> = match column {
            Value::Array(cells) => cells.iter().map(scalar).collect::<Option<_>>()?,
            Value::Object(cells) => {
                is_ordered &= are_numbers(cells.keys());
                by_number(cells).into_iter().map(|(_, cell)| scalar(cell)).collect::<Option<_>>()?
            }
            _ => return None,
        };
        if at == 0 {
            rows.resize(cells.len(), Vec::new());
        }
        if cells.len() != rows.len() {
            return None;
        }
        rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push((name.into(), cell)));
    }
    (rows.len() > 1).then(|| (Rows::Named(rows.into_iter().collect()), is_ordered))
}

/// Returns the values of an object and of the objects in it; arrays are left out.
pub(crate) fn flat(fields: &Map<String, Value>) -> Fields<'_> {
    let mut all = Vec::new();
    flatten(fields, "", 0, &mut all);
    all
}

fn flatten<'a>(fields: &'a Map<String, Value>, prefix: &str, depth: u32, all: &mut Fields<'a>) {
    for (key, value) in fields {
        let name = match prefix {
            "" => Cow::from(key),
            prefix => Cow::from(format!("{prefix}.{key}")),
        };
        match value {
            Value::Object(inner) if depth < FLAT_DEPTH => flatten(inner, &name, depth + 1, all),
            value => all.extend(scalar(value).map(|text| (name, text))),
        }
    }
}

/// Returns a value as text, unless it is an object or array.
pub(crate) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => Some(Cow::default()),
        Value::Bool(value) => Some(value.to_string().into()),
        Value::Number(value) => Some(value.to_string().into()),
        Value::String(text) => Some(text.into()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
