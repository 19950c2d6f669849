//! Every event and field that a dashboard or a rule names exists, with a type that fits.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use super::{MORE, deploy, fields, reference, root, template, text};
use crate::support;

/// Every text in a JSON value, with the texts that hold JSON themselves taken apart.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner) if inner.is_object() || inner.is_array() => texts(&inner, out),
            _ => out.push(text.clone()),
        },
        Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Value::Object(keys) => keys.values().for_each(|item| texts(item, out)),
        _ => {}
    }
}

/// Words of letters, digits and these.
fn words<'t>(text: &'t str, more: &'t [char]) -> impl Iterator<Item = &'t str> {
    text.split(move |c: char| !(c.is_ascii_alphanumeric() || more.contains(&c)))
        .filter(|word| !word.is_empty())
}

/// Names of events: capitals, with a `_`.
fn events_in(text: &str) -> Vec<String> {
    let is_event = |word: &&str| {
        word.contains('_')
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    words(text, &['_']).filter(is_event).map(str::to_owned).collect()
}

/// Fields of documents: below `tapelog`, or one of the objects of ECS that we write.
fn fields_in(text: &str) -> Vec<String> {
    let objects = ["tapelog.", "event.", "log.", "service.", "process.", "host.", "error."];
    let is_field = |word: &&str| objects.iter().any(|object| word.starts_with(object));
    let of = words(text, &['_', '.', '@']).map(|word| word.trim_end_matches('.'));
    of.filter(is_field).map(str::to_owned).collect()
}

/// Events of others: `tapelog-web` declares them.
fn declared_elsewhere(event: &str) -> bool {
    text(&root().join("web/src/events.rs")).contains(&format!("pub {event}:"))
}

/// Holds when each event that is named exists, each field has a type, and each field below `tapelog` is one of some event that is
/// named beside it.
fn check_names(
    what: &str,
    said: &str,
    reference: &BTreeMap<String, Map<String, Value>>,
    known: &BTreeSet<String>,
) -> usize {
    let events = events_in(said);
    for event in &events {
        assert!(reference.contains_key(event) || declared_elsewhere(event), "{what}: no event {event}");
    }
    let named = fields_in(said);
    for field in &named {
        assert!(known.contains(field), "{what}: no field {field}");
        let Some(own) = field.strip_prefix("tapelog.") else { continue };
        let everywhere = MORE.iter().any(|(name, _)| *name == own)
            || ["session_id", "decision_id", "category"].contains(&own);
        let fits = |event: &String| reference.get(event).is_some_and(|fields| fields.contains_key(own));
        assert!(everywhere || events.iter().any(fits), "{what}: no event of {events:?} has {own}");
    }
    named.len()
}

#[test]
fn every_event_and_field_of_a_dashboard_exists() {
    // S4-040, S3-043
    let (reference, known) = (reference(), fields());
    let mut titles = BTreeSet::new();
    let mut checked = 0;
    for line in text(&deploy("kibana.ndjson")).lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        if object["type"] == "index-pattern" {
            assert_eq!(
                (&object["id"], &object["attributes"]["title"]),
                (&json!("tapelog"), &json!("tapelog-*"))
            );
            continue;
        }
        let title = object["attributes"]["title"].as_str().unwrap();
        titles.insert(title.to_owned());
        let panels: Value =
            serde_json::from_str(object["attributes"]["panelsJSON"].as_str().unwrap()).unwrap();
        let references = object["references"].as_array().unwrap();
        let mut cells = BTreeSet::new();
        for panel in panels.as_array().unwrap() {
            let attributes = &panel["embeddableConfig"]["attributes"];
            let name = format!("{title}: {}", panel["title"]);
            let mut said = Vec::new();
            texts(&attributes["state"], &mut said);
            checked += check_names(&name, &said.join("\n"), &reference, &known);
            // What a chart shows are columns that there are, and each column is of a field.
            let layer = &attributes["state"]["datasourceStates"]["formBased"]["layers"]["layer"];
            let columns = layer["columns"].as_object().unwrap();
            assert_eq!(layer["columnOrder"].as_array().unwrap().len(), columns.len());
            for (id, column) in columns {
                let field = column["sourceField"].as_str().unwrap();
                assert!(field == "___records___" || known.contains(field), "{name}: {id} is of {field}");
                let number = ["sum", "average", "max", "percentile"]
                    .contains(&column["operationType"].as_str().unwrap());
                assert!(!number || is_number(field), "{name}: {field} is no number");
            }
            let mut shown = Vec::new();
            texts(&attributes["state"]["visualization"], &mut shown);
            for id in shown
                .iter()
                .filter(|text| ["value", "row", "split", "time"].iter().any(|kind| text.starts_with(kind)))
            {
                assert!(columns.contains_key(id), "{name}: no column {id}");
            }
            let index = panel["panelIndex"].as_str().unwrap();
            assert!(
                references.iter().any(|of| of["name"].as_str().unwrap().starts_with(&format!("{index}:"))),
                "{name}"
            );
            // No panel lies on another, or beside the grid.
            let grid = |key: &str| panel["gridData"][key].as_u64().unwrap();
            for x in grid("x")..grid("x") + grid("w") {
                for y in grid("y")..grid("y") + grid("h") {
                    assert!(x < 48 && cells.insert((x, y)), "{name} lies on another");
                }
            }
        }
    }
    let wanted = [
        "Order lifecycle",
        "Trailing stops",
        "Latency percentiles",
        "WebSocket uptime",
        "Decisions",
        "Heartbeats",
        "Configuration drift",
    ];
    assert_eq!(titles, wanted.iter().map(|title| format!("[tapelog] {title}")).collect());
    assert!(checked > 150, "{checked}");
}

/// Whether a field is kept as a number.
fn is_number(field: &str) -> bool {
    let pointer = field.split('.').map(|part| format!("/properties/{part}")).collect::<String>();
    let template = template();
    let kind = template["template"]["mappings"].pointer(&pointer).unwrap()["type"].clone();
    ["long", "double"].iter().any(|number| kind == *number)
}

#[test]
fn every_event_and_field_of_an_alert_rule_exists() {
    let (reference, known) = (reference(), fields());
    let mut requirements = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for file in fs::read_dir(deploy("rules")).unwrap().flatten() {
        let rule: Value = serde_json::from_str(&text(&file.path())).unwrap();
        let name = rule["name"].as_str().unwrap();
        let query = rule["params"]["esqlQuery"]["esql"].as_str().unwrap();
        assert!(query.starts_with("FROM tapelog-* | WHERE "), "{name}");
        assert!(check_names(name, query, &reference, &known) > 0);
        requirements
            .extend(rule["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()));
        // The free licence knows the rule type; it is looked at more often than its window is long.
        assert_eq!(
            (rule["rule_type_id"].as_str(), rule["consumer"].as_str()),
            (Some(".es-query"), Some("stackAlerts"))
        );
        assert!(ids.insert(rule["id"].as_str().unwrap().to_owned()));
    }
    for number in ["S3-036", "S3-037", "S3-038", "S3-039", "S4-036", "S4-037", "S4-038"] {
        assert!(requirements.contains(number), "no rule for {number}");
    }
}

#[test]
fn what_is_made_is_what_the_script_makes() {
    let folder = support::Folder::new("made");
    let made = Command::new("python3").arg(deploy("make.py")).arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut names: Vec<_> =
        fs::read_dir(folder.path().join("rules")).unwrap().flatten().map(|file| file.file_name()).collect();
    assert_eq!(names.len(), fs::read_dir(deploy("rules")).unwrap().count());
    let mut files: Vec<_> = names.drain(..).map(|name| Path::new("rules").join(name)).collect();
    files.push("kibana.ndjson".into());
    for file in files {
        assert!(
            text(&folder.path().join(&file)) == text(&root().join("deploy/elastic").join(&file)),
            "run deploy/elastic/make.py: {}",
            file.display()
        );
    }
}
