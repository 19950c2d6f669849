//! Terms and their blocks, in pages that are read alone.
//!
//! A term takes the bytes that it shares with the one before it from there; the first of a page shares none. Numbers are
//! varints.

use std::collections::BTreeSet;

/// A page is closed when it is this long: what is read to look for one term.
const PAGE: usize = 4096;
/// A longer term stands for all that begin so.
pub(super) const LONGEST: usize = 200;

/// One page as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Where it begins among the terms.
    pub(super) at: u32,
    pub(super) crc: u32,
    pub(super) first: Vec<u8>,
}

/// Terms in order, each with its blocks in order, as pages and their bytes.
pub(super) fn write(terms: &[(Vec<u8>, Vec<u32>)]) -> (Vec<Page>, Vec<u8>) {
    let (mut pages, mut bytes) = (Vec::new(), Vec::new());
    let mut open: Option<(usize, &[u8])> = None;
    let mut before: &[u8] = &[];
    for (text, blocks) in terms {
        if let Some((start, first)) = open
            && bytes.len() - start >= PAGE
        {
            pages.push(page(start, &bytes, first));
            open = None;
        }
        if open.is_none() {
            open = Some((bytes.len(), text));
            before = &[];
        }
        let shared = text.iter().zip(before).take_while(|(a, b)| a == b).count();
        varint(&mut bytes, shared as u32);
        varint(&mut bytes, (text.len() - shared) as u32);
        bytes.extend_from_slice(text.get(shared..).unwrap_or_default());
        varint(&mut bytes, blocks.len() as u32);
        let mut last = 0;
        for block in blocks {
            varint(&mut bytes, block - last);
            last = *block;
        }
        before = text;
    }
    if let Some((start, first)) = open {
        pages.push(page(start, &bytes, first));
    }
    (pages, bytes)
}

fn page(start: usize, bytes: &[u8], first: &[u8]) -> Page {
    let own = bytes.get(start..).unwrap_or_default();
    Page { at: start as u32, crc: crc32fast::hash(own), first: first.to_vec() }
}

/// How a page's terms relate to what is looked for.
pub(super) enum Seen {
    /// Terms of the next page may match too.
    GoOn,
    /// What follows comes behind it.
    Behind,
    /// It is damaged.
    Damaged,
}

/// Adds the blocks of the terms in a page that are `text`, or begin so if not `whole`.
pub(super) fn look(page: &[u8], text: &[u8], whole: bool, into: &mut BTreeSet<u32>) -> Seen {
    let mut rest = page;
    let mut own = Vec::new();
    while !rest.is_empty() {
        let Some((matches, behind, count)) = term(&mut rest, &mut own, text, whole) else {
            return Seen::Damaged;
        };
        if behind {
            return Seen::Behind;
        }
        let mut block = 0_u32;
        for _ in 0..count {
            let Some(number) = number(&mut rest) else { return Seen::Damaged };
            block = block.saturating_add(number);
            if matches {
                into.insert(block);
            }
        }
    }
    Seen::GoOn
}

/// Reads one term: whether it matches, whether it comes behind all that do, and how many blocks it has.
fn term(rest: &mut &[u8], own: &mut Vec<u8>, text: &[u8], whole: bool) -> Option<(bool, bool, u32)> {
    let shared = number(rest)? as usize;
    let len = number(rest)? as usize;
    if shared > own.len() {
        return None;
    }
    own.truncate(shared);
    own.extend_from_slice(rest.split_off(..len)?);
    let matches = if whole { own == text } else { own.starts_with(text) };
    Some((matches, !matches && own.as_slice() > text, number(rest)?))
}

fn varint(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0_u32, 0);
    loop {
        let byte = rest.split_off_first()?;
        number |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
}
