//! The message and the fields of a line.
//!
//! Texts, numbers and truths are written from the record's own bytes; what is rarer goes through [`Decoded`]. Only a
//! message with holes needs to know where each value stands before the fields are written.

use crate::cold::decode::{Decoded, Reader};
use crate::cold::json;
use crate::cold::kinds::{Kind, Kinds, as_id, is_id};
use crate::cold::sites::{FieldInfo, From, Piece, SiteInfo, key};
use crate::hot::context::each_key;
use crate::hot::encoder::tag;

use super::line::Line;
use super::value::{Base, epoch_seconds, one, plain};

/// What is the same in all lines of a site.
#[derive(Debug)]
pub(super) struct Ready {
    /// Behind the timestamp: `","level":…` to the session.
    pub(super) opening: Vec<u8>,
    /// `,"message":"…"`, when there is no hole in it.
    message: Option<Vec<u8>>,
    fields: Vec<ReadyField>,
    /// `,"source":"…","thread":`.
    pub(super) closing: Vec<u8>,
}

#[derive(Debug)]
struct ReadyField {
    /// `,"name":`, when it is as short as most.
    key: [u8; KEY],
    len: usize,
    /// Key and value of a constant.
    constant: Option<Vec<u8>>,
}

/// Longer keys are copied by a call.
const KEY: usize = 32;

impl Ready {
    pub(super) fn new(site: &SiteInfo, same: &[u8], kinds: &mut Kinds) -> Self {
        let message = match &site.message[..] {
            [] => Some(String::new()),
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        };
        Self {
            opening: [b"\",", &site.head[..], same].concat(),
            message: message.map(|text| {
                let mut out = b",\"message\":".to_vec();
                json::string(&mut out, &text);
                out
            }),
            fields: site.fields.iter().map(|field| ReadyField::new(field, kinds)).collect(),
            closing: [&site.place[..], b",\"thread\":"].concat(),
        }
    }
}

impl ReadyField {
    fn new(field: &FieldInfo, kinds: &mut Kinds) -> Self {
        let mut padded = [0; KEY];
        let len = field.key.len();
        if let Some(place) = padded.get_mut(..len) {
            place.copy_from_slice(&field.key);
        }
        let constant = match &field.from {
            From::Constant(constant) => {
                let value = settled(field, constant.value());
                let mut out = key(&named(kinds, &field.name, &value));
                // What is not finite is listed in each line.
                one(&mut out, &value, &Base::NONE).then_some(out)
            }
            _ => None,
        };
        Self { key: padded, len, constant }
    }

    #[inline(always)]
    fn put_key(&self, field: &FieldInfo, line: &mut Line) {
        if self.len <= KEY { line.padded(&self.key, self.len) } else { line.put(&field.key) }
    }
}

/// Writes message and fields; the names of those that are not finite go to `nonfinite`.
pub(super) fn write(
    line: &mut Line,
    site: &SiteInfo,
    ready: &Ready,
    mut reader: Reader<'_>,
    base: &Base<'_>,
    kinds: &mut Kinds,
    nonfinite: &mut Vec<String>,
) {
    match &ready.message {
        Some(message) => line.put(message),
        None => message(line, site, reader, base),
    }
    nonfinite.clear();
    for (field, ready) in site.fields.iter().zip(&ready.fields) {
        match &field.from {
            // A library's message: the line has it already.
            From::Recorded if field.key.is_empty() => {
                let _message = reader.value();
            }
            From::Recorded => {
                if !short(line, field, ready, &mut reader, base) {
                    let value = settled(field, reader.value().unwrap_or(Decoded::Absent));
                    any(line, field, &value, base, kinds, nonfinite);
                }
            }
            From::Constant(constant) => match &ready.constant {
                Some(text) => line.put(text),
                None => any(line, field, &settled(field, constant.value()), base, kinds, nonfinite),
            },
            From::DisplayTime => {
                let mut text = [field.key.as_slice(), b"\""].concat();
                json::clock(&mut text, base.time);
                text.push(b'"');
                line.put(&text);
            }
            From::EpochSeconds => {
                let mut text = field.key.clone();
                epoch_seconds(&mut text, base.time);
                line.put(&text);
            }
        }
    }
    if !nonfinite.is_empty() {
        let mut text = b",\"nonfinite\":[".to_vec();
        for (at, name) in nonfinite.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            json::string(&mut text, name);
        }
        text.push(b']');
        line.put(&text);
    }
}

/// Writes the next value, if it is one of the common kinds and of the kind that the name has. False, and the reader has
/// not moved, otherwise.
#[inline]
fn short(
    line: &mut Line,
    field: &FieldInfo,
    ready: &ReadyField,
    reader: &mut Reader<'_>,
    base: &Base<'_>,
) -> bool {
    let known = field.kind.get();
    let Some(kind) = reader.peek() else { return false };
    match kind {
        tag::TEXT if known == Some(Kind::Text) => {
            let Some(text) = reader.text() else { return false };
            let before = line.mark();
            ready.put_key(field, line);
            if !line.text(text) {
                // No UTF-8: left out.
                line.back_to(before);
            }
        }
        tag::F64 | tag::U64 | tag::I64 | tag::ELAPSED_MS if known == Some(Kind::Number) => {
            let Some(word) = reader.word() else { return false };
            let before = line.mark();
            ready.put_key(field, line);
            match kind {
                tag::U64 => line.unsigned(word),
                tag::I64 => line.signed(word as i64),
                _ => {
                    let number = if kind == tag::F64 { f64::from_bits(word) } else { base.elapsed_ms(word) };
                    if !line.float(number) {
                        line.back_to(before);
                        return false;
                    }
                }
            }
            reader.pass_word();
        }
        tag::U64 | tag::I64 if field.is_id && known == Some(Kind::Text) => {
            let Some(word) = reader.word() else { return false };
            ready.put_key(field, line);
            line.byte(b'"');
            if kind == tag::U64 {
                line.unsigned(word)
            } else {
                line.signed(word as i64)
            }
            line.byte(b'"');
            reader.pass_word();
        }
        // An option, mostly, behind its block.
        tag::WHOLE | tag::TRUE | tag::FALSE | tag::BOOL | tag::ABSENT => {
            return decoded(line, field, ready, reader);
        }
        _ => return false,
    }
    true
}

/// As [`short`], of a value whose kind does not say all.
fn decoded(line: &mut Line, field: &FieldInfo, ready: &ReadyField, reader: &mut Reader<'_>) -> bool {
    let (before, mark) = (*reader, line.mark());
    let value = reader.value();
    if value == Some(Decoded::Absent) {
        return true;
    }
    ready.put_key(field, line);
    let written = match (value, field.kind.get()) {
        (Some(Decoded::Text(text)), Some(Kind::Text)) => line.text(text.as_bytes()),
        (Some(Decoded::F64(number)), Some(Kind::Number)) => line.float(number),
        (Some(Decoded::U64(number)), Some(Kind::Number)) => {
            line.unsigned(number);
            true
        }
        (Some(Decoded::I64(number)), Some(Kind::Number)) => {
            line.signed(number);
            true
        }
        (Some(Decoded::Bool(truth)), Some(Kind::Bool)) => {
            line.put(if truth { b"true" } else { b"false" });
            true
        }
        _ => false,
    };
    if !written {
        line.back_to(mark);
        *reader = before;
    }
    written
}

/// The value as its field writes it.
fn settled<'a>(field: &FieldInfo, value: Decoded<'a>) -> Decoded<'a> {
    if field.is_id { as_id(value) } else { value }
}

/// Writes any value.
fn any(
    line: &mut Line,
    field: &FieldInfo,
    value: &Decoded<'_>,
    base: &Base<'_>,
    kinds: &mut Kinds,
    nonfinite: &mut Vec<String>,
) {
    if *value == Decoded::Absent {
        return;
    }
    let kind = Kind::of(value);
    let mut text = if kind.is_none() || kind == field.kind.get() {
        field.key.clone()
    } else {
        let name = named(kinds, &field.name, value);
        if name == field.name {
            field.kind.set(kind);
        }
        key(&name)
    };
    if !one(&mut text, value, base) {
        nonfinite.push(field.name.clone());
    }
    line.put(&text);
}

/// A message with holes.
fn message(line: &mut Line, site: &SiteInfo, mut reader: Reader<'_>, base: &Base<'_>) {
    let values: Vec<_> = site
        .fields
        .iter()
        .map(|field| match &field.from {
            From::Recorded => reader.value().unwrap_or(Decoded::Absent),
            From::Constant(constant) => constant.value(),
            From::DisplayTime | From::EpochSeconds => Decoded::Absent,
        })
        .collect();
    let mut text = b",\"message\":\"".to_vec();
    for piece in &site.message {
        match piece {
            Piece::Text(piece) => json::escaped(&mut text, piece),
            Piece::Hole(at, precision) => match (&site.fields[*at].from, &values[*at]) {
                (From::DisplayTime, _) => json::clock(&mut text, base.time),
                (From::EpochSeconds, _) => epoch_seconds(&mut text, base.time),
                (_, value) => plain(&mut text, value, *precision, base),
            },
        }
    }
    text.push(b'"');
    line.put(&text);
}

/// The name under which a value of this kind is written.
fn named(kinds: &mut Kinds, name: &str, value: &Decoded<'_>) -> String {
    let Some(kind) = Kind::of(value) else { return name.to_owned() };
    let first = kinds.settle(name, kind);
    if first == kind {
        return name.to_owned();
    }
    kinds.conflict(name, first, kind);
    let other = format!("{name}_{}", kind.as_str());
    kinds.settle(&other, kind);
    other
}

/// The keys of a context's entry as they stand in a line. Their values are never relative to a record.
pub(super) fn context_keys(kinds: &mut Kinds, entry: &[u8]) -> Vec<ContextKey> {
    let mut keys = Vec::new();
    each_key(entry, &mut |name, value| {
        if let Some(value) = Reader::new(value).value() {
            let value = if is_id(name) { as_id(value) } else { value };
            let mut text = key(&named(kinds, name, &value));
            one(&mut text, &value, &Base::NONE);
            keys.push(ContextKey { name: name.to_owned(), text });
        }
    });
    keys
}

/// One key of a context, and `,"key":value`.
#[derive(Debug)]
pub(super) struct ContextKey {
    pub(super) name: String,
    pub(super) text: Vec<u8>,
}
