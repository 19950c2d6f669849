//! Parquet, read back by others.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::{Folder, all_lines, python, recorded};
use crate::{Ship, files_below};

/// Parquet, read by others, is what the lines say.
#[test]
fn parquet_read_by_duckdb_and_by_arrow_equals_the_lines() {
    let (root, store) = (Folder::new("parquet"), Folder::new("parquet-store"));
    recorded(root.path(), 300);
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    // Digits that no double holds, nested values, text with everything, and a run that writes whole numbers now and then.
    let last = all_lines(root.path()).len();
    let own = [
        r#""px":1234567.123456789012345,"small":1e-30,"wide":[1,{"a":"b"}],"whole":7,"text":"tab\t\"quote\" ü","big":18446744073709551615"#,
        r#""px":-0.5,"small":null,"wide":[],"whole":7.5,"text":"","big":3"#,
    ];
    let more: String = own
        .iter()
        .zip(last + 1..)
        .map(|(own, seq)| {
            format!(r#"{{"timestamp":"2026-01-02T03:04:05.123456789Z","level":"info","event_type":"OWN","session_id":"s",{own},"seq":{seq}}}"#) + "\n"
        })
        .collect();
    let mut file = fs::OpenOptions::new().append(true).open(run.dir().join("decisions.jsonl")).unwrap();
    std::io::Write::write_all(&mut file, more.as_bytes()).unwrap();
    let address = format!("file://{}?as=parquet", store.path().display());
    Ship { events: 1_000, ..Ship::new(root.path(), &address) }.runs();
    let lines: BTreeMap<u64, Value> = all_lines(root.path())
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| (event["seq"].as_u64().unwrap(), event))
        .collect();
    let folder = store.path().join("logs");
    assert!(files_below(&folder).len() > 5, "a file for each type");
    let duckdb = "import duckdb, json, sys\n\
        con = duckdb.connect()\n\
        rel = con.execute(\"SELECT * REPLACE (epoch_us(timestamp::TIMESTAMPTZ) AS timestamp) FROM read_parquet('\" + sys.argv[1] + \"/**/*.parquet', union_by_name = true, hive_partitioning = true)\")\n\
        names = [column[0] for column in rel.description]\n\
        for row in rel.fetchall(): print(json.dumps(dict(zip(names, row)), default=str))";
    let arrow = "import pyarrow.parquet as pq, pathlib, json, sys\n\
        for file in pathlib.Path(sys.argv[1]).rglob('*.parquet'):\n\
        \x20   table = pq.ParquetFile(file).read()\n\
        \x20   at = table.column_names.index('timestamp')\n\
        \x20   table = table.set_column(at, 'timestamp', table.column(at).cast('int64'))\n\
        \x20   for row in table.to_pylist(): print(json.dumps(row, default=str))";
    for (program, module, how, unit) in
        [(duckdb, "duckdb", "pip install duckdb", 1_000), (arrow, "pyarrow", "pip install pyarrow", 1)]
    {
        let output = python(module, how).args(["-c", program]).arg(&folder).output().unwrap();
        assert!(output.status.success(), "{module}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), lines.len(), "{module}");
        let digits = rows.iter().find(|row| row["seq"].as_u64() == Some(last as u64 + 1)).unwrap();
        assert_eq!(digits["px"].as_str(), Some("1234567.123456789012345"), "{module}: {digits}");
        assert_eq!(digits["big"].as_str(), Some("18446744073709551615"), "{module}: {digits}");
        for row in &rows {
            same(&lines[&row["seq"].as_u64().unwrap()], row, unit, module);
        }
    }
}

/// Every field of the line stands in the row, with its value.
#[track_caller]
fn same(event: &Value, row: &Value, unit: i128, reader: &str) {
    for (key, value) in event.as_object().unwrap() {
        let cell = &row[key];
        let is_same = match value {
            Value::String(text) if key == "timestamp" => {
                let nanos = text.parse::<jiff::Timestamp>().unwrap().as_nanosecond();
                // What has fewer digits is cut or rounded.
                cell.as_i64().is_some_and(|cell| (i128::from(cell) - nanos / unit).abs() < unit.min(2))
            }
            // A DECIMAL and what no number holds come as text.
            Value::Number(_) => cell.to_string().trim_matches('"').parse::<f64>().ok() == value.as_f64(),
            Value::Array(_) | Value::Object(_) => {
                cell.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).as_ref()
                    == Some(value)
            }
            value => value == cell,
        };
        assert!(is_same, "{reader}: {key}: {value} is {cell} in {row}");
    }
}
