//! Run directories written by hand, and `tape` asked about them.

// Every test file uses its own part of this.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tapelog_cli::Terminal;

/// A root that goes when the test ends.
pub(crate) struct Root {
    pub(crate) path: PathBuf,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Root {
    pub(crate) fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tape-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    /// A run of this session with status `running` (and no process: it is dead), `ended`, `recovered`.
    pub(crate) fn run(&self, session: &str, status: &str) -> Fixture {
        let dir = self.path.join(session).join("4711");
        fs::create_dir_all(&dir).unwrap();
        let end = if status == "ended" { "\"2025-10-26T12:35:00.000000000Z\"" } else { "null" };
        let manifest = format!(
            r#"{{"format":1,"oldest_reader":1,"service":"execution","mode":"paper","session_id":"{session}","pid":4711,
            "start":"2025-10-26T12:34:50.000000000Z","end":{end},"status":"{status}"}}"#
        );
        fs::write(dir.join("run.json"), manifest).unwrap();
        Fixture { dir, session: session.to_owned(), seq: 0 }
    }

    /// What `tape` answers: its exit code, stdout, stderr.
    #[track_caller]
    pub(crate) fn tape(&self, args: &str) -> (u8, String, String) {
        tape(&self.path, args)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.path).unwrap();
    }
}

#[track_caller]
pub(crate) fn tape(root: &Path, args: &str) -> (u8, String, String) {
    let mut all = vec!["tape".to_owned(), format!("--root={}", root.display())];
    all.extend(args.split_whitespace().map(str::to_owned));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = tapelog_cli::run(all, &mut out, &mut err, Terminal::none());
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// A run directory being written.
pub(crate) struct Fixture {
    pub(crate) dir: PathBuf,
    session: String,
    seq: u64,
}

/// The decision of most tests.
pub(crate) const DEC: &str = "dec_20251026_123456_abc123";

impl Fixture {
    /// Appends an event `ms` after 12:34:56 to the file where it belongs. `fields` is the inside of an object.
    pub(crate) fn event(&mut self, ms: f64, event_type: &str, decision: &str, fields: &str) -> &mut Self {
        self.seq += 1;
        let file = match event_type {
            _ if event_type.starts_with("ORDER_") => "orders.jsonl",
            "DASH_EVENT" => "dashboard.jsonl",
            "ERROR" => "error.jsonl",
            _ if event_type.ends_with("_FILLED") => "execution.jsonl",
            _ if event_type.starts_with("RUN_") => "system.jsonl",
            "RECORDS_LOST" | "CONFIG_DIFF" => "audit.jsonl",
            _ => "decisions.jsonl",
        };
        let level = match event_type {
            "ORDER_FAILED" | "ORDER_UNKNOWN" | "ERROR" | "RECORDS_LOST" => "error",
            "ORDER_REJECTED" => "warning",
            _ => "info",
        };
        let nanos = 1_000_000_000 * 56 + (ms * 1e6) as u64;
        let decision =
            if decision.is_empty() { String::new() } else { format!(r#","decision_id":"{decision}""#) };
        let (has_message, fields) = (fields.contains("\"message\":"), fields.trim_matches(','));
        let message = if has_message { "" } else { ",\"message\":\"\"" };
        let fields = if fields.is_empty() { String::new() } else { format!(",{fields}") };
        let line = format!(
            r#"{{"timestamp":"2025-10-26T12:34:{:02}.{:09}Z","level":"{level}","event_type":"{event_type}","category":"execution","service":"execution","session_id":"{}"{decision}{message}{fields},"source":"src/router.rs:{}","thread":"main","event_id":"{:08x}","seq":{}}}"#,
            nanos / 1_000_000_000,
            nanos % 1_000_000_000,
            self.session,
            100 + self.seq,
            0xabcd_0000 + self.seq,
            self.seq
        );
        self.raw(file, &format!("{line}\n"))
    }

    /// Appends text to a file.
    pub(crate) fn raw(&mut self, file: &str, text: &str) -> &mut Self {
        let path = self.dir.join(file);
        let mut all = fs::read(&path).unwrap_or_default();
        all.extend_from_slice(text.as_bytes());
        fs::write(path, all).unwrap();
        self
    }

    pub(crate) fn context(&mut self, ms: f64, decision: &str, intent: &str, attempt: u32) -> &mut Self {
        let fields = format!(
            r#""intent_id":"{intent}","symbol":"BTC/USDT","side":"buy","qty":0.001,"limit_px":45000.00,"tif":"IOC","slippage_bps":5.0,"max_retries":3,"retry_backoff_ms":250,"attempt":{attempt},"attempt_start_ts":1761482096.5"#
        );
        self.event(ms, "ORDER_CONTEXT", decision, &fields)
    }
}
