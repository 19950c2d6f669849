//! The reference as a page.

use std::fmt::Write as _;

use crate::{Class, Shape};

use super::Entry;

const HEAD: &str = "\
# Events

Every event that `tapelog` knows: where it is written, at which level, with which fields, and how to record it. This page
and the JSON Schemas in [schema/](schema/) are made from the types and constants of `tapelog::events`; a test fails when
they are stale. To make them anew: `TAPELOG_REFERENCE=overwrite cargo test -p tapelog-tests --test reference`.

Every line has `timestamp` (RFC 3339, UTC, nine digits), `level`, `event_type`, `category`, `service`, `session_id`,
`decision_id` where there is a decision, the keys of the context, `message`, the event's own fields, `source`
(`file:line`), `thread`, `event_id` and `seq`. Domain events, in files below `events/`, also have `real_utc_time`,
`correlation_id` and `pid`. A field that is not marked as always there may be absent or `null`. One field name has one
type over all events.

";

/// The page: a table of all events, then each with its fields.
pub(super) fn page(entries: &[Entry]) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| event | file | level | requirements |\n|---|---|---|---|\n");
    for entry in entries {
        let _ = writeln!(
            page,
            "| [{name}](#{anchor}) | `{file}` | {levels} | {requirements} |",
            name = entry.name,
            anchor = entry.name.to_lowercase(),
            file = entry.types[0].stream.file(),
            levels = levels(entry),
            requirements = entry.requirements.join(", "),
        );
    }
    for entry in entries {
        one(&mut page, entry);
    }
    page
}

fn one(page: &mut String, entry: &Entry) {
    let event = &entry.types[0];
    let class = match event.stream.class() {
        Class::Audit => "audit",
        Class::Log => "log",
    };
    // Writing into memory cannot fail.
    let _ = write!(
        page,
        "\n## {name}\n\n{doc}\n\n`{file}` · class {class} · category {category} · level {levels}\n",
        name = entry.name,
        doc = entry.doc,
        file = event.stream.file(),
        category = event.category.as_str(),
        levels = levels(entry),
    );
    for message in &entry.messages {
        let _ = write!(page, "\nMessage: `{message}`\n");
    }
    if !entry.rust.is_empty() {
        let types: Vec<String> = entry.rust.iter().map(|rust| format!("`event!({rust} {{ … }})`")).collect();
        let _ = write!(page, "\nRecord it with {}\n", types.join(" or "));
    }
    if entry.fields.is_empty() {
        return;
    }
    page.push_str("\n| field | type | always | meaning |\n|---|---|---|---|\n");
    for field in &entry.fields {
        let always = if field.required { "yes" } else { "" };
        let doc = field.doc.replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(page, "| `{}` | {} | {always} | {doc} |", field.name, words(&field.shape));
    }
}

fn levels(entry: &Entry) -> String {
    entry.types.iter().map(|event| event.level.as_str()).collect::<Vec<_>>().join(", ")
}

/// What a value looks like, in words.
fn words(shape: &Shape) -> String {
    match shape {
        Shape::Number => "number".to_owned(),
        Shape::Integer => "integer".to_owned(),
        Shape::Text => "text".to_owned(),
        Shape::Bool => "true or false".to_owned(),
        Shape::Instant => "instant".to_owned(),
        Shape::OneOf(all) => all.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::List(item) => format!("list of {}", words(item)),
        Shape::Map(value) => format!("object of {}", words(value)),
        Shape::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, shape)| format!("`{name}`: {}", words(shape))).collect();
            format!("object: {}", fields.join("; "))
        }
        Shape::Nullable(inner) => words(inner),
        _ => "any".to_owned(),
    }
}
