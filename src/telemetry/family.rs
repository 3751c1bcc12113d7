//! Metrics registered once, for every combination of their labels, so that what has not happened yet reads zero and is not absent.

use super::labels::Label;
use metrics::{Counter, Gauge, Histogram, Key, Label as KeyLabel, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusRecorder;
use std::marker::PhantomData;

/// Where metrics of this program say they come from.
const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// A kind of metric.
pub(super) trait Metric: Clone {
    /// Registers the metric called `name` with `labels`, described by `help`.
    fn register(recorder: &PrometheusRecorder, name: &'static str, help: &'static str, labels: Vec<KeyLabel>) -> Self;
}

impl Metric for Counter {
    fn register(recorder: &PrometheusRecorder, name: &'static str, help: &'static str, labels: Vec<KeyLabel>) -> Self {
        recorder.describe_counter(name.into(), None, help.into());
        recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
    }
}

impl Metric for Gauge {
    fn register(recorder: &PrometheusRecorder, name: &'static str, help: &'static str, labels: Vec<KeyLabel>) -> Self {
        recorder.describe_gauge(name.into(), None, help.into());
        recorder.register_gauge(&Key::from_parts(name, labels), &METADATA)
    }
}

impl Metric for Histogram {
    fn register(recorder: &PrometheusRecorder, name: &'static str, help: &'static str, labels: Vec<KeyLabel>) -> Self {
        recorder.describe_histogram(name.into(), None, help.into());
        recorder.register_histogram(&Key::from_parts(name, labels), &METADATA)
    }
}

/// A metric without labels.
pub(super) fn single<M: Metric>(recorder: &PrometheusRecorder, name: &'static str, help: &'static str) -> M {
    M::register(recorder, name, help, Vec::new())
}

/// A metric with one label.
#[derive(Debug)]
pub(super) struct Family<A, M> {
    metrics: Vec<M>,
    values: PhantomData<A>,
}

impl<A: Label, M: Metric> Family<A, M> {
    pub(super) fn new(recorder: &PrometheusRecorder, name: &'static str, help: &'static str, label: &'static str) -> Self {
        Self::with_labels(recorder, name, help, |value: A| vec![KeyLabel::from_static_parts(label, value.text())])
    }

    /// One metric for each value, with the labels that `labels` makes of it.
    pub(super) fn with_labels(
        recorder: &PrometheusRecorder,
        name: &'static str,
        help: &'static str,
        labels: impl Fn(A) -> Vec<KeyLabel>,
    ) -> Self {
        let one = |value: A| M::register(recorder, name, help, labels(value));
        Self { metrics: A::all().iter().copied().map(one).collect(), values: PhantomData }
    }

    /// The metric of `value`; there is one for each.
    pub(super) fn of(&self, value: A) -> Option<&M> {
        self.metrics.get(place(value))
    }
}

/// A metric with two labels.
#[derive(Debug)]
pub(super) struct Family2<A, B, M> {
    rows: Vec<Family<B, M>>,
    values: PhantomData<A>,
}

impl<A: Label, B: Label, M: Metric> Family2<A, B, M> {
    pub(super) fn new(recorder: &PrometheusRecorder, name: &'static str, help: &'static str, labels: [&'static str; 2]) -> Self {
        let pair = |a: A, b: B| vec![KeyLabel::from_static_parts(labels[0], a.text()), KeyLabel::from_static_parts(labels[1], b.text())];
        let row = |a: A| B::all().iter().copied().map(|b| M::register(recorder, name, help, pair(a, b))).collect();
        let rows = A::all().iter().copied().map(|a| Family { metrics: row(a), values: PhantomData }).collect();
        Self { rows, values: PhantomData }
    }

    /// The metric of `a` and `b`; there is one for each pair.
    pub(super) fn of(&self, a: A, b: B) -> Option<&M> {
        self.rows.get(place(a)).and_then(|row| row.of(b))
    }
}

/// Where a value is in its list. The lists are short, so looking is as fast as a table.
fn place<L: Label>(value: L) -> usize {
    L::all().iter().position(|other| *other == value).unwrap_or(usize::MAX)
}
