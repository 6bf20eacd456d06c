//! From messages to readings, with the little that must be remembered between them.

use rounds::Multiplier;
use serde_json::{Map, Value};

use crate::feed::number::{self, BelowOne, Scale};
use crate::feed::parsed::{FieldError, Heard};
use crate::feed::rule::Rule;
use crate::feed::{history, pointer, redacted_shape};
use crate::observation::Report;

/// Characters of a round's id; more is not an id.
const ID_CHARS_MAX: usize = 128;
/// Bytes of one detail as JSON; more is not kept.
const DETAIL_BYTES_MAX: usize = 4096;

/// Applies the rules of a feed to one message after another.
#[derive(Debug)]
pub struct Reader {
    rules: Vec<(Rule, RoundInProgress)>,
}

/// What is known of the round in flight.
#[derive(Debug, Default)]
struct RoundInProgress {
    /// The end of the round before was heard, so this one is heard from its start.
    from_start: bool,
    /// The name an earlier message gave it.
    id: Option<String>,
    /// The last multiplier told in flight, and of which round if that was said.
    tick: Option<(Option<String>, Multiplier)>,
}

impl Reader {
    /// A reader of a feed with these rules; the first whose filters hold reads a message.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules: rules.into_iter().map(|rule| (rule, RoundInProgress::default())).collect() }
    }

    /// Forgets the round in flight: what was told of it before a loss of the connection is not known to belong to what
    /// comes after.
    pub fn forget(&mut self) {
        for (_, flight) in &mut self.rules {
            *flight = RoundInProgress::default();
        }
    }

    /// What `message` says.
    pub fn read(&mut self, message: &Value) -> Heard {
        let matching = self.rules.iter().position(|(rule, _)| rule.when.holds(message));
        for (index, (rule, flight)) in self.rules.iter_mut().enumerate() {
            if Some(index) != matching {
                flight.note(rule, message);
            }
        }
        let Some((rule, flight)) = matching.and_then(|index| self.rules.get_mut(index)) else {
            return Heard::default();
        };
        match &rule.list {
            Some((list, order)) => match list.find(message) {
                Ok(found) => {
                    let opened = pointer::opened(&found);
                    let Value::Array(elements) = opened.as_ref().unwrap_or(&found) else {
                        return rule.unreadable("list", "there is something else than a list");
                    };
                    let newest_first = history::newest_first(elements, *order);
                    history::read(newest_first.into_iter().map(|element| listed(rule, element)))
                }
                Err(missing) => rule.unreadable("list", &missing.to_string()),
            },
            None => flight.land(rule, message),
        }
    }

    /// Why no rule is about `message`: the first filter of each that does not hold.
    pub fn why_not(&self, message: &Value) -> String {
        let unmet: Vec<String> = self
            .rules
            .iter()
            .filter_map(|(rule, _)| {
                let pointer = &rule.when.unmet(message)?.pointer;
                Some(match pointer.find(message) {
                    Ok(_) => format!("{}: the filter on {pointer} wants another value", rule.key),
                    Err(missing) => format!("{}: {missing}", rule.key),
                })
            })
            .collect();
        unmet.join("; ")
    }
}

impl Rule {
    fn unreadable(&self, name: &str, problem: &str) -> Heard {
        Heard { is_matched: true, said: None, problem: Some(self.problem(name, problem)) }
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

/// One element of a list; `None` where its round has not ended.
fn listed(rule: &Rule, element: &Value) -> Result<history::ListEntry, FieldError> {
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
        other => return Err(format!("there is {} and not an id", redacted_shape::contents(other))),
    };
    if id.is_empty() || id.chars().count() > ID_CHARS_MAX {
        return Err(format!("an id has 1 to {ID_CHARS_MAX} characters"));
    }
    Ok(id)
}

impl RoundInProgress {
    /// Remembers what a message that ends no round tells of the one in flight.
    fn note(&mut self, rule: &Rule, message: &Value) {
        if let Some((condition, pointer)) = &rule.naming
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

    /// The round that `message` ends.
    fn land(&mut self, rule: &Rule, message: &Value) -> Heard {
        let flight = std::mem::take(self);
        self.from_start = true;
        let mut detail = Map::new();
        let read = rule.id(message).map(|id| id.or_else(|| flight.id.clone())).and_then(|id| {
            let value = rule.options.value.find(message);
            let is_told = value.as_ref().is_ok_and(|value| !value.is_null());
            if rule.options.when_null.is_some() && !is_told {
                return flight.stand_in(rule, id, &mut detail);
            }
            let value = value.map_err(|missing| rule.problem("value", &missing.to_string()))?;
            Ok((id, rule.multiplier(&value)?))
        });
        let (id, multiplier) = match read {
            Ok(read) => read,
            Err(problem) => {
                return Heard { is_matched: true, said: None, problem: Some(problem) };
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
        let said = Report::Round { id, multiplier, ended_at, backfill: false, detail };
        Heard { is_matched: true, said: Some(said), problem }
    }

    /// The multiplier of a round whose last message has none.
    fn stand_in(
        &self,
        rule: &Rule,
        id: Option<String>,
        detail: &mut Map<String, Value>,
    ) -> Result<(Option<String>, Multiplier), FieldError> {
        let is_of_this_round = |of: &Option<String>| of.is_none() || id.is_none() || *of == id;
        if let Some((of, multiplier)) = &self.tick
            && is_of_this_round(of)
        {
            detail.insert("multiplier_from".to_owned(), "the last one told in flight".into());
            return Ok((id, *multiplier));
        }
        match rule.options.when_null.as_ref().and_then(|null| null.otherwise) {
            Some(multiplier) if self.from_start => {
                detail.insert("multiplier_from".to_owned(), "none told".into());
                Ok((id, multiplier))
            }
            Some(_) => Err(rule.problem(
                "when_null",
                "the round told no multiplier, and its start was not heard: it is left out",
            )),
            None => Err(rule.problem("when_null", "the round told no multiplier: it is left out")),
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
