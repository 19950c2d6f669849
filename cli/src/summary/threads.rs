//! Where each thread is, or was at the last heartbeat: those that matter first.

use serde_json::Value;

use crate::render::{Tone, safe};
use crate::time;

/// One thread as a row, and how bad it is.
pub(crate) fn rows(beat: &Value) -> Vec<(Tone, Vec<String>)> {
    let threads = beat["registered_threads"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut rows: Vec<(u8, Tone, Vec<String>)> = threads
        .iter()
        // The recorder's own are of interest only when something is wrong with them.
        .filter(|thread| thread["stage"] != "fine" || !is_ours(thread))
        .map(|thread| {
            let bad = thread["stage"] == "max" || thread["critical"] == true && thread["alive"] == false;
            let (rank, tone) = match () {
                () if bad => (0, Tone::Bad),
                () if thread["stage"] == "warn" => (1, Tone::Careful),
                () if thread["critical"] == true => (2, Tone::Plain),
                () => (3, Tone::Plain),
            };
            (rank, tone, row(thread))
        })
        .collect();
    rows.sort_by_key(|(rank, _, _)| *rank);
    rows.into_iter().map(|(_, tone, row)| (tone, row)).collect()
}

fn is_ours(thread: &Value) -> bool {
    thread["name"].as_str().is_some_and(|name| name.starts_with("tapelog-"))
}

fn row(thread: &Value) -> Vec<String> {
    let text = |key: &str| thread[key].as_str().map(|text| safe(text).into_owned());
    let place = match (text("waiting"), thread["alive"] == false) {
        (Some(waiting), _) => format!("waits for {waiting}"),
        (None, true) => "ended".to_owned(),
        (None, false) => match text("location") {
            // `in place_order (router.rs:491)`, or only where.
            Some(location) if location.starts_with("in ") => location,
            Some(location) => format!("in {location}"),
            None => text("kernel_state").unwrap_or_default(),
        },
    };
    let age = time::span((thread["age_s"].as_f64().unwrap_or(0.0) * 1e9) as i64);
    let critical = if thread["critical"] == true { "critical" } else { "" };
    vec![
        text("name").unwrap_or_default(),
        critical.to_owned(),
        place,
        if thread["age_s"].as_f64().unwrap_or(0.0) > 0.0 { format!("for {age}") } else { String::new() },
        text("decision_id").unwrap_or_default(),
    ]
}
