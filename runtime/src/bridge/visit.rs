//! The values of a foreign event or span, in the bytes of a record.
//!
//! Invariant: after a thread's first few events nothing is allocated, unless a value's own `Debug` does.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Range;

use tracing_core::field::{Field, Visit};

use crate::config::{Class, MARK, is_opaque};
use crate::found::clean;
use crate::hot::encoder::{Encoder, HEAD, tag};
use crate::hot::fields::Fields;
use crate::hot::value::Value;

/// Encoded values, each with the index of its field in the callsite.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    places: Vec<(usize, Range<usize>)>,
    /// What the fields' names say of their values, by index.
    classes: &'static [Class],
}

impl Values {
    pub(super) const NEW: Self = Self { bytes: Vec::new(), places: Vec::new(), classes: &[] };

    /// For fields whose names say this of their values.
    pub(super) fn of(classes: &'static [Class]) -> Self {
        Self { classes, ..Self::NEW }
    }

    /// Begins anew, in the memory of before.
    pub(super) fn begin(&mut self, classes: &'static [Class]) {
        self.bytes.clear();
        self.places.clear();
        self.classes = classes;
    }

    /// The encoded value of a field, if it has one.
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        // The last one counts: a span may record a field again.
        let (_, range) = self.places.iter().rev().find(|(known, _)| *known == index)?;
        self.bytes.get(range.clone())
    }

    /// Adds a value, whatever is encoded.
    pub(super) fn add<V: Value + ?Sized>(&mut self, index: usize, value: &V) {
        let start = self.bytes.len();
        self.bytes.resize(start + value.size(), tag::END);
        value.encode(&mut Encoder::new(&mut self.bytes[start..]));
        self.places.push((index, start..self.bytes.len()));
    }

    /// Adds a value that is no text, unless the name of its field says that it is a secret.
    fn add_named<V: Value + ?Sized>(&mut self, index: usize, value: &V) {
        match self.classes.get(index) {
            Some(Class::Secret) => self.add(index, MARK),
            _ => self.add(index, value),
        }
    }

    /// Adds text that nobody chose to record, without its secrets.
    pub(super) fn add_text(&mut self, index: usize, text: fmt::Arguments<'_>) {
        let start = self.bytes.len();
        let from = start + HEAD;
        self.bytes.extend_from_slice(&[tag::FOUND_TEXT, 0, 0, 0, 0]);
        // A `Debug` that reports an error is recorded as far as it wrote.
        let _ = Text(&mut self.bytes).write_fmt(text);
        let clean = match core::str::from_utf8(&self.bytes[from..]) {
            Ok(text) if self.is_hidden(index, text) => Cow::Borrowed(MARK),
            Ok(text) => match clean(text) {
                Cow::Borrowed(_) => Cow::Borrowed(""),
                Cow::Owned(clean) => Cow::Owned(clean),
            },
            // Only text is written to it.
            Err(_) => Cow::Borrowed(MARK),
        };
        if !clean.is_empty() {
            self.bytes.truncate(from);
            self.bytes.extend_from_slice(clean.as_bytes());
        }
        let len = (self.bytes.len() - from) as u32;
        self.bytes[start + 1..from].copy_from_slice(&len.to_le_bytes());
        self.places.push((index, start..self.bytes.len()));
    }

    /// Whether a text is hidden for the name of its field.
    fn is_hidden(&self, index: usize, text: &str) -> bool {
        match self.classes.get(index) {
            None | Some(Class::Plain) => false,
            Some(Class::KeyLike) => is_opaque(text),
            Some(Class::Secret) => !text.is_empty(),
        }
    }

    /// Adds the bytes of a map of these pairs.
    pub(super) fn add_map<'a>(&mut self, index: usize, pairs: &[(&'a str, &'a [u8])]) {
        let start = self.bytes.len();
        self.bytes.push(tag::MAP);
        self.bytes.extend_from_slice(&(pairs.len() as u32).to_le_bytes());
        for (name, value) in pairs {
            self.bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(name.as_bytes());
            self.bytes.extend_from_slice(value);
        }
        self.places.push((index, start..self.bytes.len()));
    }
}

struct Text<'a>(&'a mut Vec<u8>);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Visit for Values {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add_named(field.index(), &value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_named(field.index(), &value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_named(field.index(), &value);
    }
    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add_named(field.index(), &value);
    }
    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add_named(field.index(), &value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_named(field.index(), &value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(field.index(), format_args!("{value}"));
    }
    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.add_named(field.index(), &crate::Bytes(value));
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let text = crate::scope::outcome::chain(value);
        self.add_text(field.index(), format_args!("{text}"));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add_text(field.index(), format_args!("{value:?}"));
    }
}

/// The values of the fields from 0 to `count`, in this order.
#[derive(Clone, Copy, Debug)]
pub(super) struct InOrder<'a> {
    pub(super) values: &'a Values,
    pub(super) count: usize,
}

impl InOrder<'_> {
    fn each(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.count).map(|index| self.values.get(index).unwrap_or(&[tag::ABSENT]))
    }
}

impl Fields for InOrder<'_> {
    fn size(&self) -> usize {
        self.each().map(<[u8]>::len).sum()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        self.each().for_each(|value| out.slice(value));
    }
}
