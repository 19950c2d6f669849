//! Records and values out of bytes.
//!
//! Invariant: any bytes give values or an end, never a panic and never an invented value: these bytes may come from the
//! ring of a process that died while writing, or from a damaged file.

use crate::hot::contexts::{INLINE, SLOTS};
use crate::hot::encoder::tag;
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
    let mut rest = Reader(&header[8..]);
    let (Some(counter), Some(decision), Some(slot), Some(generation)) =
        (rest.array().map(u64::from_le_bytes), rest.array(), rest.u32(), rest.u32())
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
            && Reader(self.values).is_whole()
    }
}

/// How deep lists and maps may nest; deeper ones end the record's values.
const DEEPEST: u32 = 64;

/// Takes values one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next value, or none at the end, or where the bytes are no value.
    pub(crate) fn value(&mut self) -> Option<Decoded<'a>> {
        self.value_at(0)
    }

    fn value_at(&mut self, depth: u32) -> Option<Decoded<'a>> {
        let [kind] = self.array()?;
        Some(match kind {
            tag::NULL => Decoded::Null,
            tag::ABSENT => Decoded::Absent,
            tag::FALSE => Decoded::Bool(false),
            tag::TRUE => Decoded::Bool(true),
            tag::I64 => Decoded::I64(i64::from_le_bytes(self.array()?)),
            tag::U64 => Decoded::U64(u64::from_le_bytes(self.array()?)),
            tag::I128 => Decoded::I128(i128::from_le_bytes(self.array()?)),
            tag::U128 => Decoded::U128(u128::from_le_bytes(self.array()?)),
            tag::F64 => Decoded::F64(f64::from_le_bytes(self.array()?)),
            tag::F32 => Decoded::F32(f32::from_le_bytes(self.array()?)),
            tag::DECIMAL => Decoded::Decimal(i128::from_le_bytes(self.array()?), self.u32()?.min(64)),
            tag::TEXT => Decoded::Text(self.text()?),
            tag::FOUND_TEXT => Decoded::FoundText(self.text()?),
            tag::BYTES => Decoded::Bytes(self.slice()?),
            tag::LIST if depth < DEEPEST => {
                let len = self.u32()?;
                Decoded::List((0..len).map_while(|_| self.value_at(depth + 1)).collect())
            }
            tag::MAP if depth < DEEPEST => {
                let len = self.u32()?;
                let pair = |reader: &mut Self| Some((reader.text()?, reader.value_at(depth + 1)?));
                Decoded::Map((0..len).map_while(|_| pair(self)).collect())
            }
            tag::INSTANT => Decoded::Instant(i128::from_le_bytes(self.array()?)),
            tag::DECISION => Decoded::Decision(DecisionId::from_bytes(self.array()?)),
            tag::UUID => Decoded::Uuid(u128::from_be_bytes(self.array()?)),
            tag::ELAPSED_MS => Decoded::Elapsed(u64::from_le_bytes(self.array()?)),
            tag::COUNTER => Decoded::Counter(u64::from_le_bytes(self.array()?)),
            tag::OVERSIZE => Decoded::Oversize(u64::from_le_bytes(self.array()?)),
            _ => return None,
        })
    }

    /// The engine's time, where the record begins with one.
    pub(crate) fn engine_time(&mut self) -> Option<i64> {
        if self.0.first() != Some(&tag::ENGINE_TIME) {
            return None;
        }
        let [_tag] = self.array()?;
        self.array().map(i64::from_le_bytes)
    }

    /// Whether these bytes are values, each whole, and zeros behind the last.
    fn is_whole(mut self) -> bool {
        // Lists and maps that are open: how many items they lack, and whether each has a key.
        let mut open: Vec<(u32, bool)> = Vec::new();
        loop {
            open.truncate(open.iter().rposition(|(left, _)| *left > 0).map_or(0, |last| last + 1));
            match (self.0.first(), open.last()) {
                (None, inside) => return inside.is_none(),
                // A value that wrote less than it claimed ends so, too, wherever it stood.
                (Some(&tag::END), None | Some((_, false))) => {
                    return self.0.iter().all(|byte| *byte == tag::END);
                }
                _ => {}
            }
            if let Some((left, has_key)) = open.last_mut() {
                *left -= 1;
                if *has_key && self.text().is_none() {
                    return false;
                }
            }
            let skipped = match self.array().map(|[kind]| kind) {
                Some(tag::NULL | tag::ABSENT | tag::FALSE | tag::TRUE) => Some(()),
                Some(tag::F32) => self.array::<4>().map(|_| ()),
                Some(tag::I64 | tag::U64 | tag::F64 | tag::ELAPSED_MS | tag::COUNTER | tag::OVERSIZE) => {
                    self.array::<8>().map(|_| ())
                }
                Some(tag::I128 | tag::U128 | tag::INSTANT | tag::DECISION | tag::UUID) => {
                    self.array::<16>().map(|_| ())
                }
                Some(tag::DECIMAL) => self.array::<20>().map(|_| ()),
                Some(tag::TEXT | tag::FOUND_TEXT) => self.text().map(|_| ()),
                Some(tag::BYTES) => self.slice().map(|_| ()),
                Some(kind @ (tag::LIST | tag::MAP)) => {
                    self.u32().map(|len| open.push((len, kind == tag::MAP)))
                }
                // A map that was cut off.
                Some(tag::END) => return self.0.iter().all(|byte| *byte == tag::END),
                _ => None,
            };
            if skipped.is_none() {
                return false;
            }
        }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn slice(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()? as usize;
        let (slice, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(slice)
    }

    fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.slice()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::FoundText;
    use crate::hot::describe::bytes;
    use crate::hot::value::{Maybe, fixed};

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
        let mut reader = Reader(&written);
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

    #[test]
    fn bytes_cut_anywhere_end_the_values_and_never_panic() {
        let whole = bytes(&("abc", vec![1_u8, 2], 3.0, fixed(1, 1)));
        let all = {
            let mut reader = Reader(&whole);
            core::iter::from_fn(move || reader.value()).collect::<Vec<_>>()
        };
        for cut in 0..whole.len() {
            let mut reader = Reader(&whole[..cut]);
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
            let mut reader = Reader(&whole);
            core::iter::from_fn(|| reader.value().map(|_| whole.len() - reader.0.len())).collect()
        };
        for cut in 1..=whole.len() {
            assert_eq!(Reader(&whole[..cut]).is_whole(), boundaries.contains(&cut), "cut at {cut}");
        }
        whole.extend([0; 7]);
        assert!(Reader(&whole).is_whole());
        for at in whole.len() - 7..whole.len() {
            let mut changed = whole.clone();
            changed[at] = 0xFF;
            assert!(!Reader(&changed).is_whole(), "{at}");
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
