//! Runs of real engines through a real collector (rotel), decoded with OpenTelemetry's own messages.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::Value;
use support::sink::{Request, Sink};
use support::{Folder, all_lines, free_port, python, recorded};
use tapelog_ship::{Shipper, Summary};

/// Not a test: the engine of the others, in a process of its own.
#[test]
fn engine() {
    support::be_the_engine();
}

const PATIENCE: Duration = Duration::from_secs(30);

fn ship(root: &Folder, address: &str) -> Summary {
    let destination = tapelog_ship::destination(address).unwrap();
    Shipper::new(root.path(), destination).unwrap().once(PATIENCE).unwrap().clone()
}

fn logs(requests: &[Request]) -> Vec<LogRecord> {
    let requests = requests.iter().filter(|request| request.path == "/v1/logs");
    requests
        .flat_map(|request| ExportLogsServiceRequest::decode(&request.body[..]).unwrap().resource_logs)
        .flat_map(|resource| resource.scope_logs)
        .flat_map(|scope| scope.log_records)
        .collect()
}

fn spans(requests: &[Request]) -> Vec<Span> {
    let requests = requests.iter().filter(|request| request.path == "/v1/traces");
    requests
        .flat_map(|request| ExportTraceServiceRequest::decode(&request.body[..]).unwrap().resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

fn int(attributes: &[KeyValue], key: &str) -> Option<i64> {
    match attributes.iter().find(|one| one.key == key)?.value.as_ref()?.value.as_ref()? {
        Any::IntValue(number) => Some(*number),
        _ => None,
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match attributes.iter().find(|one| one.key == key)?.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The collector, which sends on to a sink.
struct Rotel {
    port: u16,
    child: Child,
}

impl Rotel {
    fn start(sink: &Sink) -> Self {
        let found = python("rotel", "pip install rotel")
            .args(["-c", "import rotel, pathlib; print(pathlib.Path(rotel.__file__).parent / 'rotel-agent')"])
            .output()
            .unwrap();
        let agent = String::from_utf8(found.stdout).unwrap();
        let (port, grpc) = (free_port(), free_port());
        let child = Command::new(agent.trim())
            .args(["start", "--exporter", "otlp", "--otlp-exporter-protocol", "http"])
            .args(["--otlp-exporter-endpoint", &format!("http://127.0.0.1:{}", sink.port)])
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{port}")])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args(["--batch-timeout", "200ms"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "rotel does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { port, child }
    }
}

impl Drop for Rotel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every event is a log record in its decision's trace; a decision is a span with its functions below it; nothing is lost on
/// the way through a real collector.
#[test]
fn a_run_arrives_whole_through_a_real_collector() {
    let root = Folder::new("rotel");
    recorded(root.path(), 200);
    let lines: Vec<Value> =
        all_lines(root.path()).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sink = Sink::start(|_| None);
    let rotel = Rotel::start(&sink);
    let summary = ship(&root, &format!("otlp://127.0.0.1:{}", rotel.port));
    assert_eq!((summary.events as usize, summary.rejected), (lines.len(), 0));
    let end = Instant::now() + PATIENCE;
    while logs(&sink.requests()).len() < lines.len() || spans(&sink.requests()).len() < 220 {
        assert!(Instant::now() < end, "{} of {} records", logs(&sink.requests()).len(), lines.len());
        std::thread::sleep(Duration::from_millis(50));
    }
    let requests = sink.requests();
    let records: BTreeMap<i64, LogRecord> =
        logs(&requests).into_iter().map(|record| (int(&record.attributes, "seq").unwrap(), record)).collect();
    assert_eq!(records.len(), lines.len());
    for line in &lines {
        let record = &records[&line["seq"].as_i64().unwrap()];
        let time = line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(i128::from(record.time_unix_nano), time.as_nanosecond());
        assert_eq!(record.event_name, line["event_type"].as_str().unwrap_or_default());
        assert_eq!(record.severity_text, line["level"].as_str().unwrap().to_uppercase());
        if let Some(id) = line["decision_id"].as_str() {
            let trace = tapelog::w3c::trace_id_of(id.parse().unwrap()).to_string();
            assert_eq!(hex(&record.trace_id), trace, "design §7");
        }
    }
    let spans = spans(&requests);
    let decisions: Vec<&Span> = spans.iter().filter(|span| span.name.contains("decision")).collect();
    assert_eq!(decisions.len(), 200);
    assert!(
        decisions.iter().all(|span| span.parent_span_id.is_empty() && int(&span.attributes, "i").is_some())
    );
    let ids: BTreeMap<&[u8], &[u8]> =
        decisions.iter().map(|span| (span.span_id.as_slice(), span.trace_id.as_slice())).collect();
    let measured: Vec<&Span> = spans.iter().filter(|span| span.name == "measured").collect();
    assert_eq!(measured.len(), 20);
    for span in measured {
        assert_eq!(ids[span.parent_span_id.as_slice()], span.trace_id, "a function is below its decision");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    }
    let metrics: Vec<_> = requests
        .iter()
        .filter(|request| request.path == "/v1/metrics")
        .flat_map(|request| ExportMetricsServiceRequest::decode(&request.body[..]).unwrap().resource_metrics)
        .flat_map(|resource| resource.scope_metrics)
        .flat_map(|scope| scope.metrics)
        .collect();
    let took: u64 = metrics
        .iter()
        .filter(|metric| metric.name == "tapelog.operation.duration")
        .filter_map(|metric| match metric.data.as_ref()? {
            Data::Histogram(histogram) => {
                Some(histogram.data_points.iter().map(|point| point.count).sum::<u64>())
            }
            _ => None,
        })
        .sum();
    assert_eq!(took, 20);
    assert!(metrics.iter().any(|metric| metric.name == "tapelog.records.lost"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Attempts below their decision, with what their contexts said.
#[test]
fn an_attempt_is_a_span_below_its_decision_with_what_its_context_said() {
    let root = Folder::new("attempts");
    {
        let tape = tapelog::Recorder::builder("engine").root(root.path()).start().unwrap();
        let _ = decide();
        tape.finish().unwrap();
    }
    let sink = Sink::start(|_| None);
    ship(&root, &format!("otlp://127.0.0.1:{}", sink.port));
    let spans = spans(&sink.requests());
    let decision = spans.iter().find(|span| span.name.contains("decide")).unwrap();
    let attempt = spans.iter().find(|span| span.name.starts_with("attempt 1")).unwrap();
    assert_eq!(attempt.parent_span_id, decision.span_id);
    assert_eq!(attempt.trace_id, decision.trace_id);
    assert_eq!(text(&attempt.attributes, "tif"), Some("IOC"), "of ORDER_CONTEXT");
    assert_eq!(text(&attempt.attributes, "outcome"), Some("accepted"), "of the end");
    // The log records of the attempt are in its span.
    let records = logs(&sink.requests());
    for name in ["ORDER_CONTEXT", "ORDER_SUBMITTED"] {
        let record = records.iter().find(|record| record.event_name == name).unwrap();
        assert_eq!(record.span_id, attempt.span_id, "{name}");
    }
}

#[tapelog::decision(kind = "buy")]
fn decide() -> Result<(), String> {
    place("BTC/USDT", "buy", 0.5)
}

#[tapelog::order_context(
    intent_id = "intent-1", limit_px = 10.5, quote_budget = none, notional = none, tif = "IOC", slippage_bps = none,
    min_notional = none, max_retries = none, retry_backoff_ms = none
)]
fn place(symbol: &str, side: &str, qty: f64) -> Result<(), String> {
    Ok(())
}

/// The same spans have the same ids, and the kinds that have arrived are not sent again.
#[test]
fn a_collector_that_is_busy_gets_the_rest_later_and_nothing_twice() {
    let root = Folder::new("busy");
    recorded(root.path(), 50);
    let sink = Sink::scripted(vec![
        (200, "", Vec::new()),
        (503, "retry-after: 1\r\n", b"later".to_vec()),
        (429, "", Vec::new()),
    ]);
    let started = Instant::now();
    let summary = ship(&root, &format!("otlp://127.0.0.1:{}", sink.port));
    assert!(started.elapsed() >= Duration::from_secs(1), "it asked for a second");
    assert_eq!(summary.failures, 2);
    let requests = sink.requests();
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/v1/logs", "/v1/traces", "/v1/traces", "/v1/traces", "/v1/metrics"]);
    assert_eq!(requests[1].body, requests[3].body, "sent again as it was");
    assert_eq!(logs(&requests).len(), all_lines(root.path()).len());
}

#[test]
fn what_a_collector_refuses_is_found_kept_and_stops_nothing() {
    let root = Folder::new("refused");
    recorded(root.path(), 50);
    // It cannot take an event of which i is 13; it says so of the whole request.
    let sink = Sink::start(|request| {
        let records = logs(std::slice::from_ref(request));
        let poisoned = records.iter().any(|record| int(&record.attributes, "i") == Some(13));
        poisoned.then(|| (400, "", b"thirteen".to_vec()))
    });
    let summary = ship(&root, &format!("otlp://127.0.0.1:{}?signals=logs", sink.port));
    let poisoned = all_lines(root.path()).iter().filter(|line| line.contains("\"i\":13,")).count();
    assert_eq!(summary.rejected as usize, poisoned);
    let rejected = rejected(&root);
    assert_eq!(rejected.lines().count(), poisoned);
    assert!(rejected.contains("thirteen") && rejected.contains("\"i\":13"), "{rejected}");
    let seqs: BTreeSet<i64> = logs(&sink.requests())
        .iter()
        .filter(|record| int(&record.attributes, "i") != Some(13))
        .map(|record| int(&record.attributes, "seq").unwrap())
        .collect();
    assert_eq!(seqs.len(), all_lines(root.path()).len() - poisoned);
}

#[test]
fn a_partial_success_is_kept_with_the_collectors_words() {
    let root = Folder::new("partial");
    recorded(root.path(), 5);
    let partial = ExportLogsPartialSuccess { rejected_log_records: 2, error_message: "quota".to_owned() };
    let answer = ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let sink = Sink::scripted(vec![(200, "", answer)]);
    let summary = ship(&root, &format!("otlp://127.0.0.1:{}?signals=logs", sink.port));
    let all = all_lines(root.path()).len();
    assert_eq!(summary.rejected as usize, all, "it does not say which, so all are kept");
    assert!(rejected(&root).contains(&format!("refused 2 of these {all} and does not say which: quota")));
    assert_eq!(sink.requests().len(), 1, "a partial success is not sent again");
}

fn rejected(root: &Folder) -> String {
    let folders = std::fs::read_dir(root.path().join("ship")).unwrap();
    let files = folders.map(|folder| folder.unwrap().path().join("rejected.jsonl"));
    files.filter_map(|file| std::fs::read_to_string(file).ok()).collect()
}
