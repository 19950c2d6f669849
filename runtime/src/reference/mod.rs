//! The event reference: every event of this crate, and of yours, as Markdown and as JSON Schema.
//!
//! Made from the types and constants themselves, so that it cannot say anything else than the code; a test compares the
//! files that are checked in (`docs/EVENTS.md`, `docs/schema/`) with what this module makes.

mod macros;
mod markdown;
mod schema;

use std::collections::BTreeMap;

use crate::{Description, EventType, Level, Shape, events};

/// One event of the reference.
///
/// ```
/// use tapelog::{Level, reference};
///
/// let entries = reference::entries(&[]);
/// let breaker = entries.iter().find(|entry| entry.name == "CIRCUIT_BREAKER").expect("it is there");
/// assert!(breaker.types.iter().any(|event| event.level == Level::Critical));
/// assert!(breaker.fields.iter().any(|field| field.name == "reason" && field.required));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// What stands in `event_type`.
    pub name: &'static str,
    /// Where it goes, and how much it matters; more than one where an event has more than one level.
    pub types: Vec<EventType>,
    /// What it says.
    pub doc: String,
    /// The requirements it serves, for example `S0-045`.
    pub requirements: Vec<String>,
    /// The Rust types to record it with; empty where only the macros record it.
    pub rust: Vec<&'static str>,
    /// The messages.
    pub messages: Vec<&'static str>,
    /// Its fields.
    pub fields: Vec<EntryField>,
}

/// One field of an event.
///
/// ```
/// use tapelog::{Shape, reference};
///
/// let entries = reference::entries(&[]);
/// let filled = entries.iter().find(|entry| entry.name == "ORDER_FILLED").expect("it is there");
/// let price: &reference::EntryField = filled.fields.iter().find(|field| field.name == "fill_price").expect("it has one");
/// assert_eq!(price.shape, Shape::Number);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EntryField {
    /// The key in the line.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it is in every line of the event.
    pub required: bool,
    /// What it means.
    pub doc: String,
}

/// Every event, with those of your own types behind ours.
///
/// ```
/// use tapelog::{Event, reference};
///
/// /// A hedge was placed.
/// #[derive(Event)]
/// #[event(stream = execution, level = info, category = execution, message = "{qty} {symbol} hedged")]
/// struct HedgePlaced<'a> {
///     symbol: &'a str,
///     qty: f64,
/// }
///
/// let entries = reference::entries(&[HedgePlaced::DESCRIPTION]);
/// assert!(entries.iter().any(|entry| entry.name == "HEDGE_PLACED"));
/// reference::one_type_for_each_name(&entries)?;
/// # Ok::<(), String>(())
/// ```
#[must_use]
pub fn entries(own: &[&'static Description]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (event, doc) in events::ALL.iter().zip(events::DOCS) {
        let doc = trimmed(doc);
        match entries.iter_mut().find(|entry| entry.name == event.name) {
            Some(entry) => {
                entry.types.push(*event);
                entry.doc = format!("{} {doc}", entry.doc);
            }
            None => entries.push(Entry {
                name: event.name,
                types: vec![*event],
                doc,
                requirements: Vec::new(),
                rust: Vec::new(),
                messages: Vec::new(),
                fields: macros::fields(event.name),
            }),
        }
    }
    for description in events::TYPED.iter().flat_map(|group| group.iter()).chain(own) {
        add(&mut entries, description);
    }
    for entry in &mut entries {
        entry.requirements = requirements(&entry.doc);
        for (_, level) in OTHER_LEVELS.iter().filter(|(name, _)| *name == entry.name) {
            entry.types.extend(entry.types.first().map(|event| EventType { level: *level, ..*event }));
        }
    }
    entries
}

/// What the recorder records at another level too: the first stage of a stall, a run that was ended by force.
const OTHER_LEVELS: [(&str, Level); 3] =
    [("THREAD_STALLED", Level::Warning), ("DECISION_STALLED", Level::Warning), ("RUN_ENDED", Level::Warning)];

fn add(entries: &mut Vec<Entry>, description: &Description) {
    let at = entries.iter().position(|entry| entry.name == description.event.name).unwrap_or_else(|| {
        entries.push(Entry {
            name: description.event.name,
            types: vec![*description.event],
            doc: trimmed(description.doc),
            requirements: Vec::new(),
            rust: Vec::new(),
            messages: Vec::new(),
            fields: Vec::new(),
        });
        entries.len() - 1
    });
    let entry = &mut entries[at];
    entry.rust.push(description.rust);
    if !description.message.is_empty() {
        entry.messages.push(description.message);
    }
    // What another way to record the event does not give is not in every line.
    let recorded_before = entry.rust.len() > 1 || !entry.fields.is_empty();
    for field in &mut entry.fields {
        field.required &= description.fields.iter().any(|other| other.name == field.name && other.required);
    }
    for field in description.fields {
        if let Some(known) = entry.fields.iter_mut().find(|known| known.name == field.name) {
            if known.doc.is_empty() {
                known.doc = field.doc.to_owned();
            }
        } else {
            entry.fields.push(EntryField {
                name: field.name,
                shape: field.shape(),
                required: field.required && !recorded_before,
                doc: field.doc.to_owned(),
            });
        }
    }
}

/// Checks that no field name has two types over all events (design §6).
///
/// # Errors
/// The first name that has, with both events.
pub fn one_type_for_each_name(entries: &[Entry]) -> Result<(), String> {
    let mut kinds: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for entry in entries {
        for field in &entry.fields {
            let Some(kind) = kind(&field.shape) else { continue };
            let (first, other) = *kinds.entry(field.name).or_insert((kind, entry.name));
            if first != kind {
                return Err(format!(
                    "`{}` is {first} in {other} and {kind} in {}; name one of them otherwise",
                    field.name, entry.name
                ));
            }
        }
    }
    Ok(())
}

/// The Markdown page.
///
/// ```
/// use tapelog::reference;
///
/// let page = reference::markdown(&reference::entries(&[]));
/// assert!(page.contains("ORDER_FILLED"));
/// ```
#[must_use]
pub fn markdown(entries: &[Entry]) -> String {
    markdown::page(entries)
}

/// The JSON Schema (2020-12) of each event: file name and text.
///
/// ```
/// use tapelog::reference;
///
/// let schemas = reference::schemas(&reference::entries(&[]));
/// assert!(schemas.iter().any(|(_, schema)| schema.contains("ORDER_FILLED")));
/// ```
#[must_use]
pub fn schemas(entries: &[Entry]) -> Vec<(String, String)> {
    schema::files(entries)
}

/// What a JSON reader calls the type of a value; none where it may be any.
fn kind(shape: &Shape) -> Option<&'static str> {
    Some(match shape {
        Shape::Number => "a number",
        Shape::Integer => "a whole number",
        Shape::Text | Shape::Instant | Shape::OneOf(_) => "text",
        Shape::Bool => "a truth",
        Shape::List(_) => "a list",
        Shape::Map(_) | Shape::Object(_) => "an object",
        Shape::Nullable(inner) => return kind(inner),
        _ => return None,
    })
}

/// `S2-016`, `S2-018…020` and the like, as they stand in the text.
fn requirements(doc: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = doc;
    while let Some(at) = rest.find('S') {
        let from = &rest[at..];
        let len = from
            .char_indices()
            .skip(1)
            .find(|(_, c)| !(c.is_ascii_digit() || *c == '-' || *c == '…'))
            .map_or(from.len(), |(end, _)| end);
        let word = &from[..len];
        let bytes = word.as_bytes();
        if bytes.len() >= 6
            && bytes[1].is_ascii_digit()
            && bytes[2] == b'-'
            && !found.contains(&word.to_owned())
        {
            found.push(word.to_owned());
        }
        rest = &from[len.max(1)..];
    }
    found
}

fn trimmed(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_name_has_two_types() {
        // Design §6
        one_type_for_each_name(&entries(&[])).unwrap();
    }

    #[test]
    fn a_second_type_for_a_name_is_found() {
        let mut entries = entries(&[]);
        let mut own = entries[0].clone();
        own.name = "OWN";
        own.fields =
            vec![EntryField { name: "fill_price", shape: Shape::Text, required: true, doc: String::new() }];
        entries.push(own);
        let wrong = one_type_for_each_name(&entries).unwrap_err();
        assert!(wrong.contains("`fill_price` is a number in ") && wrong.contains("text in OWN"), "{wrong}");
    }

    #[test]
    fn requirements_are_read_from_the_text() {
        assert_eq!(requirements("A Signal (S2-018…020, C14; S0-001)."), ["S2-018…020", "S0-001"]);
        assert!(requirements("S-1 Stop S").is_empty());
    }

    #[test]
    fn every_event_of_the_requirements_is_there() {
        // S4-030, S2-016…030, S0-044…046
        let entries = entries(&[]);
        for name in [
            "ORDER_CONTEXT",
            "DECISION_START",
            "BUY_BLOCKED",
            "BUY_TRIGGERED",
            "BUY_CANDIDATE",
            "BUY_ORDER",
            "SELL_FILLED",
            "CONFIG_HASH",
            "CONFIG_DIFF",
            "CONFIG_OVERRIDES",
            "SHUTDOWN_HEARTBEAT",
            "DASH_EVENT",
            "ORDER_SUBMITTED",
            "ORDER_FILLED",
            "CIRCUIT_BREAKER",
            "POSITION_SNAPSHOT",
            "OPERATION_EXECUTION",
            "TIGHT_LOOP_EXECUTION",
            "EXPOSURE_SNAPSHOT",
            "RISK_ASSESSMENT",
            "PNL_CALCULATION",
            "STRATEGY_DECISION",
            "ATOMIC_OPERATION_GROUP",
            "RECONCILIATION",
            "EXECUTION_DELTA",
            "HEALTH_STATUS",
            "SYSTEM_ERROR",
        ] {
            let entry = entries.iter().find(|entry| entry.name == name).unwrap();
            assert!(!entry.fields.is_empty(), "{name} has no fields");
            assert!(!entry.requirements.is_empty(), "{name} names no requirement: {}", entry.doc);
        }
        let levels = entries.iter().find(|entry| entry.name == "CIRCUIT_BREAKER").unwrap().types.len();
        assert_eq!(levels, 2, "S0-046");
    }
}
