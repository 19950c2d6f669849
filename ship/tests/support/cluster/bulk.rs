//! `_bulk`: what each event is answered.

use serde_json::{Map, Value, json};

use super::{Fault, State, error};

/// None: the answer gets lost.
pub(super) fn answer(state: &mut State, body: &[u8], url: &str) -> Option<(u16, Value)> {
    if body.last() != Some(&b'\n') {
        return Some(error(
            400,
            "illegal_argument_exception",
            "The bulk request must be terminated by a newline [\\n]",
        ));
    }
    if let Some(name) = url.split("pipeline=").nth(1) {
        let name = name.split('&').next().unwrap();
        if !state.pipelines.iter().any(|known| known == name) {
            return Some(error(
                400,
                "illegal_argument_exception",
                &format!("pipeline with id [{name}] does not exist"),
            ));
        }
    }
    let fault = state.faults.pop_front();
    if let Some(Fault::Status(status)) = fault {
        return Some(match status {
            429 => error(429, "circuit_breaking_exception", "[parent] Data too large"),
            503 => error(
                503,
                "cluster_block_exception",
                "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];",
            ),
            _ => error(status, "security_exception", "not for you"),
        });
    }
    let mut lines = body.split(|byte| *byte == b'\n');
    let mut items = Vec::new();
    while let Some(action) = lines.next().filter(|line| !line.is_empty()) {
        let source = lines.next().unwrap();
        let action: Value = serde_json::from_slice(action).unwrap();
        let (verb, target) = action.as_object().unwrap().iter().next().unwrap();
        let (index, id) = (
            target["_index"].as_str().unwrap().to_owned(),
            target["_id"].as_str().unwrap_or_default().to_owned(),
        );
        *state.offered.entry(id.clone()).or_default() += 1;
        let unknown = target["pipeline"]
            .as_str()
            .is_some_and(|name| !state.pipelines.iter().any(|known| known == name));
        let mut result = match &fault {
            _ if unknown => json!({"status": 400, "error": {"type": "illegal_argument_exception",
                "reason": format!("pipeline with id [{}] does not exist", target["pipeline"])}}),
            Some(Fault::BusyAfter(most)) if items.len() >= *most => {
                json!({"status": 429, "error": {"type": "es_rejected_execution_exception",
                "reason": "rejected execution of coordinating operation [coordinating_and_primary_bytes=0]"}})
            }
            Some(Fault::Items(status, kind, reason)) => {
                json!({"status": status, "error": {"type": kind, "reason": reason}})
            }
            _ => write(state, verb, &index, &id, source),
        };
        result["_index"] = index.into();
        result["_id"] = id.into();
        items.push(json!({verb.as_str(): result}));
    }
    state.sizes.push(items.len());
    if matches!(fault, Some(Fault::AnswerLost)) {
        return None;
    }
    let errors = items
        .iter()
        .any(|item| item.as_object().unwrap().values().any(|result| result.get("error").is_some()));
    Some((200, json!({"took": 1, "errors": errors, "items": items})))
}

fn write(state: &mut State, verb: &str, index: &str, id: &str, source: &[u8]) -> Value {
    let Ok(document) = serde_json::from_slice::<Value>(source) else {
        return refusal("failed to parse", "json_parse_exception: Unexpected character");
    };
    let template = state.templates.values().find(|template| {
        template["index_patterns"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(|pattern| pattern.strip_suffix('*').is_some_and(|begin| index.starts_with(begin)))
    });
    if let Some(template) = template
        && let Some(why) = misfit("", &document, &template["template"]["mappings"]["properties"])
    {
        return refusal(&format!("[1:1] failed to parse {why}"), "For input string");
    }
    let key = (index.to_owned(), id.to_owned());
    if verb == "create" && state.documents.contains_key(&key) {
        return json!({"status": 409, "error": {"type": "version_conflict_engine_exception",
            "reason": format!("[{id}]: version conflict, document already exists (current version [1])")}});
    }
    state.overwritten += u32::from(state.documents.insert(key, document).is_some());
    json!({"status": 201, "result": "created", "_version": 1})
}

fn refusal(reason: &str, cause: &str) -> Value {
    json!({"status": 400, "error": {"type": "document_parsing_exception", "reason": reason,
        "caused_by": {"type": "illegal_argument_exception", "reason": cause}}})
}

/// What of a document does not fit the mapping.
fn misfit(path: &str, value: &Value, properties: &Value) -> Option<String> {
    let empty = Map::new();
    let properties = properties.as_object().unwrap_or(&empty);
    for (name, value) in value.as_object()? {
        let Some(field) = properties.get(name) else { continue };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if field["enabled"] == false {
            continue;
        }
        if field.get("properties").is_some() {
            if !value.is_object() && !value.is_null() {
                return Some(format!(
                    "object mapping for [{path}] tried to parse field as object, but found a concrete value"
                ));
            }
            if let Some(why) = misfit(&path, value, &field["properties"]) {
                return Some(why);
            }
            continue;
        }
        let kind = field["type"].as_str().unwrap_or_default();
        let single = |value: &Value| match kind {
            "long" => {
                value.is_i64()
                    || value.is_u64()
                    || value.as_str().is_some_and(|text| text.parse::<i64>().is_ok())
            }
            "double" => value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()),
            "boolean" => value.is_boolean() || value == "true" || value == "false",
            "date" => value.as_str().is_some_and(|text| text.len() >= 20 && text.as_bytes()[10] == b'T'),
            _ => !value.is_object(),
        };
        let fits = match value {
            Value::Null => true,
            Value::Array(items) => items.iter().all(single),
            value => single(value),
        };
        if !fits {
            return Some(format!("field [{path}] of type [{kind}]"));
        }
    }
    None
}
