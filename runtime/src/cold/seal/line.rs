//! One line of `seals.jsonl`.

use serde::{Deserialize, Serialize};

use crate::cold::encode::eight_hex;

/// Says that the first `bytes` bytes of a segment, unpacked, have this SHA-256: `head -c BYTES FILE | sha256sum`.
///
/// ```
/// use tapelog::read::{Root, Seal};
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-seal-{}", std::process::id()));
/// # let tape = tapelog::Recorder::builder("engine").root(&root).start()?;
/// # tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", value = 34.5, limit = 20.0, "too wide");
/// # tape.finish()?;
/// let run = Root::open(&root)?.newest()?;
/// let of_decisions = |seal: &Seal| seal.stream == "decisions.jsonl" && seal.lines > 0;
/// let seal = run.seals()?.into_iter().filter_map(|line| line.seal).find(of_decisions).expect("it is sealed");
/// let text = std::fs::read(run.dir().join(&seal.stream))?;
/// let checks: Vec<u32> = text[..seal.bytes as usize].split_inclusive(|byte| *byte == b'\n').map(Seal::check_of).collect();
/// assert_eq!(seal.line_checks(), checks);
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seal {
    /// When it was made, RFC 3339.
    pub timestamp: String,
    /// Counts the seals of the run from 1.
    pub seal: u64,
    /// The stream's file: `orders.jsonl`.
    pub stream: String,
    /// Which segment of it, from 1.
    pub segment: u32,
    /// How many bytes are sealed.
    pub bytes: u64,
    /// Their SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// How many lines that are.
    pub lines: u64,
    /// The `seq` of the last of them.
    pub last_seq: u64,
    /// With this seal, every line of a sealed stream up to this `seq` is sealed.
    pub covers: u64,
    /// Why it was made: `interval`, `closed`, `finished` or `recovered`.
    pub cause: String,
    /// Thirty-two bits of each line since the seal of this segment before, eight hexadecimal digits each: they tell which
    /// line it is that no longer fits the hash. They prove nothing by themselves.
    pub checks: String,
    /// The SHA-256 of the line before this one in `seals.jsonl`, without its newline; 64 zeros in the first.
    pub previous: String,
}

/// Why a seal was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Interval,
    Closed,
    Finished,
    Recovered,
}

impl Cause {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Interval => "interval",
            Self::Closed => "closed",
            Self::Finished => "finished",
            Self::Recovered => "recovered",
        }
    }
}

impl Seal {
    /// Adds the line of `seals.jsonl`, without its newline.
    pub(crate) fn write_line(&self, out: &mut Vec<u8>) {
        // After a flood the checks are half a megabyte: there is room for them, once.
        out.reserve(self.checks.len() + 512);
        // A struct of numbers and texts always becomes JSON, and memory takes it.
        let _ = serde_json::to_writer(out, self);
    }

    /// What [`Seal::checks`] says of each line.
    #[must_use]
    pub fn line_checks(&self) -> Vec<u32> {
        let digits = self.checks.as_bytes().as_chunks::<8>().0;
        let number = |eight: &[u8; 8]| u32::from_str_radix(core::str::from_utf8(eight).ok()?, 16).ok();
        digits.iter().filter_map(number).collect()
    }

    /// The thirty-two bits of a line, with its newline, as they stand in [`Seal::checks`].
    #[must_use]
    pub fn check_of(line: &[u8]) -> u32 {
        check_of(line)
    }
}

/// [`Seal::checks`] of some lines.
pub(crate) fn line_checks(checks: &[u32]) -> String {
    let digits: Vec<_> = checks.iter().map(|check| eight_hex(*check).to_le_bytes()).collect();
    // Hexadecimal digits are ASCII.
    String::from_utf8(digits.into_flattened()).unwrap_or_default()
}

/// Four words at a time, each into a hash of its own, since one multiplication waits for the one before: it must cost less
/// than the hash beside it.
pub(crate) fn check_of(line: &[u8]) -> u32 {
    let (blocks, rest) = line.as_chunks::<32>();
    let mut lanes = [1, 2, 3, 4].map(|lane| ODD.wrapping_mul(lane) ^ line.len() as u64);
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = turned(*lane, *word);
        }
    }
    let (words, rest) = rest.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut hash = lanes.iter().fold(ODD, |hash, lane| turned(hash, lane.to_le_bytes()));
    for word in words.iter().chain([&last]) {
        hash = turned(hash, *word);
    }
    (hash.wrapping_mul(ODD) >> 32) as u32
}

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A bijection of the hash for each word, and of the word for each hash: one change alone is always seen.
const fn turned(hash: u64, word: [u8; 8]) -> u64 {
    (hash ^ u64::from_le_bytes(word)).wrapping_mul(ODD).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_anywhere_in_a_line_changes_its_check() {
        let line = b"{\"event_type\":\"ORDER_CONTEXT\",\"symbol\":\"BTC/USDT\",\"qty\":0.5,\"price\":64250.5,\"seq\":17}\n";
        for len in 0..=line.len() {
            let line = &line[..len];
            let same = (0..len * 8).filter(|bit| {
                let mut changed = line.to_vec();
                changed[bit / 8] ^= 1 << (bit % 8);
                check_of(&changed) == check_of(line)
            });
            assert_eq!(same.count(), 0, "{len} bytes");
        }
        // Words that change their places, within a lane and between two.
        let mut turned = *b"aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffgggggggghhhhhhhh";
        let before = check_of(&turned);
        for (one, other) in [(0, 8), (0, 32), (8, 48)] {
            for at in 0..8 {
                turned.swap(one + at, other + at);
            }
            assert_ne!(check_of(&turned), before);
        }
    }

    #[test]
    fn checks_read_back() {
        let seal = Seal {
            timestamp: String::new(),
            seal: 1,
            stream: String::new(),
            segment: 1,
            bytes: 0,
            sha256: String::new(),
            lines: 3,
            last_seq: 3,
            covers: 3,
            cause: Cause::Interval.as_str().to_owned(),
            checks: line_checks(&[0, 0xFFFF, 0x12]),
            previous: String::new(),
        };
        assert_eq!(seal.line_checks(), [0, 0xFFFF, 0x12]);
        let mut line = Vec::new();
        seal.write_line(&mut line);
        assert_eq!(serde_json::from_slice::<Seal>(&line).unwrap(), seal);
    }
}
