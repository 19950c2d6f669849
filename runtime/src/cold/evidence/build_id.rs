//! The build id that a linker leaves in an executable: the note `GNU`, type 3, in a segment of notes (elf(5)).
//!
//! Invariant: any bytes give an id or none; nothing outside of the file's length is read, and of notes at most 1 MiB.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

const SEGMENT_OF_NOTES: u32 = 4;
const NOTE_BUILD_ID: u32 = 3;
const NOTES_MAX: u64 = 1 << 20;

/// In hexadecimal, of a 64-bit little-endian file.
pub(super) fn of(file: &File) -> Option<String> {
    let mut header = [0; 64];
    file.read_exact_at(&mut header, 0).ok()?;
    // Class 2 is 64 bits, encoding 1 little-endian.
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, entry, count) = (u64_at(&header, 32)?, u16_at(&header, 54)?, u16_at(&header, 56)?);
    (0..u64::from(count)).find_map(|number| {
        let mut segment = [0; 56];
        let at = number.checked_mul(u64::from(entry))?.checked_add(table)?;
        file.read_exact_at(&mut segment, at).ok()?;
        if u32_at(&segment, 0)? != SEGMENT_OF_NOTES {
            return None;
        }
        let (offset, len) = (u64_at(&segment, 8)?, u64_at(&segment, 32)?);
        let mut notes = vec![0; len.min(NOTES_MAX) as usize];
        file.read_exact_at(&mut notes, offset).ok()?;
        in_notes(&notes)
    })
}

fn in_notes(mut notes: &[u8]) -> Option<String> {
    loop {
        let (name_len, len) = (u32_at(notes, 0)? as usize, u32_at(notes, 4)? as usize);
        let kind = u32_at(notes, 8)?;
        let name = notes.get(12..)?.get(..name_len)?;
        let begin = 12 + name_len.next_multiple_of(4);
        let content = notes.get(begin..)?.get(..len)?;
        if kind == NOTE_BUILD_ID && name == b"GNU\0" {
            return Some(super::hex(content));
        }
        notes = notes.get(begin + len.next_multiple_of(4)..)?;
    }
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes_at(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, content: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        note.extend((name.len() as u32).to_le_bytes());
        note.extend((content.len() as u32).to_le_bytes());
        note.extend(kind.to_le_bytes());
        note.extend(name);
        note.resize(note.len().next_multiple_of(4), 0);
        note.extend(content);
        note.resize(note.len().next_multiple_of(4), 0);
        note
    }

    #[test]
    fn the_id_is_found_behind_other_notes_and_cut_ones_are_none() {
        let mut notes = note(b"GNU\0", 1, &[1; 16]);
        notes.extend(note(b"stapsdt\0", 3, &[2; 5]));
        notes.extend(note(b"GNU\0", 3, &[0xAB, 0xCD, 0xEF]));
        assert_eq!(in_notes(&notes).as_deref(), Some("abcdef"));
        for len in 0..notes.len() - 1 {
            assert_eq!(in_notes(&notes[..len]), None, "{len}");
        }
        assert_eq!(in_notes(&[0xFF; 64]), None);
    }

    #[test]
    fn other_files_have_none() {
        let none = File::open("/proc/self/cmdline").unwrap();
        assert_eq!(of(&none), None);
    }
}
