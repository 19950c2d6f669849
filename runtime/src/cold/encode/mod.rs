//! A record as one line of JSON (design §6, Line).
//!
//! Invariant: compact, fixed key order, one line, no control character, whatever the record holds. The order is
//! `timestamp`, `level`, `event_type`, `category`, `service`, `session_id`, `decision_id`, the other context ids,
//! `message`, the event's fields, `source`, `thread`, `event_id`, `seq`.

use std::collections::HashMap;

use crate::hot::civil::Civil;
use crate::hot::clock::Calibration;
use crate::hot::contexts::{INLINE, NO_SLOT};
use crate::hot::encoder::tag;
use crate::hot::ids::DecisionId;
use crate::hot::suffix::mix;

use super::decode::{Decoded, Reader, Record};
use super::json;
use super::kinds::Kinds;
use super::sites::SiteInfo;

mod fields;
mod line;
mod value;

use fields::{ContextKey, Ready, context_keys};
use line::Line;
pub(crate) use line::eight_hex;
use value::Base;

/// What is the same for every line of a run.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// `,"service":…,"session_id":…`.
    pub(crate) same: Vec<u8>,
    /// `,"correlation_id":…` of domain events that have none of their own: the session's.
    correlation: Vec<u8>,
    /// `,"pid":…`, for domain events.
    pid: Vec<u8>,
    /// Makes `event_id` this process's own.
    key: u64,
}

impl Envelope {
    pub(crate) fn new(service: &str, session: &str, pid: u32, key: u64) -> Self {
        let mut same = b",\"service\":".to_vec();
        json::string(&mut same, service);
        same.extend_from_slice(b",\"session_id\":");
        json::string(&mut same, session);
        let mut correlation = b",\"correlation_id\":".to_vec();
        json::string(&mut correlation, session);
        Self { same, correlation, pid: format!(",\"pid\":{pid}").into_bytes(), key }
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

/// Writes lines. It remembers what lines have in common: of one second, one decision, one site, one context.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(crate) envelope: Envelope,
    pub(crate) kinds: Kinds,
    contexts: HashMap<(u32, u32), Vec<ContextKey>>,
    /// By the site's id.
    ready: Vec<Option<Box<Ready>>>,
    /// The second that was written last.
    second: i64,
    /// `{"timestamp":"…` to the point behind that second.
    stamp: [u8; STAMP],
    /// The decision that was written last.
    decision: DecisionId,
    /// `,"decision_id":"…"`, and how many of these bytes it has.
    decision_text: ([u8; 64], usize),
    line: Line,
    /// The names of this line's fields that are not finite.
    nonfinite: Vec<String>,
}

const STAMP: usize = 34;
/// Where in [`Encoder::stamp`] the year begins.
const STAMP_AT: usize = 14;

/// The key that domain events always have (S2-014).
const CORRELATION: &str = "correlation_id";

/// How many contexts are remembered before all are forgotten.
const MOST_CONTEXTS: usize = 512;

impl Encoder {
    pub(crate) fn new(envelope: Envelope, kinds: Kinds) -> Self {
        Self {
            envelope,
            kinds,
            contexts: HashMap::new(),
            ready: Vec::new(),
            second: i64::MIN,
            stamp: *b"{\"timestamp\":\"0000-00-00T00:00:00.",
            decision: DecisionId::NONE,
            decision_text: ([0; 64], 0),
            line: Line::new(),
            nonfinite: Vec::new(),
        }
    }

    /// The line that was written last, with its newline.
    pub(crate) fn written(&self) -> &[u8] {
        self.line.written()
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
        let mut reader = Reader::new(loaded.as_deref().unwrap_or(record.values));
        let engine = reader.engine_time();
        let time = engine.unwrap_or(wall);
        let domain = site.is_some_and(|site| site.domain);
        self.line.clear();
        self.timestamp(time);
        if domain || engine.is_some() {
            // S2-014, C12: engine time and wall clock stay two fields.
            let mut text = b"\",\"real_utc_time\":\"".to_vec();
            json::instant(&mut text, i128::from(wall));
            self.line.put(&text);
        }
        match site {
            Some(site) => {
                let ready = self.ready(record.site, site);
                self.line.put(&ready.opening);
                self.decision(record.decision);
                let correlated = self.context(record, &mut reader, Some(site), tables);
                if domain {
                    if !correlated && site.fields.iter().all(|field| field.name != CORRELATION) {
                        self.line.put(&self.envelope.correlation);
                    }
                    self.line.put(&self.envelope.pid);
                }
                let base = Base { time, counter: record.counter, calibration };
                let Self { line, kinds, nonfinite, .. } = self;
                fields::write(line, site, &ready, reader, &base, kinds, nonfinite);
                self.line.put(&ready.closing);
                self.keep(record.site, ready);
            }
            None => {
                let head = format!(
                    "\",\"level\":\"error\",\"event_type\":\"UNKNOWN_SITE_{}\",\"category\":\"system\"",
                    record.site
                );
                self.line.put(head.as_bytes());
                self.line.put(&self.envelope.same);
                self.decision(record.decision);
                self.context(record, &mut reader, None, tables);
                self.line.put(
                    b",\"message\":\"the description of this site was lost\",\"source\":\"\",\"thread\":",
                );
            }
        }
        self.line.put(thread);
        self.end(seq);
        out.extend_from_slice(self.line.written());
        oversize
    }

    /// The text to the second is kept: thousands of lines share it.
    #[inline]
    fn timestamp(&mut self, wall: i64) {
        let second = wall.div_euclid(1_000_000_000);
        if second != self.second {
            self.second = second;
            Civil::from_seconds(second).write_rfc3339(&mut self.stamp[STAMP_AT..STAMP - 1]);
        }
        self.line.padded(&self.stamp, STAMP);
        self.line.nine_digits(wall.rem_euclid(1_000_000_000) as u32);
        self.line.byte(b'Z');
    }

    /// The text of the decision is kept: lines of one decision follow each other.
    #[inline]
    fn decision(&mut self, decision: DecisionId) {
        if decision.is_none() {
            return;
        }
        if decision != self.decision {
            self.decision = decision;
            let mut text = b",\"decision_id\":\"".to_vec();
            text.extend_from_slice(decision.write_text(&mut [0; 32]).as_bytes());
            text.push(b'"');
            // Sixteen, at most 32, and one.
            self.decision_text.1 = text.len().min(64);
            self.decision_text.0[..text.len().min(64)].copy_from_slice(&text[..text.len().min(64)]);
        }
        let (text, len) = &self.decision_text;
        self.line.padded(text, *len);
    }

    /// Takes what is the same in all lines of a site; [`Encoder::keep`] puts it back.
    fn ready(&mut self, id: u32, site: &SiteInfo) -> Box<Ready> {
        let known = self.ready.get_mut(id as usize).and_then(Option::take);
        known.unwrap_or_else(|| Box::new(Ready::new(site, &self.envelope.same, &mut self.kinds)))
    }

    fn keep(&mut self, id: u32, ready: Box<Ready>) {
        let id = id as usize;
        // Ids of sites that are known are below the limit of sites.
        if self.ready.len() <= id {
            self.ready.resize_with(id + 1, || None);
        }
        self.ready[id] = Some(ready);
    }

    /// `,"event_id":"…","seq":…}` and the newline.
    #[inline]
    fn end(&mut self, seq: u64) {
        self.line.padded(b",\"event_id\":\"...", 13);
        self.line.eight_hex(self.envelope.event_id(seq));
        self.line.padded(b"\",\"seq\":", 8);
        self.line.unsigned(seq);
        self.line.padded(b"}\n", 2);
    }

    /// Writes the context's keys; says whether one is the correlation id.
    fn context(
        &mut self,
        record: &Record<'_>,
        reader: &mut Reader<'_>,
        site: Option<&SiteInfo>,
        tables: &dyn Tables,
    ) -> bool {
        if record.slot == NO_SLOT {
            return false;
        }
        let Self { contexts, kinds, line, .. } = self;
        // A field of the call overrides a key of the context (S0-041).
        let given = |key: &ContextKey| {
            site.is_some_and(|site| site.fields.iter().any(|field| field.name == key.name))
        };
        let mut write = |keys: &[ContextKey]| {
            keys.iter().filter(|key| !given(key)).for_each(|key| line.put(&key.text));
            keys.iter().any(|key| key.name == CORRELATION)
        };
        if record.slot == INLINE {
            let Some(Decoded::Bytes(entry)) = reader.value() else { return false };
            return write(&context_keys(kinds, entry));
        }
        if contexts.len() >= MOST_CONTEXTS {
            contexts.clear();
        }
        let read = || tables.context(record.slot, record.generation).unwrap_or_default();
        write(
            contexts.entry((record.slot, record.generation)).or_insert_with(|| context_keys(kinds, &read())),
        )
    }
}

/// The number of the oversize file that holds the values, when they are not here.
fn oversize_number(values: &[u8]) -> Option<u64> {
    if values.first() != Some(&tag::OVERSIZE) {
        return None;
    }
    match Reader::new(values).value() {
        Some(Decoded::Oversize(number)) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_never_repeat_within_four_billion_lines() {
        // C16: checked on a sample that a random choice would almost surely fail.
        let envelope = Envelope::new("s", "x", 1, 0xDEAD_BEEF_1234_5678);
        let ids: std::collections::HashSet<_> = (0..300_000).map(|seq| envelope.event_id(seq)).collect();
        assert_eq!(ids.len(), 300_000);
    }
}
