//! The reference as JSON Schema, draft 2020-12: one file for each event, and one for what every line has.

use serde_json::{Map, Value, json};

use crate::{Category, Level, Shape};

use super::Entry;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// RFC 3339 in UTC with nine digits.
const INSTANT: &str = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$";

/// File names and texts, in the order of the entries.
pub(super) fn files(entries: &[Entry]) -> Vec<(String, String)> {
    entries.iter().map(|entry| (format!("{}.json", entry.name), text(&schema(entry)))).collect()
}

fn text(schema: &Value) -> String {
    // A `Value` is always valid JSON.
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

fn schema(entry: &Entry) -> Value {
    let domain = entry.types[0].stream.name().starts_with("events/");
    let mut properties = envelope(entry);
    let mut required = vec![
        "timestamp",
        "level",
        "event_type",
        "category",
        "service",
        "session_id",
        "message",
        "source",
        "thread",
        "event_id",
        "seq",
    ];
    if domain {
        properties.insert("real_utc_time".to_owned(), instant());
        properties.insert("correlation_id".to_owned(), json!({"type": "string"}));
        properties.insert("pid".to_owned(), json!({"type": "integer", "minimum": 0}));
        required.extend(["real_utc_time", "correlation_id", "pid"]);
    }
    for field in &entry.fields {
        let mut property = of(&field.shape);
        if !field.required {
            nullable(&mut property);
        }
        if let Value::Object(property) = &mut property
            && !field.doc.is_empty()
        {
            property.insert("description".to_owned(), json!(field.doc));
        }
        properties.insert(field.name.to_owned(), property);
    }
    required.extend(entry.fields.iter().filter(|field| field.required).map(|field| field.name));
    json!({
        "$schema": DRAFT,
        "$id": format!("https://github.com/tapelog/tapelog/blob/main/docs/schema/{}.json", entry.name),
        "title": entry.name,
        "description": entry.doc,
        "type": "object",
        "properties": properties,
        "required": required,
    })
}

fn envelope(entry: &Entry) -> Map<String, Value> {
    let levels: Vec<&str> = entry.types.iter().map(|event| event.level.as_str()).collect();
    // The level of an ERROR and of a component's line is that of the call.
    let levels: Vec<&str> =
        if matches!(entry.name, "ERROR" | "LOG") { Level::ALL.map(Level::as_str).into() } else { levels };
    let categories: Vec<&str> = match entry.name {
        "LOG" => Category::ALL.map(Category::as_str).into(),
        _ => vec![entry.types[0].category.as_str()],
    };
    let value = json!({
        "timestamp": instant(),
        "level": {"enum": levels},
        "event_type": {"const": entry.name},
        "category": {"enum": categories},
        "service": {"type": "string"},
        "session_id": {"type": "string", "pattern": r"^session_\d{8}_\d{6}$"},
        "decision_id": {"type": "string", "pattern": r"^dec_\d{8}_\d{6}_[a-z0-9]{6,12}$"},
        "message": {"type": "string"},
        "source": {"type": "string", "pattern": r":\d+$"},
        "thread": {"type": "string"},
        "event_id": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
        "seq": {"type": "integer", "minimum": 1},
    });
    match value {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

fn instant() -> Value {
    json!({"type": "string", "pattern": INSTANT})
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Number => json!({"type": "number"}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Text => json!({"type": "string"}),
        Shape::Bool => json!({"type": "boolean"}),
        Shape::Instant => instant(),
        Shape::OneOf(words) => json!({"type": "string", "enum": words}),
        Shape::List(item) => json!({"type": "array", "items": of(item)}),
        Shape::Map(value) => json!({"type": "object", "additionalProperties": of(value)}),
        Shape::Object(fields) => {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            let fields: Map<String, Value> =
                fields.iter().map(|(name, shape)| ((*name).to_owned(), of(shape))).collect();
            json!({"type": "object", "properties": fields, "required": names})
        }
        Shape::Nullable(inner) => {
            let mut schema = of(inner);
            nullable(&mut schema);
            schema
        }
        Shape::Any => json!({}),
    }
}

/// What is written may be `null` as well: a value that is not finite is (C23).
fn nullable(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    if let Some(Value::String(kind)) = schema.get("type").cloned() {
        schema.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum")
        && !words.contains(&Value::Null)
    {
        words.push(Value::Null);
    }
}
