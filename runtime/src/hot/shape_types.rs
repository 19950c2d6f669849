//! The shapes of values of other crates; see `value_types`.

#![allow(unused_imports, reason = "each line belongs to one feature")]

use super::shape::{Shape, Shaped};

macro_rules! shapes {
    ($($feature:literal $shape:ident: $($type:ty),*;)*) => {$($(
        #[cfg(feature = $feature)]
        impl Shaped for $type {
            fn shape(_deep: u32) -> Shape {
                Shape::$shape
            }
        }
    )*)*};
}

shapes! {
    "rust_decimal" Number: rust_decimal::Decimal;
    "bigdecimal" Number: bigdecimal::BigDecimal;
    "uuid" Text: uuid::Uuid;
    "time" Instant: time::OffsetDateTime, time::UtcDateTime;
    "time" Text: time::Date;
    "jiff" Instant: jiff::Timestamp, jiff::Zoned;
    "jiff" Text: jiff::civil::Date;
    "chrono" Text: chrono::NaiveDate;
    "bytes" Text: bytes::Bytes, bytes::BytesMut;
    "smol_str" Text: smol_str::SmolStr;
    "url" Text: url::Url;
    "http" Text: http::Method, http::HeaderName, http::Version, http::Uri;
    "http" Integer: http::StatusCode;
}

#[cfg(feature = "chrono")]
impl<Z: chrono::TimeZone> Shaped for chrono::DateTime<Z> {
    fn shape(_deep: u32) -> Shape {
        Shape::Instant
    }
}
