//! `tape diff A B`: what is different between two sessions: build, configuration, what happened, how fast, what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::{Value, json};
use tapelog::read::Run;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::json::plain;
use crate::query::filter::Keys;
use crate::query::quantiles::{Budget, Quantiles};
use crate::render::{Look, Tone, columns, count, safe, short};
use crate::source::{Corpus, Want};
use crate::{root, time};

/// Compare two sessions: build, configuration, counts, rules, order outcomes, latencies, profit
///
/// Exit code 1: something is different.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape diff                                   the newest session and the one before
  tape diff 20251026_120000 20251027_120000
  tape diff yesterdays_id todays_id --json")]
pub(crate) struct Diff {
    /// A session, or its beginning [default: the one before the newest]
    before: Option<String>,
    /// A session, or its beginning [default: the newest]
    after: Option<String>,
    /// One object
    #[arg(long)]
    json: bool,
}

/// What a session amounts to.
#[derive(Debug, Default)]
struct Of {
    about: BTreeMap<String, String>,
    config: BTreeMap<String, Value>,
    types: BTreeMap<String, u64>,
    rules: BTreeMap<String, u64>,
    outcomes: BTreeMap<String, u64>,
    timed: BTreeMap<String, Quantiles>,
    pnl: Option<f64>,
}

/// See the module.
pub(crate) fn diff(args: &Diff, place: &Place, out: &mut dyn Write, look: &Look) -> Result<Outcome, Failure> {
    let runs = root::newest_first(place)?;
    let (before, after) = pick(args, runs, place)?;
    let (a, b) = (of(&before, look)?, of(&after, look)?);
    let names = (before.manifest().session_id.clone(), after.manifest().session_id.clone());
    let about = changed(&a.about, &b.about, |value| Value::from(value.as_str()));
    let config = changed(&a.config, &b.config, Clone::clone);
    let counts =
        |a: &BTreeMap<String, u64>, b: &BTreeMap<String, u64>| changed(a, b, |many| Value::from(*many));
    let (types, rules) = (counts(&a.types, &b.types), counts(&a.rules, &b.rules));
    let outcomes = counts(&a.outcomes, &b.outcomes);
    let (a_pnl, b_pnl) = (a.pnl, b.pnl);
    let timed = latencies(a.timed, b.timed);
    let different = !(about.is_empty() && config.is_empty() && types.is_empty() && rules.is_empty());
    if args.json {
        let list = |all: &[(String, Value, Value)]| -> Vec<Value> {
            all.iter().map(|(name, old, new)| json!({"name": name, "before": old, "after": new})).collect()
        };
        let timed: Vec<_> = timed
            .iter()
            .map(|(name, old, new)| json!({"operation": name, "p99_ms_before": old, "p99_ms_after": new}))
            .collect();
        let object = json!({"before": names.0, "after": names.1, "about": list(&about), "config": list(&config),
            "events": list(&types), "blocked": list(&rules), "orders": list(&outcomes), "latencies": timed,
            "pnl_before": a_pnl, "pnl_after": b_pnl});
        writeln!(out, "{object}")?;
        return Ok(if different { Outcome::Finding } else { Outcome::Fine });
    }
    writeln!(out, "{}", look.paint(Tone::Title, &safe(&format!("{} → {}", names.0, names.1))))?;
    if !different {
        writeln!(out, "no difference in build, configuration, events and rules")?;
    }
    for (title, all) in [
        ("build and mode", &about),
        ("configuration", &config),
        ("blocked by", &rules),
        ("orders", &outcomes),
        ("events", &types),
    ] {
        section(title, all, out, look)?;
    }
    if !timed.is_empty() {
        writeln!(out, "\n{}", look.paint(Tone::Title, "p99"))?;
        let span = |ms: &Option<f64>| ms.map_or_else(|| "-".to_owned(), time::span_of_ms);
        let rows: Vec<_> = timed
            .iter()
            .map(|(name, old, new)| {
                let times = old
                    .zip(*new)
                    .filter(|(old, _)| *old > 0.0)
                    .map_or_else(String::new, |(old, new)| format!("{:.2} ×", new / old));
                vec![format!("  {}", safe(name)), span(old), "→".to_owned(), span(new), times]
            })
            .collect();
        for line in columns("<><>>", &rows) {
            writeln!(out, "{line}")?;
        }
    }
    if let (Some(old), Some(new)) = (a_pnl, b_pnl) {
        writeln!(out, "\nprofit     {} → {}", short(&old.to_string()), short(&new.to_string()))?;
    }
    Ok(if different { Outcome::Finding } else { Outcome::Fine })
}

fn pick(args: &Diff, runs: Vec<Run>, place: &Place) -> Result<(Run, Run), Failure> {
    let named = |asked: &str| {
        let full = if asked.starts_with("session_") { asked.to_owned() } else { format!("session_{asked}") };
        let found = runs.iter().find(|run| run.manifest().session_id.starts_with(&full)).cloned();
        found.ok_or_else(|| {
            let root = place.root.display();
            Failure::Nothing(format!(
                "`{root}` has no session `{asked}`; `tape runs --root {root}` lists them"
            ))
        })
    };
    match (&args.before, &args.after) {
        (Some(before), Some(after)) => Ok((named(before)?, named(after)?)),
        (Some(before), None) => {
            let before = named(before)?;
            let after = runs.iter().find(|run| run.dir() != before.dir()).cloned();
            let after = after.ok_or_else(|| {
                Failure::Nothing("there is only one session; nothing to compare".to_owned())
            })?;
            Ok((before, after))
        }
        _ => {
            let mut newest = runs.into_iter();
            match (newest.next(), newest.next()) {
                (Some(after), Some(before)) => Ok((before, after)),
                _ => Err(Failure::Nothing("there is only one session; nothing to compare".to_owned())),
            }
        }
    }
}

fn of(run: &Run, look: &Look) -> Result<Of, Failure> {
    let manifest = run.manifest();
    let mut all = Of::default();
    for (name, value) in [
        ("service", &manifest.service),
        ("instance", &manifest.instance),
        ("mode", &manifest.mode),
        ("strategy", &manifest.strategy),
        ("version", &manifest.version),
        ("commit", &manifest.commit),
        ("executable_sha256", &manifest.executable_sha256),
        ("host", &manifest.host),
    ] {
        all.about.insert(name.to_owned(), value.clone());
    }
    if let Ok(text) = std::fs::read(run.dir().join("config.json")) {
        let config: Value = serde_json::from_slice(&text).unwrap_or_default();
        flatten(config.get("config").unwrap_or(&config), "", &mut all.config);
    }
    let corpus = Corpus::of(vec![run.clone()], look.watched)?;
    let mut keys = Keys::default();
    for key in ["event_type", "rule", "operation", "execution_time_ms", "pnl", "realized_pnl"] {
        keys.add(key);
    }
    let budget = Budget::default();
    let (some, _) = corpus.fold(&Want::All, Of::default, |of, hit| {
        let mut values = Vec::new();
        keys.of(hit.line, &mut values);
        let text = |at: usize| values.get(at).copied().flatten().and_then(plain).unwrap_or_default();
        let event_type = text(0);
        if event_type.is_empty() {
            return false;
        }
        *of.types.entry(event_type.clone().into_owned()).or_default() += 1;
        if event_type.ends_with("_BLOCKED") {
            *of.rules.entry(text(1).into_owned()).or_default() += 1;
        }
        if event_type.starts_with("ORDER_") && &*event_type != "ORDER_CONTEXT" {
            *of.outcomes.entry(event_type.trim_start_matches("ORDER_").to_lowercase()).or_default() += 1;
        }
        if event_type.starts_with("PERFORMANCE")
            && let Ok(ms) = text(3).parse()
        {
            of.timed.entry(text(2).into_owned()).or_default().add(ms, &budget);
        }
        if event_type.ends_with("_FILLED") || &*event_type == "POSITION_CLOSED" {
            let pnl = [text(4), text(5)].iter().find_map(|text| text.parse::<f64>().ok());
            if let Some(pnl) = pnl {
                *of.pnl.get_or_insert(0.0) += pnl;
            }
        }
        true
    });
    for of in some {
        for (name, many) in of.types {
            *all.types.entry(name).or_default() += many;
        }
        for (name, many) in of.rules {
            *all.rules.entry(name).or_default() += many;
        }
        for (name, many) in of.outcomes {
            *all.outcomes.entry(name).or_default() += many;
        }
        for (name, times) in of.timed {
            all.timed.entry(name).or_default().merge(times);
        }
        if let Some(pnl) = of.pnl {
            *all.pnl.get_or_insert(0.0) += pnl;
        }
    }
    Ok(all)
}

/// A tree as paths (RFC 6901) and their values.
fn flatten(value: &Value, path: &str, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                flatten(value, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        value => drop(into.insert(path.to_owned(), value.clone())),
    }
}

fn changed<T: PartialEq>(
    a: &BTreeMap<String, T>,
    b: &BTreeMap<String, T>,
    json: impl Fn(&T) -> Value,
) -> Vec<(String, Value, Value)> {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let value = |of: Option<&T>| of.map_or(Value::Null, &json);
    let different = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    different.map(|name| (name.clone(), value(a.get(name)), value(b.get(name)))).collect()
}

type Latencies = Vec<(String, Option<f64>, Option<f64>)>;

fn latencies(mut a: BTreeMap<String, Quantiles>, mut b: BTreeMap<String, Quantiles>) -> Latencies {
    let names: BTreeSet<String> = a.keys().chain(b.keys()).cloned().collect();
    let p99 =
        |of: &mut BTreeMap<String, Quantiles>, name: &String| of.get_mut(name).and_then(|all| all.at(0.99));
    names
        .into_iter()
        .map(|name| (p99(&mut a, &name), p99(&mut b, &name), name))
        .map(|(a, b, name)| (name, a, b))
        .collect()
}

/// So many of a kind are listed.
const MOST: usize = 40;

fn section(
    title: &str,
    all: &[(String, Value, Value)],
    out: &mut dyn Write,
    look: &Look,
) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", look.paint(Tone::Title, title))?;
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), count),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows: Vec<_> = all
        .iter()
        .take(MOST)
        .map(|(name, old, new)| {
            [format!("  {name}"), text(old), "→".to_owned(), text(new)]
                .map(|cell| safe(&cell).into_owned())
                .to_vec()
        })
        .collect();
    for line in columns("<><<", &rows) {
        writeln!(out, "{}", look.cut(&line, 0))?;
    }
    if all.len() > MOST {
        writeln!(out, "  … and {} more; `--json` has all", all.len() - MOST)?;
    }
    Ok(())
}
