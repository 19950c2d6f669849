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

    /// A number below 10^9, with the zeros before it.
    #[inline(always)]
    pub(super) fn nine_digits(&mut self, number: u32) {
        self.byte(b'0' + (number / TEN_TO_8 as u32) as u8);
        self.padded(&(eight_digits(number % TEN_TO_8 as u32) | ASCII).to_le_bytes(), 8);
    }

    /// Lower-case hexadecimal, all eight digits.
    #[inline(always)]
    pub(super) fn eight_hex(&mut self, number: u32) {
        self.padded(&eight_hex(number).to_le_bytes(), 8);
    }

    /// A whole number.
    #[inline]
    pub(super) fn unsigned(&mut self, number: u64) {
        if number >= TEN_TO_8 {
            return self.long_unsigned(number);
        }
        let digits = eight_digits(number as u32);
        let zeros = (digits.trailing_zeros() / 8).min(7);
        self.padded(&((digits | ASCII) >> (8 * zeros)).to_le_bytes(), 8 - zeros as usize);
    }

    #[inline(never)]
    fn long_unsigned(&mut self, number: u64) {
        self.unsigned(number / TEN_TO_8);
        self.padded(&(eight_digits((number % TEN_TO_8) as u32) | ASCII).to_le_bytes(), 8);
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
        let Some((mantissa, scale)) = short_decimal(number) else { return self.long_float(number) };
        if number.is_sign_negative() {
            self.byte(b'-');
        }
        // One by one: `map` over an array may become a call.
        let high = eight_digits((mantissa / TEN_TO_8) as u32);
        let low = eight_digits((mantissa % TEN_TO_8) as u32);
        let zeros_before = if high == 0 { 64 + low.trailing_zeros() } else { high.trailing_zeros() } / 8;
        let zeros_after = (low.leading_zeros() / 8) as usize;
        let point = 16 - scale;
        let first = (zeros_before as usize).min(point - 1);
        let whole = point - first;
        // Sixteen digits, shifted in registers: a copy from memory would wait until both halves of them stand there.
        let digits = u128::from(high | ASCII) | u128::from(low | ASCII) << 64;
        let room = self.room::<32>();
        room[..16].copy_from_slice(&(digits >> (8 * first)).to_le_bytes());
        room[whole] = b'.';
        // A scale is eight at the most, so that the fraction is of the lower half.
        room[whole + 1..whole + 9].copy_from_slice(&((low | ASCII) >> (8 * (8 - scale))).to_le_bytes());
        // A fraction of nothing but zeros keeps one.
        self.len += whole + 1 + scale.saturating_sub(zeros_after).max(1);
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

const TEN_TO_8: u64 = 100_000_000;
/// Makes digits of [`eight_digits`] characters.
const ASCII: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number below 10^8, a byte each, the first one lowest: halved three times, all parts at once.
#[inline(always)]
const fn eight_digits(number: u32) -> u64 {
    let fours = (number / 10_000) as u64 | ((number % 10_000) as u64) << 32;
    // 5243 / 2^19 is a hundredth, exact enough below 10^4; 103 / 2^10 a tenth, below 10^2.
    let hundreds = ((fours * 5_243) >> 19) & 0x7F_0000_007F;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos - tens * 10) << 8
}

/// The eight hexadecimal digits of a number, as characters, the first one lowest: spread in three steps.
#[inline(always)]
pub(crate) const fn eight_hex(number: u32) -> u64 {
    let mut digits = number as u64;
    digits = (digits << 16 | digits) & 0x0000_FFFF_0000_FFFF;
    digits = (digits << 8 | digits) & 0x00FF_00FF_00FF_00FF;
    digits = (digits << 4 | digits) & 0x0F0F_0F0F_0F0F_0F0F;
    // One in each digit that is a letter.
    let letters = (digits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    (digits + ASCII + letters * (b'a' - b'0' - 10) as u64).swap_bytes()
}

/// A float that is a short decimal, as most prices and quantities are: `mantissa / 10^scale`, with a scale from 3 to 8 and
/// perhaps with zeros at its end. The sign is left out.
///
/// Without those zeros they are the shortest digits. The float is `significand / 2^shift`, and the mantissa the nearest one,
/// found in whole numbers. It is less than half of a float's step away, so that it reads back as the float; a half exactly
/// cannot be, nor, at a power of two, where the step below is half as long, anything but nothing. With a mantissa below 2^51
/// two decimals of one scale are further apart than the floats there, so no other one does, and none with fewer digits, for
/// that would be one of these with zeros.
#[inline]
fn short_decimal(number: f64) -> Option<(u64, usize)> {
    const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = number.abs().to_bits();
    if bits == 0 {
        return Some((0, 3));
    }
    let exponent = (bits >> FRACTION) as u32;
    // From that of 0.001 on; below 2^24, 2^31 and 2^41.
    let (scale, power) = match exponent.wrapping_sub(1023 - 10) {
        0..34 => (8, 100_000_000),
        34..41 => (6, 1_000_000),
        41..52 => (3, 1_000),
        _ => return None,
    };
    // Eleven to 62.
    let shift = (1023 + FRACTION - exponent) & 63;
    let significand = bits & ((1 << FRACTION) - 1) | 1 << FRACTION;
    let product = u128::from(significand) * u128::from(power);
    let mantissa = ((product + (1 << (shift - 1))) >> shift) as u64;
    // Half of 2^shift at the most, so the lower halves are enough.
    let off = (product as u64).wrapping_sub(mantissa << shift).cast_signed().unsigned_abs();
    // Smaller ones than 0.001 are written with an exponent.
    (off < power / 2 && mantissa >= 100_000).then_some((mantissa, scale))
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
        // Where the floats' steps change, and the scale with some.
        for exponent in -12..60 {
            let power = 2_f64.powi(exponent).to_bits();
            for number in (power - 3..power + 4).map(f64::from_bits) {
                assert_eq!(float(number), zmij::Buffer::new().format_finite(number), "{number:e}");
            }
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
        let powers = (0..20).map(|power| 10_u64.pow(power)).flat_map(|power| [power - 1, power, power + 1]);
        let others = [12_345, 9_900_990, 90_000_009, 100_200_300_400, 1_234_567_890_123_456_789, u64::MAX];
        for number in powers.chain(others).chain((0..10_000_000).step_by(37)) {
            let mut line = Line::new();
            line.unsigned(number);
            assert_eq!(line.written(), number.to_string().as_bytes());
        }
        let mut line = Line::new();
        line.signed(i64::MIN);
        assert_eq!(line.written(), i64::MIN.to_string().as_bytes());
    }

    #[test]
    fn digits_of_fixed_length_are_those_of_the_general_writer() {
        let numbers = (0..1 << 32).step_by(65_521).chain(0..70_000).chain([u32::MAX.into()]);
        for number in numbers.map(|number: u64| number as u32) {
            let mut line = Line::new();
            line.eight_hex(number);
            line.nine_digits(number % 1_000_000_000);
            let expected = format!("{number:08x}{:09}", number % 1_000_000_000);
            assert_eq!(line.written(), expected.as_bytes());
        }
    }

    #[test]
    fn a_long_line_finds_room() {
        let mut line = Line::new();
        (0..10_000).for_each(|_| line.padded(b"0123456789", 10));
        line.put(&[b'x'; 100_000]);
        assert_eq!(line.written().len(), 200_000);
    }
}
