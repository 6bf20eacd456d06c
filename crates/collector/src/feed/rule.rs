//! One rule of a feed: which messages end a round or list rounds, and where in them the values are.

use std::collections::BTreeMap;

use rounds::Multiplier;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config_error::ConfigError;
use crate::feed::filter::Filter;
use crate::feed::number::{BelowOne, Scale, TimeFormat};
use crate::feed::pointer::Pointer;
use crate::order::Order;

/// One `[[feed.rounds]]` of the configuration file. Pointers are into the message, or into one element of `list`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RuleOptions {
    /// Name of the event, for messages that are a list beginning with it: shorthand for a filter on
    /// `/0`.
    pub event: Option<String>,
    /// Filters that must all match; without one the rule applies to every message.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// The list of rounds, for messages with several.
    pub list: Option<Pointer>,
    /// Which end of `list` is the newest; the collector's `order` by default.
    pub order: Option<Order>,
    /// The multiplier.
    pub value: Pointer,
    /// Factor of the multiplier: 0.01 for a feed in hundredths.
    #[serde(default)]
    pub scale: Scale,
    /// The meaning of a number below 1.
    #[serde(default)]
    pub below_one: BelowOne,
    /// The game's id of the round.
    pub id: Option<Pointer>,
    /// The earlier message that holds the id, if the last one does not.
    pub id_from: Option<IdFrom>,
    /// When the round ended.
    pub time: Option<Pointer>,
    /// The format of `time`.
    #[serde(default)]
    pub time_format: TimeFormat,
    /// What to do if the multiplier is null or missing.
    pub when_null: Option<WhenNull>,
    /// Details to keep with the round in the event file, by name: a hash, a seed.
    #[serde(default)]
    pub detail: BTreeMap<String, Pointer>,
}

/// The earlier message that holds the id of the round, such as bustabit's `game_starting`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct IdFrom {
    /// Name of its event.
    pub event: Option<String>,
    /// Filters that it must match.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Where the id is.
    pub id: Pointer,
}

/// What replaces a multiplier that is missing in the last message of a round.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct WhenNull {
    /// Name of the event with the multiplier in flight.
    pub event: Option<String>,
    /// Filters that such a message must match.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Where the multiplier is in that message; by default, where it is in the last one.
    pub value: Option<Pointer>,
    /// The multiplier of a round that was observed from its start and had none in flight.
    pub otherwise: Option<Multiplier>,
}

/// A checked rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its key in the configuration, for messages: `feed.rounds[0]`.
    pub key: String,
    /// Which messages it applies to.
    pub when: Condition,
    /// The list and its order, if it applies to lists.
    pub list: Option<(Pointer, Order)>,
    /// The options as written.
    pub options: RuleOptions,
    /// Which messages hold the multiplier in flight, and where.
    pub tick: Option<(Condition, Pointer)>,
    /// Which messages hold the id of the next round, and where.
    pub id_rule: Option<(Condition, Pointer)>,
}

/// A conjunction of filters.
#[derive(Clone, Debug)]
pub struct Condition(Vec<Filter>);

impl Condition {
    /// Creates the condition that the event is named `event`, if given, and that all `filters` match.
    pub fn new(event: Option<&String>, filters: &[Filter]) -> Self {
        Self(event.map(|name| Filter::event(name)).into_iter().chain(filters.to_vec()).collect())
    }

    /// Returns whether it holds for `message`.
    pub fn holds(&self, message: &Value) -> bool {
        self.unmet(message).is_none()
    }

    /// Returns the pointers of the filters.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().map(|filter| &filter.pointer)
    }

    /// Returns the first filter that does not match `message`.
    pub fn unmet(&self, message: &Value) -> Option<&Filter> {
        self.0.iter().find(|filter| !filter.holds(message))
    }
}

impl RuleOptions {
    /// Returns a rule for every message, with the multiplier at `value`.
    pub fn at(value: Pointer) -> Self {
        Self {
            event: None,
            filters: Vec::new(),
            list: None,
            order: None,
            value,
            scale: Scale::default(),
            below_one: BelowOne::default(),
            id: None,
            id_from: None,
            time: None,
            time_format: TimeFormat::default(),
            when_null: None,
            detail: BTreeMap::new(),
        }
    }

    /// Checks that the keys are consistent. `order` is the default order of lists.
    ///
    /// # Errors
    ///
    /// Two keys exclude each other, or one needs another; the error names them.
    pub fn check(self, index: usize, order: Order) -> Result<Rule, ConfigError> {
        let key = format!("feed.rounds[{index}]");
        let wrong =
            |name: &str, problem: &str| Err(ConfigError::key(format!("{key}.{name}"), problem));
        if self.list.is_some() {
            let single = [
                ("id_from", self.id_from.is_some()),
                ("time", self.time.is_some()),
                ("when_null", self.when_null.is_some()),
                ("detail", !self.detail.is_empty()),
            ];
            if let Some((name, _)) = single.iter().find(|(_, is_given)| *is_given) {
                return wrong(
                    name,
                    "belongs to rounds that arrive one by one; a rule with `list` keeps multipliers and ids: leave it out",
                );
            }
        } else if self.order.is_some() {
            return wrong("order", "orders a list: give `list`, or leave it out");
        }
        if self.id.is_some() && self.id_from.is_some() {
            return wrong("id_from", "excludes `id`: keep the one that the feed has");
        }
        if self.time.is_none() && self.time_format != TimeFormat::default() {
            return wrong("time_format", "is the format of `time`: give `time`, or leave it out");
        }
        let tick = self.when_null.as_ref().and_then(|null| {
            let has_tick = null.event.is_some() || !null.filters.is_empty();
            let value = null.value.clone().unwrap_or_else(|| self.value.clone());
            has_tick.then(|| (Condition::new(null.event.as_ref(), &null.filters), value))
        });
        if tick.is_none() && self.when_null.as_ref().is_some_and(|null| null.otherwise.is_none()) {
            return wrong(
                "when_null",
                "says nothing: give `filters` or `event` of the messages in flight, or `otherwise = 1.0`",
            );
        }
        let id_rule = self
            .id_from
            .as_ref()
            .map(|from| (Condition::new(from.event.as_ref(), &from.filters), from.id.clone()));
        Ok(Rule {
            when: Condition::new(self.event.as_ref(), &self.filters),
            list: self.list.clone().map(|list| (list, self.order.unwrap_or(order))),
            key,
            options: self,
            tick,
            id_rule,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str) -> Result<Rule, String> {
        let options: RuleOptions =
            toml::from_str(toml).map_err(|error| error.message().to_owned())?;
        options.check(3, Order::NewestFirst).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refused(toml: &str, expected: &str) {
        assert_eq!(check(toml).unwrap_err(), expected);
    }

    #[test]
    fn keys_that_exclude_each_other_are_reported() {
        for (key, line) in [
            ("id_from", "id_from = { event = \"game_starting\", id = \"/1/game_id\" }"),
            ("time", "time = \"/at\""),
            ("when_null", "when_null = { otherwise = 1.0 }"),
            ("detail", "detail = { hash = \"/hash\" }"),
        ] {
            refused(
                &format!("value = \"/x\"\nlist = \"/rows\"\n{line}"),
                &format!(
                    "feed.rounds[3].{key}: belongs to rounds that arrive one by one; a rule with `list` keeps multipliers and ids: leave it out"
                ),
            );
        }
        refused(
            "value = \"/x\"\nid = \"/id\"\nid_from = { id = \"/1/game_id\" }",
            "feed.rounds[3].id_from: excludes `id`: keep the one that the feed has",
        );
    }

    #[test]
    fn a_key_that_needs_another_is_reported_with_it() {
        refused(
            "value = \"\"\norder = \"oldest-first\"",
            "feed.rounds[3].order: orders a list: give `list`, or leave it out",
        );
        refused(
            "value = \"\"\ntime_format = \"unix_ms\"",
            "feed.rounds[3].time_format: is the format of `time`: give `time`, or leave it out",
        );
        assert!(check("value = \"\"\nwhen_null = {}").unwrap_err().contains("says nothing"));
        refused("event = \"crash\"", "missing field `value`");
        refused(
            "value = \"/x\"\nvalues = 1",
            "unknown field `values`, expected one of `event`, `filters`, `list`, `order`, `value`, `scale`, `below_one`, `id`, `id_from`, `time`, `time_format`, `when_null`, `detail`",
        );
    }

    #[test]
    fn a_list_has_the_order_of_its_rule_or_else_that_of_the_collector() {
        let order = |toml| check(toml).unwrap().list.map(|(_, order)| order);
        assert_eq!(order("value = \"\"\nlist = \"\""), Some(Order::NewestFirst));
        assert_eq!(
            order("value = \"\"\nlist = \"\"\norder = \"oldest-first\""),
            Some(Order::OldestFirst)
        );
        assert_eq!(order("value = \"\""), None);
    }
}
