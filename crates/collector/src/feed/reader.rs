//! Reads the rounds in the messages of a feed.

use rounds::Multiplier;
use serde_json::{Map, Value};

use crate::feed::number::{self, BelowOne, Scale};
use crate::feed::parsed::{FieldError, ParsedMessage};
use crate::feed::rule::Rule;
use crate::feed::{history, pointer, redacted_shape};
use crate::observation::Report;

/// Maximum number of characters of a round's id.
const ID_CHARS_MAX: usize = 128;
/// Maximum length of one detail in bytes of JSON; longer ones are dropped.
const DETAIL_BYTES_MAX: usize = 4096;

/// Applies the rules of a feed to its messages in order.
#[derive(Debug)]
pub struct Reader {
    rules: Vec<(Rule, RoundInProgress)>,
}

/// What is known about the round in flight.
#[derive(Debug, Default)]
struct RoundInProgress {
    /// The end of the previous round was received, so this one is observed from its start.
    from_start: bool,
    /// The id from an earlier message.
    id: Option<String>,
    /// The last multiplier in flight, and the id of its round if given.
    tick: Option<(Option<String>, Multiplier)>,
}

impl Reader {
    /// Creates a reader with these rules; the first rule whose filters match reads a message.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules: rules.into_iter().map(|rule| (rule, RoundInProgress::default())).collect() }
    }

    /// Forgets the round in flight: after a reconnect another round may be in flight.
    pub fn forget(&mut self) {
        for (_, round) in &mut self.rules {
            *round = RoundInProgress::default();
        }
    }

    /// Returns what `message` reports.
    pub fn read(&mut self, message: &Value) -> ParsedMessage {
        let matching = self.rules.iter().position(|(rule, _)| rule.when.holds(message));
        for (index, (rule, round)) in self.rules.iter_mut().enumerate() {
            if Some(index) != matching {
                round.track(rule, message);
            }
        }
        let Some((rule, round)) = matching.and_then(|index| self.rules.get_mut(index)) else {
            return ParsedMessage::default();
        };
        match &rule.list {
            Some((list, order)) => match list.find(message) {
                Ok(found) => {
                    let opened = pointer::opened(&found);
                    let Value::Array(elements) = opened.as_ref().unwrap_or(&found) else {
                        return rule.unreadable("list", "the value is not a list");
                    };
                    let newest_first = history::newest_first(elements, *order);
                    history::read(newest_first.into_iter().map(|element| list_entry(rule, element)))
                }
                Err(missing) => rule.unreadable("list", &missing.to_string()),
            },
            None => round.finish(rule, message),
        }
    }

    /// Explains why no rule matches `message`: the first filter of each that does not hold.
    pub fn mismatch_reason(&self, message: &Value) -> String {
        let unmet: Vec<String> = self
            .rules
            .iter()
            .filter_map(|(rule, _)| {
                let pointer = &rule.when.unmet(message)?.pointer;
                Some(match pointer.find(message) {
                    Ok(_) => {
                        format!("{}: the filter on {pointer} requires another value", rule.key)
                    }
                    Err(missing) => format!("{}: {missing}", rule.key),
                })
            })
            .collect();
        unmet.join("; ")
    }
}

impl Rule {
    fn unreadable(&self, name: &str, problem: &str) -> ParsedMessage {
        ParsedMessage { is_matched: true, report: None, problem: Some(self.problem(name, problem)) }
    }

    fn problem(&self, name: &str, problem: &str) -> FieldError {
        FieldError { key: format!("{}.{name}", self.key), problem: problem.to_owned() }
    }

    fn multiplier(&self, value: &Value) -> Result<Multiplier, FieldError> {
        let (scale, below_one): (Scale, BelowOne) = (self.options.scale, self.options.below_one);
        number::multiplier(value, scale, below_one).map_err(|problem| {
            self.problem("value", &format!("{problem}, at the pointer {}", self.options.value))
        })
    }

    fn id(&self, message: &Value) -> Result<Option<String>, FieldError> {
        let Some(pointer) = &self.options.id else { return Ok(None) };
        let value =
            pointer.find(message).map_err(|missing| self.problem("id", &missing.to_string()))?;
        id(&value).map(Some).map_err(|problem| self.problem("id", &problem))
    }
}

/// Reads one element of a list.
fn list_entry(rule: &Rule, element: &Value) -> Result<history::ListEntry, FieldError> {
    let value = match rule.options.value.find(element) {
        Ok(value) if value.is_null() => return Ok(history::ListEntry::Unfinished),
        Ok(value) => value,
        Err(missing) => return Err(rule.problem("value", &missing.to_string())),
    };
    Ok(history::ListEntry::Round { id: rule.id(element)?, multiplier: rule.multiplier(&value)? })
}

fn id(value: &Value) -> Result<String, String> {
    let id = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        other => return Err(format!("expected an id, found {}", redacted_shape::contents(other))),
    };
    if id.is_empty() || id.chars().count() > ID_CHARS_MAX {
        return Err(format!("an id must have 1 to {ID_CHARS_MAX} characters"));
    }
    Ok(id)
}

impl RoundInProgress {
    /// Remembers what a message in flight says about the current round.
    fn track(&mut self, rule: &Rule, message: &Value) {
        if let Some((condition, pointer)) = &rule.id_rule
            && condition.holds(message)
        {
            self.id = pointer.find_silently(message).and_then(|value| id(&value).ok());
        }
        if let Some((condition, pointer)) = &rule.tick
            && condition.holds(message)
            && let Some(multiplier) =
                pointer.find_silently(message).and_then(|value| rule.multiplier(&value).ok())
        {
            self.tick = Some((rule.id(message).ok().flatten(), multiplier));
        }
    }

    /// Returns the round that `message` ends.
    fn finish(&mut self, rule: &Rule, message: &Value) -> ParsedMessage {
        let round = std::mem::take(self);
        self.from_start = true;
        let mut detail = Map::new();
        let read = rule.id(message).map(|id| id.or_else(|| round.id.clone())).and_then(|id| {
            let value = rule.options.value.find(message);
            let has_value = value.as_ref().is_ok_and(|value| !value.is_null());
            if rule.options.when_null.is_some() && !has_value {
                return round.fallback_multiplier(rule, id, &mut detail);
            }
            let value = value.map_err(|missing| rule.problem("value", &missing.to_string()))?;
            Ok((id, rule.multiplier(&value)?))
        });
        let (id, multiplier) = match read {
            Ok(read) => read,
            Err(problem) => {
                return ParsedMessage { is_matched: true, report: None, problem: Some(problem) };
            }
        };
        let (ended_at, problem) = match ended_at(rule, message) {
            Ok(time) => (time, None),
            Err(problem) => (None, Some(problem)),
        };
        for (name, pointer) in &rule.options.detail {
            if let Some(value) = pointer.find_silently(message)
                && value.to_string().len() <= DETAIL_BYTES_MAX
            {
                detail.insert(name.clone(), value.into_owned());
            }
        }
        let detail = (!detail.is_empty()).then_some(Value::Object(detail));
        let report = Report::Round { id, multiplier, ended_at, backfill: false, detail };
        ParsedMessage { is_matched: true, report: Some(report), problem }
    }

    /// Returns the multiplier of a round whose last message has none.
    fn fallback_multiplier(
        &self,
        rule: &Rule,
        id: Option<String>,
        detail: &mut Map<String, Value>,
    ) -> Result<(Option<String>, Multiplier), FieldError> {
        let is_of_this_round = |of: &Option<String>| of.is_none() || id.is_none() || *of == id;
        if let Some((of, multiplier)) = &self.tick
            && is_of_this_round(of)
        {
            detail.insert("multiplier_from".to_owned(), "the last one reported in flight".into());
            return Ok((id, *multiplier));
        }
        match rule.options.when_null.as_ref().and_then(|null| null.otherwise) {
            Some(multiplier) if self.from_start => {
                detail.insert("multiplier_from".to_owned(), "none reported".into());
                Ok((id, multiplier))
            }
            Some(_) => Err(rule.problem(
                "when_null",
                "the round has no multiplier, and its start was not received: it is skipped",
            )),
            None => Err(rule.problem("when_null", "the round has no multiplier: it is skipped")),
        }
    }
}

fn ended_at(
    rule: &Rule,
    message: &Value,
) -> Result<Option<chrono::DateTime<chrono::Utc>>, FieldError> {
    let Some(pointer) = &rule.options.time else { return Ok(None) };
    let value =
        pointer.find(message).map_err(|missing| rule.problem("time", &missing.to_string()))?;
    number::time(&value, rule.options.time_format)
        .map(Some)
        .map_err(|problem| rule.problem("time", &format!("{problem}, at the pointer {pointer}")))
}

#[cfg(test)]
mod tests;
