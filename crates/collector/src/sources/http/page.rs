//! Reads rounds in an HTML page.

use rounds::Multiplier;
use scraper::{ElementRef, Html, Selector};
use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;
use crate::feed::history::{self, ListEntry};
use crate::feed::parsed::{FieldError, ParsedMessage};
use crate::order::Order;

/// The `[http.html]` section: where in an entry the multiplier and the id are.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct PageOptions {
    /// CSS selector of the multiplier inside the entry; without it, the entry itself.
    pub value: Option<String>,
    /// The attribute that holds it; without it, the text.
    pub value_attribute: Option<String>,
    /// CSS selector of the id inside the entry.
    pub id: Option<String>,
    /// The attribute that holds the id, in the element that `id` selects or in the entry itself.
    pub id_attribute: Option<String>,
}

/// Reads the entries of a page.
#[derive(Debug)]
pub struct Page {
    selector: String,
    entry: Selector,
    value: ValueLocator,
    id: Option<ValueLocator>,
    order: Order,
}

/// Where a value is in an entry.
#[derive(Debug)]
struct ValueLocator {
    selector: Option<Selector>,
    attribute: Option<String>,
}

impl Page {
    /// Checks the selectors.
    ///
    /// # Errors
    ///
    /// A selector is not valid CSS; the error names its flag or key.
    pub fn new(entry: &str, options: &PageOptions, order: Order) -> Result<Self, ConfigError> {
        let locator = |key: &str, selector: Option<&String>, attribute: Option<&String>| {
            let selector = selector.map(|text| parsed(text)).transpose();
            let selector = selector
                .map_err(|problem| ConfigError::key(format!("http.html.{key}"), problem))?;
            Ok(ValueLocator { selector, attribute: attribute.cloned() })
        };
        let id = match (&options.id, &options.id_attribute) {
            (None, None) => None,
            (selector, attribute) => Some(locator("id", selector.as_ref(), attribute.as_ref())?),
        };
        Ok(Self {
            entry: parsed(entry).map_err(|problem| ConfigError::flag("selector", problem))?,
            selector: entry.to_owned(),
            value: locator("value", options.value.as_ref(), options.value_attribute.as_ref())?,
            id,
            order,
        })
    }

    /// Returns the rounds of a page.
    pub fn read(&self, text: &str) -> ParsedMessage {
        let document = Html::parse_document(text);
        let entries: Vec<ElementRef<'_>> = document.select(&self.entry).collect();
        if entries.is_empty() {
            let problem = format!(
                "{:?} matches nothing in the page of {} bytes; if your browser shows it, a script puts it there, and the browser source can read it",
                self.selector,
                text.len()
            );
            let problem = Some(FieldError { key: "--selector".to_owned(), problem });
            return ParsedMessage { is_matched: true, report: None, problem };
        }
        let newest_first = history::newest_first(&entries, self.order);
        history::read(newest_first.into_iter().map(|entry| self.list_entry(*entry)))
    }

    /// Reads one entry; an empty one is a placeholder for a round that has not ended.
    fn list_entry(&self, entry: ElementRef<'_>) -> Result<ListEntry, FieldError> {
        let wrong = |key: &str, problem: String| FieldError { key: key.to_owned(), problem };
        let text = self.value.text(entry).map_err(|problem| wrong("http.html.value", problem))?;
        if text.is_empty() {
            return Ok(ListEntry::Unfinished);
        }
        let multiplier = text.parse::<Multiplier>().map_err(|error| {
            wrong("http.html.value", format!("the text of an entry is not a multiplier: {error}"))
        })?;
        let id = match &self.id {
            Some(locator) => match locator.text(entry) {
                Ok(id) if id.is_empty() => {
                    return Err(wrong("http.html.id", "is empty in an entry".to_owned()));
                }
                Ok(id) => Some(id),
                Err(problem) => return Err(wrong("http.html.id", problem)),
            },
            None => None,
        };
        Ok(ListEntry::Round { id, multiplier })
    }
}

impl ValueLocator {
    fn text(&self, entry: ElementRef<'_>) -> Result<String, String> {
        let element = match &self.selector {
            Some(selector) => entry.select(selector).next().ok_or("matches nothing in an entry")?,
            None => entry,
        };
        let text = match &self.attribute {
            Some(name) => element
                .attr(name)
                .ok_or_else(|| format!("has no attribute {name:?} in an entry"))?
                .to_owned(),
            None => element.text().collect(),
        };
        Ok(text.trim().to_owned())
    }
}

fn parsed(text: &str) -> Result<Selector, String> {
    Selector::parse(text).map_err(|error| format!("{text:?} is not a CSS selector: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observation::Report;

    const PAGE: &str = r#"<html><body><h1>Last rounds</h1><table>
        <tr class="round" data-id="103"><td class="n">#103</td><td class="x"> 2,31x </td></tr>
        <tr class="round" data-id="102"><td class="n">#102</td><td class="x">1.00x</td></tr>
        <tr class="round" data-id="101"><td class="n">#101</td><td class="x"><b>1,090</b>.08×</td></tr>
        </table></body></html>"#;

    fn page(entry: &str, options: serde_json::Value, order: Order) -> Page {
        let options: PageOptions = serde_json::from_value(options).unwrap();
        Page::new(entry, &options, order).unwrap()
    }

    fn ids(rounds: &[(&str, &str)]) -> Report {
        let rounds = rounds.iter().map(|(id, x)| ((*id).to_owned(), x.parse().unwrap())).collect();
        Report::Ids(rounds)
    }

    fn list(rounds: &[&str]) -> Report {
        let round = |text: &&str| text.parse::<Multiplier>().unwrap().into();
        Report::List(rounds.iter().map(round).collect())
    }

    #[test]
    fn entries_are_read_with_their_ids() {
        let expected = Some(ids(&[("103", "2.31"), ("102", "1.00"), ("101", "1090.08")]));
        let options = json!({"value": ".x", "id_attribute": "data-id"});
        assert_eq!(page(".round", options, Order::NewestFirst).read(PAGE).report, expected);
        let options = json!({"value": ".x", "id": ".n"});
        let expected = Some(ids(&[("#103", "2.31"), ("#102", "1.00"), ("#101", "1090.08")]));
        assert_eq!(page(".round", options, Order::NewestFirst).read(PAGE).report, expected);
    }

    #[test]
    fn entries_without_ids_are_a_list_in_the_configured_order() {
        let read = |order| page(".round .x", json!({}), order).read(PAGE).report;
        assert_eq!(read(Order::NewestFirst), Some(list(&["2.31", "1.00", "1090.08"])));
        assert_eq!(read(Order::OldestFirst), Some(list(&["1090.08", "1.00", "2.31"])));
    }

    #[test]
    fn a_value_may_be_in_an_attribute() {
        let text = r#"<ul><li data-x="1.50"></li><li data-x="3"></li></ul>"#;
        let read = page("li", json!({"value_attribute": "data-x"}), Order::NewestFirst).read(text);
        assert_eq!(read.report, Some(list(&["1.50", "3.00"])));
    }

    #[test]
    fn a_round_in_flight_is_left_out() {
        let text = "<ul><li> </li><li>1.50x</li><li>2.00x</li></ul>";
        let read = page("li", json!({}), Order::NewestFirst).read(text);
        assert_eq!((read.report, read.problem), (Some(list(&["1.50", "2.00"])), None));
    }

    #[test]
    fn entries_older_than_an_unreadable_one_are_left_out() {
        let text = "<ul><li>1.50x</li><li>new!</li><li>2.00x</li></ul>";
        let read = page("li", json!({}), Order::NewestFirst).read(text);
        assert_eq!(read.report, Some(list(&["1.50"])));
        assert!(
            read.problem.unwrap().to_string().starts_with("http.html.value: the text of an entry")
        );
    }

    #[track_caller]
    fn problem(entry: &str, options: serde_json::Value, part: &str) {
        let read = page(entry, options, Order::NewestFirst).read(PAGE);
        assert_eq!(read.report, None);
        let problem = read.problem.unwrap().to_string();
        assert!(problem.contains(part), "{problem}");
    }

    #[test]
    fn a_selector_that_matches_nothing_is_reported() {
        problem(".payout", json!({}), "--selector: \".payout\" matches nothing in the page of");
        problem(".round", json!({"value": ".y"}), "http.html.value: matches nothing in an entry");
        problem(
            ".round",
            json!({"value": ".x", "id_attribute": "id"}),
            "http.html.id: has no attribute \"id\"",
        );
    }

    #[test]
    fn a_selector_that_is_not_css_is_refused() {
        let wrong = |entry: &str, value: Option<&str>| {
            let options = PageOptions { value: value.map(str::to_owned), ..PageOptions::default() };
            Page::new(entry, &options, Order::NewestFirst).unwrap_err().to_string()
        };
        assert!(wrong("a[", None).starts_with("--selector: \"a[\" is not a CSS selector: "));
        assert!(
            wrong("a", Some("<")).starts_with("http.html.value: \"<\" is not a CSS selector: ")
        );
    }
}
