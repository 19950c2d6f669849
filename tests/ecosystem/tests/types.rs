//! Values of foreign types: typed, exact, in the documented form.

use std::str::FromStr as _;

use serde_json::json;
use tapelog::events::BUY_FILLED;
use tapelog::testing::capture;
use tapelog::{Value, event};

/// The JSON text of `value` in a line.
#[track_caller]
fn check<V: Value>(value: V, expected: &str) {
    let taken = capture(|| event!(BUY_FILLED, field = &value, "filled"));
    let line = taken.one(&BUY_FILLED).line().to_owned();
    let wanted = format!("\"field\":{expected},\"source\"");
    assert!(line.contains(&wanted), "{wanted}\n{line}");
}

#[test]
fn decimals_keep_every_digit() {
    check(rust_decimal::Decimal::from_str("45000.50").unwrap(), "45000.50");
    check(rust_decimal::Decimal::MAX, "79228162514264337593543950335");
    check(
        rust_decimal::Decimal::from_str("-0.0000000000000000000000000001").unwrap(),
        "-0.0000000000000000000000000001",
    );
    check(Some(rust_decimal::Decimal::ONE), "1");
    check(bigdecimal::BigDecimal::from_str("0.10").unwrap(), "0.10");
    check(bigdecimal::BigDecimal::from_str("12e3").unwrap(), "12000");
    // More than 128 bits: every digit, as text.
    let long = "123456789012345678901234567890123456789012345.5";
    check(
        bigdecimal::BigDecimal::from_str(long).unwrap(),
        "\"1.234567890123456789012345678901234567890123455e44\"",
    );
    // A small text may stand for a number of a gigabyte: it is never written out.
    check(bigdecimal::BigDecimal::from_str("1e1000000000").unwrap(), "\"1e1000000000\"");
}

#[test]
fn instants_are_rfc_3339_in_utc_whatever_their_zone() {
    let utc = "\"2025-03-25T23:07:01.000000123Z\"";
    check(time::macros::datetime!(2025-03-26 01:07:01.000000123 +2), utc);
    check(time::macros::utc_datetime!(2025-03-25 23:07:01.000000123), utc);
    check(chrono::DateTime::parse_from_rfc3339("2025-03-25T18:07:01.000000123-05:00").unwrap(), utc);
    check(jiff::Timestamp::from_str("2025-03-25T23:07:01.000000123Z").unwrap(), utc);
    let zoned = jiff::Timestamp::from_str("2025-03-25T23:07:01.000000123Z")
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::UTC);
    check(zoned, utc);
    // Beyond what 64 bits of nanoseconds reach.
    check(
        chrono::DateTime::parse_from_rfc3339("2300-01-01T00:00:00Z").unwrap(),
        "\"2300-01-01T00:00:00.000000000Z\"",
    );
    check(time::macros::datetime!(1969-12-31 23:59:59.5 UTC), "\"1969-12-31T23:59:59.500000000Z\"");
}

#[test]
fn dates_are_iso_8601() {
    check(time::macros::date!(2025 - 03 - 05), "\"2025-03-05\"");
    check(chrono::NaiveDate::from_ymd_opt(2025, 3, 5).unwrap(), "\"2025-03-05\"");
    check(jiff::civil::date(2025, 3, 5), "\"2025-03-05\"");
    check(chrono::NaiveDate::MAX, "\"+262142-12-31\"");
    check(chrono::NaiveDate::from_ymd_opt(-44, 3, 15).unwrap(), "\"-0044-03-15\"");
}

#[test]
fn ids_bytes_and_texts_stand_as_they_are() {
    check(
        uuid::Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8),
        "\"67e55044-10b1-426f-9247-bb680e5fe0c8\"",
    );
    check(bytes::Bytes::from_static(b"\x00\xff\x10"), "\"00ff10\"");
    check(bytes::BytesMut::from(&b"ab"[..]), "\"6162\"");
    check(smol_str::SmolStr::new("BTC/USDT"), "\"BTC/USDT\"");
    check(http::Method::POST, "\"POST\"");
    check(http::StatusCode::TOO_MANY_REQUESTS, "429");
    check(http::Version::HTTP_2, "\"HTTP/2\"");
    check(http::header::RETRY_AFTER, "\"retry-after\"");
}

#[test]
fn a_url_loses_its_user_info_and_the_secrets_of_its_query() {
    check(
        url::Url::parse("https://bob:hunter2@api.example.com:8443/v1/orders?symbol=BTC#x").unwrap(),
        "\"https://api.example.com:8443/v1/orders?symbol=BTC#x\"",
    );
    check(url::Url::parse("https://bob@example.com").unwrap(), "\"https://example.com/\"");
    check(url::Url::parse("mailto:desk@example.com").unwrap(), "\"mailto:desk@example.com\"");
    check(
        http::Uri::from_static("https://bob:hunter2@example.com/v1?symbol=BTC"),
        "\"https://example.com/v1?symbol=BTC\"",
    );
    check(http::Uri::from_static("/v1/orders?symbol=BTC"), "\"/v1/orders?symbol=BTC\"");
    let taken = capture(|| {
        let url =
            url::Url::parse("https://example.com/v1?api_key=0123456789abcdef0123456789abcdef&symbol=BTC")
                .unwrap();
        event!(BUY_FILLED, url, "filled at {url}");
    });
    let line = taken.lines();
    assert!(!line.contains("0123456789abcdef") && line.contains("symbol=BTC"), "{line}");
}

/// `SecretBox` becomes a configuration's secret; it has no value of its own, so it cannot stand in an event: the
/// documentation of `config::Secret` has a test that does not compile.
#[test]
fn a_secret_of_secrecy_is_a_secret_of_the_configuration() {
    let secret: tapelog::config::Secret<String> = secrecy::SecretString::from("hunter2").into();
    assert_eq!(secret.expose(), "hunter2");
    assert_eq!(serde_json::to_value(&secret).unwrap(), json!("[redacted]"));
}
