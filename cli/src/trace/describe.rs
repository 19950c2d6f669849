//! The main fields of an event in a few words.
//!
//! Invariant: what it returns is safe for a terminal.

use crate::line::{Line, plain};
use crate::render::{safe, short};
use crate::time;

use super::names::Names;
use super::story::{ENDS, FILL_PX, FILL_QTY, is_fill};
use super::verdict::{finding, reason};

/// What an event says beside its type, its place and the ids that the whole story shares.
pub(crate) fn describe(line: &Line, names: &Names) -> Words {
    let event_type = line.event_type();
    let mut words = Words::default();
    words.add(names.on(line));
    match &*event_type {
        "ORDER_CONTEXT" => order(line, &mut words),
        "ORDER_SUBMITTED" | "ORDER_REJECTED" | "ORDER_FAILED" | "ORDER_UNKNOWN" => {
            words.add(line.text("attempt").map(|attempt| format!("#{attempt}")));
            words.add(line.text("order_id").map(|id| format!("order {id}")));
            words.add(line.number("duration_ms").map(time::span_of_ms));
            words.add(reason(line));
        }
        "DECISION_END" => {
            words.add(line.text("outcome"));
            words.add(line.text("verdict"));
            words.add(finding(line));
            words.add(reason(line));
            words.add(line.number("duration_ms").map(time::span_of_ms));
        }
        "DASH_EVENT" => {
            words.add(line.text("dashboard_event_type"));
            words.add(line.text("message"));
        }
        "PERFORMANCE" | "PERFORMANCE_SLOW" => {
            words.add(line.text("operation"));
            words.add(line.number("execution_time_ms").map(time::span_of_ms));
            words.add(line.text("outcome").filter(|outcome| outcome != "ok" && outcome != "returned"));
        }
        "DECISION_START" => {
            words.add(line.text("kind"));
            fields(line, "", &["kind", "function", "started_at"], &mut words);
        }
        fill if is_fill(fill) && line.first(FILL_QTY).is_some() => {
            words.add(line.text("side"));
            let px = line.first(FILL_PX).map_or_else(String::new, |px| format!(" @ {}", short(&px)));
            words.add(line.first(FILL_QTY).map(|qty| format!("{}{px}", short(&qty))));
            words.add_more(line.text("symbol"));
            let said = [FILL_QTY, FILL_PX, &["side", "symbol"]].concat();
            fields(line, "", &said, &mut words);
        }
        _ => {
            let finding = finding(line);
            let message = line.text("message").unwrap_or_default();
            // The message says it again, in more words.
            let shown = if finding.is_some() { String::new() } else { message.into_owned() };
            words.add(finding);
            words.add((!shown.is_empty()).then_some(shown.as_str()));
            fields(line, &shown, &["rule", "value", "limit"], &mut words);
        }
    }
    if !ENDS.contains(&&*event_type) {
        words.add_more(line.text("order_id").map(|id| format!("order {id}")));
    }
    words
}

/// One attempt: what it may do at the most.
fn order(line: &Line, words: &mut Words) {
    words.add(line.text("attempt").map(|attempt| format!("#{attempt}")));
    words.add(line.text("action").filter(|action| action != "new"));
    let wish = [line.text("side"), line.text("qty"), line.text("symbol")];
    let mut wish = wish.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if let Some(px) = line.text("limit_px") {
        wish.push_str(&format!(" @ {px}"));
    }
    words.add(Some(wish).filter(|wish| !wish.is_empty()));
    words.add_more(line.text("tif"));
    words.add_more(line.text("client_order_id"));
    words.add_more(line.text("venue"));
}

/// The fields that the message does not show already, in their order.
fn fields(line: &Line, message: &str, without: &[&str], words: &mut Words) {
    let nested = |json: &str| json.starts_with(['{', '[']);
    let own = || line.fields().filter(|(key, _)| !without.contains(key) && !key.ends_with("_id"));
    // What is short comes first.
    for (key, json) in own().filter(|(_, json)| !nested(json)).chain(own().filter(|(_, json)| nested(json))) {
        let Some(value) = plain(json) else { continue };
        if message.is_empty() || !message.contains(&*value) {
            words.add_more(Some(format!("{key}={}", short(&value))));
        }
    }
}

/// Words, the most important first.
#[derive(Debug, Default)]
pub(crate) struct Words {
    needed: Vec<String>,
    /// What may be left out where there is no room: `--verbose` shows it.
    more: Vec<String>,
}

impl Words {
    fn add(&mut self, word: Option<impl Into<String>>) {
        self.needed.extend(word.map(Into::into).filter(|word| !word.is_empty()));
    }

    fn add_more(&mut self, word: Option<impl Into<String>>) {
        self.more.extend(word.map(Into::into).filter(|word| !word.is_empty()));
    }

    /// As many as fit into `room` characters, and `…` when some do not.
    pub(crate) fn fit(&self, room: usize) -> String {
        let mut text = safe(&self.needed.join("  ")).into_owned();
        let mut width = text.chars().count();
        for (at, word) in self.more.iter().enumerate() {
            let word = safe(word);
            // Two spaces before it, and room to say that there is more.
            let after = if at + 1 < self.more.len() { 3 } else { 0 };
            width += word.chars().count() + if text.is_empty() { 0 } else { 2 };
            let end = if width + after > room { "…" } else { &*word };
            text.push_str(if text.is_empty() { "" } else { "  " });
            text.push_str(end);
            if end == "…" {
                break;
            }
        }
        text
    }
}
