//! Ids: session > correlation > decision > intent > attempt > client order > order > fill (design §7).
//!
//! Invariant: a process never gives out one [`DecisionId`] twice, and an id that users bring in the documented form is
//! kept to the letter. Nothing here reads a clock: the time is an argument.

use core::fmt;
use core::str::FromStr;

use super::civil::{Civil, days_from_civil};
use super::encoder::Encoder;
use super::suffix::{self, mix};
use super::value::{Value, by_value};

/// One act of deciding: `dec_YYYYMMDD_HHMMSS_` and 6 to 12 of `[a-z0-9]` (S4-008), in 16 bytes.
///
/// Our own have ten characters after the time, from a keyed permutation of a counter. At most 32 characters of
/// `[a-z0-9_]`, so that most venues accept it as a client order id.
///
/// ```
/// use tapelog::DecisionId;
///
/// let id: DecisionId = "dec_20251026_123456_abc123".parse()?;
/// assert_eq!(id.to_string(), "dec_20251026_123456_abc123");
/// assert_eq!(id.seconds(), 1_761_482_096);
/// # Ok::<(), tapelog::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct DecisionId(u128);

const _: () = assert!(size_of::<DecisionId>() == 16);

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// 9999-12-31T23:59:59Z, the last second that four digits of a year can say.
const LAST_SECOND: u64 = 253_402_300_799;

impl DecisionId {
    /// No decision; never given out, never parsed.
    pub(crate) const NONE: Self = Self(0);

    /// Bits from the top: seconds since 1970 (60), length of the suffix (4), suffix as a number in base 36 (64).
    const fn pack(seconds: u64, len: u32, suffix: u64) -> Self {
        Self(((seconds as u128) << 68) | ((len as u128) << 64) | suffix as u128)
    }

    /// A new id for a decision made at `seconds` since 1970.
    #[inline]
    pub(crate) fn next(seconds: u64) -> Self {
        Self::pack(seconds, suffix::LEN, suffix::take())
    }

    /// The second, since 1970 UTC, that the id names.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        (self.0 >> 68) as u64
    }

    #[inline]
    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    #[inline]
    pub(crate) const fn some(self) -> Option<Self> {
        if self.is_none() { None } else { Some(self) }
    }

    /// The 16 bytes of a record's header.
    #[inline]
    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// The low and the high half.
    #[inline]
    pub(crate) const fn halves(self) -> [u64; 2] {
        [self.0 as u64, (self.0 >> 64) as u64]
    }

    #[inline]
    pub(crate) const fn from_halves([low, high]: [u64; 2]) -> Self {
        Self(low as u128 | ((high as u128) << 64))
    }

    /// Reads a record's header; a value that names no valid id reads as none.
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        let id = Self(u128::from_le_bytes(bytes));
        let (len, suffix) = (id.suffix_len(), id.suffix());
        if len < 6 || len > 12 || suffix >= 36_u64.pow(len) || id.seconds() > LAST_SECOND {
            return Self::NONE;
        }
        id
    }

    const fn suffix_len(self) -> u32 {
        ((self.0 >> 64) & 0xF) as u32
    }

    const fn suffix(self) -> u64 {
        self.0 as u64
    }

    /// The characters, without allocating: at most 32.
    pub(crate) fn write_text(self, out: &mut [u8; 32]) -> &str {
        let time = Civil::from_seconds(self.seconds() as i64);
        out[..4].copy_from_slice(b"dec_");
        time.write_compact(&mut out[4..19]);
        out[19] = b'_';
        let len = self.suffix_len() as usize;
        let mut rest = self.suffix();
        for at in (20..20 + len).rev() {
            out[at] = DIGITS[(rest % 36) as usize];
            rest /= 36;
        }
        core::str::from_utf8(&out[..20 + len]).unwrap_or_default()
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.write_text(&mut [0; 32]))
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an id of the documented form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    text: String,
    wrong: &'static str,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a decision id: {}; write `dec_YYYYMMDD_HHMMSS_` and 6 to 12 of a-z and 0-9, \
             for example `dec_20251026_123456_abc123`",
            self.text.escape_debug(),
            self.wrong
        )
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for DecisionId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        parse(text).map_err(|wrong| ParseIdError { text: text.chars().take(64).collect(), wrong })
    }
}

fn parse(text: &str) -> Result<DecisionId, &'static str> {
    let rest = text.strip_prefix("dec_").ok_or("it does not start with `dec_`")?;
    let mut parts = rest.split('_');
    let (Some(day), Some(time), Some(suffix), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("after `dec_` come a date, a time and a suffix");
    };
    let seconds = parse_compact(day, time).ok_or("its date or time does not exist")?;
    if !(6..=12).contains(&suffix.len()) {
        return Err("its suffix has fewer than 6 or more than 12 characters");
    }
    let mut number = 0_u64;
    for byte in suffix.bytes() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            _ => return Err("its suffix has a character that is not a-z or 0-9"),
        };
        number = number * 36 + u64::from(digit);
    }
    Ok(DecisionId::pack(seconds, suffix.len() as u32, number))
}

/// Seconds since 1970 of `YYYYMMDD` and `HHMMSS`, when such a second exists.
pub(crate) fn parse_compact(day: &str, time: &str) -> Option<u64> {
    if day.len() != 8 || time.len() != 6 || !day.bytes().chain(time.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |text: &str| text.parse::<i64>().ok();
    let (year, month, date) = (number(&day[..4])?, number(&day[4..6])?, number(&day[6..])?);
    let (hour, minute, second) = (number(&time[..2])?, number(&time[2..4])?, number(&time[4..])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_from_civil(year, month, date)? * 86_400 + hour * 3_600 + minute * 60 + second;
    u64::try_from(seconds).ok()
}

impl Value for DecisionId {
    by_value!(DECISION, 16);

    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        out.array(self.to_bytes());
    }
}

/// The wish for one order (S4-003), a UUID in form. Users may name intents by any other value of their own.
///
/// ```
/// let intent = tapelog::IntentId::new();
/// assert_eq!(intent.to_string().len(), 36);
/// assert_ne!(intent, tapelog::IntentId::new());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(u128);

impl IntentId {
    /// A new id, from the same counter and process key as decisions; version 8 of RFC 9562.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two calls give two values")]
    pub fn new() -> Self {
        let key = suffix::key();
        // Low: a bijection of the suffix, so that a process never repeats one. High: the key that tells processes apart.
        let low = mix(suffix::take().wrapping_add(key));
        let high = mix(key ^ 0x9E37_79B9_7F4A_7C15) & !3;
        // The two bits of `low` that the variant needs move up, so that none is lost.
        let plain = (u128::from(high | (low & 3)) << 64) | u128::from(low >> 2);
        let versioned = (plain & !(0xF << 76)) | (8 << 76);
        Self((versioned & !(0b11 << 62)) | (0b10 << 62))
    }
}

impl FromStr for IntentId {
    type Err = ParseIntentError;

    fn from_str(text: &str) -> Result<Self, ParseIntentError> {
        let dashes = |at| matches!(at, 8 | 13 | 18 | 23);
        let well_formed = text.len() == 36
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if dashes(at) { byte == b'-' } else { byte.is_ascii_hexdigit() });
        let digits: String = text.chars().filter(|character| *character != '-').collect();
        let id = well_formed.then(|| u128::from_str_radix(&digits, 16).ok()).flatten();
        id.map(Self).ok_or(ParseIntentError)
    }
}

/// A text that is not a UUID.
///
/// ```
/// use tapelog::{IntentId, ParseIntentError};
///
/// assert_eq!("int_1".parse::<IntentId>(), Err(ParseIntentError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIntentError;

impl fmt::Display for ParseIntentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not an intent id of ours; write a UUID, for example `8f14e45f-ceea-4d5b-9c3e-1a2b3c4d5e6f`",
        )
    }
}

impl std::error::Error for ParseIntentError {}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(self.0, f)
    }
}

impl fmt::Debug for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(self.0, f)
    }
}

fn write_uuid(id: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 96,
        (id >> 80) & 0xFFFF,
        (id >> 64) & 0xFFFF,
        (id >> 48) & 0xFFFF,
        id & 0xFFFF_FFFF_FFFF
    )
}

impl Value for IntentId {
    by_value!(UUID, 16);

    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        out.array(self.0.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_of_the_documented_form_are_kept_to_the_letter() {
        // S4-008, C17
        for text in [
            "dec_20251026_123456_abc123",
            "dec_20251026_123456_zzzzzzzzzzzz",
            "dec_20251026_123456_000000",
            "dec_00010101_000000_abc123".replace("0001", "1970").as_str(),
            "dec_99991231_235959_0z0z0z0",
        ] {
            let id: DecisionId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(DecisionId::from_bytes(id.to_bytes()), id);
        }
    }

    #[test]
    fn ids_of_a_wrong_form_say_what_to_write_instead() {
        for (text, says) in [
            ("", "does not start"),
            ("int_20251026_123456_abc123", "does not start"),
            ("dec_20251026_abc123", "a date, a time and a suffix"),
            ("dec_20251026_123456_abc123_x", "a date, a time and a suffix"),
            ("dec_20251326_123456_abc123", "does not exist"),
            ("dec_20250230_123456_abc123", "does not exist"),
            ("dec_20251026_126056_abc123", "does not exist"),
            ("dec_20251026_123456_abc12", "fewer than 6"),
            ("dec_20251026_123456_abcdefghijklm", "more than 12"),
            ("dec_20251026_123456_ABC123", "not a-z"),
            ("dec_20251026_123456_äbc123", "not a-z"),
        ] {
            let error = text.parse::<DecisionId>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(error.contains("dec_YYYYMMDD_HHMMSS_"), "{error}");
        }
    }

    #[test]
    fn threads_together_never_repeat_an_id() {
        let made: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| (0..20_000).map(|_| DecisionId::next(7)).collect::<Vec<_>>()))
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
    }

    #[test]
    fn intents_never_repeat_and_are_uuids_of_version_8() {
        // S4-003; RFC 9562 §5.8
        let made: HashSet<_> = (0..100_000).map(|_| IntentId::new()).collect();
        assert_eq!(made.len(), 100_000);
        let intent = IntentId::new();
        let text = intent.to_string();
        assert_eq!(text.parse(), Ok(intent));
        assert_eq!(text[1..].parse::<IntentId>(), Err(ParseIntentError));
        assert_eq!(text.as_bytes()[14], b'8');
        assert!(b"89ab".contains(&text.as_bytes()[19]), "{text}");
    }

    #[test]
    fn bytes_that_are_no_id_read_as_none() {
        assert!(DecisionId::from_bytes([0xFF; 16]).is_none());
        assert!(DecisionId::from_bytes([0; 16]).is_none());
    }
}
