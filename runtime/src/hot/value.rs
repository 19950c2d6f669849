//! Values: what a field may hold, and how many bytes it takes.
//!
//! Invariant: `size` is what `encode` writes, to the byte. The trait is sealed in its methods (they are hidden and may
//! change): implement it with `#[derive(Value)]`, or write `%` (Display) or `?` (Debug) before the expression.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::{self, Write as _};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::encoder::{Encoder, HEAD, tag};

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
    /// The bytes that every value of the type has, or 0 where they differ. Neighbours in a record that have each a
    /// number here share one check of the room that is left.
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

/// In an `impl Value`: a value that is passed as it is, and has always so many bytes.
macro_rules! by_value {
    ($size:expr) => {
        type Held<'a>
            = Self
        where
            Self: 'a;
        const FIXED: usize = $size;

        #[inline(always)]
        fn held(&self) -> Self {
            *self
        }
        #[inline(always)]
        fn size(&self) -> usize {
            Self::FIXED
        }
        #[inline(never)]
        fn put(&self, out: &mut $crate::hot::encoder::Encoder<'_>) {
            self.encode(out);
        }
    };
}
pub(crate) use by_value;

macro_rules! words {
    ($($tag:ident as $wide:ty: $($type:ty)*;)*) => {$($(
        impl Value for $type {
            by_value!(9);
            #[inline]
            fn encode(&self, out: &mut Encoder<'_>) {
                out.word(tag::$tag, <$wide>::from(*self) as u64);
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
            by_value!(9);
            #[inline]
            fn encode(&self, out: &mut Encoder<'_>) {
                // Widening on every platform that Rust has: `usize` and `isize` have at most 64 bits.
                out.word(tag::$tag, *self as $wide as u64);
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
            by_value!(17);
            #[inline]
            fn encode(&self, out: &mut Encoder<'_>) {
                out.tag(tag::$tag);
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
    by_value!(9);
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.word(tag::F64, self.to_bits());
    }
}

impl Value for f32 {
    by_value!(5);
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.tag(tag::F32);
        out.array(self.to_bits().to_le_bytes());
    }
}

impl Value for bool {
    by_value!(1);
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.tag(if *self { tag::TRUE } else { tag::FALSE });
    }
}

impl Value for str {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        HEAD + self.len()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.text(tag::TEXT, self.as_bytes());
    }
}

impl Value for String {
    type Held<'a> = &'a str;

    #[inline(always)]
    fn held(&self) -> &str {
        self
    }
    #[inline]
    fn size(&self) -> usize {
        self.as_str().size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        self.as_str().encode(out);
    }
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
        }
    )*};
}

forward!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: Value + ToOwned + ?Sized> Value for Cow<'_, T> {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        (**self).size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        (**self).encode(out);
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
    by_value!(17);
    fn encode(&self, out: &mut Encoder<'_>) {
        let nanos = match self.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        out.tag(tag::INSTANT);
        out.array(nanos.to_le_bytes());
    }
}

macro_rules! nonzero {
    ($($type:ident)*) => {$(
        impl Value for core::num::$type {
            type Held<'a> = Self;
            const FIXED: usize = 9;

            #[inline(always)]
            fn held(&self) -> Self {
                *self
            }
            #[inline]
            fn size(&self) -> usize {
                self.get().size()
            }
            #[inline]
            fn encode(&self, out: &mut Encoder<'_>) {
                self.get().encode(out);
            }
        }
    )*};
}

nonzero!(NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroUsize NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroIsize);

/// A decimal number as a whole number of ticks: `mantissa / 10^scale`, written with exactly `scale` digits.
///
/// For engines that count prices and quantities in integers: `fixed(4_500_050, 2)` is `45000.50`.
///
/// ```
/// use tapelog::{Fixed, fixed};
///
/// /// Ticks of a cent.
/// fn price(ticks: u64) -> Fixed {
///     fixed(ticks, 2)
/// }
/// assert_eq!(price(4_500_050), fixed(4_500_050, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fixed {
    mantissa: i128,
    scale: u32,
}

/// See [`Fixed`]. Scales above 64 are written as if they were 64.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{event, events::*, fixed, testing::capture};
///
/// let taken = capture(|| event!(BUY_TRIGGERED, px = fixed(4_500_050, 2)));
/// assert!(taken.lines().contains(r#""px":45000.50"#), "no digit is lost: {}", taken.lines());
/// # }
/// ```
#[must_use]
pub fn fixed(mantissa: impl Into<i128>, scale: u32) -> Fixed {
    Fixed { mantissa: mantissa.into(), scale: scale.min(64) }
}

impl Value for Fixed {
    by_value!(21);
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.tag(tag::DECIMAL);
        out.array(self.mantissa.to_le_bytes());
        out.array(self.scale.to_le_bytes());
    }
}

/// Left out of the line when `None`; an `Option` as it is is written as `null` instead.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{Maybe, event, events::BUY_FILLED, testing::capture};
///
/// let fee: Option<f64> = None;
/// let taken = capture(|| event!(BUY_FILLED, fee = Maybe(fee), rebate = fee, "filled"));
/// assert_eq!(taken.render(), "BUY_FILLED \"filled\" rebate=null\n");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Maybe<T>(pub Option<T>);

impl<T: Value> Value for Maybe<T> {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        self.0.as_ref().map_or(1, Value::size)
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        match &self.0 {
            Some(value) => value.encode(out),
            None => out.tag(tag::ABSENT),
        }
    }
}

/// The bytes of a blob, written as lower-case hexadecimal.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use tapelog::{Bytes, assert_events, event, events::*, testing::capture};
///
/// let taken = capture(|| event!(WS_DECODE_ERROR, body = Bytes(&[0xCA, 0xFE])));
/// assert_events!(taken, [WS_DECODE_ERROR { body: "cafe" }]);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Value for Bytes<'_> {
    by_reference!();

    fn size(&self) -> usize {
        HEAD + self.0.len()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.text(tag::BYTES, self.0);
    }
}

/// Milliseconds from a counter reading to the record's own reading; the drain does the arithmetic.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed(pub u64);

impl Value for Elapsed {
    by_value!(9);
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.word(tag::ELAPSED_MS, self.0);
    }
}

/// The instant at which a counter reading was taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken(pub u64);

impl Value for Taken {
    by_value!(9);
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.word(tag::COUNTER, self.0);
    }
}

/// The values of one record, in the order of the site's recorded fields. Implemented for tuples to 16 and [`And`].
pub trait Fields {
    /// The bytes that [`Fields::encode`] writes.
    fn size(&self) -> usize;
    /// Writes all values, each by a call: little to compile for each shape, for what is passed as `dyn Fields`.
    fn encode(&self, out: &mut Encoder<'_>);
    /// Writes all values, each in place: for what is recorded most often.
    #[inline(always)]
    fn encode_in_place(&self, out: &mut Encoder<'_>)
    where
        Self: Sized,
    {
        self.encode(out);
    }
}

impl Fields for () {
    #[inline]
    fn size(&self) -> usize {
        0
    }
    #[inline]
    fn encode(&self, _out: &mut Encoder<'_>) {}
}

/// More fields than a tuple holds, or fields from two places: `first`, then `rest`.
#[derive(Clone, Copy, Debug)]
pub struct And<A, B>(pub A, pub B);

impl<A: Fields, B: Fields> Fields for And<A, B> {
    #[inline]
    fn size(&self) -> usize {
        self.0.size() + self.1.size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        self.0.encode(out);
        self.1.encode(out);
    }
    #[inline(always)]
    fn encode_in_place(&self, out: &mut Encoder<'_>) {
        self.0.encode_in_place(out);
        self.1.encode_in_place(out);
    }
}

impl<F: Fields + ?Sized> Fields for &F {
    #[inline]
    fn size(&self) -> usize {
        (**self).size()
    }
    #[inline(always)]
    fn encode(&self, out: &mut Encoder<'_>) {
        (**self).encode(out);
    }
}

/// For each value of a tuple: the bytes from here to the next one whose size is not fixed, where such a stretch begins;
/// 0 elsewhere.
const fn runs<const N: usize>(fixed: [usize; N]) -> [usize; N] {
    let mut runs = [0; N];
    let mut at = 0;
    while at < N {
        let begins = at;
        while at < N && fixed[at] != 0 {
            runs[begins] += fixed[at];
            at += 1;
        }
        if at == begins {
            at += 1;
        }
    }
    runs
}

/// Encodes one value of a tuple: into its stretch of fixed sizes, whose length the compiler knows, so that one check
/// serves them all; or straight into the record.
macro_rules! step {
    ($value:ident, $type:ident, $runs:ident, $at:ident, $run:ident, $out:ident) => {
        if $runs[$at] != 0 {
            let Some(stretch) = $out.split($runs[$at]) else { return };
            $run = stretch;
        }
        $value.encode(if $type::FIXED == 0 { &mut *$out } else { &mut $run });
        $at += 1;
    };
}

macro_rules! tuples {
    ($head:ident $($rest:ident)*) => {
        impl<$head: Value, $($rest: Value),*> Fields for ($head, $($rest,)*) {
            #[inline]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn size(&self) -> usize {
                let ($head, $($rest,)*) = self;
                $head.size() $(+ $rest.size())*
            }
            #[inline]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn encode(&self, out: &mut Encoder<'_>) {
                let ($head, $($rest,)*) = self;
                $head.put(out);
                $($rest.put(out);)*
            }
            // Always: the encoder then lives in registers, and this is called from one place for each shape.
            #[inline(always)]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn encode_in_place(&self, out: &mut Encoder<'_>) {
                let ($head, $($rest,)*) = self;
                let runs = const { runs([$head::FIXED, $($rest::FIXED),*]) };
                let mut run = Encoder::new(&mut []);
                let mut at = 0;
                step!($head, $head, runs, at, run, out);
                $(step!($rest, $rest, runs, at, run, out);)*
                let _ = (run, at);
            }
        }
        tuples!($($rest)*);
    };
    () => {};
}

tuples!(A B C D E F G H I J K L M N O P);

/// `name = %expr`: the `Display` of a value, as text.
#[must_use]
pub fn display(value: &(impl fmt::Display + ?Sized)) -> String {
    written(format_args!("{value}"))
}

/// `name = ?expr`: the `Debug` of a value, as text.
#[must_use]
pub fn debug(value: &(impl fmt::Debug + ?Sized)) -> String {
    written(format_args!("{value:?}"))
}

/// A `Display` that reports an error is recorded as far as it wrote; `to_string` would panic.
fn written(text: fmt::Arguments<'_>) -> String {
    let mut out = String::new();
    let _ = out.write_fmt(text);
    out
}
