//! The values of a record, out of its bytes.
//!
//! Invariant: any bytes give values or an end, never a panic and never an invented value: these bytes may come from the
//! ring of a process that died while writing, or from a damaged file.

use crate::hot::encoder::tag;
use crate::hot::fields::head_len;
use crate::hot::ids::DecisionId;

#[cfg(test)]
mod tests;

/// A value as it stands in a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decoded<'a> {
    Null,
    Absent,
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    F32(f32),
    Decimal(i128, u32),
    Text(&'a str),
    /// Not chosen by anybody: scrubbed before it is written.
    FoundText(&'a str),
    Bytes(&'a [u8]),
    List(Vec<Decoded<'a>>),
    Map(Vec<(&'a str, Decoded<'a>)>),
    /// Nanoseconds since 1970.
    Instant(i128),
    Decision(DecisionId),
    Uuid(u128),
    /// From this counter reading to the record's.
    Elapsed(u64),
    /// This counter reading, as an instant.
    Counter(u64),
    Oversize(u64),
}

/// How deep lists and maps may nest; deeper ones end the record's values.
const DEEPEST: u32 = 64;

/// Takes values one after the other: those of blocks, and those that have a tag each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    /// The block that was entered: its kinds, and what it has itself of its values.
    block: &'a [u8],
    /// Where in it the next kind stands, and where they end.
    kind: usize,
    kinds: usize,
    /// Where in it the next value stands.
    at: usize,
    /// What stands behind the block, or where there is none.
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(values: &'a [u8]) -> Self {
        Self { block: &[], kind: 0, kinds: 0, at: 0, rest: values }
    }

    /// The next value, or none at the end, or where the bytes are no value.
    pub(crate) fn value(&mut self) -> Option<Decoded<'a>> {
        while self.kind == self.kinds && self.rest.first() == Some(&tag::BLOCK) {
            self.enter()?;
        }
        let value = match self.next_kind() {
            Some(kind) if kind != tag::WHOLE => {
                self.kind += 1;
                match kind {
                    tag::TEXT | tag::FOUND_TEXT | tag::BYTES => self
                        .take_fixed()
                        .map(u32::from_le_bytes)
                        .and_then(|len| take(&mut self.rest, len))
                        .map(|text| text_of(kind, text)),
                    tag::BOOL => self.take_fixed().map(|truth| Decoded::Bool(truth != [0])),
                    _ => {
                        let mut fixed = self.block.get(self.at..).unwrap_or_default();
                        let before = fixed.len();
                        let value = scalar(kind, &mut fixed);
                        self.at += before - fixed.len();
                        value
                    }
                }
            }
            whole => {
                self.kind += usize::from(whole.is_some());
                tagged(&mut self.rest, 0)
            }
        };
        if value.is_none() {
            // Behind what is no value nothing can be read.
            self.rest = &[];
        }
        value
    }

    /// The kind of the next value of the block.
    #[inline(always)]
    fn next_kind(&self) -> Option<u8> {
        if self.kind < self.kinds { self.block.get(self.kind).copied() } else { None }
    }

    /// The next bytes that the block has of its values.
    #[inline(always)]
    fn take_fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.block.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(*bytes)
    }

    /// Enters the block that stands next.
    fn enter(&mut self) -> Option<()> {
        let kinds = 2 + usize::from(*self.rest.get(1)?);
        let at = head_len(kinds - 2);
        let mut len = at;
        for kind in self.rest.get(2..kinds)? {
            let fixed = *FIXED.get(usize::from(*kind))?;
            if fixed == NOT_IN_A_BLOCK {
                return None;
            }
            len += usize::from(fixed);
        }
        let (block, rest) = self.rest.split_at_checked(len)?;
        *self = Self { block, kind: 2, kinds, at, rest };
        Some(())
    }

    /// The kind of the next value, for one that is read by [`Reader::word`] or [`Reader::text`].
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.next_kind() {
            None => self.peek_alone(),
            kind => kind,
        }
    }

    /// As [`Reader::peek`], of what stands in no block, or in the next one.
    #[inline(never)]
    fn peek_alone(&mut self) -> Option<u8> {
        while self.rest.first() == Some(&tag::BLOCK) {
            self.enter()?;
            if let Some(kind) = self.next_kind() {
                return Some(kind);
            }
        }
        self.rest.first().copied()
    }

    /// The eight bytes of the next value. It is still the next.
    #[inline(always)]
    pub(crate) fn word(&self) -> Option<u64> {
        let bytes = if self.kind < self.kinds { self.block.get(self.at..)? } else { self.rest.get(1..)? };
        bytes.first_chunk().map(|word| u64::from_le_bytes(*word))
    }

    /// Takes the value that [`Reader::word`] gave.
    #[inline(always)]
    pub(crate) fn pass_word(&mut self) {
        if self.kind < self.kinds {
            self.kind += 1;
            self.at += 8;
        } else {
            self.rest = self.rest.get(9..).unwrap_or_default();
        }
    }

    /// Takes the bytes of the next value, a text, which should be UTF-8. None, and the reader has not moved, when there are
    /// not as many.
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        if self.kind < self.kinds {
            let len = u32::from_le_bytes(*self.block.get(self.at..)?.first_chunk()?);
            let text = take(&mut self.rest, len)?;
            self.kind += 1;
            self.at += 4;
            return Some(text);
        }
        let mut rest = self.rest.get(1..)?;
        let len = u32(&mut rest)?;
        let text = take(&mut rest, len)?;
        self.rest = rest;
        Some(text)
    }

    /// The engine's time, where the record begins with one.
    pub(crate) fn engine_time(&mut self) -> Option<i64> {
        if self.rest.first() != Some(&tag::ENGINE_TIME) {
            return None;
        }
        let [_tag] = array(&mut self.rest)?;
        array(&mut self.rest).map(i64::from_le_bytes)
    }

    /// Whether an encoder can have written these bytes: values, each whole, and zeros behind the last. A value that wrote
    /// less or more than it claimed ends them, too, wherever it stood, but not within a number or a text: there is room for
    /// one whole, or not at all.
    pub(super) fn is_whole(mut self) -> bool {
        loop {
            let whole = match self.rest.first() {
                None => return true,
                Some(&tag::BLOCK) => self.enter().is_some() && self.is_whole_block(),
                Some(_) => skip(&mut self.rest),
            };
            if !whole {
                return self.rest.iter().all(|byte| *byte == tag::END);
            }
        }
    }

    /// As [`skip`], for the values of the block that was entered.
    fn is_whole_block(&mut self) -> bool {
        while let Some(kind) = self.next_kind() {
            self.kind += 1;
            let whole = match kind {
                tag::WHOLE => skip(&mut self.rest),
                tag::TEXT | tag::FOUND_TEXT | tag::BYTES => {
                    let mut ahead = self.rest;
                    let text = self.take_fixed().and_then(|len| take(&mut ahead, u32::from_le_bytes(len)));
                    let whole =
                        text.is_some_and(|text| kind == tag::BYTES || core::str::from_utf8(text).is_ok());
                    if whole {
                        self.rest = ahead;
                    }
                    whole
                }
                // The block has it, or would not have been entered.
                kind => {
                    self.at += fixed(kind).unwrap_or_default();
                    true
                }
            };
            if !whole {
                return false;
            }
        }
        true
    }
}

/// The bytes that a block itself has of a value of this kind; none for what cannot stand in one.
#[inline]
const fn fixed(kind: u8) -> Option<usize> {
    Some(match kind {
        tag::NULL | tag::ABSENT | tag::WHOLE => 0,
        tag::BOOL => 1,
        tag::F32 | tag::TEXT | tag::FOUND_TEXT | tag::BYTES => 4,
        tag::I64 | tag::U64 | tag::F64 | tag::ELAPSED_MS | tag::COUNTER => 8,
        tag::I128 | tag::U128 | tag::INSTANT | tag::DECISION | tag::UUID => 16,
        tag::DECIMAL => 20,
        _ => return None,
    })
}

/// [`fixed`], by kind.
const FIXED: [u8; 32] = {
    let mut table = [NOT_IN_A_BLOCK; 32];
    let mut kind = 0;
    while kind < table.len() {
        if let Some(len) = fixed(kind as u8) {
            table[kind] = len as u8;
        }
        kind += 1;
    }
    table
};
const NOT_IN_A_BLOCK: u8 = u8::MAX;

/// A value that has a tag of its own, and stands `depth` lists and maps deep.
fn tagged<'a>(bytes: &mut &'a [u8], depth: u32) -> Option<Decoded<'a>> {
    let [kind] = array(bytes)?;
    Some(match kind {
        tag::TEXT | tag::FOUND_TEXT | tag::BYTES => {
            let len = u32(bytes)?;
            text_of(kind, take(bytes, len)?)
        }
        tag::LIST if depth < DEEPEST => {
            let len = u32(bytes)?;
            let items: Vec<_> = (0..len).map_while(|_| tagged(bytes, depth + 1)).collect();
            if items.len() < len as usize {
                *bytes = &[];
            }
            Decoded::List(items)
        }
        tag::MAP if depth < DEEPEST => {
            let len = u32(bytes)?;
            let pairs: Vec<_> = (0..len)
                .map_while(|_| {
                    let len = u32(bytes)?;
                    let key = core::str::from_utf8(take(bytes, len)?).ok()?;
                    Some((key, tagged(bytes, depth + 1)?))
                })
                .collect();
            if pairs.len() < len as usize {
                *bytes = &[];
            }
            Decoded::Map(pairs)
        }
        tag::FALSE => Decoded::Bool(false),
        tag::TRUE => Decoded::Bool(true),
        tag::OVERSIZE => Decoded::Oversize(u64::from_le_bytes(array(bytes)?)),
        _ => return scalar(kind, bytes),
    })
}

/// A value whose bytes are always as many; those behind its tag.
fn scalar<'a>(kind: u8, bytes: &mut &'a [u8]) -> Option<Decoded<'a>> {
    Some(match kind {
        tag::NULL => Decoded::Null,
        tag::ABSENT => Decoded::Absent,
        tag::I64 => Decoded::I64(i64::from_le_bytes(array(bytes)?)),
        tag::U64 => Decoded::U64(u64::from_le_bytes(array(bytes)?)),
        tag::I128 => Decoded::I128(i128::from_le_bytes(array(bytes)?)),
        tag::U128 => Decoded::U128(u128::from_le_bytes(array(bytes)?)),
        tag::F64 => Decoded::F64(f64::from_le_bytes(array(bytes)?)),
        tag::F32 => Decoded::F32(f32::from_le_bytes(array(bytes)?)),
        tag::DECIMAL => Decoded::Decimal(i128::from_le_bytes(array(bytes)?), u32(bytes)?.min(64)),
        tag::INSTANT => Decoded::Instant(i128::from_le_bytes(array(bytes)?)),
        tag::DECISION => Decoded::Decision(DecisionId::from_bytes(array(bytes)?)),
        tag::UUID => Decoded::Uuid(u128::from_be_bytes(array(bytes)?)),
        tag::ELAPSED_MS => Decoded::Elapsed(u64::from_le_bytes(array(bytes)?)),
        tag::COUNTER => Decoded::Counter(u64::from_le_bytes(array(bytes)?)),
        _ => return None,
    })
}

/// Text, or bytes. Text that is no UTF-8 is left out of the line.
fn text_of(kind: u8, bytes: &[u8]) -> Decoded<'_> {
    match (kind, core::str::from_utf8(bytes)) {
        (tag::TEXT, Ok(text)) => Decoded::Text(text),
        (tag::FOUND_TEXT, Ok(text)) => Decoded::FoundText(text),
        (tag::BYTES, _) => Decoded::Bytes(bytes),
        _ => Decoded::Absent,
    }
}

/// Skips a value that has a tag of its own. False, and `bytes` begins where it stopped, when it is not whole.
fn skip(bytes: &mut &[u8]) -> bool {
    // Lists and maps that are open: how many items they lack, and whether each has a key.
    let mut open: Vec<(u32, bool)> = Vec::new();
    loop {
        let mut ahead = *bytes;
        if let Some((left, has_key)) = open.last_mut() {
            *left -= 1;
            if *has_key {
                if text(&mut ahead).is_none() {
                    return false;
                }
                *bytes = ahead;
            }
        }
        let skipped = match array(&mut ahead).map(|[kind]| kind) {
            Some(tag::TRUE | tag::FALSE) => Some(()),
            Some(tag::OVERSIZE) => array::<8>(&mut ahead).map(|_| ()),
            Some(tag::TEXT | tag::FOUND_TEXT) => text(&mut ahead).map(|_| ()),
            Some(tag::BYTES) => u32(&mut ahead).and_then(|len| take(&mut ahead, len)).map(|_| ()),
            Some(kind @ (tag::LIST | tag::MAP)) => {
                u32(&mut ahead).map(|len| open.push((len, kind == tag::MAP)))
            }
            Some(tag::WHOLE | tag::BOOL) | None => None,
            Some(kind) => fixed(kind).and_then(|len| take(&mut ahead, len as u32)).map(|_| ()),
        };
        if skipped.is_none() {
            return false;
        }
        *bytes = ahead;
        open.truncate(open.iter().rposition(|(left, _)| *left > 0).map_or(0, |last| last + 1));
        if open.is_empty() {
            return true;
        }
    }
}

pub(super) fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*array)
}

pub(super) fn u32(bytes: &mut &[u8]) -> Option<u32> {
    array(bytes).map(u32::from_le_bytes)
}

fn take<'a>(bytes: &mut &'a [u8], len: u32) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len as usize)?;
    *bytes = rest;
    Some(taken)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let len = u32(bytes)?;
    core::str::from_utf8(take(bytes, len)?).ok()
}
