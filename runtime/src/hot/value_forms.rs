//! Values whose type says how they are written: ticks, what may be absent, blobs, times, `%` and `?`.
//!
//! Invariant: as in `value`.

use std::fmt::{self, Write as _};

use super::encoder::{Encoder, tag};
use super::value::{Value, by_reference, by_value, text};

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
    by_value!(DECIMAL, 20);
    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
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
    text!(BYTES, |bytes| bytes.0);
}

/// Milliseconds from a counter reading to the record's own reading; the drain does the arithmetic.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed(pub u64);

impl Value for Elapsed {
    by_value!(ELAPSED_MS, 8);
    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        out.array(self.0.to_le_bytes());
    }
}

/// The instant at which a counter reading was taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken(pub u64);

impl Value for Taken {
    by_value!(COUNTER, 8);
    #[inline(always)]
    fn encode_fixed(&self, out: &mut Encoder<'_>) {
        out.array(self.0.to_le_bytes());
    }
}

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
