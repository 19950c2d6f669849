//! Records out of bytes. Their values: [`Reader`].
//!
//! Invariant: any bytes give values or an end, never a panic and never an invented value: these bytes may come from the
//! ring of a process that died while writing, or from a damaged file.

use crate::hot::contexts::{INLINE, SLOTS};
use crate::hot::ids::DecisionId;
use crate::hot::registry::MAX_SITES;
use crate::hot::ring::{PADDING, RECORD_HEADER};

pub(crate) use values::{Decoded, Reader};
use values::{array, u32};

mod values;

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

impl Record<'_> {
    /// Whether a record call can have written this: a site's number, a context's slot, values that end where the record
    /// ends, and zeros behind them. For records of a dead run, whose bytes may have been changed since.
    pub(crate) fn is_plausible(&self) -> bool {
        (self.site as usize) < MAX_SITES
            && ((self.slot as usize) < SLOTS || self.slot >= INLINE)
            && Reader::new(self.values).is_whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
