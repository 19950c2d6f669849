//! How one value stands in a record: a tag byte, then its bytes, little-endian.
//!
//! Invariant: an [`Encoder`] never writes past its slice; a value that claimed too small a size is cut off between two of
//! its parts and the rest of the record reads as [`tag::END`]. A record describes itself: `cold::decode` needs only these bytes.

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
    /// First in a record of a backtest: the engine's time, nanoseconds since 1970, i64. No value of a field.
    pub const ENGINE_TIME: u8 = 23;
    /// Several values: how many, u8; the kind of each, one byte; zeros, until head and tag are a multiple of eight; then
    /// of each value its bytes, where all values of its kind have as many, or its length, u32; then, in the same order,
    /// the bytes of the texts, and the values of kind [`WHOLE`].
    pub const BLOCK: u8 = 24;
    /// In a block: the value stands behind it, with a tag of its own.
    pub const WHOLE: u8 = 25;
    /// In a block: a truth, 1 byte.
    pub const BOOL: u8 = 26;

    /// Whether a value of this kind has something behind its block.
    pub(crate) const fn has_rest(kind: u8) -> bool {
        matches!(kind, WHOLE | TEXT | FOUND_TEXT | BYTES)
    }
}

/// Writes values into the bytes reserved for a record.
#[derive(Debug)]
pub struct Encoder<'a> {
    rest: &'a mut [u8],
}

impl<'a> Encoder<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `len` bytes as an encoder of their own: room for all that goes there, or, and what is left is cut off, for
    /// nothing of it. So a value is cut off between its parts, and a number or a text never in the middle.
    #[inline(always)]
    pub fn split(&mut self, len: usize) -> Option<Self> {
        self.take(len).map(Self::new)
    }

    /// Writes `N` bytes known at compile time.
    #[inline(always)]
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

    /// The next `len` bytes, if there are as many; else, what is left is cut off.
    #[inline(always)]
    fn take(&mut self, len: usize) -> Option<&'a mut [u8]> {
        let place = self.room(len);
        if place.is_none() {
            // The slice and not the encoder is passed on, so that the encoder itself can stay in registers.
            no_room(core::mem::take(&mut self.rest));
        }
        place
    }

    /// The next `len` bytes, if there are as many.
    #[inline(always)]
    fn room(&mut self, len: usize) -> Option<&'a mut [u8]> {
        if len > self.rest.len() {
            return None;
        }
        let (place, rest) = core::mem::take(&mut self.rest).split_at_mut(len);
        self.rest = rest;
        Some(place)
    }

    /// Writes a tag alone.
    #[inline(always)]
    pub fn tag(&mut self, tag: u8) {
        self.array([tag]);
    }

    /// Writes a tag and eight bytes.
    #[inline(always)]
    pub fn word(&mut self, tag: u8, word: u64) {
        let b = word.to_le_bytes();
        self.array([tag, b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    }

    /// The next `len` bytes as an encoder of their own, if there are as many.
    #[inline(always)]
    pub(crate) fn part(&mut self, len: usize) -> Option<Self> {
        self.room(len).map(Self::new)
    }

    /// Writes bytes, fast where they are as few as those of most texts. False, and nothing was written, if there is no room.
    #[inline(always)]
    pub(crate) fn short(&mut self, bytes: &[u8]) -> bool {
        let place = self.room(bytes.len());
        let fits = place.is_some();
        if let Some(place) = place {
            copy_short(place, bytes);
        }
        fits
    }

    /// Writes a tag, a length and that many bytes.
    #[inline(always)]
    pub fn text(&mut self, tag: u8, bytes: &[u8]) {
        if let Some(mut out) = self.split(HEAD + bytes.len()) {
            out.head(tag, bytes.len());
            out.short(bytes);
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
        if let Some(mut out) = self.split(4 + key.len()) {
            out.array((key.len() as u32).to_le_bytes());
            out.slice(key.as_bytes());
        }
    }

    /// Whether no more is left than the padding of a record whose values have the size that they claimed.
    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        self.rest.len() < WORD
    }

    /// Fills what is left, so that the reader finds the end.
    #[cold]
    pub(crate) fn finish(self) {
        self.rest.fill(tag::END);
    }
}

/// Records are multiples of so many bytes.
pub(crate) const WORD: usize = 8;

const _: () = assert!(tag::END == 0);

/// Texts as short as those of most events (symbols, sides, ids) are copied in place; longer ones by a call. Both have the
/// same length.
#[inline(always)]
fn copy_short(to: &mut [u8], from: &[u8]) {
    let len = from.len();
    if len >= 8 {
        if len <= 16 { ends::<8>(to, from) } else { copy_long(to, from) }
    } else if len >= 4 {
        ends::<4>(to, from);
    } else if len >= 2 {
        ends::<2>(to, from);
    } else if let (Some(to), Some(from)) = (to.first_mut(), from.first()) {
        *to = *from;
    }
}

/// One function for all sites; `cold` only says that it need not stand between what is copied in place.
#[cold]
#[inline(never)]
fn copy_long(to: &mut [u8], from: &[u8]) {
    if from.len() <= 32 { ends::<16>(to, from) } else { to.copy_from_slice(from) }
}

#[cold]
#[inline(never)]
fn no_room(to: &mut [u8]) -> &mut [u8] {
    to.fill(tag::END);
    &mut []
}

/// Copies from `N` to `2 * N` bytes: the first `N` and the last `N`.
#[inline(always)]
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
