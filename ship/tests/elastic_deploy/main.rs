//! `deploy/elastic` fits the event reference: every field and every event that is named there exists.
//!
//! After a change of the reference: `TAPELOG_REFERENCE=overwrite cargo test -p tapelog-ship --all-features --test elastic_deploy`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod names;
mod stack;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn deploy(name: &str) -> PathBuf {
    root().join("deploy/elastic").join(name)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Events by name, each with its own fields and their schemas.
fn reference() -> BTreeMap<String, Map<String, Value>> {
    let files = fs::read_dir(root().join("docs/schema")).unwrap().flatten();
    let all: BTreeMap<_, _> = files
        .map(|file| {
            let schema: Value = serde_json::from_str(&text(&file.path())).unwrap();
            let name = schema["title"].as_str().unwrap().to_owned();
            (name, schema["properties"].as_object().unwrap().clone())
        })
        .collect();
    assert!(all.len() > 100);
    all
}

/// What stands elsewhere in ECS, as `tapelog::convert` maps it.
const MAPPED: [&str; 15] = [
    "timestamp",
    "real_utc_time",
    "level",
    "event_type",
    "service",
    "message",
    "source",
    "thread",
    "event_id",
    "seq",
    "pid",
    "error",
    "error_code",
    "backtrace",
    "stack_trace",
];

/// Fields that the reference does not list, since whoever records them declares them: what a browser sends (C11), context
/// keys, and the events of `tapelog-web` and the heartbeat's own additions.
const MORE: [(&str, &str); 17] = [
    ("origin", "keyword"),
    ("correlation_id", "keyword"),
    ("strategy_id", "keyword"),
    ("execution_mode", "keyword"),
    ("parent_decision_id", "keyword"),
    ("grpc_status", "long"),
    ("pool", "keyword"),
    ("query_name", "keyword"),
    ("threads_alive", "long"),
    ("threads_known", "long"),
    ("threads_stalled", "long"),
    ("decisions_open", "long"),
    ("decisions_stalled", "long"),
    ("process", "object"),
    ("clock", "object"),
    ("seals", "object"),
    ("shutdown", "object"),
];

/// How Elasticsearch keeps a field of this schema.
fn mapping(schema: &Value) -> Value {
    let kind = match &schema["type"] {
        Value::String(kind) => kind.as_str(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap(),
        _ => "string",
    };
    match kind {
        "string" if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("T\\d{2}:")) => {
            json!({"type": "date"})
        }
        "string" => json!({"type": "keyword", "ignore_above": 1024}),
        "integer" => json!({"type": "long"}),
        "number" => json!({"type": "double"}),
        "boolean" => json!({"type": "boolean"}),
        "array" if schema["items"]["type"] == "string" => json!({"type": "keyword", "ignore_above": 1024}),
        // Anything may stand in it: it is kept, and not searched. What is searched is a field of its own.
        "array" | "object" => json!({"type": "object", "enabled": false}),
        other => panic!("{other}"),
    }
}

/// The fields of ECS that `tapelog::convert` writes, with their types, as nested properties.
fn ecs_mapping() -> Map<String, Value> {
    let mut root = Map::new();
    let mut list = text(&self::root().join("runtime/src/convert/ecs-8.17.csv"));
    // What Filebeat and the ingest pipeline add.
    list.push_str("event.ingested,date\nlog.file.path,keyword\nlog.offset,long\n");
    for line in list.lines().skip(1) {
        let (path, kind) = line.split_once(',').unwrap();
        let leaf = match kind {
            "keyword" => json!({"type": "keyword", "ignore_above": 1024}),
            kind => json!({"type": kind}),
        };
        let parts: Vec<_> = path.split('.').collect();
        let (last, above) = parts.split_last().unwrap();
        let mut at = &mut root;
        for part in above {
            let below = at.entry(*part).or_insert_with(|| json!({"properties": {}}));
            at = below["properties"].as_object_mut().unwrap();
        }
        at.insert((*last).to_owned(), leaf);
    }
    root
}

fn own_mapping() -> Map<String, Value> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    for (event, fields) in reference() {
        for (name, schema) in fields.iter().filter(|(name, _)| !MAPPED.contains(&name.as_str())) {
            let mapping = mapping(schema);
            let known = all.entry(name.clone()).or_insert_with(|| mapping.clone());
            assert_eq!(*known, mapping, "{event}.{name} has another type elsewhere");
        }
    }
    for (name, kind) in MORE {
        let leaf = match kind {
            "keyword" => json!({"type": "keyword", "ignore_above": 1024}),
            "object" => json!({"type": "object", "enabled": false}),
            kind => json!({"type": kind}),
        };
        all.entry(name.to_owned()).or_insert(leaf);
    }
    all.into_iter().collect()
}

fn template() -> Value {
    let mut properties = ecs_mapping();
    properties.insert(
        "tapelog".to_owned(),
        json!({
            "dynamic": true,
            "properties": own_mapping(),
        }),
    );
    json!({
        "index_patterns": ["tapelog-*"],
        "priority": 300,
        "version": 1,
        "_meta": {"description": "Events of tapelog in the shape of ECS; made from docs/schema by a test", "managed_by": "tapelog"},
        "template": {
            "settings": {
                "index.lifecycle.name": "tapelog",
                "index.number_of_shards": 1,
                "index.mapping.total_fields.limit": 2000,
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": true,
            },
            "mappings": {
                // What nobody declared outside of `tapelog` is no field of ours.
                "dynamic": false,
                "date_detection": false,
                "numeric_detection": false,
                "dynamic_templates": [
                    {"texts_are_words": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}},
                    // An event of your own may have anything in it: kept, not searched.
                    {"objects_are_kept": {"match_mapping_type": "object", "path_match": "tapelog.*", "mapping": {"type": "object", "enabled": false}}},
                ],
                "properties": properties,
            },
        },
    })
}

/// Writes or compares a file that is made from the reference.
fn check_made(path: &Path, made: &str) {
    if std::env::var_os("TAPELOG_REFERENCE").is_some_and(|what| what == "overwrite") {
        fs::write(path, made).unwrap();
    }
    assert!(
        text(path) == made,
        "{} is stale; run `TAPELOG_REFERENCE=overwrite cargo test -p tapelog-ship --all-features --test elastic_deploy`",
        path.display()
    );
}

#[test]
fn the_index_template_has_every_field_of_the_reference_with_its_type() {
    let mut made = serde_json::to_string_pretty(&template()).unwrap();
    made.push('\n');
    check_made(&root().join("ship/src/elastic/index-template.json"), &made);
    check_made(&deploy("index-template.json"), &made);
}

#[test]
fn the_policy_keeps_30_days_hot_and_180_cold() {
    // S3-035
    let policy = text(&deploy("ilm-policy.json"));
    assert_eq!(policy, text(&root().join("ship/src/elastic/ilm-policy.json")), "the two are one file");
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let phases = &policy["policy"]["phases"];
    let days = |phase: &str| -> u32 {
        let age = phases[phase]["min_age"].as_str().unwrap();
        age.strip_suffix('d').map_or(0, |days| days.parse().unwrap())
    };
    assert_eq!((days("hot"), days("cold"), days("delete")), (0, 30, 30 + 180));
    // A day is an index: nothing rolls over, so that an id stays in the index that knows it.
    assert!(phases["hot"]["actions"].get("rollover").is_none());
}

/// All names of fields below the mapping: `event.action`, `tapelog.rule`.
fn fields() -> BTreeSet<String> {
    fn walk(prefix: &str, properties: &Map<String, Value>, out: &mut BTreeSet<String>) {
        for (name, field) in properties {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if let Some(below) = field["properties"].as_object() {
                walk(&path, below, out);
            } else {
                out.insert(path);
            }
        }
    }
    let mut out = BTreeSet::new();
    walk("", template()["template"]["mappings"]["properties"].as_object().unwrap(), &mut out);
    out
}

#[test]
fn the_mapping_is_as_large_as_an_index_allows() {
    assert!((250..1500).contains(&fields().len()), "{}", fields().len());
}
