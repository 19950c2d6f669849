//! Records and values out of bytes.
//!
//! Invariant: any bytes give values or an end, never a panic and never an invented value: these bytes may come from the
//! ring of a process that died while writing, or from a damaged file.

use crate::hot::contexts::{INLINE, SLOTS};
use crate::hot::encoder::tag;
use crate::hot::fields::head_len;
use crate::hot::ids::DecisionId;
use crate::hot::registry::MAX_SITES;
use crate::hot::ring::{PADDING, RECORD_HEADER};

/// The header of a record, and where its values are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) site: u32,
    pub(crate) counter: u64,
    pub(crate) decision: DecisionId,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) values: &'a [u8],
}

/// What stands next in a ring.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next<'a> {
    Record(Record<'a>, u64),
    /// So many bytes to skip.
    #[cfg_attr(
        not(fuzzing),
        expect(dead_code, reason = "the merge looks with `ahead`; the fuzzer walks alone")
    )]
    Padding(u64),
    /// Bytes that are no record: nothing after them can be read.
    Damaged,
}

/// What stands next, without its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// A record, and its counter.
    Record(u64),
    /// So many bytes to skip.
    Padding(u64),
    /// See [`Next::Damaged`].
    Damaged,
}

/// As [`next`], for the merge, which only needs the time.
pub(crate) fn ahead(bytes: &[u8]) -> Ahead {
    let Some((head, rest)) = bytes.split_first_chunk::<8>() else { return Ahead::Damaged };
    let head = u64::from_le_bytes(*head);
    let (len, site) = (head as u32, (head >> 32) as u32);
    if len < 8 || len % 8 != 0 || len as usize > bytes.len() {
        return Ahead::Damaged;
    }
    if site == PADDING {
        return Ahead::Padding(u64::from(len));
    }
    match rest.first_chunk() {
        Some(counter) if len as usize >= RECORD_HEADER => Ahead::Record(u64::from_le_bytes(*counter)),
        _ => Ahead::Damaged,
    }
}

/// Reads the record at the beginning of `bytes`, which reach to the end of what is published or of the buffer.
pub(crate) fn next(bytes: &[u8]) -> Next<'_> {
    let Some((head, _)) = bytes.split_first_chunk::<8>() else { return Next::Damaged };
    let head = u64::from_le_bytes(*head);
    let (len, site) = (head as u32, (head >> 32) as u32);
    if len < 8 || len % 8 != 0 || len as usize > bytes.len() {
        return Next::Damaged;
    }
    if site == PADDING {
        return Next::Padding(u64::from(len));
    }
    let Some((header, values)) = bytes[..len as usize].split_first_chunk::<RECORD_HEADER>() else {
        return Next::Damaged;
    };
    let mut rest = &header[8..];
    let (Some(counter), Some(decision), Some(slot), Some(generation)) =
        (array(&mut rest).map(u64::from_le_bytes), array(&mut rest), u32(&mut rest), u32(&mut rest))
    else {
        return Next::Damaged;
    };
    let decision = DecisionId::from_bytes(decision);
    Next::Record(Record { site, counter, decision, slot, generation, values }, u64::from(len))
}

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

impl Record<'_> {
    /// Whether a record call can have written this: a site's number, a context's slot, values that end where the record
    /// ends, and zeros behind them. For records of a dead run, whose bytes may have been changed since.
    pub(crate) fn is_plausible(&self) -> bool {
        (self.site as usize) < MAX_SITES
            && ((self.slot as usize) < SLOTS || self.slot >= INLINE)
            && Reader::new(self.values).is_whole()
    }
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

    /// Whether these bytes are values, each whole, and zeros behind the last. A value that wrote less or more than it
    /// claimed ends them, too, wherever it stood.
    fn is_whole(mut self) -> bool {
        loop {
            let whole = match self.rest.first() {
                None => return true,
                Some(&tag::BLOCK) => self.enter().is_some() && self.is_whole_block(),
                Some(_) => skip(&mut self.rest),
            };
            if !whole {
                return !self.rest.is_empty() && self.rest.iter().all(|byte| *byte == tag::END);
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
            if *has_key && text(&mut ahead).is_none() {
                return false;
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

fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*array)
}

fn u32(bytes: &mut &[u8]) -> Option<u32> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::FoundText;
    use crate::hot::describe::bytes;
    use crate::hot::encoder::Encoder;
    use crate::hot::fields::{And, Fields};
    use crate::hot::value::{Bytes, Elapsed, Maybe, Taken, Value, fixed};
    use crate::scope::structure::{ABSENT, NULL};

    #[test]
    fn values_read_back_as_they_were_written() {
        let written = bytes(&(
            true,
            -5_i32,
            u64::MAX,
            i128::MIN,
            1.5_f64,
            0.1_f32,
            "é\0\"",
            vec![Some(1_u8), None],
            fixed(4_500_050, 2),
            Maybe::<u8>(None),
            FoundText::new("token"),
            'x',
        ));
        let mut reader = Reader::new(&written);
        let read: Vec<_> = core::iter::from_fn(|| reader.value()).collect();
        let expected = [
            Decoded::Bool(true),
            Decoded::I64(-5),
            Decoded::U64(u64::MAX),
            Decoded::I128(i128::MIN),
            Decoded::F64(1.5),
            Decoded::F32(0.1),
            Decoded::Text("é\0\""),
            Decoded::List(vec![Decoded::U64(1), Decoded::Null]),
            Decoded::Decimal(4_500_050, 2),
            Decoded::Absent,
            Decoded::FoundText("token"),
            Decoded::Text("x"),
        ];
        assert_eq!(read, expected);
    }

    /// The same values as a record call writes them.
    fn block(fields: &impl Fields) -> Vec<u8> {
        let mut bytes = vec![tag::END; fields.block_size().next_multiple_of(8)];
        fields.encode_block(&mut Encoder::new(&mut bytes));
        bytes
    }

    fn read(bytes: &[u8]) -> Vec<Decoded<'_>> {
        let mut reader = Reader::new(bytes);
        core::iter::from_fn(|| reader.value()).collect()
    }

    /// A tuple of every kind of value that a block knows, and of some that it does not.
    macro_rules! every_kind {
        () => {
            (
                "BTC/USDT",
                0.015_37,
                -5_i64,
                u64::MAX,
                (i128::MIN, u128::MAX),
                0.1_f32,
                true,
                false,
                fixed(4_500_050, 2),
                Bytes(&[0xCA, 0xFE]),
                Some("taken"),
                None::<u8>,
                Elapsed(7),
                Taken(8),
                std::borrow::Cow::from("é"),
                vec![Some(1_u8), None],
            )
        };
    }

    // Issue 4, "Speed": one way of writing is for speed, the other for little to compile.
    #[test]
    fn a_block_reads_as_the_values_one_by_one() {
        let (a, b, c, d, (e, f), g, h, i, j, k, l, m, n, o, p, q) = every_kind!();
        let fields = And((a, b, c, d, e, f, g, h, &i, j), And((k, l, m, n), (o, p, q, NULL, ABSENT)));
        let (one_by_one, blocks) = (bytes(&fields), block(&fields));
        assert_eq!(read(&blocks), read(&one_by_one));
        assert_eq!(read(&blocks).len(), 19);
        assert!(Reader::new(&blocks).is_whole());
    }

    #[test]
    fn short_values_are_the_same_in_a_block_and_alone() {
        let fields = ("IOC", 1.5, 3_u64, -3_i64, true, Maybe::<u8>(None), "", Elapsed(9));
        let (one_by_one, blocks) = (bytes(&fields), block(&fields));
        let (mut alone, mut together) = (Reader::new(&one_by_one), Reader::new(&blocks));
        #[derive(Debug, PartialEq)]
        enum Short<'a> {
            Word(u8, u64),
            Text(&'a [u8]),
            Other(Option<Decoded<'a>>),
        }
        fn short<'a>(reader: &mut Reader<'a>) -> Option<Short<'a>> {
            Some(match reader.peek()? {
                kind @ (tag::F64 | tag::U64 | tag::I64 | tag::ELAPSED_MS) => {
                    let word = reader.word()?;
                    assert_eq!(reader.word(), Some(word), "it has not moved");
                    reader.pass_word();
                    Short::Word(kind, word)
                }
                tag::TEXT => Short::Text(reader.text()?),
                _ => Short::Other(reader.value()),
            })
        }
        for _ in 0..8 {
            assert_eq!(short(&mut alone), short(&mut together));
        }
        assert_eq!((short(&mut alone), together.value()), (None, None));
    }

    #[test]
    fn a_block_that_is_cut_or_changed_invents_nothing() {
        let (a, b, c, d, _, f, g, h, i, j, k, l, ..) = every_kind!();
        let whole = block(&(a, b, c, d, f, g, h, i, j, k, l, "the end"));
        let values = read(&whole);
        for cut in 0..whole.len() {
            let cut = &whole[..cut];
            let mut reader = Reader::new(cut);
            let mut at = 0;
            while at < values.len() {
                if let Some(value) = reader.value() {
                    assert_eq!(value, values[at], "cut at {}", cut.len());
                }
                at += 1;
            }
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                let _ = (read(&changed), Reader::new(&changed).is_whole());
            }
        }
    }

    /// Claims to need so many bytes, and writes a list of three numbers.
    struct Lies(usize);

    impl Value for Lies {
        crate::hot::value::by_reference!();
        fn size(&self) -> usize {
            self.0
        }
        fn encode(&self, out: &mut Encoder<'_>) {
            out.head(tag::LIST, 3);
            (0..3_u64).for_each(|n| n.encode(out));
        }
    }

    #[test]
    fn a_value_that_lies_about_its_size_costs_no_more_than_what_follows_it_in_length() {
        for claimed in 0..60 {
            let bytes = block(&("before", Lies(claimed), "after", 5_u64));
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.value(), Some(Decoded::Text("before")), "{claimed}");
            let lie = reader.value();
            if let Some(Decoded::List(items)) = &lie {
                let numbers = [0, 1, 2].map(Decoded::U64);
                assert!(numbers.starts_with(items), "{claimed}: {items:?}");
            }
            let after = reader.value();
            assert!(matches!(after, None | Some(Decoded::Text("after"))), "{claimed}: {after:?}");
            // It stands in the block itself.
            assert_eq!(reader.value(), Some(Decoded::U64(5)), "{claimed}");
            if claimed >= Value::size(&Lies(0)) + 32 {
                assert_eq!(after, Some(Decoded::Text("after")), "{claimed}");
            }
        }
    }

    #[test]
    fn bytes_cut_anywhere_end_the_values_and_never_panic() {
        let whole = bytes(&("abc", vec![1_u8, 2], 3.0, fixed(1, 1)));
        let all = {
            let mut reader = Reader::new(&whole);
            core::iter::from_fn(move || reader.value()).collect::<Vec<_>>()
        };
        for cut in 0..whole.len() {
            let mut reader = Reader::new(&whole[..cut]);
            let read: Vec<_> = core::iter::from_fn(|| reader.value()).collect();
            assert!(read.len() <= all.len());
        }
    }

    #[test]
    fn values_are_whole_only_to_their_last_byte() {
        let nested =
            [("deep", vec![vec![1_u8], vec![]])].into_iter().collect::<std::collections::BTreeMap<_, _>>();
        let mut whole = bytes(&("abc", vec![1_u8, 2], nested, 3.0, fixed(1, 1), true, "end"));
        let boundaries: Vec<_> = {
            let mut reader = Reader::new(&whole);
            core::iter::from_fn(|| reader.value().map(|_| whole.len() - reader.rest.len())).collect()
        };
        for cut in 1..=whole.len() {
            assert_eq!(Reader::new(&whole[..cut]).is_whole(), boundaries.contains(&cut), "cut at {cut}");
        }
        whole.extend([0; 7]);
        assert!(Reader::new(&whole).is_whole());
        for at in whole.len() - 7..whole.len() {
            let mut changed = whole.clone();
            changed[at] = 0xFF;
            assert!(!Reader::new(&changed).is_whole(), "{at}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_is_damage() {
        for bytes in
            [&[0_u8; 4][..], &[0; 64], &[7, 0, 0, 0, 0, 0, 0, 0], &[255; 64], &[16, 0, 0, 0, 1, 0, 0, 0]]
        {
            assert!(matches!(next(bytes), Next::Damaged), "{bytes:?}");
            assert_eq!(ahead(bytes), Ahead::Damaged, "{bytes:?}");
        }
    }
}
