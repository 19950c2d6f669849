//! The line that is being written: bytes that are there already, and how many of them are in use.
//!
//! Short pieces are copied with a fixed length, whatever their own: a store or two in place of a call. So there is always
//! room behind what is in use, and what stands there means nothing.

use crate::cold::json;

/// See the module.
#[derive(Debug)]
pub(super) struct Line {
    bytes: Vec<u8>,
    len: usize,
}

/// A line longer than this gives its room back.
const LARGEST_KEPT: usize = 1 << 20;
const SMALLEST: usize = 4096;

/// `00` to `99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut at = 0;
    while at < 100 {
        pairs[at * 2] = b'0' + (at / 10) as u8;
        pairs[at * 2 + 1] = b'0' + (at % 10) as u8;
        at += 1;
    }
    pairs
};

impl Line {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; SMALLEST], len: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        if self.bytes.len() > LARGEST_KEPT {
            self.bytes = vec![0; SMALLEST];
        }
    }

    /// Where it is, for [`Line::back_to`].
    #[inline(always)]
    pub(super) fn mark(&self) -> usize {
        self.len
    }

    /// Takes back what was written since `mark`.
    pub(super) fn back_to(&mut self, mark: usize) {
        self.len = mark;
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The `N` bytes behind what is in use.
    #[inline(always)]
    fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        if self.bytes.len() - self.len < N {
            self.grow(N);
        }
        match self.bytes[self.len..].first_chunk_mut() {
            Some(room) => room,
            None => unreachable!("`grow` made room"),
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        self.bytes.resize((self.len + more).next_power_of_two() * 2, 0);
    }

    /// Appends bytes as they are.
    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        if self.bytes.len() - self.len < bytes.len() {
            self.grow(bytes.len());
        }
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Appends the first `len` of `bytes`.
    #[inline(always)]
    pub(super) fn padded<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        *self.room() = *bytes;
        self.len += len.min(N);
    }

    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.padded(&[byte], 1);
    }

    /// Text as a JSON string, with its quotes. False, and nothing is written, when it is no UTF-8.
    #[inline]
    pub(super) fn text(&mut self, bytes: &[u8]) -> bool {
        let plain = match bytes.len() {
            0..8 => self.upto_8(bytes),
            8..=16 => self.upto_2n::<8>(bytes),
            17..=32 => self.upto_2n::<16>(bytes),
            _ => self.long(bytes),
        };
        plain || self.odd(bytes)
    }

    /// Fewer than eight bytes, as one word. False, and nothing is written, when a byte is not plain.
    #[inline(always)]
    fn upto_8(&mut self, bytes: &[u8]) -> bool {
        let len = bytes.len();
        let word = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4))
        } else if len > 0 {
            let at = |at: usize| u64::from(bytes[at]) << (8 * at);
            at(0) | at(len / 2) | at(len - 1)
        } else {
            0
        };
        // Behind the text: blanks, which are plain.
        if !plain(word | (0x2020_2020_2020_2020 << (8 * len))) {
            return false;
        }
        let room = self.room::<10>();
        room[0] = b'"';
        room[1..9].copy_from_slice(&word.to_le_bytes());
        room[1 + len] = b'"';
        self.len += len + 2;
        true
    }

    /// From `N` to `2 * N` bytes: the first `N` and the last `N`.
    #[inline(always)]
    fn upto_2n<const N: usize>(&mut self, bytes: &[u8]) -> bool {
        let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
            return false;
        };
        let words = first.as_chunks().0.iter().chain(last.as_chunks().0);
        if !words.fold(true, |all, word| all & plain(u64::from_le_bytes(*word))) {
            return false;
        }
        let len = bytes.len();
        let room = self.room::<34>();
        room[0] = b'"';
        room[1..=N].copy_from_slice(first);
        room[1 + len - N..][..N].copy_from_slice(last);
        room[1 + len] = b'"';
        self.len += len + 2;
        true
    }

    #[inline(never)]
    fn long(&mut self, bytes: &[u8]) -> bool {
        let (words, rest) = bytes.as_chunks();
        let all = words.iter().fold(true, |all, word| all & plain(u64::from_le_bytes(*word)));
        if !all || !rest.iter().all(|byte| matches!(byte, 0x20..0x80) && !matches!(byte, b'"' | b'\\')) {
            return false;
        }
        self.byte(b'"');
        self.put(bytes);
        self.byte(b'"');
        true
    }

    /// A text with escapes, or beyond ASCII.
    #[cold]
    #[inline(never)]
    fn odd(&mut self, bytes: &[u8]) -> bool {
        let Ok(text) = core::str::from_utf8(bytes) else { return false };
        let mut out = Vec::with_capacity(text.len() + 16);
        json::string(&mut out, text);
        self.put(&out);
        true
    }

    /// A whole number.
    #[inline]
    pub(super) fn unsigned(&mut self, number: u64) {
        let count = number.checked_ilog10().unwrap_or(0) as usize + 1;
        let room = self.room::<20>();
        last_digits(&mut room[..count], number);
        self.len += count;
    }

    pub(super) fn signed(&mut self, number: i64) {
        if number < 0 {
            self.byte(b'-');
        }
        self.unsigned(number.unsigned_abs());
    }

    /// The shortest digits that read back as the same float, always with a fraction or an exponent. False, and nothing is
    /// written, when it is not finite.
    #[inline]
    pub(super) fn float(&mut self, number: f64) -> bool {
        let Some((mantissa, scale)) = short_decimal(number.abs()) else { return self.long_float(number) };
        if number.is_sign_negative() {
            self.byte(b'-');
        }
        let power = POWERS[scale];
        self.unsigned(mantissa / power);
        if scale == 0 {
            self.padded(b".0", 2);
        } else {
            let room = self.room::<9>();
            room[0] = b'.';
            last_digits(&mut room[1..=scale], mantissa % power);
            self.len += scale + 1;
        }
        true
    }

    #[inline(never)]
    fn long_float(&mut self, number: f64) -> bool {
        if number.is_finite() {
            self.put(zmij::Buffer::new().format_finite(number).as_bytes());
        }
        number.is_finite()
    }
}

/// Whether all eight bytes are ASCII, no control characters, no `"` and no `\`.
#[inline(always)]
const fn plain(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let slash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    // Where no byte has its highest bit, a byte of these has it that was too small; a borrow from the byte below comes only
    // where that one was too small itself.
    (word | control | quote | slash) & (ONES * 0x80) == 0
}

/// Fills `out` with the last digits of `number`.
#[inline(always)]
fn last_digits(out: &mut [u8], mut number: u64) {
    let mut pairs = out.rchunks_exact_mut(2);
    for pair in &mut pairs {
        let at = (number % 100) as usize * 2;
        pair.copy_from_slice(&PAIRS[at..at + 2]);
        number /= 100;
    }
    if let [first] = pairs.into_remainder() {
        *first = b'0' + (number % 10) as u8;
    }
}

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// A float that is a short decimal, as most prices and quantities are: its digits, and how many stand behind the point.
///
/// What it returns are the shortest digits: `mantissa / 10^scale`, both exact in an f64, is rounded correctly, and gives
/// `number`; so the decimal reads back as `number`. With a mantissa below 2^51 two decimals of one scale are further apart
/// than the floats there, so no other one does, and none with fewer digits, for that would be one of these with zeros.
#[inline]
fn short_decimal(number: f64) -> Option<(u64, usize)> {
    const LIMIT: f64 = (1_u64 << 51) as f64;
    // Smaller ones are written with an exponent.
    if !(0.001..LIMIT / 1e3).contains(&number) {
        return (number == 0.0).then_some((0, 0));
    }
    let (mut scale, power) = if number < LIMIT / 1e8 {
        (8, 1e8)
    } else if number < LIMIT / 1e6 {
        (6, 1e6)
    } else {
        (3, 1e3)
    };
    let mut mantissa = (number * power + 0.5) as u64;
    if mantissa as f64 / power != number {
        return None;
    }
    while scale >= 4 && mantissa.is_multiple_of(10_000) {
        mantissa /= 10_000;
        scale -= 4;
    }
    if scale >= 2 && mantissa.is_multiple_of(100) {
        mantissa /= 100;
        scale -= 2;
    }
    if scale >= 1 && mantissa.is_multiple_of(10) {
        mantissa /= 10;
        scale -= 1;
    }
    Some((mantissa, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(number: f64) -> String {
        let mut line = Line::new();
        assert!(line.float(number));
        String::from_utf8(line.written().to_vec()).unwrap()
    }

    #[test]
    fn floats_have_the_digits_of_the_general_writer() {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        };
        for round in 0..400_000_u32 {
            let scale = 10_f64.powi((round % 12) as i32);
            let number = match round % 5 {
                0 => next() as f64 / scale,
                1 => (next() >> (round % 50)) as f64 / scale,
                2 => f64::from_bits(next() << 9),
                3 => (next() % 1_000_000) as f64 * 0.01,
                _ => (next() % 10_000) as f64,
            };
            for number in [number, -number] {
                if number.is_finite() {
                    assert_eq!(float(number), zmij::Buffer::new().format_finite(number), "{number:e}");
                }
            }
        }
        for number in [0.0, -0.0, 0.001, 0.000_999, 1e15, 1e16, 0.1 + 0.2, 1_761_482_096.123_456, f64::MAX] {
            assert_eq!(float(number), zmij::Buffer::new().format_finite(number));
        }
        assert!(!Line::new().float(f64::NAN));
    }

    #[test]
    fn texts_of_every_length_are_those_of_the_general_writer() {
        for len in 0..80_usize {
            for odd in
                [None, Some('"'), Some('\\'), Some('\n'), Some('\u{7f}'), Some('é'), Some('\u{0}'), Some(' ')]
            {
                for at in 0..len.max(1) {
                    let mut text: Vec<char> = "abcdefghijklmnop".chars().cycle().take(len).collect();
                    if let (Some(odd), Some(place)) = (odd, text.get_mut(at)) {
                        *place = odd;
                    }
                    let text: String = text.into_iter().collect();
                    let mut expected = Vec::new();
                    json::string(&mut expected, &text);
                    let mut line = Line::new();
                    assert!(line.text(text.as_bytes()));
                    assert_eq!(line.written(), expected, "{text:?}");
                }
            }
        }
        for wrong in [&b"\xff"[..], b"abcdefg\x80", b"abcdefghijklmnopqrstuvwxyz\xc3abcdefghijklmnopqrst"] {
            let mut line = Line::new();
            assert!(!line.text(wrong) && line.written().is_empty());
        }
    }

    #[test]
    fn whole_numbers_have_their_digits() {
        for number in [0, 9, 10, 99, 100, 12_345, u64::MAX] {
            let mut line = Line::new();
            line.unsigned(number);
            assert_eq!(line.written(), number.to_string().as_bytes());
        }
        let mut line = Line::new();
        line.signed(i64::MIN);
        assert_eq!(line.written(), i64::MIN.to_string().as_bytes());
    }

    #[test]
    fn a_long_line_finds_room() {
        let mut line = Line::new();
        (0..10_000).for_each(|_| line.padded(b"0123456789", 10));
        line.put(&[b'x'; 100_000]);
        assert_eq!(line.written().len(), 200_000);
    }
}
