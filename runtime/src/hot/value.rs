//! Values: what a field may hold, and how many bytes it takes.
//!
//! Invariant: `size` is what `encode` writes, to the byte. The trait is sealed in its methods (they are hidden and may
//! change): implement it with `#[derive(Value)]`, or write `%` (Display) or `?` (Debug) before the expression.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::encoder::{Encoder, HEAD, tag};
pub use super::value_forms::{Bytes, Elapsed, Fixed, Maybe, Taken, debug, display, fixed};

/// A value that can be recorded as it is, without formatting: numbers, text, bytes, options, lists, maps, and what
/// derives it.
///
/// | Rust | in the line |
/// |---|---|
/// | `bool`, integers to 64 bits, `f32`, `f64`, [`fixed`] | a number, with its exact digits |
/// | `i128`, `u128` | a string of digits |
/// | `str`, `String`, `char` | a string |
/// | `Option` | the value, or `null` |
/// | slices, arrays, `Vec` | a list |
/// | `BTreeMap`, `HashMap` with text keys | an object |
/// | `SystemTime` | RFC 3339 with nine digits |
/// | ids | their text |
///
/// With the feature of the same name:
///
/// | Rust | in the line |
/// |---|---|
/// | `rust_decimal::Decimal`, `bigdecimal::BigDecimal` | a number with its exact digits, trailing zeros kept; beyond 128 bits text |
/// | `uuid::Uuid` | its hyphenated text |
/// | `time::OffsetDateTime`, `time::UtcDateTime`, `chrono::DateTime`, `jiff::Timestamp`, `jiff::Zoned` | RFC 3339, UTC, nine digits |
/// | `time::Date`, `chrono::NaiveDate`, `jiff::civil::Date` | `2025-03-25` |
/// | `bytes::Bytes`, `bytes::BytesMut` | lower-case hexadecimal |
/// | `url::Url`, `http::Uri` | its text without user info; secrets in its query are scrubbed |
/// | `http::Method`, `http::Version`, `http::HeaderName`, `smol_str::SmolStr` | a string |
/// | `http::StatusCode` | a number |
///
/// A date and time without a zone is no instant, and an `http::HeaderValue` may be a secret: neither has a value.
///
/// ```
/// use tapelog::Value;
///
/// #[derive(Value)]
/// enum Side { Buy, Sell }
///
/// #[derive(Value)]
/// struct Quote { bid_px: f64, ask_px: f64 }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as it is",
    label = "this value is not a `tapelog::Value`",
    note = "if the type is yours, write `#[derive(tapelog::Value)]` on it",
    note = "or record its text: `name = %expr` for its `Display`, `name = ?expr` for its `Debug`"
)]
pub trait Value {
    /// What a record call takes of the value: numbers are passed as they are, so that the call need not follow a
    /// reference to each; all else by reference.
    #[doc(hidden)]
    type Held<'a>: Value
    where
        Self: 'a;
    /// What a block of values says of this one: see `tag::BLOCK`.
    #[doc(hidden)]
    const KIND: u8 = tag::WHOLE;
    /// The bytes that [`Value::encode_fixed`] writes, the same for every value of the type.
    #[doc(hidden)]
    const FIXED: usize = 0;
    /// What is passed of this value.
    #[doc(hidden)]
    fn held(&self) -> Self::Held<'_>;
    /// The bytes that [`Value::encode`] writes.
    #[doc(hidden)]
    fn size(&self) -> usize;
    /// Writes the value.
    #[doc(hidden)]
    fn encode(&self, out: &mut Encoder<'_>);
    /// The same, by a call that is compiled once for the type, or in this crate.
    #[doc(hidden)]
    #[inline(never)]
    fn put(&self, out: &mut Encoder<'_>) {
        self.encode(out);
    }
    /// Writes the part that stands in a block.
    #[doc(hidden)]
    #[inline(always)]
    fn encode_fixed(&self, _out: &mut Encoder<'_>) {}
    /// The bytes that [`Value::encode_rest`] writes.
    #[doc(hidden)]
    #[inline(always)]
    fn rest(&self) -> usize {
        self.size()
    }
    /// Writes what stands behind the block. False: there was no room.
    #[doc(hidden)]
    #[inline(always)]
    fn encode_rest(&self, out: &mut Encoder<'_>) -> bool {
        self.encode(out);
        true
    }
}

/// In an `impl Value`: a value that is passed by reference.
macro_rules! by_reference {
    () => {
        type Held<'a>
            = &'a Self
        where
            Self: 'a;

        #[inline(always)]
        fn held(&self) -> &Self {
            self
        }
        #[inline(never)]
        fn put(&self, out: &mut $crate::hot::encoder::Encoder<'_>) {
            self.encode(out);
        }
    };
}
pub(crate) use by_reference;

/// In an `impl Value`: a value that is passed as it is, and has always so many bytes behind its tag; all of them stand in
/// a block.
macro_rules! by_value {
    ($tag:ident, $bytes:literal) => {
        type Held<'a>
            = Self
        where
            Self: 'a;

        #[inline(always)]
        fn held(&self) -> Self {
            *self
        }
        #[inline]
        fn encode(&self, out: &mut $crate::hot::encoder::Encoder<'_>) {
            if let Some(mut out) = out.split(self.size()) {
                out.tag(Self::KIND);
                self.encode_fixed(&mut out);
            }
        }
        $crate::hot::value::all_fixed!($tag, $bytes);
        #[inline(never)]
        fn put(&self, out: &mut $crate::hot::encoder::Encoder<'_>) {
            self.encode(out);
        }
    };
}
pub(crate) use by_value;

/// In an `impl Value`: a value whose bytes, always so many, all stand in a block.
macro_rules! all_fixed {
    ($tag:ident, $bytes:literal) => {
        const KIND: u8 = $crate::hot::encoder::tag::$tag;
        const FIXED: usize = $bytes;

        #[inline(always)]
        fn size(&self) -> usize {
            1 + Self::FIXED
        }
        #[inline(always)]
        fn rest(&self) -> usize {
            0
        }
        #[inline(always)]
        fn encode_rest(&self, _out: &mut $crate::hot::encoder::Encoder<'_>) -> bool {
            true
        }
    };
}
pub(crate) use all_fixed;

/// In an `impl Value`: a value that is text or bytes which it can lend; their length stands in a block.
macro_rules! text {
    ($tag:ident, |$value:ident| $bytes:expr) => {
        const KIND: u8 = $crate::hot::encoder::tag::$tag;
        const FIXED: usize = 4;

        #[inline]
        fn size(&self) -> usize {
            $crate::hot::encoder::HEAD + self.rest()
        }
        #[inline]
        fn encode(&self, out: &mut $crate::hot::encoder::Encoder<'_>) {
            let $value = self;
            out.text(Self::KIND, $bytes);
        }
        #[inline(always)]
        fn encode_fixed(&self, out: &mut $crate::hot::encoder::Encoder<'_>) {
            // A record is far smaller than 4 GiB: `record` refuses more than 16 MiB before anything is encoded.
            out.array((self.rest() as u32).to_le_bytes());
        }
        #[inline(always)]
        fn rest(&self) -> usize {
            let $value = self;
            $bytes.len()
        }
        #[inline(always)]
        fn encode_rest(&self, out: &mut $crate::hot::encoder::Encoder<'_>) -> bool {
            let $value = self;
            out.short(&$bytes)
        }
    };
}
pub(crate) use text;

macro_rules! words {
    ($($tag:ident as $wide:ty: $($type:ty)*;)*) => {$($(
        impl Value for $type {
            by_value!($tag, 8);
            #[inline(always)]
            fn encode_fixed(&self, out: &mut Encoder<'_>) {
                out.array(<$wide>::from(*self).to_le_bytes());
            }
        }
    )*)*};
}

words! {
    I64 as i64: i8 i16 i32 i64;
    U64 as u64: u8 u16 u32 u64;
}

macro_rules! sizes {
    ($($type:ty: $tag:ident as $wide:ty;)*) => {$(
        impl Value for $type {
            by_value!($tag, 8);
            #[inline(always)]
            fn encode_fixed(&self, out: &mut Encoder<'_>) {
                // Widening on every platform that Rust has: `usize` and `isize` have at most 64 bits.
                out.array((*self as $wide).to_le_bytes());
            }
        }
    )*};
}

sizes! {
    isize: I64 as i64;
    usize: U64 as u64;
}

macro_rules! wide {
    ($($type:ty: $tag:ident;)*) => {$(
        impl Value for $type {
            by_value!($tag, 16);
            #[inline(always)]
            fn encode_fixed(&self, out: &mut Encoder<'_>) {
                out.array(self.to_le_bytes());
            }
        }
    )*};
}

wide! {
    i128: I128;
    u128: U128;
}

impl Value for f64 {
    by_value!(F64, 8);
    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        out.array(self.to_le_bytes());
    }
}

impl Value for f32 {
    by_value!(F32, 4);
    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        out.array(self.to_le_bytes());
    }
}

impl Value for bool {
    type Held<'a> = Self;
    const KIND: u8 = tag::BOOL;
    const FIXED: usize = 1;

    #[inline(always)]
    fn held(&self) -> Self {
        *self
    }
    #[inline(always)]
    fn size(&self) -> usize {
        1
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.tag(if *self { tag::TRUE } else { tag::FALSE });
    }
    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        out.array([u8::from(*self)]);
    }
    #[inline(always)]
    fn rest(&self) -> usize {
        0
    }
    #[inline(always)]
    fn encode_rest(&self, _out: &mut Encoder<'_>) -> bool {
        true
    }
}

impl Value for str {
    by_reference!();
    text!(TEXT, |text| text.as_bytes());
}

impl Value for String {
    type Held<'a> = &'a str;

    #[inline(always)]
    fn held(&self) -> &str {
        self
    }
    text!(TEXT, |text| text.as_bytes());
}

impl Value for char {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        HEAD + self.len_utf8()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        self.encode_utf8(&mut [0; 4]).encode(out);
    }
}

macro_rules! forward {
    ($($type:ty),*) => {$(
        impl<T: Value + ?Sized> Value for $type {
            type Held<'a>
                = T::Held<'a>
            where
                Self: 'a;
            const KIND: u8 = T::KIND;
            const FIXED: usize = T::FIXED;

            #[inline(always)]
            fn held(&self) -> T::Held<'_> {
                (**self).held()
            }
            #[inline]
            fn size(&self) -> usize {
                (**self).size()
            }
            #[inline]
            fn encode(&self, out: &mut Encoder<'_>) {
                (**self).encode(out);
            }
            #[inline(always)]
            fn put(&self, out: &mut Encoder<'_>) {
                (**self).put(out);
            }
            #[inline(always)]
            fn encode_fixed(&self, out: &mut Encoder<'_>) {
                (**self).encode_fixed(out);
            }
            #[inline(always)]
            fn rest(&self) -> usize {
                (**self).rest()
            }
            #[inline(always)]
            fn encode_rest(&self, out: &mut Encoder<'_>) -> bool {
                (**self).encode_rest(out)
            }
        }
    )*};
}

forward!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: Value + ToOwned + ?Sized> Value for Cow<'_, T> {
    by_reference!();
    const KIND: u8 = T::KIND;
    const FIXED: usize = T::FIXED;

    #[inline]
    fn size(&self) -> usize {
        (**self).size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        (**self).encode(out);
    }
    #[inline]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        (**self).encode_fixed(out);
    }
    #[inline]
    fn rest(&self) -> usize {
        (**self).rest()
    }
    #[inline]
    fn encode_rest(&self, out: &mut Encoder<'_>) -> bool {
        (**self).encode_rest(out)
    }
}

impl<T: Value> Value for Option<T> {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        self.as_ref().map_or(1, Value::size)
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        match self {
            Some(value) => value.encode(out),
            None => out.tag(tag::NULL),
        }
    }
}

impl<T: Value> Value for [T] {
    by_reference!();

    fn size(&self) -> usize {
        HEAD + self.iter().map(Value::size).sum::<usize>()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.head(tag::LIST, self.len());
        self.iter().for_each(|item| item.encode(out));
    }
}

impl<T: Value, const N: usize> Value for [T; N] {
    by_reference!();

    fn size(&self) -> usize {
        self.as_slice().size()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        self.as_slice().encode(out);
    }
}

impl<T: Value> Value for Vec<T> {
    by_reference!();

    fn size(&self) -> usize {
        self.as_slice().size()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        self.as_slice().encode(out);
    }
}

impl<T: Value> Value for VecDeque<T> {
    by_reference!();

    fn size(&self) -> usize {
        HEAD + self.iter().map(Value::size).sum::<usize>()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.head(tag::LIST, self.len());
        self.iter().for_each(|item| item.encode(out));
    }
}

macro_rules! maps {
    ($($name:ident $(<$extra:ident>)?),*) => {$(
        impl<K: AsRef<str>, V: Value $(, $extra)?> Value for $name<K, V $(, $extra)?> {
            by_reference!();

            fn size(&self) -> usize {
                HEAD + self.iter().map(|(key, value)| 4 + key.as_ref().len() + value.size()).sum::<usize>()
            }
            fn encode(&self, out: &mut Encoder<'_>) {
                out.head(tag::MAP, self.len());
                for (key, value) in self {
                    out.key(key.as_ref());
                    value.encode(out);
                }
            }
        }
    )*};
}

maps!(BTreeMap, HashMap<S>);

impl Value for SystemTime {
    by_value!(INSTANT, 16);
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        let nanos = match self.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        out.array(nanos.to_le_bytes());
    }
}

macro_rules! nonzero {
    ($($tag:ident: $($type:ident)*;)*) => {$($(
        impl Value for core::num::$type {
            by_value!($tag, 8);
            #[inline(always)]
            fn encode_fixed(&self, out: &mut Encoder<'_>) {
                self.get().encode_fixed(out);
            }
        }
    )*)*};
}

nonzero! {
    U64: NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroUsize;
    I64: NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroIsize;
}
