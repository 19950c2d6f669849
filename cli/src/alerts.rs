//! `tape alerts`: the requirements' alert rules over files, once or following; the exit code is for cron.
//!
//! Invariant: a rule that has no data says so; it is not fine.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use serde_json::json;
use tapelog::read::Run;

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::json::plain;
use crate::query::filter::Keys;
use crate::render::{Look, Tone, columns, count, plural, safe};
use crate::source::{Corpus, Want};
use crate::span::{Span, Window};
use crate::summary::fate;
use crate::{root, time};

/// Check the alert rules: config drift, missing heartbeats, failed orders, API failures, exits by error, stale streams
///
/// Exit code 0: none fires; 1: at least one does. Of live runs the last hour is looked at, unless `--since` says else.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape alerts || mail -s 'engine' ops@example.com     in cron, every minute
  tape alerts --since 15m --failed-orders 10
  tape alerts --follow --json                          a line when a rule begins or ceases to fire")]
pub(crate) struct Alerts {
    #[command(flatten)]
    span: Span,
    /// Look again every 5 s, and tell what changes
    #[arg(long, short)]
    follow: bool,
    /// One JSON object for each rule
    #[arg(long)]
    json: bool,
    /// So many percent of attempts may fail
    #[arg(long, default_value_t = 10.0, value_name = "PERCENT")]
    failed_orders: f64,
    /// So many percent of API calls may fail
    #[arg(long, default_value_t = 20.0, value_name = "PERCENT")]
    failed_calls: f64,
    /// So many exits may have the reason `error`
    #[arg(long, default_value_t = 2, value_name = "COUNT")]
    error_exits: u64,
    /// So long may the price stream be silent
    #[arg(long, default_value = "10s", value_name = "DURATION")]
    stream_gap: String,
}

/// How a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Fine,
    Fires,
    NoData,
}

/// One rule, its requirement, and what was found.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    name: &'static str,
    requirement: &'static str,
    stand: Stand,
    text: String,
    /// What to look at.
    next: String,
}

/// How often `--follow` looks.
const LOOK: Duration = Duration::from_secs(5);
/// Few calls say nothing of a rate.
const FEW: u64 = 5;
/// A heartbeat is missing after so many intervals.
const PATIENCE: f64 = 2.5;
const HOUR: i64 = 3_600_000_000_000;

/// See the module.
pub(crate) fn alerts(
    args: &Alerts,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let mut before: HashMap<&'static str, Stand> = HashMap::new();
    loop {
        let rules = check(args, place, look)?;
        let fires = rules.iter().any(|rule| rule.stand == Stand::Fires);
        let new: Vec<_> = rules
            .into_iter()
            .filter(|rule| !args.follow || before.insert(rule.name, rule.stand) != Some(rule.stand))
            .collect();
        if args.json {
            for rule in &new {
                let stand = match rule.stand {
                    Stand::Fine => "fine",
                    Stand::Fires => "fires",
                    Stand::NoData => "no_data",
                };
                let object = json!({"timestamp": time::rfc3339(time::now()), "alert": rule.name, "requirement": rule.requirement,
                    "state": stand, "text": rule.text, "next": rule.next});
                writeln!(out, "{object}")?;
            }
        } else if !new.is_empty() {
            screen(&new, out, look)?;
        }
        out.flush()?;
        if !args.follow {
            return Ok(if fires { Outcome::Finding } else { Outcome::Fine });
        }
        std::thread::sleep(LOOK);
    }
}

fn screen(rules: &[Rule], out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
    let mut rules: Vec<_> = rules.iter().collect();
    rules.sort_by_key(|rule| rule.stand != Stand::Fires);
    let rows: Vec<_> = rules
        .iter()
        .map(|rule| {
            let word = match rule.stand {
                Stand::Fine => "fine",
                Stand::Fires => "FIRES",
                Stand::NoData => "no data",
            };
            [word, rule.name, &rule.text].map(|cell| safe(cell).into_owned()).to_vec()
        })
        .collect();
    for (line, rule) in columns("<<<", &rows).iter().zip(&rules) {
        let tone = match rule.stand {
            Stand::Fine => Tone::Plain,
            Stand::Fires => Tone::Bad,
            Stand::NoData => Tone::Quiet,
        };
        writeln!(out, "{}", look.paint(tone, &look.cut(line, 0)))?;
    }
    for rule in rules.iter().filter(|rule| rule.stand == Stand::Fires && !rule.next.is_empty()) {
        writeln!(out, "{}", look.paint(Tone::Quiet, &safe(&format!("next: {}", rule.next))))?;
    }
    Ok(())
}

/// What was counted.
#[derive(Debug, Default)]
struct Counts {
    attempts: u64,
    failed: u64,
    calls: u64,
    failed_calls: u64,
    error_exits: u64,
    exits: u64,
    boundaries: u64,
    frontend: u64,
    drifts: Vec<String>,
    configs: u64,
    /// Events of price streams: by stream, when each was heard of.
    streams: HashMap<String, Vec<i64>>,
    stale: u64,
    last: i64,
}

fn check(args: &Alerts, place: &Place, look: &Look) -> Result<Vec<Rule>, Failure> {
    let gap = time::duration(&args.stream_gap).ok_or_else(|| {
        Failure::Unusable(format!("`{}` is no duration; write `10s` or `2m`", args.stream_gap))
    })?;
    let mut runs = root::newest_first(place)?;
    let alive: Vec<bool> = runs.iter().map(Run::is_alive).collect();
    // The live ones; when none lives, the newest.
    if alive.contains(&true) {
        let mut alive = alive.iter();
        runs.retain(|_| alive.next() == Some(&true));
    } else {
        runs.truncate(1);
    }
    let corpus = Corpus::of(runs, look.watched)?;
    let mut window = args.span.window(&corpus)?;
    if window.is_all() && alive.contains(&true) {
        window = Window::new(Some(time::now() - HOUR), None);
    }
    let counts = counted(&corpus, &window);
    let option = root::option(place);
    let mut rules = vec![drift(&counts, &option), heartbeats(&corpus, &option)];
    let percent = |part: u64, all: u64| if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 };
    let rate = |name, requirement, part, all, most: f64, what: &str, next: String| {
        let share = percent(part, all);
        let stand = match all {
            0 => Stand::NoData,
            _ if share > most && part >= FEW.min(all) => Stand::Fires,
            _ => Stand::Fine,
        };
        let text = if all == 0 {
            format!("no {what}")
        } else {
            format!("{} of {} {what} failed: {share:.1} %, {most} % allowed", count(part), count(all))
        };
        Rule { name, requirement, stand, text, next }
    };
    rules.push(rate(
        "order failures",
        "S4-038",
        counts.failed,
        counts.attempts,
        args.failed_orders,
        "attempts",
        format!("tape query event_type=ORDER_FAILED --by error{option}"),
    ));
    rules.push(rate(
        "API failures",
        "S3-036",
        counts.failed_calls,
        counts.calls,
        args.failed_calls,
        "API calls",
        format!("tape query category=system level=error{option}"),
    ));
    rules.push(Rule {
        name: "exits by error",
        requirement: "S3-037",
        stand: if counts.exits == 0 {
            Stand::NoData
        } else if counts.error_exits >= args.error_exits.max(1) {
            Stand::Fires
        } else {
            Stand::Fine
        },
        text: format!(
            "{} of {} for the reason `error`",
            count(counts.error_exits),
            plural(counts.exits, "exit")
        ),
        next: format!("tape query reason=error{option}"),
    });
    rules.push(Rule {
        name: "frontend errors",
        requirement: "S3-038",
        stand: if counts.boundaries > 0 {
            Stand::Fires
        } else if counts.frontend == 0 {
            Stand::NoData
        } else {
            Stand::Fine
        },
        text: format!(
            "{} of an error boundary, {}",
            plural(counts.boundaries, "trigger"),
            plural(counts.frontend, "frontend event")
        ),
        next: format!("tape query origin=frontend level=error{option}"),
    });
    rules.push(streams(counts, gap, &corpus, &option));
    Ok(rules)
}

fn drift(counts: &Counts, option: &str) -> Rule {
    let stand = match (counts.drifts.is_empty(), counts.configs) {
        (false, _) => Stand::Fires,
        (true, 0) => Stand::NoData,
        (true, _) => Stand::Fine,
    };
    let text = counts.drifts.last().cloned().unwrap_or_else(|| {
        if counts.configs == 0 {
            "no configuration was recorded".to_owned()
        } else {
            "the configuration is that of the session before".to_owned()
        }
    });
    Rule { name: "config drift", requirement: "S4-036", stand, text, next: format!("tape drift{option}") }
}

fn heartbeats(corpus: &Corpus, option: &str) -> Rule {
    let mut rule = Rule {
        name: "heartbeat",
        requirement: "S4-037",
        stand: Stand::NoData,
        text: String::new(),
        next: format!("tape heartbeat{option}"),
    };
    for run in &corpus.runs {
        let session = &run.manifest().session_id;
        let alive = run.is_alive();
        let Some(beat) = fate::heartbeat(run) else {
            rule.text = format!("{session} never had one");
            continue;
        };
        if beat["ended"] == true && !alive {
            rule.text = format!("{session} has ended");
            rule.stand = Stand::Fine;
            continue;
        }
        let (age_s, interval_s) = (fate::age_s(&beat), beat["interval_s"].as_f64().unwrap_or(30.0));
        let stalled =
            beat["threads_stalled"].as_u64().unwrap_or(0) + beat["decisions_stalled"].as_u64().unwrap_or(0);
        let age = time::span((age_s * 1e9) as i64);
        if age_s > interval_s * PATIENCE {
            return Rule {
                stand: Stand::Fires,
                text: format!("{session}: none for {age}, and one is due every {interval_s} s"),
                ..rule
            };
        }
        if stalled > 0 {
            let status = beat["status"].as_str().unwrap_or_default();
            return Rule { stand: Stand::Fires, text: format!("{session}: {status}"), ..rule };
        }
        rule.stand = Stand::Fine;
        rule.text = format!("{session}: {age} ago");
    }
    rule
}

/// The longest silence of each price stream.
fn streams(counts: Counts, most: i64, corpus: &Corpus, option: &str) -> Rule {
    let alive = corpus.runs.iter().any(Run::is_alive);
    let end = if alive { time::now() } else { counts.last };
    let mut worst: Option<(i64, String)> = None;
    for (name, mut at) in counts.streams {
        at.sort_unstable();
        at.push(end);
        let gap = at.windows(2).map(|two| two[1] - two[0]).max().unwrap_or(0);
        if worst.as_ref().is_none_or(|(known, _)| gap > *known) {
            worst = Some((gap, name));
        }
    }
    let (stand, text) = match (worst, counts.stale) {
        (_, stale) if stale > 0 => {
            (Stand::Fires, format!("{} of stale quotes or streams", plural(stale, "event")))
        }
        (None, _) => (Stand::NoData, "no heartbeat of a price stream was recorded".to_owned()),
        (Some((gap, name)), _) => {
            let stand = if gap > most { Stand::Fires } else { Stand::Fine };
            (stand, format!("{name}: at most {} between two, {} allowed", time::span(gap), time::span(most)))
        }
    };
    Rule {
        name: "price stream",
        requirement: "S3-039",
        stand,
        text,
        next: format!("tape query 'event_type~stale'{option}"),
    }
}

fn counted(corpus: &Corpus, window: &Window) -> Counts {
    let mut keys = Keys::default();
    for key in [
        "event_type",
        "level",
        "timestamp",
        "reason",
        "exit_reason",
        "status",
        "success",
        "origin",
        "message",
        "stream",
        "status_code",
        "outcome",
        "venue",
    ] {
        keys.add(key);
    }
    let (all, _) = corpus.fold(&Want::All, Counts::default, |of, hit| {
        if !window.has(hit.line) {
            return true;
        }
        let mut values = Vec::new();
        keys.of(hit.line, &mut values);
        let text = |at: usize| values.get(at).copied().flatten().and_then(plain).unwrap_or_default();
        let (event_type, level) = (text(0), text(1));
        let at = || time::parse(&text(2)).unwrap_or(0);
        of.last = of.last.max(at());
        let bad = matches!(&*level, "error" | "critical");
        if text(7) == "frontend" {
            of.frontend += 1;
            of.boundaries += u64::from(event_type.contains("BOUNDARY"));
        }
        match &*event_type {
            "ORDER_CONTEXT" => of.attempts += 1,
            "ORDER_FAILED" => of.failed += 1,
            "CONFIG_HASH" => of.configs += 1,
            "CONFIG_DIFF" => of.drifts.push(text(8).into_owned()),
            name if name.starts_with("API_") || name.starts_with("EXCHANGE_API") => {
                // A request without an answer is told by an event of its own.
                let answer = !name.ends_with("REQUEST");
                let status: u64 = [text(10), text(5)].iter().find_map(|text| text.parse().ok()).unwrap_or(0);
                of.calls += u64::from(answer);
                of.failed_calls += u64::from(answer && (bad || status >= 400 || text(6) == "false"));
            }
            name if name.contains("EXIT") || name == "SELL_TRIGGERED" || name == "POSITION_CLOSED" => {
                of.exits += 1;
                of.error_exits += u64::from(text(3) == "error" || text(4) == "error");
            }
            name if name.contains("STALE") && !name.contains("BLOCKED") => of.stale += 1,
            name if name.ends_with("_HEARTBEAT") && name != "SHUTDOWN_HEARTBEAT"
                || name == "WS_PING"
                || name == "WS_PONG" =>
            {
                let name = [text(9), text(12)]
                    .into_iter()
                    .find(|text| !text.is_empty())
                    .unwrap_or(event_type.clone());
                of.streams.entry(name.into_owned()).or_default().push(at());
            }
            _ => {}
        }
        !event_type.is_empty()
    });
    let mut whole = Counts::default();
    for of in all {
        whole.attempts += of.attempts;
        whole.failed += of.failed;
        whole.calls += of.calls;
        whole.failed_calls += of.failed_calls;
        whole.error_exits += of.error_exits;
        whole.exits += of.exits;
        whole.boundaries += of.boundaries;
        whole.frontend += of.frontend;
        whole.drifts.extend(of.drifts);
        whole.configs += of.configs;
        whole.stale += of.stale;
        whole.last = whole.last.max(of.last);
        for (name, at) in of.streams {
            whole.streams.entry(name).or_default().extend(at);
        }
    }
    whole
}
