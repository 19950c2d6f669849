//! The metrics, and what each event adds to them.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use prometheus::{
    CounterVec, Encoder as _, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TextEncoder,
};
use tapelog::convert::Flat;

use crate::batch::{Event, RunKey};
use crate::time;

/// One metric keeps so many values of a label; the rest is counted under `other`.
const MOST_VALUES: usize = 500;
/// From a tenth of a millisecond to ten seconds.
const BUCKETS: [f64; 15] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The labels of what one process says of itself.
const PROCESS: [&str; 3] = ["service", "session_id", "pid"];

/// See the module.
pub(super) struct Metrics {
    registry: Registry,
    events: CounterVec,
    last_event: GaugeVec,
    lost: CounterVec,
    decisions: HistogramVec,
    operations: HistogramVec,
    percentiles: GaugeVec,
    calls: CounterVec,
    call_durations: HistogramVec,
    exits: CounterVec,
    stream_heard: GaugeVec,
    connected: GaugeVec,
    heartbeat_at: GaugeVec,
    heartbeat_age: GaugeVec,
    process: HashMap<&'static str, GaugeVec>,
    ship_up: GaugeVec,
    follow_lag: GaugeVec,
    /// Heartbeats of runs that have not ended: labels and time.
    alive: HashMap<[String; 3], f64>,
    /// Streams and connections by run, to forget them with it.
    streams: HashMap<[String; 3], HashSet<String>>,
    values: HashMap<&'static str, HashSet<String>>,
}

/// What the heartbeat says of its process: field, metric, help, factor to base units.
const GAUGES: [(&str, &str, &str, f64); 5] = [
    ("threads_alive", "tapelog_threads_alive", "Threads that are alive.", 1.0),
    ("threads_stalled", "tapelog_threads_stalled", "Threads without progress.", 1.0),
    ("decisions_open", "tapelog_decisions_open", "Decisions that have begun and not ended.", 1.0),
    ("decisions_stalled", "tapelog_decisions_stalled", "Decisions without progress.", 1.0),
    ("stats.writer_lag_ms", "tapelog_writer_lag_seconds", "How far the writer is behind the engine.", 1e-3),
];
const RING_FILL: (&str, &str, &str, f64) =
    ("stats.ring_fill_percent", "tapelog_ring_fill_ratio", "How full the fullest ring is.", 1e-2);

impl Metrics {
    pub(super) fn new() -> Self {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, GaugeVec::new(Opts::new(name, help), labels))
        };
        let counter = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, CounterVec::new(Opts::new(name, help), labels))
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            let opts = HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
            register(&registry, HistogramVec::new(opts, labels))
        };
        let process = GAUGES
            .iter()
            .chain([&RING_FILL])
            .map(|(field, name, help, _)| (*field, gauge(name, help, &PROCESS)))
            .collect();
        Self {
            events: counter(
                "tapelog_events_total",
                "Events recorded.",
                &["service", "stream", "event_type", "level"],
            ),
            last_event: gauge(
                "tapelog_last_event_timestamp_seconds",
                "When the newest event of a type was recorded.",
                &["service", "event_type"],
            ),
            lost: counter(
                "tapelog_records_lost_total",
                "Records that RECORDS_LOST says were lost.",
                &["service"],
            ),
            decisions: histogram(
                "tapelog_decision_duration_seconds",
                "How long decisions took.",
                &["service", "function", "outcome"],
            ),
            operations: histogram(
                "tapelog_operation_duration_seconds",
                "How long operations took, of the calls that were recorded one by one.",
                &["service", "operation"],
            ),
            percentiles: gauge(
                "tapelog_operation_percentile_seconds",
                "How long all calls took, by the newest PERFORMANCE_SUMMARY.",
                &["service", "operation", "percentile"],
            ),
            calls: counter(
                "tapelog_api_calls_total",
                "Calls of an API that were answered, or failed.",
                &["service", "api", "result"],
            ),
            call_durations: histogram(
                "tapelog_api_call_duration_seconds",
                "How long calls of an API took until they were answered.",
                &["service", "api"],
            ),
            exits: counter(
                "tapelog_exits_total",
                "Exits from positions; `error` is their reason.",
                &["service", "reason"],
            ),
            stream_heard: gauge(
                "tapelog_stream_heartbeat_timestamp_seconds",
                "When a price stream was last heard.",
                &["service", "session_id", "pid", "stream"],
            ),
            connected: gauge(
                "tapelog_websocket_connected",
                "Whether a WebSocket is connected.",
                &["service", "session_id", "pid", "stream"],
            ),
            heartbeat_at: gauge(
                "tapelog_heartbeat_timestamp_seconds",
                "When a process that has not ended last had a heartbeat.",
                &PROCESS,
            ),
            heartbeat_age: gauge(
                "tapelog_heartbeat_age_seconds",
                "How long ago a process that has not ended last had a heartbeat.",
                &PROCESS,
            ),
            ship_up: gauge(
                "tapelog_ship_up",
                "Whether a destination that the engine itself ships to takes events.",
                &["service", "destination"],
            ),
            follow_lag: gauge(
                "tapelog_follow_lag_seconds",
                "How old the newest event was when it was counted.",
                &["service"],
            ),
            process,
            registry: registry.clone(),
            alive: HashMap::new(),
            streams: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// Prometheus' text format.
    pub(super) fn text(&self) -> String {
        let now = seconds(SystemTime::now());
        for (labels, at) in &self.alive {
            self.heartbeat_age
                .with_label_values(&labels.each_ref().map(String::as_str))
                .set((now - at).max(0.0));
        }
        let mut out = Vec::new();
        // A buffer takes everything, and the metrics were checked when they were made.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Adds an event.
    pub(super) fn count(&mut self, run: &RunKey, event: &Event) {
        let Some(flat) = Flat::parse(&event.line) else { return };
        let (kind, service) = (flat.text("event_type"), run.service.as_str());
        let at = recorded_at(&flat);
        let stream = event.stream.rsplit('/').next().unwrap_or(&event.stream);
        let stream = stream.split('.').next().unwrap_or(stream).to_owned();
        let known = self.bounded("event_type", &kind);
        self.first_of(service);
        self.events.with_label_values(&[service, &stream, &known, &flat.text("level")]).inc();
        if let Some(at) = at {
            self.last_event.with_label_values(&[service, &known]).set(at);
            self.follow_lag.with_label_values(&[service]).set((seconds(SystemTime::now()) - at).max(0.0));
        }
        let process = [run.service.clone(), run.session.clone(), run.pid.to_string()];
        match kind.as_str() {
            "RECORDS_LOST" => {
                self.lost.with_label_values(&[service]).inc_by(number(&flat, "lost").unwrap_or(0.0))
            }
            "DECISION_END" => {
                let function = self.bounded("function", &flat.text("function"));
                observe(
                    &self.decisions.with_label_values(&[service, &function, &flat.text("outcome")]),
                    &flat,
                    "duration_ms",
                );
            }
            "PERFORMANCE" | "PERFORMANCE_SLOW" => {
                let operation = self.bounded("operation", &flat.text("operation"));
                observe(
                    &self.operations.with_label_values(&[service, &operation]),
                    &flat,
                    "execution_time_ms",
                );
            }
            "PERFORMANCE_SUMMARY" => {
                let operation = self.bounded("operation", &flat.text("operation"));
                for (field, percentile) in [
                    ("p50_ms", "50"),
                    ("p90_ms", "90"),
                    ("p99_ms", "99"),
                    ("p999_ms", "99.9"),
                    ("max_ms", "100"),
                ] {
                    if let Some(ms) = number(&flat, field) {
                        self.percentiles.with_label_values(&[service, &operation, percentile]).set(ms / 1e3);
                    }
                }
            }
            "API_RESPONSE" | "API_FAILED" => {
                let api = self.bounded("api", &flat.text("api"));
                let failed = kind == "API_FAILED"
                    || number(&flat, "http_status").is_some_and(|status| status >= 400.0);
                self.calls.with_label_values(&[service, &api, if failed { "failed" } else { "ok" }]).inc();
                observe(&self.call_durations.with_label_values(&[service, &api]), &flat, "latency_ms");
            }
            "SHUTDOWN_HEARTBEAT" => self.heartbeat(process, &flat, at),
            "RUN_ENDED" => self.forget(&process),
            "RUN_ENDED_UNCLEANLY" => {
                // Whoever recovers it may be of another service: the run directory says which process it was.
                let (dir, session) = (flat.text("run_dir"), flat.text("previous_session"));
                let pid = dir.rsplit('/').next().unwrap_or_default();
                let is_it = |of: &&[String; 3]| of[1] == session && of[2] == pid;
                let gone: Vec<_> =
                    self.alive.keys().chain(self.streams.keys()).filter(is_it).cloned().collect();
                gone.iter().for_each(|process| self.forget(process));
            }
            "SHIP_FAILED" | "SHIP_RECOVERED" => {
                let up = f64::from(u8::from(kind == "SHIP_RECOVERED"));
                self.ship_up.with_label_values(&[service, &flat.text("destination")]).set(up);
            }
            name if name.starts_with("EXIT_") || name == "SELL_TRIGGERED" || name == "POSITION_CLOSED" => {
                let error = flat.text("reason") == "error" || flat.text("exit_reason") == "error";
                self.exits.with_label_values(&[service, if error { "error" } else { "other" }]).inc();
            }
            name => self.stream(process, name, &flat, at),
        }
    }

    /// Counters that alerts look at are there, as 0, from the first event of a service on: an increase that begins with the
    /// first sample is none.
    fn first_of(&mut self, service: &str) {
        if !self.values.entry("service").or_default().insert(service.to_owned()) {
            return;
        }
        self.lost.with_label_values(&[service]);
        self.exits.with_label_values(&[service, "error"]);
        self.exits.with_label_values(&[service, "other"]);
        for kind in ["ORDER_CONTEXT", "ORDER_FAILED"] {
            let level = if kind == "ORDER_FAILED" { "error" } else { "info" };
            self.events.with_label_values(&[service, "orders", kind, level]);
        }
    }

    fn heartbeat(&mut self, process: [String; 3], flat: &Flat<'_>, at: Option<f64>) {
        let labels = process.each_ref().map(String::as_str);
        let stats: serde_json::Value =
            flat.get("stats").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        for (field, _, _, factor) in GAUGES.iter().chain([&RING_FILL]) {
            let value = match field.strip_prefix("stats.") {
                Some(key) => stats[key].as_f64(),
                None => number(flat, field),
            };
            if let (Some(value), Some(gauge)) = (value, self.process.get(field)) {
                gauge.with_label_values(&labels).set(value * factor);
            }
        }
        if let Some(at) = at {
            self.heartbeat_at.with_label_values(&labels).set(at);
            self.alive.insert(process, at);
        }
    }

    /// Price streams and WebSockets.
    fn stream(&mut self, process: [String; 3], name: &str, flat: &Flat<'_>, at: Option<f64>) {
        let beats = name.ends_with("_HEARTBEAT") || matches!(name, "WS_LIVENESS" | "WS_PING" | "WS_PONG");
        let heard = beats && flat.get("alive") != Some("false");
        let connected = match name {
            "WS_CONNECTED" => Some(1.0),
            "WS_DISCONNECTED" => Some(0.0),
            _ => None,
        };
        if !heard && connected.is_none() {
            return;
        }
        let of =
            ["connection", "stream", "venue"].iter().map(|key| flat.text(key)).find(|text| !text.is_empty());
        let stream = self.bounded("stream", &of.unwrap_or_else(|| name.to_owned()));
        let labels = [process[0].as_str(), &process[1], &process[2], &stream];
        if let (true, Some(at)) = (heard || connected == Some(1.0), at) {
            self.stream_heard.with_label_values(&labels).set(at);
        }
        if let Some(connected) = connected {
            self.connected.with_label_values(&labels).set(connected);
        }
        self.streams.entry(process).or_default().insert(stream);
    }

    /// A process that ended has no age.
    fn forget(&mut self, process: &[String; 3]) {
        let labels = process.each_ref().map(String::as_str);
        self.alive.remove(process);
        // What was never there cannot be removed: fine.
        for gauge in self.process.values().chain([&self.heartbeat_at, &self.heartbeat_age]) {
            let _ = gauge.remove_label_values(&labels);
        }
        for stream in self.streams.remove(process).into_iter().flatten() {
            let labels = [labels[0], labels[1], labels[2], &stream];
            let _ = self.stream_heard.remove_label_values(&labels);
            let _ = self.connected.remove_label_values(&labels);
        }
    }

    /// A label's value, unless there are too many of them.
    fn bounded(&mut self, label: &'static str, value: &str) -> String {
        let known = self.values.entry(label).or_default();
        if known.contains(value) || (known.len() < MOST_VALUES && known.insert(value.to_owned())) {
            return value.to_owned();
        }
        "other".to_owned()
    }
}

fn register<M: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    made: prometheus::Result<M>,
) -> M {
    let metric = made.expect("names and labels stand above, and are valid");
    registry.register(Box::new(metric.clone())).expect("each name is registered once");
    metric
}

fn observe(histogram: &prometheus::Histogram, flat: &Flat<'_>, field: &str) {
    if let Some(ms) = number(flat, field) {
        histogram.observe(ms / 1e3);
    }
}

fn number(flat: &Flat<'_>, key: &str) -> Option<f64> {
    flat.get(key)?.parse().ok()
}

/// When it was recorded by the wall clock, in seconds since 1970.
fn recorded_at(flat: &Flat<'_>) -> Option<f64> {
    let text = flat.get("real_utc_time").or_else(|| flat.get("timestamp"))?;
    Some(time::parse(text.trim_matches('"'))? as f64 / 1e9)
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
