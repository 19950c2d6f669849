//! What is recorded, and where: component logs, error codes, levels and samplings, changed while the engine runs.
//!
//! One recorder to a process, so one test: the scenarios run one after the other, and then their lines are read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::error::Error;
use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tapelog::errors::codes::{EXEC_001, EXEC_005};
use tapelog::events::{BUY_CANDIDATE, CycleStarted};
use tapelog::logging::{self, Logging, Sampling};
use tapelog::{Component, Recorder, error, event, log};
use tapelog_tests::{Folder, lines, of_type, runs};

const MONITOR: Component = Component::new("position_monitor");

mod services {
    pub(crate) mod execution {
        pub(crate) fn place() {
            tapelog::log!(info, "placed");
        }
    }
}

tapelog::errors! {
    VEN_001: "VEN-001", low, "the venue answers slowly";
}

#[derive(Debug)]
struct NotSent(std::num::ParseIntError);

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the order was not sent")
    }
}

impl Error for NotSent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

tapelog::events! {
    MARKET_TICK: log "market", debug, strategy;
}

fn ticks(count: u32) {
    for n in 0..count {
        event!(MARKET_TICK, n);
        event!(BUY_CANDIDATE, n);
        event!(CycleStarted { cycle: u64::from(n), .. });
    }
}

#[test]
fn levels_samplings_and_files_are_those_that_were_asked_for() {
    let folder = Folder::new("logging");
    let file = folder.path().join("logging.toml");
    fs::write(&file, "level = \"debug\"\n[targets]\nmarket = { every = 10 }\nCYCLE_STARTED = \"off\"\n")
        .unwrap();
    let logging = Logging::watch_file(&file).unwrap();
    let tape =
        Recorder::builder("logging").root(folder.path().join("logs")).logging(logging).start().unwrap();
    components();
    errors();
    // S3-019: one in ten of the market, all of what is audited, none of the cycles.
    ticks(100);
    tape.flush().unwrap();
    // The program changes what is recorded, while it runs.
    assert!(logging::reload(&Logging::new().sample("MARKET_TICK", Sampling::every(50).first(2)).unwrap()));
    ticks(100);
    tape.flush().unwrap();
    // So does whoever edits the file; what cannot be is said, and changes nothing.
    edited(
        &file,
        "level = \"warning\"\n[targets]\nposition_monitor = \"error\"\n",
        "LOGGING_CONFIGURED",
        3,
        &folder,
    );
    ticks(10);
    log!(MONITOR, warning, "too quiet for the file");
    log!(MONITOR, error, "loud enough");
    edited(&file, "level = \"loud\"\n", "CONFIG_PROBLEM", 1, &folder);
    tape.finish().unwrap();
    check(&folder);
}

/// Writes the file and waits until the recorder has said so.
fn edited(file: &std::path::Path, text: &str, event_type: &str, count: usize, folder: &Folder) {
    fs::write(file, text).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let run = &runs(&folder.path().join("logs"))[0];
    while fs::read_to_string(run.join("audit.jsonl")).unwrap().matches(&format!("\"{event_type}\"")).count()
        < count
    {
        assert!(Instant::now() < deadline, "the file is not read again");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn components() {
    // S2-011
    log!(MONITOR, debug, trigger_source = "fill", positions_count = 3, "positions updated");
    services::execution::place();
    let symbol = "BTC/USDT";
    log!(warning, "no quote of {symbol}");
}

fn errors() {
    let not_sent = NotSent("x".parse::<u32>().unwrap_err());
    error!(EXEC_001, from = &not_sent, order_id = "o-1", "placing {order_id}");
    let boxed: Box<dyn Error> = Box::new(NotSent("y".parse::<u32>().unwrap_err()));
    error!(EXEC_005, from = boxed);
    error!(VEN_001, from = "a text", venue = "binance");
    error!(VEN_001);
}

fn check(folder: &Folder) {
    let run = &runs(&folder.path().join("logs"))[0];
    let lines = lines(run);
    let file = |name: &str| fs::read_to_string(run.join(name)).unwrap();
    // S2-003, S2-009, S2-011
    let monitor = file("position_monitor.log");
    let first: Value = serde_json::from_str(monitor.lines().next().unwrap()).unwrap();
    assert_eq!(first["message"], "positions updated");
    assert_eq!((&first["component"], &first["level"]), (&json!("position_monitor"), &json!("debug")));
    assert_eq!((&first["trigger_source"], &first["positions_count"]), (&json!("fill"), &json!(3)));
    assert!(monitor.contains("loud enough") && !monitor.contains("too quiet"), "{monitor}");
    // S1-024: the module says the service.
    assert!(file("execution.log").contains("\"message\":\"placed\""));
    assert!(file("logging.log").contains("no quote of BTC/USDT"), "the crate, where there is no module");

    // S2-036…038
    let errors = of_type(&lines, "ERROR");
    assert_eq!(errors.len(), 4);
    assert_eq!(errors[0]["message"], "EXEC-001 order execution failed: placing o-1");
    assert_eq!((&errors[0]["severity"], &errors[0]["level"]), (&json!("HIGH"), &json!("error")));
    assert_eq!(errors[0]["error"], "the order was not sent");
    assert_eq!(errors[0]["error_chain"], json!(["invalid digit found in string"]));
    assert_eq!((&errors[1]["severity"], &errors[1]["level"]), (&json!("CRITICAL"), &json!("critical")));
    assert_eq!(errors[1]["error_chain"], json!(["invalid digit found in string"]));
    assert_eq!((&errors[2]["error"], &errors[2]["level"]), (&json!("a text"), &json!("warning")));
    assert!(errors[3].get("error").is_none());
    assert_eq!(errors[3]["component"], "logging");

    // S3-019
    let numbers = |event_type: &str| -> Vec<u64> {
        of_type(&lines, event_type).iter().map(|line| line["n"].as_u64().unwrap()).collect()
    };
    let of_ten: Vec<u64> = (0..100).step_by(10).collect();
    assert_eq!(numbers("MARKET_TICK"), [of_ten, vec![0, 1, 2, 52]].concat());
    assert_eq!(numbers("BUY_CANDIDATE").len(), 210, "what is audited is never left out");
    assert_eq!(of_type(&lines, "CYCLE_STARTED").len(), 100, "off, then on, then below the level");
    let suppressed = of_type(&lines, "EVENTS_SUPPRESSED");
    let last = suppressed.iter().rfind(|line| line["suppressed_event"] == "MARKET_TICK").unwrap();
    assert_eq!(last["suppressed_total"], 90 + 96);
    let sum: u64 = suppressed.iter().map(|line| line["suppressed"].as_u64().unwrap()).sum();
    assert_eq!(sum, 186);

    let configured = of_type(&lines, "LOGGING_CONFIGURED");
    assert_eq!(configured.len(), 3);
    assert!(configured[0]["origin"].as_str().unwrap().ends_with("logging.toml"));
    assert_eq!(configured[1]["origin"], "the program");
    assert_eq!(configured[2]["logging_levels"], json!({"all": "warning", "position_monitor": "error"}));
    let problem = of_type(&lines, "CONFIG_PROBLEM")[0];
    let says = problem["problem"].as_str().unwrap();
    assert!(says.contains("logging.toml`, line 1: `level`: `loud` is no level"), "{says}");
}
