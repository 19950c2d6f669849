//! A record as one line of JSON (design §6, Line).
//!
//! Invariant: compact, fixed key order, one line, no control character, whatever the record holds. The order is
//! `timestamp`, `level`, `event_type`, `category`, `service`, `session_id`, `decision_id`, the other context ids,
//! `message`, the event's fields, `source`, `thread`, `event_id`, `seq`.

use std::collections::HashMap;

use crate::hot::clock::Calibration;
use crate::hot::context::each_key;
use crate::hot::contexts::{INLINE, NO_SLOT};
use crate::hot::encoder::tag;
use crate::hot::ids::mix;

use super::decode::{Decoded, Reader, Record};
use super::json;
use super::kinds::{Kind, Kinds};
use super::sites::{From, Piece, SiteInfo, key};

/// What is the same for every line of a run.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// `,"service":…,"session_id":…`.
    same: Vec<u8>,
    /// Makes `event_id` this process's own.
    key: u64,
}

impl Envelope {
    pub(crate) fn new(service: &str, session: &str, key: u64) -> Self {
        let mut same = b",\"service\":".to_vec();
        json::string(&mut same, service);
        same.extend_from_slice(b",\"session_id\":");
        json::string(&mut same, session);
        Self { same, key }
    }

    /// Eight hexadecimal digits, from a bijection of `seq` (S0-030, C16).
    pub(crate) fn event_id(&self, seq: u64) -> u32 {
        // Two rounds of a 16-bit Feistel network: every `seq` of 32 bits has an id of its own.
        let (mut left, mut right) = ((seq >> 16) as u16, seq as u16);
        for round in 0..4 {
            let turned = left ^ mix(u64::from(right) ^ self.key.rotate_left(round * 16)) as u16;
            (left, right) = (right, turned);
        }
        (u32::from(left) << 16) | u32::from(right)
    }
}

/// Where the entries of context slots, and the values of oversize records, come from.
pub(crate) trait Tables {
    fn context(&self, slot: u32, generation: u32) -> Option<Vec<u8>>;
    fn oversize(&self, number: u64) -> Option<Vec<u8>>;
}

/// Writes lines. It remembers contexts that it has seen.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) envelope: Envelope,
    pub(crate) kinds: Kinds,
    contexts: HashMap<(u32, u32), Vec<ContextKey>>,
    /// The second that was written last, and its text to the second.
    second: (i64, [u8; 19]),
    seen: Vec<String>,
}

/// One key of a context, and `,"key":value`.
#[derive(Debug)]
struct ContextKey {
    name: String,
    text: Vec<u8>,
}

/// How many contexts are remembered before all are forgotten.
const MOST_CONTEXTS: usize = 512;

impl Encoder {
    pub(crate) fn new(envelope: Envelope, kinds: Kinds) -> Self {
        Self { envelope, kinds, contexts: HashMap::new(), second: (i64::MIN, [b'0'; 19]), seen: Vec::new() }
    }

    /// Appends the line of `record`, with its newline, to `out`. Returns the number of an oversize file it used.
    #[expect(clippy::too_many_arguments, reason = "the parts of one line")]
    pub(crate) fn line(
        &mut self,
        out: &mut Vec<u8>,
        record: &Record<'_>,
        site: Option<&SiteInfo>,
        thread: &[u8],
        seq: u64,
        calibration: &Calibration,
        tables: &dyn Tables,
    ) -> Option<u64> {
        let wall = calibration.wall(record.counter);
        let oversize = oversize_number(record.values);
        let loaded = oversize.map(|number| tables.oversize(number).unwrap_or_default());
        let mut reader = Reader(loaded.as_deref().unwrap_or(record.values));

        out.extend_from_slice(b"{\"timestamp\":\"");
        self.timestamp(out, wall);
        out.extend_from_slice(b"\",");
        match &site {
            Some(site) => out.extend_from_slice(&site.head),
            None => out.extend_from_slice(
                format!(
                    "\"level\":\"error\",\"event_type\":\"UNKNOWN_SITE_{}\",\"category\":\"system\"",
                    record.site
                )
                .as_bytes(),
            ),
        }
        out.extend_from_slice(&self.envelope.same);
        if let Some(id) = record.decision.some() {
            out.extend_from_slice(b",\"decision_id\":\"");
            out.extend_from_slice(id.write_text(&mut [0; 32]).as_bytes());
            out.push(b'"');
        }
        self.context(out, record, &mut reader, site, tables);
        match site {
            Some(site) => {
                let base = Base { wall, counter: record.counter, calibration };
                self.message_and_fields(out, site, &mut reader, &base);
                out.extend_from_slice(&site.place);
            }
            None => out
                .extend_from_slice(b",\"message\":\"the description of this site was lost\",\"source\":\"\""),
        }
        out.extend_from_slice(b",\"thread\":");
        out.extend_from_slice(thread);
        out.extend_from_slice(b",\"event_id\":\"");
        json::hex(out, &self.envelope.event_id(seq).to_be_bytes());
        out.extend_from_slice(b"\",\"seq\":");
        json::unsigned(out, u128::from(seq));
        out.extend_from_slice(b"}\n");
        oversize
    }

    /// The text to the second is kept: thousands of lines share it.
    fn timestamp(&mut self, out: &mut Vec<u8>, wall: i64) {
        let second = wall.div_euclid(1_000_000_000);
        if second != self.second.0 {
            self.second.0 = second;
            crate::hot::civil::Civil::from_seconds(second).write_rfc3339(&mut self.second.1);
        }
        let mut fraction = *b".000000000Z";
        crate::hot::civil::digits(&mut fraction[1..10], wall.rem_euclid(1_000_000_000) as u32);
        out.extend_from_slice(&self.second.1);
        out.extend_from_slice(&fraction);
    }

    fn context(
        &mut self,
        out: &mut Vec<u8>,
        record: &Record<'_>,
        reader: &mut Reader<'_>,
        site: Option<&SiteInfo>,
        tables: &dyn Tables,
    ) {
        // A field of the call overrides a key of the context (S0-041).
        let given = |key: &ContextKey| {
            site.is_some_and(|site| site.fields.iter().any(|field| field.name == key.name))
        };
        let mut write = |keys: &[ContextKey]| {
            keys.iter().filter(|key| !given(key)).for_each(|key| out.extend_from_slice(&key.text));
        };
        match record.slot {
            NO_SLOT => {}
            INLINE => {
                if let Some(Decoded::Bytes(entry)) = reader.value() {
                    write(&context_keys(&mut self.kinds, entry));
                }
            }
            slot => {
                if self.contexts.len() >= MOST_CONTEXTS {
                    self.contexts.clear();
                }
                let kinds = &mut self.kinds;
                let read = || tables.context(slot, record.generation).unwrap_or_default();
                write(
                    self.contexts
                        .entry((slot, record.generation))
                        .or_insert_with(|| context_keys(kinds, &read())),
                );
            }
        }
    }

    fn message_and_fields(
        &mut self,
        out: &mut Vec<u8>,
        site: &SiteInfo,
        reader: &mut Reader<'_>,
        base: &Base<'_>,
    ) {
        let names = &mut self.seen;
        names.clear();
        let mut values = Vec::with_capacity(site.fields.len());
        for field in &site.fields {
            values.push(match &field.from {
                From::Recorded => reader.value().unwrap_or(Decoded::Absent),
                From::Constant(constant) => constant.value(),
                From::DisplayTime | From::EpochSeconds => Decoded::Absent,
            });
        }
        out.extend_from_slice(b",\"message\":\"");
        for piece in &site.message {
            match piece {
                Piece::Text(text) => json::escaped(out, text),
                Piece::Hole(at, precision) => match (&site.fields[*at].from, &values[*at]) {
                    (From::DisplayTime, _) => json::clock(out, base.wall),
                    (From::EpochSeconds, _) => epoch_seconds(out, base.wall),
                    (_, value) => plain(out, value, *precision, base),
                },
            }
        }
        out.push(b'"');
        for (field, value) in site.fields.iter().zip(&values) {
            match (&field.from, value) {
                (From::DisplayTime, _) => {
                    out.extend_from_slice(&field.key);
                    out.push(b'"');
                    json::clock(out, base.wall);
                    out.push(b'"');
                }
                (From::EpochSeconds, _) => {
                    out.extend_from_slice(&field.key);
                    epoch_seconds(out, base.wall);
                }
                (_, Decoded::Absent) => {}
                (_, value) => {
                    let kind = Kind::of(value);
                    if kind.is_none() || kind == field.kind.get() {
                        out.extend_from_slice(&field.key);
                    } else {
                        let name = named(&mut self.kinds, &field.name, value);
                        if name == field.name {
                            field.kind.set(kind);
                        }
                        out.extend_from_slice(&key(&name));
                    }
                    if !one(out, value, base) {
                        names.push(field.name.clone());
                    }
                }
            }
        }
        if !names.is_empty() {
            out.extend_from_slice(b",\"nonfinite\":[");
            for (at, name) in names.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json::string(out, name);
            }
            out.push(b']');
        }
    }
}

/// The number of the oversize file that holds the values, when they are not here.
fn oversize_number(values: &[u8]) -> Option<u64> {
    if values.first() != Some(&tag::OVERSIZE) {
        return None;
    }
    match Reader(values).value() {
        Some(Decoded::Oversize(number)) => Some(number),
        _ => None,
    }
}

/// What relative values are relative to.
struct Base<'a> {
    wall: i64,
    counter: u64,
    calibration: &'a Calibration,
}

impl Base<'_> {
    fn elapsed_ms(&self, from: u64) -> f64 {
        self.calibration.nanos(self.counter.wrapping_sub(from) as i64) as f64 / 1e6
    }
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
fn context_keys(kinds: &mut Kinds, entry: &[u8]) -> Vec<ContextKey> {
    let mut keys = Vec::new();
    let calibration = Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 };
    let base = Base { wall: 0, counter: 0, calibration: &calibration };
    each_key(entry, &mut |name, value| {
        if let Some(value) = Reader(value).value() {
            let mut text = key(&named(kinds, name, &value));
            one(&mut text, &value, &base);
            keys.push(ContextKey { name: name.to_owned(), text });
        }
    });
    keys
}

/// Seconds since 1970 with six digits, as in the requirements' sample; a float has no room for nine.
fn epoch_seconds(out: &mut Vec<u8>, wall: i64) {
    json::decimal(out, i128::from(wall.div_euclid(1_000)), 6);
}

/// A value as JSON. False when it, or a part of it, is not finite and was written as null (C23).
fn one(out: &mut Vec<u8>, value: &Decoded<'_>, base: &Base<'_>) -> bool {
    let quoted = |out: &mut Vec<u8>, write: &dyn Fn(&mut Vec<u8>)| {
        out.push(b'"');
        write(out);
        out.push(b'"');
    };
    let finite = match value {
        Decoded::Null | Decoded::Absent => {
            out.extend_from_slice(b"null");
            return true;
        }
        Decoded::Bool(truth) => {
            out.extend_from_slice(if *truth { b"true" } else { b"false" });
            return true;
        }
        Decoded::I64(number) => {
            json::signed(out, i128::from(*number));
            return true;
        }
        Decoded::U64(number) | Decoded::Oversize(number) => {
            json::unsigned(out, u128::from(*number));
            return true;
        }
        Decoded::I128(number) => {
            quoted(out, &|out| json::signed(out, *number));
            return true;
        }
        Decoded::U128(number) => {
            quoted(out, &|out| json::unsigned(out, *number));
            return true;
        }
        Decoded::F64(number) => json::float(out, *number),
        Decoded::F32(number) => json::float32(out, *number),
        Decoded::Decimal(mantissa, scale) => {
            json::decimal(out, *mantissa, *scale);
            return true;
        }
        Decoded::Text(text) => {
            json::string(out, text);
            return true;
        }
        Decoded::FoundText(text) => {
            json::string(out, &crate::config::scrub_text(text));
            return true;
        }
        Decoded::Bytes(bytes) => {
            quoted(out, &|out| json::hex(out, bytes));
            return true;
        }
        Decoded::List(items) => {
            let mut finite = true;
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                finite &= one(out, item, base);
            }
            out.push(b']');
            return finite;
        }
        Decoded::Map(pairs) => {
            let mut finite = true;
            out.push(b'{');
            for (at, (name, item)) in pairs.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json::string(out, name);
                out.push(b':');
                finite &= one(out, item, base);
            }
            out.push(b'}');
            return finite;
        }
        Decoded::Instant(nanos) => {
            quoted(out, &|out| json::instant(out, *nanos));
            return true;
        }
        Decoded::Decision(id) => {
            quoted(out, &|out| out.extend_from_slice(id.write_text(&mut [0; 32]).as_bytes()));
            return true;
        }
        Decoded::Uuid(id) => {
            quoted(out, &|out| uuid(out, *id));
            return true;
        }
        Decoded::Elapsed(from) => json::float(out, base.elapsed_ms(*from)),
        Decoded::Counter(counter) => {
            let wall = base.calibration.wall(*counter);
            quoted(out, &|out| json::instant(out, i128::from(wall)));
            return true;
        }
    };
    if finite.is_none() {
        out.extend_from_slice(b"null");
    }
    finite.is_some()
}

fn uuid(out: &mut Vec<u8>, id: u128) {
    let bytes = id.to_be_bytes();
    for (at, part) in
        [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].iter().enumerate()
    {
        if at > 0 {
            out.push(b'-');
        }
        json::hex(out, part);
    }
}

/// A value inside a message: text without its quotes, escaped for the string around it.
fn plain(out: &mut Vec<u8>, value: &Decoded<'_>, precision: Option<usize>, base: &Base<'_>) {
    match (value, precision) {
        (Decoded::Text(text), _) => json::escaped(out, text),
        (Decoded::FoundText(text), _) => json::escaped(out, &crate::config::scrub_text(text)),
        (Decoded::F64(number), Some(digits)) => json::float_to(out, *number, digits),
        (Decoded::F32(number), Some(digits)) => json::float_to(out, f64::from(*number), digits),
        (Decoded::Elapsed(from), Some(digits)) => json::float_to(out, base.elapsed_ms(*from), digits),
        (Decoded::F64(number), None) if !number.is_finite() => json::float_to(out, *number, 0),
        (Decoded::Absent, _) => {}
        _ => {
            let mut text = Vec::new();
            one(&mut text, value, base);
            let text = String::from_utf8_lossy(&text).into_owned();
            json::escaped(out, text.trim_matches('"'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_never_repeat_within_four_billion_lines() {
        // C16: checked on a sample that a random choice would almost surely fail.
        let envelope = Envelope::new("s", "x", 0xDEAD_BEEF_1234_5678);
        let ids: std::collections::HashSet<_> = (0..300_000).map(|seq| envelope.event_id(seq)).collect();
        assert_eq!(ids.len(), 300_000);
    }

    #[test]
    fn epoch_seconds_have_six_digits() {
        // S4-005
        let mut out = Vec::new();
        epoch_seconds(&mut out, 1_761_482_096_123_456_789);
        assert_eq!(out, b"1761482096.123456");
    }
}
