//! `deploy/elastic` fits the event reference: every field and every event that is named there exists.
//!
//! After a change of the reference: `TAPELOG_REFERENCE=overwrite cargo test -p tapelog-ship --test elastic_deploy`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};
use support::cluster::Cluster;

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
const MORE: [(&str, &str); 18] = [
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
    ("destination", "keyword"),
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
        "{} is stale; run `TAPELOG_REFERENCE=overwrite cargo test -p tapelog-ship --test elastic_deploy`",
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

#[test]
fn versions_are_pinned_and_everything_wants_a_password() {
    // S3-032
    let (compose, example) = (text(&deploy("docker-compose.yml")), text(&deploy("env.example")));
    let version = example.lines().find_map(|line| line.strip_prefix("STACK_VERSION=")).unwrap();
    assert!(
        version.split('.').count() == 3 && version.split('.').all(|part| part.parse::<u32>().is_ok()),
        "{version}"
    );
    for image in compose.lines().filter_map(|line| line.trim().strip_prefix("image: ")) {
        assert!(image.starts_with("docker.elastic.co/") && image.contains(":${STACK_VERSION"), "{image}");
    }
    assert!(compose.contains("license.self_generated.type: basic"));
    assert!(!compose.contains("security.enabled: \"false\"") && !compose.contains(":latest"));
    // What a variable is not set for is asked for, in words; and the example names each.
    for (at, _) in compose.match_indices("${") {
        let name: String =
            compose[at + 2..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        assert!(example.contains(&format!("{name}=")), "{name}");
    }
    // Passwords have no defaults, and ports are open to this machine alone.
    for line in example.lines().filter(|line| line.contains("PASSWORD=") || line.contains("KEY=")) {
        assert!(line.ends_with('='), "{line}");
    }
    assert!(example.lines().filter(|line| line.contains("_PORT=")).all(|line| line.contains("127.0.0.1:")));
    for name in ["docker-compose.yml", "filebeat.yml"] {
        yaml(&deploy(name));
    }
    serde_json::from_str::<Value>(&text(&deploy("ingest-pipeline.json"))).unwrap();
}

/// Holds when a file is YAML.
#[track_caller]
fn yaml(path: &Path) {
    let text = text(path);
    let mut events = 0;
    for event in saphyr_parser::Parser::new_from_str(&text) {
        event.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        events += 1;
    }
    assert!(events > 20);
}

#[test]
fn the_setup_tells_a_cluster_everything_and_may_run_twice() {
    let cluster = Cluster::start();
    let base = format!("http://127.0.0.1:{}", cluster.port);
    let run = |password: &str| {
        Command::new("sh")
            .arg(deploy("setup.sh"))
            .env("ELASTIC_HOSTS", &base)
            .env("KIBANA_HOSTS", &base)
            .env("ELASTIC_PASSWORD", password)
            .env("KIBANA_PASSWORD", "canary-8")
            .env("SETUP_TRIES", "1")
            .output()
            .unwrap()
    };
    // `elastic:right`
    cluster.with(|state| state.password = Some("Basic ZWxhc3RpYzpyaWdodA==".to_owned()));
    let output = run("wrong");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("does not answer"));
    let output = run("right");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("canary-8") && !said.contains("right"));
    let rules = fs::read_dir(deploy("rules")).unwrap().count();
    cluster.with(|state| {
        assert_eq!(state.templates["tapelog"]["version"], template()["version"]);
        assert!(state.policies.contains_key("tapelog") && state.pipelines == ["tapelog"]);
        assert_eq!(state.rules.len(), rules);
        assert!(state.imported.contains("[tapelog] Order lifecycle"));
        assert_eq!(state.kibana_password.as_deref(), Some("canary-8"));
        // Somebody changes a rule; it stays.
        state.rules.values_mut().next().unwrap()["name"] = "mine".into();
    });
    let output = run("right");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).matches("is there already").count() == rules);
    assert!(cluster.with(|state| state.rules.values().any(|rule| rule["name"] == "mine")));
    cluster.with(|state| state.manages = false);
    let output = run("right");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("403"));
}

#[test]
fn the_mapping_is_as_large_as_an_index_allows() {
    assert!((250..1500).contains(&fields().len()), "{}", fields().len());
}
