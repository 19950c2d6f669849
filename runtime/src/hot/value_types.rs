//! Values of foreign crates' types, one feature each.
//!
//! Invariant: typed and exact. A decimal keeps every digit it has, an instant its nanoseconds; a URL loses its user
//! info; nothing here formats through `Display` on the hot path but a date, into a buffer of its own.
//! The table of their forms is in the documentation of [`super::value::Value`].

#[cfg(any(
    feature = "rust_decimal",
    feature = "bigdecimal",
    feature = "uuid",
    feature = "time",
    feature = "chrono",
    feature = "jiff",
    feature = "bytes",
    feature = "url",
    feature = "http",
    feature = "smol_str"
))]
use super::value::{Value, by_reference};

#[cfg(any(
    feature = "rust_decimal",
    feature = "bigdecimal",
    feature = "uuid",
    feature = "time",
    feature = "chrono",
    feature = "jiff",
    feature = "url",
    feature = "http"
))]
use super::encoder::{self, Encoder};

/// A value whose tag says all about its size: `$len` bytes behind the tag.
#[cfg(any(
    feature = "uuid",
    feature = "time",
    feature = "chrono",
    feature = "jiff",
    feature = "rust_decimal"
))]
macro_rules! sized {
    ($type:ty $(, $generic:ident: $bound:path)?; $tag:ident, $len:literal, |$value:ident, $out:ident| $encode:expr) => {
        impl $(<$generic: $bound>)? Value for $type {
            by_reference!();
            crate::hot::value::all_fixed!($tag, $len);

            #[inline]
            fn encode(&self, out: &mut Encoder<'_>) {
                if let Some(mut out) = out.split(self.size()) {
                    out.tag(encoder::tag::$tag);
                    self.encode_fixed(&mut out);
                }
            }
            #[inline]
            fn encode_fixed(&self, $out: &mut Encoder<'_>) {
                let $value = self;
                $encode
            }
        }
    };
}

/// A value that is some text, or some bytes, that it can lend.
#[cfg(any(feature = "bytes", feature = "http", feature = "smol_str"))]
macro_rules! lent {
    ($($type:ty: $tag:ident, |$value:ident| $bytes:expr;)*) => {$(
        impl Value for $type {
            by_reference!();
            crate::hot::value::text!($tag, |$value| $bytes);
        }
    )*};
}

#[cfg(any(feature = "rust_decimal", feature = "bigdecimal"))]
fn decimal(out: &mut Encoder<'_>, mantissa: i128, scale: u32) {
    out.array(mantissa.to_le_bytes());
    out.array(scale.to_le_bytes());
}

#[cfg(any(feature = "time", feature = "chrono", feature = "jiff"))]
fn instant(out: &mut Encoder<'_>, nanos: i128) {
    out.array(nanos.to_le_bytes());
}

#[cfg(feature = "rust_decimal")]
sized!(rust_decimal::Decimal; DECIMAL, 20, |value, out| decimal(out, value.mantissa(), value.scale()));

#[cfg(feature = "uuid")]
sized!(uuid::Uuid; UUID, 16, |value, out| out.array(value.into_bytes()));

#[cfg(feature = "time")]
sized!(time::OffsetDateTime; INSTANT, 16, |value, out| instant(out, value.unix_timestamp_nanos()));
#[cfg(feature = "time")]
sized!(time::UtcDateTime; INSTANT, 16, |value, out| instant(out, value.unix_timestamp_nanos()));

#[cfg(feature = "chrono")]
sized!(chrono::DateTime<Z>, Z: chrono::TimeZone; INSTANT, 16, |value, out| {
    // `timestamp_nanos_opt` ends in 2262; a leap second counts as the one after it.
    instant(out, i128::from(value.timestamp()) * 1_000_000_000 + i128::from(value.timestamp_subsec_nanos()))
});

#[cfg(feature = "jiff")]
sized!(jiff::Timestamp; INSTANT, 16, |value, out| instant(out, value.as_nanosecond()));
#[cfg(feature = "jiff")]
sized!(jiff::Zoned; INSTANT, 16, |value, out| instant(out, value.timestamp().as_nanosecond()));

#[cfg(feature = "bytes")]
lent! {
    bytes::Bytes: BYTES, |value| &value[..];
    bytes::BytesMut: BYTES, |value| &value[..];
}

#[cfg(feature = "smol_str")]
lent! {
    smol_str::SmolStr: TEXT, |value| value.as_bytes();
}

#[cfg(feature = "http")]
lent! {
    http::Method: TEXT, |value| value.as_str().as_bytes();
    http::HeaderName: TEXT, |value| value.as_str().as_bytes();
    http::Version: TEXT, |value| version(*value).as_bytes();
}

#[cfg(feature = "http")]
fn version(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_09 => "HTTP/0.9",
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_11 => "HTTP/1.1",
        http::Version::HTTP_2 => "HTTP/2",
        http::Version::HTTP_3 => "HTTP/3",
        _ => "HTTP",
    }
}

#[cfg(feature = "http")]
impl Value for http::StatusCode {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        self.as_u16().size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        self.as_u16().encode(out);
    }
}

/// An address as it stands in the line: without user info, without secrets in its path and query.
#[cfg(any(feature = "url", feature = "http"))]
struct Address<'a> {
    before: [&'a str; 3],
    path: std::borrow::Cow<'a, str>,
}

#[cfg(any(feature = "url", feature = "http"))]
impl Address<'_> {
    fn size(&self) -> usize {
        encoder::HEAD + self.before.iter().map(|part| part.len()).sum::<usize>() + self.path.len()
    }

    fn encode(&self, out: &mut Encoder<'_>) {
        let Some(mut out) = out.split(self.size()) else { return };
        out.head(encoder::tag::FOUND_TEXT, self.size() - encoder::HEAD);
        self.before.iter().for_each(|part| out.slice(part.as_bytes()));
        out.slice(self.path.as_bytes());
    }
}

#[cfg(feature = "url")]
fn of_url(url: &url::Url) -> Address<'_> {
    use url::Position::{BeforeHost, BeforePath, BeforeUsername};
    let before = [&url[..BeforeUsername], &url[BeforeHost..BeforePath], ""];
    Address { before, path: crate::found::clean(&url[BeforePath..]) }
}

#[cfg(feature = "http")]
fn of_uri(uri: &http::Uri) -> Address<'_> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (scheme, between) = uri.scheme_str().map_or(("", ""), |scheme| (scheme, "://"));
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    Address { before: [scheme, between, host], path: crate::found::clean(path) }
}

#[cfg(any(feature = "url", feature = "http"))]
macro_rules! address {
    ($type:ty: $of:ident) => {
        impl Value for $type {
            by_reference!();

            fn size(&self) -> usize {
                $of(self).size()
            }
            fn encode(&self, out: &mut Encoder<'_>) {
                $of(self).encode(out);
            }
        }
    };
}

#[cfg(feature = "url")]
address!(url::Url: of_url);
#[cfg(feature = "http")]
address!(http::Uri: of_uri);

/// A decimal of any size. One that does not fit 128 bits and 64 digits behind the point stands as text.
#[cfg(feature = "bigdecimal")]
impl Value for bigdecimal::BigDecimal {
    by_reference!();

    fn size(&self) -> usize {
        match small(self) {
            Some(_) => 21,
            None => encoder::HEAD + self.to_scientific_notation().len(),
        }
    }

    fn encode(&self, out: &mut Encoder<'_>) {
        match small(self) {
            Some((mantissa, scale)) => {
                if let Some(mut out) = out.split(21) {
                    out.tag(encoder::tag::DECIMAL);
                    decimal(&mut out, mantissa, scale);
                }
            }
            None => out.text(encoder::tag::TEXT, self.to_scientific_notation().as_bytes()),
        }
    }
}

#[cfg(feature = "bigdecimal")]
fn small(value: &bigdecimal::BigDecimal) -> Option<(i128, u32)> {
    use bigdecimal::ToPrimitive as _;
    let (digits, scale) = value.as_bigint_and_scale();
    let mantissa = digits.to_i128()?;
    if scale >= 0 {
        return u32::try_from(scale).ok().filter(|scale| *scale <= 64).map(|scale| (mantissa, scale));
    }
    // `12e3` is written as it is meant: 12000.
    let up = 10_i128.checked_pow(u32::try_from(scale.unsigned_abs()).ok()?)?;
    Some((mantissa.checked_mul(up)?, 0))
}

/// A date as `2025-03-25`, with a sign and more digits where the year needs them (ISO 8601).
#[cfg(any(feature = "time", feature = "chrono", feature = "jiff"))]
#[derive(Clone, Copy)]
struct Date {
    text: [u8; 16],
    len: usize,
}

#[cfg(any(feature = "time", feature = "chrono", feature = "jiff"))]
impl Date {
    fn new(year: i32, month: u32, day: u32) -> Self {
        use std::io::Write as _;
        let mut date = Self { text: [0; 16], len: 0 };
        let mut rest = &mut date.text[..];
        // `+262143-12-31` is the longest that any of the three can say.
        let _ = if (0..=9999).contains(&year) {
            write!(rest, "{year:04}-{month:02}-{day:02}")
        } else {
            write!(rest, "{year:+05}-{month:02}-{day:02}")
        };
        date.len = 16 - rest.len();
        date
    }
}

#[cfg(any(feature = "time", feature = "chrono", feature = "jiff"))]
macro_rules! date {
    ($type:ty, |$value:ident| $parts:expr) => {
        impl Value for $type {
            by_reference!();

            fn size(&self) -> usize {
                let $value = self;
                encoder::HEAD + $parts.len
            }
            fn encode(&self, out: &mut Encoder<'_>) {
                let $value = self;
                let date = $parts;
                out.text(encoder::tag::TEXT, &date.text[..date.len]);
            }
        }
    };
}

#[cfg(feature = "time")]
date!(time::Date, |date| Date::new(date.year(), u32::from(u8::from(date.month())), u32::from(date.day())));
#[cfg(feature = "chrono")]
date!(chrono::NaiveDate, |date| {
    use chrono::Datelike as _;
    Date::new(date.year(), date.month(), date.day())
});
#[cfg(feature = "jiff")]
date!(jiff::civil::Date, |date| Date::new(
    i32::from(date.year()),
    date.month().unsigned_abs().into(),
    date.day().unsigned_abs().into()
));
