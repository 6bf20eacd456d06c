//! Observations counted in buckets.

use super::Metric;

/// A histogram. The default one has no buckets, only a count and a sum.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// Upper ends of the buckets, in ascending order.
    ends: &'static [f64],
    /// Number of observations in each bucket; those above the last end are only in `count`.
    counts: Vec<u64>,
    count: u64,
    sum: f64,
}

impl Histogram {
    /// Returns a histogram without observations; `ends` are the upper ends of its buckets, in ascending order.
    pub fn new(ends: &'static [f64]) -> Self {
        Self { ends, counts: vec![0; ends.len()], count: 0, sum: 0.0 }
    }

    /// Adds an observation.
    pub fn observe(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        let bucket = self.ends.partition_point(|&end| end < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
    }

    /// Writes the samples of a histogram with these labels.
    pub fn write(&self, metric: &mut Metric<'_>, labels: &[(&str, &str)]) {
        let mut bucket = |end: &str, within: u64| {
            metric.sample_of("_bucket", &[labels, &[("le", end)]].concat(), within);
        };
        let mut within = 0;
        for (end, count) in self.ends.iter().zip(&self.counts) {
            within += count;
            bucket(&end.to_string(), within);
        }
        bucket("+Inf", self.count);
        metric.sample_of("_sum", labels, self.sum).sample_of("_count", labels, self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MetricKind, MetricsPage};
    use super::*;

    #[test]
    fn a_bucket_counts_the_observations_up_to_its_end() {
        let mut histogram = Histogram::new(&[0.1, 1.0]);
        for value in [0.05, 0.1, 0.5, 7.0] {
            histogram.observe(value);
        }
        let mut page = MetricsPage::default();
        let mut metric = page.metric("took_seconds", MetricKind::Histogram, "Time taken.");
        histogram.write(&mut metric, &[("route", "/")]);
        let text = page.into_text();
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                "took_seconds_bucket{route=\"/\",le=\"0.1\"} 2",
                "took_seconds_bucket{route=\"/\",le=\"1\"} 3",
                "took_seconds_bucket{route=\"/\",le=\"+Inf\"} 4",
                "took_seconds_sum{route=\"/\"} 7.65",
                "took_seconds_count{route=\"/\"} 4",
            ]
        );
    }
}
