//! JSON text, written straight into a byte buffer: compact, exact digits, every control character escaped.

use crate::hot::civil::{Civil, digits};

/// Text as a JSON string, with its quotes (RFC 8259 §7).
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// The inside of a JSON string.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            // DEL and the C1 controls are legal in JSON, but DEL moves no terminal and C1 needs two UTF-8 bytes.
            0..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            let hex = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            out.extend_from_slice(&[b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// The shortest digits that read back as the same float, always with a fraction or an exponent; `None` when not finite.
pub(crate) fn float(out: &mut Vec<u8>, number: f64) -> Option<()> {
    number.is_finite().then(|| out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes()))
}

/// As [`float`], with the digits of an `f32`.
pub(crate) fn float32(out: &mut Vec<u8>, number: f32) -> Option<()> {
    number.is_finite().then(|| out.extend_from_slice(zmij::Buffer::new().format_finite(number).as_bytes()))
}

/// A float with so many digits after the point, as messages want it.
pub(crate) fn float_to(out: &mut Vec<u8>, number: f64, precision: usize) {
    use std::io::Write as _;
    // Writing into memory cannot fail.
    let _ = write!(out, "{number:.precision$}");
}

pub(crate) fn unsigned(out: &mut Vec<u8>, mut number: u128) {
    let mut buffer = [0; 39];
    let mut at = buffer.len();
    // Most numbers are small: 64-bit division is several times cheaper than 128-bit.
    while number > u128::from(u64::MAX) {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    let mut small = number as u64;
    loop {
        at -= 1;
        buffer[at] = b'0' + (small % 10) as u8;
        small /= 10;
        if small == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}

pub(crate) fn signed(out: &mut Vec<u8>, number: i128) {
    if number < 0 {
        out.push(b'-');
    }
    unsigned(out, number.unsigned_abs());
}

/// `mantissa / 10^scale`, with exactly `scale` digits after the point.
pub(crate) fn decimal(out: &mut Vec<u8>, mantissa: i128, scale: u32) {
    if mantissa < 0 {
        out.push(b'-');
    }
    let mut text = Vec::with_capacity(48);
    unsigned(&mut text, mantissa.unsigned_abs());
    let scale = scale as usize;
    if text.len() <= scale {
        let zeros = scale + 1 - text.len();
        text.splice(0..0, core::iter::repeat_n(b'0', zeros));
    }
    let point = text.len() - scale;
    out.extend_from_slice(&text[..point]);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&text[point..]);
    }
}

/// RFC 3339 in UTC with nine digits, for example `2025-10-26T12:34:56.000000001Z`, without quotes.
pub(crate) fn instant(out: &mut Vec<u8>, nanos: i128) {
    let seconds = nanos.div_euclid(1_000_000_000);
    let fraction = nanos.rem_euclid(1_000_000_000) as u32;
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    Civil::from_seconds(seconds.clamp(-62_167_219_200, 253_402_300_799) as i64)
        .write_rfc3339(&mut text[..19]);
    digits(&mut text[20..29], fraction);
    out.extend_from_slice(&text);
}

/// `HH:MM:SS` in UTC, without quotes.
pub(crate) fn clock(out: &mut Vec<u8>, nanos: i64) {
    let mut text = [0; 8];
    Civil::from_seconds(nanos.div_euclid(1_000_000_000)).write_clock(&mut text);
    out.extend_from_slice(&text);
}

/// Lower-case hexadecimal.
pub(crate) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn every_control_character_is_escaped_and_reads_back() {
        let text: String = (0..0x80_u8).map(char::from).chain("é😀\u{2028}".chars()).collect();
        let mut out = Vec::new();
        string(&mut out, &text);
        assert!(out.iter().all(|byte| *byte >= 0x20));
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn floats_keep_their_digits_and_a_fraction() {
        check(|out| float(out, 45000.0).unwrap(), "45000.0");
        check(|out| float(out, 0.1).unwrap(), "0.1");
        check(|out| float32(out, 0.1).unwrap(), "0.1");
        check(|out| float(out, 1e300).unwrap(), "1e+300");
        check(|out| float(out, -0.0).unwrap(), "-0.0");
        // C23
        assert_eq!(float(&mut Vec::new(), f64::NAN), None);
        assert_eq!(float(&mut Vec::new(), f64::INFINITY), None);
    }

    #[test]
    fn decimals_have_exactly_their_scale() {
        check(|out| decimal(out, 4_500_050, 2), "45000.50");
        check(|out| decimal(out, -5, 3), "-0.005");
        check(|out| decimal(out, 0, 2), "0.00");
        check(|out| decimal(out, 7, 0), "7");
        check(|out| unsigned(out, u128::MAX), "340282366920938463463374607431768211455");
        check(|out| signed(out, i128::MIN), "-170141183460469231731687303715884105728");
    }

    #[test]
    fn instants_have_nine_digits_and_a_zone() {
        // C12
        check(|out| instant(out, 1_761_482_096_000_000_001), "2025-10-26T12:34:56.000000001Z");
        check(|out| instant(out, -1), "1969-12-31T23:59:59.999999999Z");
        check(|out| clock(out, 1_761_482_096_999_999_999), "12:34:56");
    }
}
