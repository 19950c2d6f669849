//! What a cluster must know before the first event: how long indices stay, and the type of each field.

use serde_json::Value;

use super::answer::words;
use crate::destination::SendError;
use crate::http::{Answer, Http};

/// The same files as `deploy/elastic/` has, for those who set a cluster up by hand; a test holds them equal.
const TEMPLATE: &str = include_str!("index-template.json");
const POLICY: &str = include_str!("ilm-policy.json");

/// Makes template and policy where they are missing or older than ours. What is newer stays.
pub(super) fn ensure(http: &Http, index: &str) -> Result<(), SendError> {
    let about = http.get("/")?;
    if about.status != 200 {
        return Err(refused("it answered", &about));
    }
    let about: Value = serde_json::from_slice(&about.body).map_err(|_| {
        SendError::misconfigured(
            "what answers there is neither Elasticsearch nor OpenSearch; check the address",
        )
    })?;
    let opensearch = about["version"]["distribution"] == "opensearch";
    let mut template: Value =
        serde_json::from_str(TEMPLATE).map_err(|error| SendError::misconfigured(error.to_string()))?;
    let ours = template["version"].as_u64().unwrap_or(0);
    let path = format!("/_index_template/{index}");
    let known = http.get(&path)?;
    match known.status {
        200 => {
            let known: Value = serde_json::from_slice(&known.body).unwrap_or_default();
            if known["index_templates"][0]["index_template"]["version"].as_u64().unwrap_or(0) >= ours {
                return Ok(());
            }
        }
        404 => {}
        _ => {
            return Err(refused(
                &format!("it does not say whether there is an index template `{index}`:"),
                &known,
            ));
        }
    }
    template["index_patterns"] = serde_json::json!([format!("{index}-*")]);
    let settings = &mut template["template"]["settings"];
    if opensearch {
        // OpenSearch has no ILM; `deploy/elastic/README.md` names its own means.
        if let Some(settings) = settings.as_object_mut() {
            settings.remove("index.lifecycle.name");
            settings.remove("index.mapping.total_fields.ignore_dynamic_beyond_limit");
        }
        // And knows none of Elasticsearch's newer types.
        without_elastic_types(&mut template["template"]["mappings"]);
    } else {
        settings["index.lifecycle.name"] = index.into();
        let policy = format!("/_ilm/policy/{index}");
        // A policy that is there was perhaps changed by somebody who wants it so.
        if http.get(&policy)?.status == 404 {
            put(http, &policy, POLICY, "retention policy", index)?;
        }
    }
    put(http, &path, &template.to_string(), "index template", index)
}

fn put(http: &Http, path: &str, body: &str, what: &str, index: &str) -> Result<(), SendError> {
    let answer = http.put(path, "application/json", body.as_bytes())?;
    if matches!(answer.status, 200 | 201) {
        return Ok(());
    }
    Err(refused(&format!("it lets us make no {what} `{index}`:"), &answer))
}

fn refused(what: &str, answer: &Answer) -> SendError {
    let parsed: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let reason = format!("{what} {} {}", answer.status, words(&parsed["error"]));
    match answer.status {
        401 => SendError::misconfigured(format!(
            "{}; set `ELASTIC_API_KEY`, or `ELASTIC_USERNAME` and `ELASTIC_PASSWORD`",
            reason.trim_end()
        )),
        408 | 429 | 500..=599 => SendError::Unavailable { reason, retry_after: answer.retry_after },
        _ => SendError::misconfigured(format!(
            "{}; let an administrator run `deploy/elastic/setup.sh`, and write `setup=off` in the address",
            reason.trim_end()
        )),
    }
}

/// `match_only_text`, `wildcard` and `flattened` as OpenSearch has them.
fn without_elastic_types(mapping: &mut Value) {
    match mapping {
        Value::Object(keys) => {
            match keys.get("type").and_then(Value::as_str) {
                Some("flattened") => {
                    keys.clear();
                    keys.insert("type".to_owned(), "flat_object".into());
                }
                Some("wildcard") => {
                    keys.insert("type".to_owned(), "keyword".into());
                    keys.insert("ignore_above".to_owned(), 8191.into());
                }
                Some("match_only_text") => {
                    keys.insert("type".to_owned(), "text".into());
                }
                _ => {}
            }
            keys.values_mut().for_each(without_elastic_types);
        }
        Value::Array(items) => items.iter_mut().for_each(without_elastic_types),
        _ => {}
    }
}
