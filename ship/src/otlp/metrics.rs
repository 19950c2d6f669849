//! Metrics: how many events of each type, how long measured functions took, what heartbeats count.
//!
//! What a batch counts is its own (delta); what a run counts is cumulative since its session began.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};
use tapelog::convert::Flat;

use super::value;
use crate::batch::RunKey;

/// The bounds of buckets, in milliseconds: from a function that does nothing to a venue that hangs.
const BOUNDS_MS: [f64; 16] =
    [0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1_000.0, 5_000.0, 30_000.0];

/// What one event adds.
#[derive(Debug)]
pub(super) struct Points {
    at: u64,
    event_type: String,
    level: String,
    /// An operation and how long it took, in milliseconds.
    took: Option<(String, f64)>,
    /// What stands in a heartbeat or summary.
    told: Vec<Told>,
}

#[derive(Debug)]
struct Told {
    name: &'static str,
    unit: &'static str,
    /// Of a counter: since when.
    since: Option<u64>,
    attributes: Vec<KeyValue>,
    value: f64,
}

pub(super) fn points(flat: &Flat<'_>, at: u64, run: &RunKey) -> Points {
    let event_type = flat.text("event_type");
    let number = |key: &str| flat.get(key).and_then(|json| json.parse::<f64>().ok());
    let mut took = None;
    let mut told = Vec::new();
    match event_type.as_str() {
        "PERFORMANCE" | "PERFORMANCE_SLOW" => {
            took = number("execution_time_ms").map(|ms| (flat.text("operation"), ms));
        }
        "PERFORMANCE_SUMMARY" => summary(flat, began(run), &number, &mut told),
        "SHUTDOWN_HEARTBEAT" => heartbeat(flat, began(run), &mut told),
        _ => {}
    }
    Points { at, event_type, level: flat.text("level"), took, told }
}

fn summary(flat: &Flat<'_>, since: u64, number: &dyn Fn(&str) -> Option<f64>, told: &mut Vec<Told>) {
    let operation = value::text("operation", &flat.text("operation"));
    let quantiles =
        [("p50_ms", "0.5"), ("p90_ms", "0.9"), ("p99_ms", "0.99"), ("p999_ms", "0.999"), ("max_ms", "1")];
    for (key, quantile) in quantiles {
        let Some(value) = number(key) else { continue };
        let attributes = vec![operation.clone(), value::text("quantile", quantile)];
        told.push(Told { name: "tapelog.operation.quantile", unit: "ms", since: None, attributes, value });
    }
    if let Some(value) = number("count") {
        let attributes = vec![operation];
        told.push(Told {
            name: "tapelog.operation.calls",
            unit: "{call}",
            since: Some(since),
            attributes,
            value,
        });
    }
}

fn heartbeat(flat: &Flat<'_>, since: u64, told: &mut Vec<Told>) {
    let inner =
        |object: &str, key: &str| -> Option<f64> { Flat::parse(flat.get(object)?)?.get(key)?.parse().ok() };
    let own = |key: &str| flat.get(key).and_then(|json| json.parse::<f64>().ok());
    for (name, unit, value, counts) in [
        ("tapelog.records.lost", "{record}", inner("stats", "records_lost"), true),
        ("tapelog.heartbeats", "{heartbeat}", inner("stats", "heartbeats"), true),
        ("tapelog.writer.lag", "ms", inner("stats", "writer_lag_ms"), false),
        ("tapelog.ring.fill", "%", inner("stats", "ring_fill_percent"), false),
        ("tapelog.threads.alive", "{thread}", own("threads_alive"), false),
        ("tapelog.threads.stalled", "{thread}", own("threads_stalled"), false),
        ("tapelog.decisions.open", "{decision}", own("decisions_open"), false),
        ("tapelog.decisions.stalled", "{decision}", own("decisions_stalled"), false),
        ("process.memory.usage", "MiBy", inner("process", "rss_mb"), false),
        ("process.open_file_descriptor.count", "{count}", inner("process", "open_files"), false),
    ] {
        let Some(value) = value else { continue };
        told.push(Told { name, unit, since: counts.then_some(since), attributes: Vec::new(), value });
    }
}

/// When the session began, by its name, in nanoseconds since 1970; 0 where the name does not say.
fn began(run: &RunKey) -> u64 {
    let digits: String = run.session.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("00");
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    );
    crate::time::parse(&text).and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or(0)
}

/// All points of a batch, as metrics.
pub(super) fn metrics<'a>(points: impl Iterator<Item = &'a Points>) -> Vec<Metric> {
    let (mut first, mut last) = (u64::MAX, 0);
    let mut events: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let mut took: BTreeMap<&str, HistogramDataPoint> = BTreeMap::new();
    let mut told: BTreeMap<&str, Metric> = BTreeMap::new();
    for point in points {
        first = first.min(point.at);
        last = last.max(point.at);
        *events.entry((&point.event_type, &point.level)).or_default() += 1;
        if let Some((operation, ms)) = &point.took {
            observe(took.entry(operation).or_insert_with(|| empty(operation)), *ms);
        }
        for one in &point.told {
            tell(told.entry(one.name).or_insert_with(|| metric(one)), one, point.at);
        }
    }
    let mut metrics = Vec::new();
    if !events.is_empty() {
        let data_points = events.iter().map(|((event_type, level), count)| NumberDataPoint {
            attributes: vec![value::text("event_type", event_type), value::text("level", level)],
            start_time_unix_nano: first,
            time_unix_nano: last,
            value: Some(Value::AsInt(*count)),
            ..NumberDataPoint::default()
        });
        let sum = Sum {
            data_points: data_points.collect(),
            aggregation_temporality: AggregationTemporality::Delta.into(),
            is_monotonic: true,
        };
        metrics.push(named("tapelog.events", "{event}", "Events recorded", Data::Sum(sum)));
    }
    if !took.is_empty() {
        let data_points = took.into_values().map(|mut point| {
            point.start_time_unix_nano = first;
            point.time_unix_nano = last;
            point
        });
        let histogram = Histogram {
            data_points: data_points.collect(),
            aggregation_temporality: AggregationTemporality::Delta.into(),
        };
        let about = "How long measured functions took";
        metrics.push(named("tapelog.operation.duration", "ms", about, Data::Histogram(histogram)));
    }
    metrics.extend(told.into_values());
    metrics
}

fn named(name: &str, unit: &str, description: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        description: description.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn empty(operation: &str) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: vec![value::text("operation", operation)],
        bucket_counts: vec![0; BOUNDS_MS.len() + 1],
        explicit_bounds: BOUNDS_MS.to_vec(),
        ..HistogramDataPoint::default()
    }
}

fn observe(point: &mut HistogramDataPoint, ms: f64) {
    // A bucket holds what is not above its bound.
    let bucket = BOUNDS_MS.partition_point(|bound| *bound < ms);
    point.bucket_counts[bucket] += 1;
    point.count += 1;
    point.sum = Some(point.sum.unwrap_or(0.0) + ms);
    point.min = Some(point.min.map_or(ms, |min| min.min(ms)));
    point.max = Some(point.max.map_or(ms, |max| max.max(ms)));
}

fn metric(one: &Told) -> Metric {
    let data = match one.since {
        Some(_) => Data::Sum(Sum {
            data_points: Vec::new(),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        }),
        None => Data::Gauge(Gauge { data_points: Vec::new() }),
    };
    named(one.name, one.unit, "", data)
}

fn tell(metric: &mut Metric, one: &Told, at: u64) {
    let value =
        if one.value.fract() == 0.0 { Value::AsInt(one.value as i64) } else { Value::AsDouble(one.value) };
    // One metric has one type of number: only counters are whole.
    let value = if one.since.is_some() { value } else { Value::AsDouble(one.value) };
    let point = NumberDataPoint {
        attributes: one.attributes.clone(),
        start_time_unix_nano: one.since.unwrap_or(0),
        time_unix_nano: at,
        value: Some(value),
        ..NumberDataPoint::default()
    };
    match &mut metric.data {
        Some(Data::Sum(sum)) => sum.data_points.push(point),
        Some(Data::Gauge(gauge)) => gauge.data_points.push(point),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_is_not_above_its_bound() {
        let mut point = empty("f");
        for ms in [0.0005, 0.001, 0.0011, 99_999.0] {
            observe(&mut point, ms);
        }
        assert_eq!((point.bucket_counts[0], point.bucket_counts[1]), (2, 1));
        assert_eq!((point.bucket_counts[BOUNDS_MS.len()], point.count), (1, 4));
    }

    #[test]
    fn a_session_says_when_it_began() {
        let run =
            |session: &str| RunKey { session: session.into(), pid: 1, service: "s".into(), host: "h".into() };
        assert_eq!(began(&run("session_19700101_000001")), 1_000_000_000);
        assert_eq!(began(&run("mine")), 0);
    }
}
