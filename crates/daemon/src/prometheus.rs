//! Writes metrics in the text format of Prometheus.

mod histogram;
mod process;

use std::fmt::{Display, Write as _};

pub use histogram::Histogram;
pub use process::write_process;

/// Content type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only grows; by convention its name ends in `_total`.
    Counter,
    /// Observations counted in buckets; written with [`Histogram::write`].
    Histogram,
}

/// A page of metrics, as `GET /metrics` returns it.
#[derive(Debug, Default)]
pub struct MetricsPage {
    text: String,
}

/// A metric whose samples are being written.
#[derive(Debug)]
pub struct Metric<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl MetricsPage {
    /// Writes the lines that describe a metric and returns it for its samples.
    pub fn metric<'a>(&'a mut self, name: &'a str, kind: MetricKind, help: &str) -> Metric<'a> {
        let kind = match kind {
            MetricKind::Gauge => "gauge",
            MetricKind::Counter => "counter",
            MetricKind::Histogram => "histogram",
        };
        let text = &mut self.text;
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect(WRITABLE);
        Metric { text, name }
    }

    /// Returns the page.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Metric<'_> {
    /// Writes a sample: labels and value.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.sample_of("", labels, value)
    }

    /// Writes a sample of a part of a histogram: `suffix` is `_bucket`, `_sum` or `_count`.
    pub fn sample_of(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        value: impl Display,
    ) -> &mut Self {
        let Self { text, name } = self;
        write!(text, "{name}{suffix}").expect(WRITABLE);
        for (index, (label, value)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            write!(text, "{before}{label}=\"{}\"", escaped(value)).expect(WRITABLE);
        }
        let after = if labels.is_empty() { "" } else { "}" };
        writeln!(text, "{after} {value}").expect(WRITABLE);
        self
    }
}

const WRITABLE: &str = "writing to a string never fails";

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_follow_the_help_and_type_of_their_metric() {
        let mut page = MetricsPage::default();
        page.metric("up", MetricKind::Gauge, "1 while it runs.").sample(&[], 1);
        page.metric("rows_total", MetricKind::Counter, "Rows written.")
            .sample(&[("file", "a\"b\\c\n"), ("kind", "live")], 7);
        page.metric("took_seconds", MetricKind::Histogram, "Time taken.")
            .sample_of("_bucket", &[("le", "+Inf")], 2)
            .sample_of("_sum", &[], 0.5);
        let expected = "\
# HELP up 1 while it runs.
# TYPE up gauge
up 1
# HELP rows_total Rows written.
# TYPE rows_total counter
rows_total{file=\"a\\\"b\\\\c\\n\",kind=\"live\"} 7
# HELP took_seconds Time taken.
# TYPE took_seconds histogram
took_seconds_bucket{le=\"+Inf\"} 2
took_seconds_sum 0.5
";
        assert_eq!(page.into_text(), expected);
    }
}
