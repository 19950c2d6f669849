//! The main fields of an event in a few words.
//!
//! Invariant: what it returns is not safe for a terminal yet.

use crate::line::{Line, plain};
use crate::time;

use super::story::{FILL_PX, FILL_QTY, is_fill};
use super::verdict::{finding, reason};

/// What an event says beside its type, its place and the ids that the whole story shares.
pub(crate) fn describe(line: &Line, shared: &Shared<'_>) -> String {
    let event_type = line.event_type();
    let mut words = Words::default();
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
            words.add(line.text("outcome").filter(|outcome| outcome != "ok"));
        }
        "DECISION_START" => {
            words.add(line.text("kind"));
            fields(line, "", &["kind", "function", "started_at"], &mut words);
        }
        fill if is_fill(fill) && line.first(FILL_QTY).is_some() => {
            words.add(line.text("side"));
            let px = line.first(FILL_PX).map_or_else(String::new, |px| format!(" @ {px}"));
            words.add(line.first(FILL_QTY).map(|qty| format!("{qty}{px}")));
            words.add(line.text("symbol"));
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
    shared.own_ids(line, &mut words);
    words.0.join("  ")
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
    words.add(line.text("tif"));
    words.add(line.text("venue"));
}

/// The fields that the message does not show already, in their order.
fn fields(line: &Line, message: &str, without: &[&str], words: &mut Words) {
    for (key, json) in line.fields().filter(|(key, _)| !without.contains(key) && !key.ends_with("_id")) {
        let Some(value) = plain(json) else { continue };
        if message.is_empty() || !message.contains(&*value) {
            words.add(Some(format!("{key}={value}")));
        }
    }
}

#[derive(Debug, Default)]
struct Words(Vec<String>);

impl Words {
    fn add(&mut self, word: Option<impl Into<String>>) {
        self.0.extend(word.map(Into::into).filter(|word| !word.is_empty()));
    }
}

/// Ids that are said once, above the lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) decision: Option<&'a str>,
    pub(crate) intent: Option<&'a str>,
}

impl Shared<'_> {
    /// The ids of a line that are its own.
    fn own_ids(&self, line: &Line, words: &mut Words) {
        for (key, shared) in [("decision_id", self.decision), ("intent_id", self.intent)] {
            words.add(line.text(key).filter(|id| Some(&**id) != shared));
        }
        words.add(line.text("client_order_id").filter(|_| line.is("ORDER_CONTEXT")));
        if !super::story::ENDS.contains(&&*line.event_type()) {
            words.add(line.text("order_id").map(|id| format!("order {id}")));
        }
    }
}
