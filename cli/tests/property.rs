//! What `tape` answers is what a naive reading answers: over random runs, plain and packed, with indexes and without.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::Root;

const SESSION: &str = "session_20251026_123450";

/// Small, and the same on every machine (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn pick<'a>(&mut self, some: &[&'a str]) -> &'a str {
        some[self.roll(some.len() as u64) as usize]
    }
}

/// A run of random events in several streams and segments; the lines, in order.
fn random_run(root: &Root, dice: &mut Dice, many: u64) -> Vec<Value> {
    let mut run = root.run(SESSION, "ended");
    let mut lines = Vec::new();
    let mut files: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for seq in 1..=many {
        let family = dice.roll(40);
        let stream = dice.pick(&["decisions", "orders", "performance", "events/positions"]);
        let mut fields = String::new();
        // A fill may name its order only; an attempt always names both.
        match dice.roll(4) {
            0 => fields.push_str(&format!(r#","decision_id":"dec_20251026_123456_fam{family:03}""#)),
            1 => fields.push_str(&format!(
                r#","decision_id":"dec_20251026_123456_fam{family:03}","intent_id":"int-{family}-a""#
            )),
            2 => fields.push_str(&format!(r#","intent_id":"int-{family}-a","order_id":"ord{family}x""#)),
            _ => {}
        }
        let took = match dice.roll(5) {
            0 => "null".to_owned(),
            1 => format!("{}", dice.roll(1000)),
            2 => format!("\"{}.5\"", dice.roll(100)),
            _ => format!("{}.{:03}", dice.roll(100), dice.roll(1000)),
        };
        let word = dice.pick(&[
            "plain",
            "with \\\"quotes\\\"",
            "\\u00e9\\n",
            "{\\\"seq\\\":5}",
            "\\\\",
            "dec_20251026_123456_fam001",
        ]);
        let symbol = dice.pick(&["BTC/USDT", "ETH/USDT", "SOL"]);
        let event_type = dice.pick(&["PERFORMANCE", "SEEN", "BUY_BLOCKED"]);
        let line = format!(
            r#"{{"timestamp":"2025-10-26T12:{:02}:{:02}.{:09}Z","level":"info","event_type":"{event_type}","session_id":"{SESSION}"{fields},"message":"{word}","symbol":"{symbol}","took":{took},"nested":{{"took":{},"symbol":"no"}},"noise":"{}","seq":{seq}}}"#,
            seq / 60 % 60,
            seq % 60,
            dice.roll(1_000_000_000),
            dice.roll(10),
            if many > 10_000 { format!("{:016x}", dice.0).repeat(40) } else { String::new() }
        );
        lines.push(serde_json::from_str(&line).unwrap());
        let number = seq * 4 / (many + 1);
        let name =
            if number == 3 { format!("{stream}.jsonl") } else { format!("{stream}.{:06}.jsonl", number + 1) };
        files.entry(name).or_default().push_str(&format!("{line}\n"));
    }
    std::fs::create_dir_all(run.dir.join("events")).unwrap();
    for (name, text) in files {
        match (name.matches('.').count() > 1, dice.roll(3)) {
            (true, 0) => {
                let packed: Vec<u8> = text
                    .as_bytes()
                    .chunks(5000)
                    .flat_map(|piece| zstd::encode_all(piece, 1).unwrap())
                    .collect();
                std::fs::write(run.dir.join(format!("{name}.zst")), packed).unwrap();
            }
            (true, 1) => {
                use std::io::Write as _;
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(text.as_bytes()).unwrap();
                std::fs::write(run.dir.join(format!("{name}.gz")), gzip.finish().unwrap()).unwrap();
            }
            _ => drop(run.raw(&name, &text)),
        }
    }
    lines
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    }
}

#[test]
fn queries_agree_with_a_naive_reading() {
    let mut dice = Dice(7);
    for _ in 0..12 {
        let root = Root::new();
        let many = 50 + dice.roll(600);
        let lines = random_run(&root, &mut dice, many);
        for (filter, passes) in [
            ("event_type=SEEN", (|line: &Value| line["event_type"] == "SEEN") as fn(&Value) -> bool),
            ("took>50", |line| number(&line["took"]).is_some_and(|took| took > 50.0)),
            ("symbol!=SOL", |line| line["symbol"] != "SOL"),
            ("!decision_id", |line| line.get("decision_id").is_none()),
            ("nested.took<=4", |line| line["nested"]["took"].as_f64().unwrap() <= 4.0),
            ("message~quotes", |line| line["message"].as_str().unwrap().contains("quotes")),
            ("symbol=BTC/USDT", |line| line["symbol"] == "BTC/USDT"),
        ] {
            let wanted: Vec<&Value> = lines.iter().filter(|line| passes(line)).collect();
            let (_, out, _) = root.tape(&format!("query {filter} --json"));
            let shown: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(shown.iter().eq(wanted.iter().copied()), "{filter}: {} {}", shown.len(), wanted.len());
            let (_, out, _) = root.tape(&format!("query {filter} --by symbol --show count,sum(took),p90(took),min(took),last(seq) --sort symbol --json"));
            let groups: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let symbols: BTreeSet<&str> =
                wanted.iter().map(|line| line["symbol"].as_str().unwrap()).collect();
            assert_eq!(groups.len(), symbols.len(), "{out}");
            for (group, symbol) in groups.iter().zip(symbols) {
                let own: Vec<_> = wanted.iter().filter(|line| line["symbol"] == symbol).collect();
                let mut took: Vec<f64> = own.iter().filter_map(|line| number(&line["took"])).collect();
                took.sort_by(f64::total_cmp);
                assert_eq!(
                    (group["symbol"].as_str(), group["count"].as_u64()),
                    (Some(symbol), Some(own.len() as u64))
                );
                if took.is_empty() {
                    assert!(group["sum(took)"].is_null() && group["p90(took)"].is_null());
                    continue;
                }
                let place = 0.9 * (took.len() - 1) as f64;
                let (low, high) = (took[place.floor() as usize], took[place.ceil() as usize]);
                let p90 = low + (high - low) * place.fract();
                assert!(
                    (group["p90(took)"].as_f64().unwrap() - p90).abs() < 1e-9,
                    "{filter} {symbol}: {group} {p90}"
                );
                assert!((group["sum(took)"].as_f64().unwrap() - took.iter().sum::<f64>()).abs() < 1e-6);
                assert_eq!(group["min(took)"].as_f64(), Some(took[0]));
            }
        }
    }
}

#[test]
fn stories_agree_with_a_naive_reading_with_an_index_and_without() {
    let mut dice = Dice(11);
    for round in 0..6 {
        let root = Root::new();
        // Large enough for indexes in some rounds.
        let many = if round < 2 { 12_000 } else { 300 + dice.roll(500) };
        let lines = random_run(&root, &mut dice, many);
        for family in [1, 7, 39] {
            let decision = format!("dec_20251026_123456_fam{family:03}");
            let ids = [decision.clone(), format!("int-{family}-a"), format!("ord{family}x")];
            let mut known: BTreeSet<&str> = BTreeSet::from([decision.as_str()]);
            let of = |line: &Value, known: &BTreeSet<&str>| {
                ["decision_id", "intent_id", "order_id"]
                    .iter()
                    .any(|key| line[key].as_str().is_some_and(|id| known.contains(id)))
            };
            for _ in 0..3 {
                let more: Vec<&str> = ids
                    .iter()
                    .map(String::as_str)
                    .filter(|id| {
                        lines.iter().any(|line| {
                            of(line, &known)
                                && ["decision_id", "intent_id", "order_id"]
                                    .iter()
                                    .any(|key| line[key] == **id)
                        })
                    })
                    .collect();
                known.extend(more);
            }
            let expected: Vec<u64> = lines
                .iter()
                .filter(|line| of(line, &known))
                .map(|line| line["seq"].as_u64().unwrap())
                .collect();
            if expected.is_empty() {
                continue;
            }
            for how in ["--no-index", "", ""] {
                let (_, out, _) = root.tape(&format!("trace {decision} --raw {how}"));
                let found: Vec<u64> = out
                    .lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap())
                    .collect();
                assert_eq!(found, expected, "{decision} {how}");
            }
        }
    }
}
