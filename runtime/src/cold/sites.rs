//! What the drain knows of each site: its description, made ready for writing lines.

use core::cell::Cell;

use crate::hot::describe::source;
use crate::hot::hub::unframed;
use crate::hot::site::{Category, Class, Level};

use super::decode::{Decoded, Reader};
use super::json;
use super::kinds::{Kind, is_id};

/// A site as its description says, live or from the table of a dead run.
#[derive(Clone, Debug)]
pub(crate) struct SiteInfo {
    /// Where its lines go: the file below the run directory.
    pub(crate) stream: Stream,
    /// `"level":…,"event_type":…,"category":…`.
    pub(crate) head: Vec<u8>,
    pub(crate) message: Vec<Piece>,
    pub(crate) fields: Vec<FieldInfo>,
    /// `,"source":"file:line"`.
    pub(crate) place: Vec<u8>,
    /// A domain event, which also has `pid`, `correlation_id` and `real_utc_time` (S2-014).
    pub(crate) domain: bool,
}

/// A stream by its index in the process, and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) index: u32,
    pub(crate) file: String,
    pub(crate) class: Class,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// The value of the field at this place, and how many digits after the point.
    Hole(usize, Option<usize>),
}

#[derive(Clone, Debug)]
pub(crate) struct FieldInfo {
    pub(crate) name: String,
    /// `,"name":`.
    pub(crate) key: Vec<u8>,
    pub(crate) from: From,
    /// The kind that the field's name has, once known.
    pub(crate) kind: Cell<Option<Kind>>,
    /// Whether an integer is written as text.
    pub(crate) is_id: bool,
}

/// Where a field's value comes from.
#[derive(Clone, Debug)]
pub(crate) enum From {
    Recorded,
    Constant(Constant),
    DisplayTime,
    EpochSeconds,
}

#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Null,
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl Constant {
    pub(crate) fn value(&self) -> Decoded<'_> {
        match self {
            Self::Null => Decoded::Null,
            Self::Text(text) => Decoded::Text(text),
            Self::Int(number) => Decoded::I64(*number),
            Self::Float(number) => Decoded::F64(*number),
            Self::Bool(truth) => Decoded::Bool(*truth),
        }
    }
}

/// Sites by id.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    known: Vec<Option<SiteInfo>>,
}

impl Sites {
    /// Reads the table that a run left.
    pub(crate) fn of_table(table: &[u8]) -> Self {
        let mut sites = Self::default();
        unframed(table).for_each(|entry| sites.add(entry));
        sites
    }

    /// Adds a site by its description; one that cannot be read is left unknown.
    pub(crate) fn add(&mut self, description: &[u8]) {
        if let Some((id, info)) = parse(description) {
            let id = id as usize;
            if id >= crate::hot::registry::MAX_SITES {
                return;
            }
            if self.known.len() <= id {
                self.known.resize(id + 1, None);
            }
            self.known[id] = Some(info);
        }
    }

    /// The streams of the sites that are known, each once.
    pub(crate) fn streams(&self) -> Vec<&Stream> {
        let mut streams: Vec<_> = self.known.iter().flatten().map(|site| &site.stream).collect();
        streams.sort_by_key(|stream| stream.index);
        streams.dedup_by_key(|stream| stream.index);
        streams
    }

    pub(crate) fn get(&self, id: u32) -> Option<&SiteInfo> {
        self.known.get(id as usize)?.as_ref()
    }
}

/// Where a site is, for people: `in place_order (src/router.rs:491)`.
pub(crate) fn place_of(description: &[u8]) -> Option<(u32, String)> {
    let mut reader = Reader::new(description);
    let id = number(&mut reader)?;
    let _index = number(&mut reader)?;
    let event = text(&mut reader)?;
    for _ in ["stream", "class", "component", "level", "category", "message"] {
        reader.value()?;
    }
    let file = text(&mut reader)?;
    let line = number(&mut reader)?;
    for _ in ["column", "module"] {
        reader.value()?;
    }
    let function = text(&mut reader)?;
    Some((id, format!("in {} ({file}:{line})", if function.is_empty() { event } else { function })))
}

fn parse(description: &[u8]) -> Option<(u32, SiteInfo)> {
    let mut reader = Reader::new(description);
    let id = number(&mut reader)?;
    let index = number(&mut reader)?;
    let event = text(&mut reader)?;
    let stream = text(&mut reader)?;
    let class = if number(&mut reader)? == Class::Audit as u32 { Class::Audit } else { Class::Log };
    let component = reader.value()? == Decoded::Bool(true);
    let level = *Level::ALL.get(number(&mut reader)? as usize)?;
    let category = *Category::ALL.get(number(&mut reader)? as usize)?;
    let message = text(&mut reader)?;
    let file = text(&mut reader)?;
    let line = number(&mut reader)?;
    let _column = number(&mut reader)?;
    let _module = text(&mut reader)?;
    let _function = text(&mut reader)?;
    let Decoded::List(fields) = reader.value()? else { return None };

    let mut head = Vec::new();
    head.extend_from_slice(format!("\"level\":\"{}\",\"event_type\":", level.as_str()).as_bytes());
    json::string(&mut head, event);
    head.extend_from_slice(format!(",\"category\":\"{}\"", category.as_str()).as_bytes());
    let mut place = b",\"source\":".to_vec();
    json::string(&mut place, &format!("{file}:{line}"));
    let fields: Vec<_> = fields.into_iter().map(field).collect::<Option<_>>()?;
    let info = SiteInfo {
        stream: Stream {
            index,
            file: format!("{stream}{}", if component { ".log" } else { ".jsonl" }),
            class,
        },
        head,
        message: pieces(message, |name| fields.iter().position(|field| field.name == name)),
        fields,
        place,
        domain: stream.starts_with("events/") && !component,
    };
    Some((id, info))
}

fn field(value: Decoded<'_>) -> Option<FieldInfo> {
    let Decoded::List(parts) = value else { return None };
    let [Decoded::Text(name), Decoded::U64(kind), constant] = &parts[..] else { return None };
    let from = match *kind as u8 {
        source::RECORDED => From::Recorded,
        source::DISPLAY_TIME => From::DisplayTime,
        source::EPOCH_SECONDS => From::EpochSeconds,
        source::CONSTANT => From::Constant(match constant {
            Decoded::Text(text) => Constant::Text((*text).to_owned()),
            Decoded::I64(number) => Constant::Int(*number),
            Decoded::F64(number) => Constant::Float(*number),
            Decoded::Bool(truth) => Constant::Bool(*truth),
            _ => Constant::Null,
        }),
        _ => return None,
    };
    // What a library said is the line's message, and no field beside it.
    let key = if *name == "message" { Vec::new() } else { key(name) };
    Some(FieldInfo { name: (*name).to_owned(), key, from, kind: Cell::new(None), is_id: is_id(name) })
}

/// `,"name":`.
pub(crate) fn key(name: &str) -> Vec<u8> {
    let mut key = vec![b','];
    json::string(&mut key, name);
    key.push(b':');
    key
}

fn number(reader: &mut Reader<'_>) -> Option<u32> {
    match reader.value()? {
        Decoded::U64(number) => u32::try_from(number).ok(),
        _ => None,
    }
}

fn text<'a>(reader: &mut Reader<'a>) -> Option<&'a str> {
    match reader.value()? {
        Decoded::Text(text) => Some(text),
        _ => None,
    }
}

/// Splits a message into text and holes. The macro has checked it: `{name}` or `{name:.2}`, `{{` and `}}` for braces.
fn pieces(message: &str, place: impl Fn(&str) -> Option<usize>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..at + 1];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
        } else if let Some((hole, after)) = (brace == "{").then(|| rest.split_once('}')).flatten() {
            if !text.is_empty() {
                pieces.push(Piece::Text(core::mem::take(&mut text)));
            }
            let (name, precision) = match hole.split_once(":.") {
                Some((name, digits)) => (name, digits.parse().ok()),
                None => (hole, None),
            };
            pieces.extend(place(name.trim()).map(|at| Piece::Hole(at, precision)));
            rest = after;
        } else {
            text.push_str(brace);
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_splits_into_text_and_holes() {
        let place = |name: &str| ["symbol", "px"].iter().position(|known| *known == name);
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            pieces("{{{symbol}}} @ ${px:.2}!", place),
            [text("{"), Piece::Hole(0, None), text("} @ $"), Piece::Hole(1, Some(2)), text("!")]
        );
        assert_eq!(pieces("", place), []);
        assert_eq!(pieces("a } b", place), [text("a } b")]);
    }

    #[test]
    fn a_table_cut_anywhere_gives_the_sites_before_the_cut() {
        use crate::hot::{describe, hub::framed, site};
        static SITE: site::Site = site::Site::new(
            &crate::events::BUY_BLOCKED,
            "no",
            &[],
            &[site::Field::text("rule", "spread"), site::Field::recorded("value")],
            site::Place::new("a.rs", 7, 1, "m", "f"),
        );
        let table = [framed(&describe::site(0, &SITE)), framed(&describe::site(1, &SITE))].concat();
        for cut in 0..table.len() {
            let sites = Sites::of_table(&table[..cut]);
            assert!(sites.get(1).is_none());
            assert_eq!(sites.get(0).is_some(), cut >= table.len() / 2);
        }
        let sites = Sites::of_table(&table);
        assert_eq!(sites.get(1).unwrap().place, b",\"source\":\"a.rs:7\"");
    }
}
