//! `tape heartbeat`: who is alive, where they are, and whether anybody has heard of them, from outside of the engine.
//!
//! No heartbeat is the alarm: after two and a half intervals without one the exit code is 2, whatever the reason.

use std::io::Write;
use std::time::Duration;

use serde_json::Value;
use tapelog::read::Run;

use crate::args::{Heartbeat, Place};
use crate::failure::{Failure, Outcome};
use crate::render::{Look, Tone, columns, safe};
use crate::{root, time};

/// How many intervals may pass without a heartbeat.
const PATIENCE: f64 = 2.5;
/// How often `--watch` looks.
const LOOK: Duration = Duration::from_millis(500);
/// On a full disk the file is written over in place: a reader that comes in between tries again.
const TRIES: u32 = 10;

/// See the module.
pub(crate) fn heartbeat(
    args: &Heartbeat,
    place: &Place,
    out: &mut dyn Write,
    look: &Look,
) -> Result<Outcome, Failure> {
    let mut shown = None;
    loop {
        let run = newest(place)?;
        let text = read(&run)?;
        let beat: Value = serde_json::from_slice(&text).unwrap_or_default();
        let age_s = age_s(&beat);
        if shown.as_deref() != beat["timestamp"].as_str() {
            shown = beat["timestamp"].as_str().map(str::to_owned);
            if args.json {
                out.write_all(&text)?;
            } else {
                screen(&beat, age_s, out, look)?;
            }
            out.flush()?;
        }
        let outcome = judge(&beat, age_s)?;
        if !args.watch || beat["ended"] == true {
            return Ok(outcome);
        }
        std::thread::sleep(LOOK);
    }
}

/// The run that lives, else the newest.
fn newest(place: &Place) -> Result<Run, Failure> {
    let runs = root::newest_first(place).map_err(|failure| Failure::Unusable(failure.to_string()))?;
    let alive = runs.iter().position(Run::is_alive).unwrap_or(0);
    runs.into_iter().nth(alive).ok_or_else(|| Failure::Unusable("there is no run".to_owned()))
}

fn read(run: &Run) -> Result<Vec<u8>, Failure> {
    let path = run.dir().join("heartbeat.json");
    let mut why = "it is not JSON".to_owned();
    for _ in 0..TRIES {
        match std::fs::read(&path) {
            Ok(text) if serde_json::from_slice::<Value>(&text).is_ok() => return Ok(text),
            Ok(_) => {}
            Err(error) => why = error.to_string(),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(Failure::Unusable(format!(
        "`{}`: {why}; no heartbeat: the engine never had one, or its folder is gone",
        safe(&path.display().to_string())
    )))
}

/// How long ago the heartbeat was, in seconds.
fn age_s(beat: &Value) -> f64 {
    let at = beat["timestamp"].as_str().and_then(time::parse).unwrap_or(0);
    (time::now().saturating_sub(at)).max(0) as f64 / 1e9
}

fn judge(beat: &Value, age_s: f64) -> Result<Outcome, Failure> {
    if beat["ended"] == true {
        return Ok(Outcome::Finding);
    }
    let interval_s = beat["interval_s"].as_f64().unwrap_or(30.0);
    if age_s > interval_s * PATIENCE {
        return Err(Failure::Unusable(format!(
            "no heartbeat for {age_s:.0} s, and one is due every {interval_s:.0} s: the engine hangs, is stopped, or is dead"
        )));
    }
    let stalled =
        beat["threads_stalled"].as_u64().unwrap_or(0) + beat["decisions_stalled"].as_u64().unwrap_or(0);
    Ok(if stalled > 0 { Outcome::Finding } else { Outcome::Fine })
}

fn screen(beat: &Value, age_s: f64, out: &mut dyn Write, look: &Look) -> Result<(), Failure> {
    let text = |value: &Value| safe(value.as_str().unwrap_or("")).into_owned();
    let ended = if beat["ended"] == true { ", the run has ended" } else { "" };
    let head = format!(
        "{}  {}  pid {}  {age_s:.1} s ago{ended}",
        text(&beat["service"]),
        text(&beat["session_id"]),
        beat["pid"]
    );
    writeln!(out, "{}", look.paint(Tone::Title, &head))?;
    writeln!(out, "{}", text(&beat["status"]))?;
    let threads = beat["registered_threads"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut rows =
        vec![["thread", "progress", "beats", "where", "kernel", "decision"].map(str::to_owned).to_vec()];
    rows.extend(threads.iter().map(|thread| {
        let place = if let Some(waiting) = thread["waiting"].as_str() {
            format!("waits for {}", safe(waiting))
        } else if thread["alive"] == false {
            "ended".to_owned()
        } else {
            text(&thread["location"])
        };
        vec![
            text(&thread["name"]),
            format!("{:.1} s ago", thread["age_s"].as_f64().unwrap_or(0.0)),
            thread["beats"].to_string(),
            place,
            text(&thread["kernel_state"]),
            text(&thread["decision_id"]),
        ]
    }));
    for (at, line) in columns("<>><<<", &rows).iter().enumerate() {
        let tone = match at.checked_sub(1).and_then(|at| threads.get(at)) {
            None => Tone::Quiet,
            Some(thread)
                if thread["stage"] == "max" || thread["critical"] == true && thread["alive"] == false =>
            {
                Tone::Bad
            }
            Some(thread) if thread["stage"] == "warn" => Tone::Careful,
            Some(_) => Tone::Plain,
        };
        writeln!(out, "{}", look.paint(tone, line))?;
    }
    for thread in threads {
        if let Some(lock) = thread["waits_for"].as_str() {
            let line = format!("{} waits for the lock {}", text(&thread["name"]), safe(lock));
            writeln!(out, "{}", look.paint(Tone::Careful, &line))?;
        }
    }
    if beat["clock"]["synchronised"] == false {
        writeln!(out, "{}", look.paint(Tone::Careful, "the system clock is not kept in step with UTC"))?;
    }
    let components = beat["recent_heartbeats"].as_array().map(Vec::as_slice).unwrap_or_default();
    for component in components {
        let age_s = component["age_s"].as_f64().unwrap_or(0.0);
        writeln!(
            out,
            "component {}: {} beats, the last {age_s:.1} s before",
            text(&component["component"]),
            component["beats"]
        )?;
    }
    Ok(())
}
