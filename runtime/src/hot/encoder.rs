//! How one value stands in a record: a tag byte, then its bytes, little-endian.
//!
//! Invariant: an [`Encoder`] never writes past its slice; a value that claimed too small a size is cut off and the
//! rest of the record reads as [`tag::END`]. A record describes itself: `cold::decode` needs only these bytes.

/// The one-byte kinds. Never renumber: they are in files of dead runs.
pub mod tag {
    /// Padding at the end of a record.
    pub const END: u8 = 0;
    /// Stated absence, `null` in the line.
    pub const NULL: u8 = 1;
    /// The field is left out of the line.
    pub const ABSENT: u8 = 2;
    /// `false`.
    pub const FALSE: u8 = 3;
    /// `true`.
    pub const TRUE: u8 = 4;
    /// i64, 8 bytes.
    pub const I64: u8 = 5;
    /// u64, 8 bytes.
    pub const U64: u8 = 6;
    /// i128, 16 bytes; a string in the line.
    pub const I128: u8 = 7;
    /// u128, 16 bytes; a string in the line.
    pub const U128: u8 = 8;
    /// f64, 8 bytes.
    pub const F64: u8 = 9;
    /// f32, 4 bytes.
    pub const F32: u8 = 10;
    /// Decimal: mantissa i128, then scale u32; the value is mantissa / 10^scale, exact in the line.
    pub const DECIMAL: u8 = 11;
    /// Text: length u32, then UTF-8.
    pub const TEXT: u8 = 12;
    /// Text that nobody chose to record, which passes the secret scrubber: length u32, then UTF-8.
    pub const FOUND_TEXT: u8 = 13;
    /// Bytes: length u32; lower-case hexadecimal in the line.
    pub const BYTES: u8 = 14;
    /// A list: length u32, then that many values.
    pub const LIST: u8 = 15;
    /// A map: length u32, then that many pairs of length-prefixed UTF-8 key (u32) and value.
    pub const MAP: u8 = 16;
    /// An instant: nanoseconds since 1970 UTC, i128; RFC 3339 in the line.
    pub const INSTANT: u8 = 17;
    /// A decision id, 16 bytes.
    pub const DECISION: u8 = 18;
    /// A UUID, 16 bytes, big-endian as in RFC 9562.
    pub const UUID: u8 = 19;
    /// Counter at a start: milliseconds from there to the record's own counter.
    pub const ELAPSED_MS: u8 = 20;
    /// The values of this record stand in the oversize file of this number, u64.
    pub const OVERSIZE: u8 = 22;
    /// A counter reading: the instant at which it was taken, RFC 3339 in the line.
    pub const COUNTER: u8 = 21;
}

/// Writes values into the bytes reserved for a record.
#[derive(Debug)]
pub struct Encoder<'a> {
    rest: &'a mut [u8],
    cut: bool,
}

impl<'a> Encoder<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self { rest: bytes, cut: false }
    }

    /// Writes `N` bytes known at compile time.
    #[inline]
    pub fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(place) = self.take(N)
            && let Ok(place) = <&mut [u8; N]>::try_from(place)
        {
            *place = bytes;
        }
    }

    /// Writes `bytes` as they are.
    #[inline]
    pub fn slice(&mut self, bytes: &[u8]) {
        if let Some(place) = self.take(bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// The next `len` bytes, if there are as many.
    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a mut [u8]> {
        if len > self.rest.len() {
            self.cut_off();
            return None;
        }
        let (place, rest) = core::mem::take(&mut self.rest).split_at_mut(len);
        self.rest = rest;
        Some(place)
    }

    #[cold]
    fn cut_off(&mut self) {
        core::mem::take(&mut self.rest).fill(tag::END);
        self.cut = true;
    }

    /// Writes a tag alone.
    #[inline]
    pub fn tag(&mut self, tag: u8) {
        self.array([tag]);
    }

    /// Writes a tag and eight bytes.
    #[inline]
    pub fn word(&mut self, tag: u8, word: u64) {
        let b = word.to_le_bytes();
        self.array([tag, b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    }

    /// Writes a tag, a length and that many bytes.
    #[inline]
    pub fn text(&mut self, tag: u8, bytes: &[u8]) {
        if let Some(place) = self.take(HEAD + bytes.len()) {
            put_text(place, tag, bytes);
        }
    }

    /// Writes the tag and length of a list, map or text.
    #[inline]
    pub fn head(&mut self, tag: u8, len: usize) {
        // A record is far smaller than 4 GiB: `record` refuses more than 16 MiB before anything is encoded.
        let b = (len as u32).to_le_bytes();
        self.array([tag, b[0], b[1], b[2], b[3]]);
    }

    /// Writes the key of a map entry.
    #[inline]
    pub fn key(&mut self, key: &str) {
        self.array((key.len() as u32).to_le_bytes());
        self.slice(key.as_bytes());
    }

    /// Fills what is left, so that the reader finds the end, and says whether anything was cut off. The last word of a
    /// record must be zero already: that is the padding of a record whose values have the size that they claimed.
    #[inline]
    pub(crate) fn finish(self) -> bool {
        if self.rest.len() >= WORD {
            fill(self.rest);
        }
        self.cut
    }
}

/// Records are multiples of so many bytes.
pub(crate) const WORD: usize = 8;

const _: () = assert!(tag::END == 0);

/// A value wrote less than it claimed.
#[cold]
fn fill(rest: &mut [u8]) {
    rest.fill(tag::END);
}

/// One function for all sites, and no call into libc for texts as short as those of most events: symbols, sides, ids.
/// `to` is [`HEAD`] longer than `bytes`.
#[inline(never)]
fn put_text(to: &mut [u8], tag: u8, bytes: &[u8]) {
    let Some((head, to)) = to.split_first_chunk_mut::<HEAD>() else { return };
    // A record is far smaller than 4 GiB: `record` refuses more than 16 MiB before anything is encoded.
    let b = (bytes.len() as u32).to_le_bytes();
    *head = [tag, b[0], b[1], b[2], b[3]];
    match bytes.len() {
        0 => {}
        1 => ends::<1>(to, bytes),
        2..=4 => ends::<2>(to, bytes),
        5..=8 => ends::<4>(to, bytes),
        9..=16 => ends::<8>(to, bytes),
        17..=32 => ends::<16>(to, bytes),
        _ => to.copy_from_slice(bytes),
    }
}

/// Copies from `N` to `2 * N` bytes: the first `N` and the last `N`.
#[inline]
fn ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

/// The bytes of [`Encoder::head`].
pub const HEAD: usize = 5;
