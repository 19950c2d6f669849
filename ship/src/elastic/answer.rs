//! What a cluster answers: a status for the request, and one for each event of it.

use serde::Deserialize;
use serde_json::Value;

use crate::destination::SendError;
use crate::http::Answer;

/// Longer words say nothing more.
const LONGEST: usize = 400;

/// What a request came to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// One for each event, in their order.
    Items(Vec<Item>),
    /// The request is larger than the cluster takes (413).
    TooLarge,
    /// Nothing of it arrived.
    Failed(SendError),
}

/// What became of one event.
#[derive(Debug)]
pub(super) enum Item {
    /// It is there: created now, or before.
    Taken,
    /// It will never be taken.
    Refused(String),
    /// The same may be taken later, or once somebody did what the error says.
    Later(SendError),
}

#[derive(Deserialize)]
struct Bulk {
    #[serde(default)]
    items: Vec<serde_json::Map<String, Value>>,
}

/// Reads the answer to a request with `events` events.
pub(super) fn read(answer: &Answer, events: usize) -> Verdict {
    match answer.status {
        200 => {}
        413 => return Verdict::TooLarge,
        _ => return Verdict::Failed(failure(answer)),
    }
    let Ok(bulk) = serde_json::from_slice::<Bulk>(&answer.body) else {
        return Verdict::Failed(SendError::misconfigured(
            "it answered 200 and nothing that a cluster answers to `_bulk`; check the address",
        ));
    };
    if bulk.items.len() != events {
        // Which were taken is unknown; the ids make it harmless to send all again.
        return Verdict::Failed(SendError::unavailable(format!(
            "it answered for {} of {events} events",
            bulk.items.len()
        )));
    }
    Verdict::Items(bulk.items.iter().map(item).collect())
}

fn item(item: &serde_json::Map<String, Value>) -> Item {
    let Some(result) = item.values().next() else {
        return Item::Later(SendError::unavailable("it says nothing of an event"));
    };
    let status = result["status"].as_u64().unwrap_or(0);
    let kind = result["error"]["type"].as_str().unwrap_or_default();
    let why = format!("{status} {}", words(&result["error"]));
    match status {
        // 409: it was created before, by a request whose answer did not arrive.
        200 | 201 | 409 => Item::Taken,
        // A full disk makes an index read-only; older clusters say 403, newer ones 429.
        _ if kind == "cluster_block_exception" => Item::Later(SendError::unavailable(format!(
            "{why}; the index takes no writes: is the cluster's disk full?"
        ))),
        429 | 500..=599 => Item::Later(SendError::unavailable(why)),
        401 | 403 => Item::Later(SendError::misconfigured(format!(
            "{why}; the user needs `create_doc` and `auto_configure` on the indices"
        ))),
        404 => Item::Later(SendError::misconfigured(format!(
            "{why}; allow the cluster to make indices of that name (`action.auto_create_index`)"
        ))),
        // The write limit of an index, or of a shard: the fault is not the event's.
        400 if kind == "illegal_argument_exception" && why.contains("pipeline") => Item::Later(
            SendError::misconfigured(format!("{why}; make the ingest pipeline, or leave `pipeline` out")),
        ),
        400 if kind == "validation_exception" || why.contains("maximum normal shards open") => {
            Item::Later(SendError::misconfigured(why))
        }
        _ => Item::Refused(why),
    }
}

/// What is wrong with the whole request.
fn failure(answer: &Answer) -> SendError {
    let parsed: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = words(&parsed["error"]);
    let said = if said.is_empty() { String::new() } else { format!(" {said}") };
    let reason = format!("it answered {}{said}", answer.status);
    match answer.status {
        401 => SendError::misconfigured(format!(
            "{reason}; set `ELASTIC_API_KEY`, or `ELASTIC_USERNAME` and `ELASTIC_PASSWORD`"
        )),
        403 => SendError::misconfigured(format!(
            "{reason}; the user needs `create_doc` and `auto_configure` on the indices"
        )),
        408 | 429 | 500..=599 => SendError::Unavailable { reason, retry_after: answer.retry_after },
        _ => SendError::misconfigured(format!("{reason}; check the address")),
    }
}

/// Type and reason of an error, and what caused it, on one line.
pub(super) fn words(error: &Value) -> String {
    let mut text = String::new();
    let mut at = error;
    while at.is_object() {
        let reason = at["reason"].as_str().or_else(|| at["type"].as_str()).unwrap_or_default();
        if !reason.is_empty() && !text.contains(reason) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(reason);
        }
        at = &at["caused_by"];
    }
    if let Some(said) = error.as_str() {
        text.push_str(said);
    }
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    // A refusal quotes the document: nothing that looks like a secret goes into our own files twice.
    tapelog::config::scrub_text(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(items: &str, events: usize) -> Verdict {
        read(
            &Answer {
                status: 200,
                retry_after: None,
                body: format!("{{\"errors\":true,\"items\":[{items}]}}").into_bytes(),
            },
            events,
        )
    }

    #[test]
    fn each_event_has_its_own_verdict() {
        let items = r#"{"create":{"status":201}},{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"x"}}},
            {"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"[1:9] failed to parse","caused_by":{"type":"a","reason":"For input string"}}}},
            {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue"}}},
            {"create":{"status":403,"error":{"type":"cluster_block_exception","reason":"read-only"}}},
            {"create":{"status":404,"error":{"type":"index_not_found_exception","reason":"no such index"}}}"#;
        let Verdict::Items(items) = bulk(items, 6) else { panic!("items") };
        assert!(matches!(items[..2], [Item::Taken, Item::Taken]));
        assert!(
            matches!(&items[2], Item::Refused(why) if why == "400 [1:9] failed to parse: For input string")
        );
        assert!(matches!(&items[3], Item::Later(SendError::Unavailable { .. })));
        assert!(
            matches!(&items[4], Item::Later(SendError::Unavailable { reason, .. }) if reason.contains("disk"))
        );
        assert!(
            matches!(&items[5], Item::Later(SendError::Misconfigured { reason }) if reason.contains("auto_create"))
        );
    }

    #[test]
    fn an_answer_that_is_no_answer_confirms_nothing() {
        assert!(matches!(
            bulk(r#"{"create":{"status":201}}"#, 2),
            Verdict::Failed(SendError::Unavailable { .. })
        ));
        let proxy = Answer { status: 200, retry_after: None, body: b"<html>login</html>".to_vec() };
        assert!(matches!(read(&proxy, 1), Verdict::Failed(SendError::Misconfigured { .. })));
        let moved = Answer { status: 301, retry_after: None, body: Vec::new() };
        assert!(matches!(read(&moved, 1), Verdict::Failed(SendError::Misconfigured { .. })));
    }
}
