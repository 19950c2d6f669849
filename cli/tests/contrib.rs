//! What is in `contrib/`, with the real programs; where one is not installed, that is said and nothing is claimed.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use support::{DEC, Root};

fn contrib(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contrib").join(file)
}

fn is_there(program: &str, args: &[&str]) -> bool {
    let there = Command::new(program).args(args).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("`{program}` is not installed: its part of contrib is not tested");
    }
    there
}

fn some() -> Root {
    let root = Root::new();
    let mut run = root.run("session_20251026_123450", "ended");
    let correlated = r#""correlation_id":"trade-12345""#;
    run.event(0.0, "DECISION_START", DEC, &format!(r#"{correlated},"symbol":"BTC/USDT""#));
    for (ms, took) in [(1.0, 1.0), (2.0, 2.0), (3.0, 9.0)] {
        run.event(ms, "PERFORMANCE", DEC, &format!(r#""operation":"submit","execution_time_ms":{took}"#));
    }
    run.event(
        4.0,
        "ORDER_FILLED",
        DEC,
        &format!(r#"{correlated},"symbol":"BTC/USDT","fill_qty":0.5,"fill_price":45000.0"#),
    );
    run.event(5.0, "ERROR", "", r#""message":"first","error":"timeout""#);
    run.event(6.0, "ERROR", "", r#""message":"second","error":"refused""#);
    root
}

#[test]
fn lnav_knows_every_field_that_its_format_names() {
    if !is_there("lnav", &["--version"]) {
        return;
    }
    let root = some();
    let home = root.path.join("home");
    let formats = home.join("formats/tapelog");
    std::fs::create_dir_all(&formats).unwrap();
    std::fs::copy(contrib("lnav/tapelog.json"), formats.join("tapelog.json")).unwrap();
    let run = root.path.join("session_20251026_123450/4711");
    let lnav = |more: &[&str]| {
        let output = Command::new("lnav")
            .env("HOME", &home)
            .arg("-I")
            .arg(&home)
            .arg("-n")
            .args(more)
            .args(["decisions.jsonl", "orders.jsonl", "error.jsonl"].map(|file| run.join(file)))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = lnav(&[
        "-c",
        ";SELECT log_level, jget(log_raw_text, '/execution_time_ms') AS ms, jget(log_raw_text, '/decision_id') AS id FROM all_logs \
         WHERE log_format = 'tapelog' AND jget(log_raw_text, '/event_type') = 'PERFORMANCE' ORDER BY ms DESC LIMIT 1",
    ]);
    assert!(table.contains(DEC) && table.contains("info"), "{table}");
    let errors = lnav(&[
        "-c",
        ";SELECT count(*) AS many FROM all_logs WHERE log_level = 'error' AND log_format = 'tapelog'",
    ]);
    assert!(errors.contains('2'), "{errors}");
    let lines = lnav(&[]);
    assert!(lines.contains("ORDER_FILLED") && lines.contains("src/router.rs:105 main"), "{lines}");
}

#[test]
fn duckdb_answers_the_documented_questions_and_agrees_with_tape() {
    // S1-071…075
    if !is_there("python3", &["-c", "import duckdb, pytz"]) {
        return;
    }
    let root = some();
    // One segment is packed, as a closed one may be.
    let dir = root.path.join("session_20251026_123450/4711");
    let text = std::fs::read(dir.join("error.jsonl")).unwrap();
    std::fs::write(dir.join("error.000001.jsonl.zst"), zstd::encode_all(text.as_slice(), 1).unwrap())
        .unwrap();
    std::fs::remove_file(dir.join("error.jsonl")).unwrap();
    let script = format!(
        "import duckdb\ncon = duckdb.connect()\ncon.execute(\"SET VARIABLE tape_root = '{}'\")\ncon.execute(open('{}').read())\n\
         ask = lambda q: print(con.sql(q).fetchall())\n\
         ask(\"SELECT event_type FROM correlated('trade-12345')\")\n\
         ask(\"SELECT event_type, quantity FROM trades_of('BTC/USDT') WHERE event_type = 'ORDER_FILLED'\")\n\
         ask('SELECT * FROM average_by_service')\n\
         ask('SELECT operation, avg_ms, max_ms, calls, p99_ms FROM slowest_operations')\n\
         ask('SELECT service, level, errors, last_error FROM errors_by_service')\n",
        root.path.display(),
        contrib("duckdb/views.sql").display()
    );
    let output = Command::new("python3").args(["-c", &script]).output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = out.lines().collect();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines[0], "[('DECISION_START',), ('ORDER_FILLED',)]");
    assert!(lines[1].starts_with("[('ORDER_FILLED', 0.5)"), "{out}");
    assert_eq!(lines[2], "[('execution', 4.0, 3)]");
    assert_eq!(lines[3], "[('submit', 4.0, 9.0, 3, 8.86)]");
    assert_eq!(lines[4], "[('execution', 'ERROR', 2, 'refused')]");
    let (_, tape, _) = root.tape("query event_type=PERFORMANCE --by operation --show avg(execution_time_ms),max(execution_time_ms),count,p99(execution_time_ms) --json");
    assert_eq!(
        tape,
        "{\"operation\":\"submit\",\"avg(execution_time_ms)\":4.0,\"max(execution_time_ms)\":9.0,\"count\":3,\"p99(execution_time_ms)\":8.86}\n"
    );
    let (_, tape, _) = root.tape("query level=error --by service --show count,last(error) --json");
    assert_eq!(tape, "{\"service\":\"execution\",\"count\":2,\"last(error)\":\"refused\"}\n");
}
