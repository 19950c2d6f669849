//! Values of a record as `tracing` takes them, and a message with its holes filled.

use std::fmt::Write as _;

use tracing_core::field::{Value, display};

use crate::cold::decode::Decoded;
use crate::cold::json;
use crate::cold::sites::{From, Piece};
use crate::hot::clock::{self, CALIBRATION, Calibration};

/// A value that `tracing` can borrow.
#[derive(Debug)]
pub(super) enum Owned {
    Absent,
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Text(String),
    /// As it would stand in the line, without quotes: decimals, instants, ids, lists, maps.
    Shown(tracing_core::field::DisplayValue<String>),
}

impl Owned {
    pub(super) fn as_value(&self) -> Option<&dyn Value> {
        Some(match self {
            Self::Absent => return None,
            Self::Bool(truth) => truth,
            Self::I64(number) => number,
            Self::U64(number) => number,
            Self::I128(number) => number,
            Self::U128(number) => number,
            Self::F64(number) => number,
            Self::Text(text) => text,
            Self::Shown(text) => text,
        })
    }
}

/// What relative values are relative to: now.
pub(super) struct Now {
    counter: u64,
    calibration: Calibration,
}

impl Now {
    pub(super) fn take() -> Self {
        Self { counter: clock::now(), calibration: CALIBRATION.get() }
    }

    fn elapsed_ms(&self, from: u64) -> f64 {
        self.calibration.nanos(self.counter.wrapping_sub(from) as i64) as f64 / 1e6
    }

    pub(super) fn owned(&self, value: &Decoded<'_>) -> Owned {
        match value {
            Decoded::Absent | Decoded::Null => Owned::Absent,
            Decoded::Bool(truth) => Owned::Bool(*truth),
            Decoded::I64(number) => Owned::I64(*number),
            Decoded::U64(number) => Owned::U64(*number),
            Decoded::I128(number) => Owned::I128(*number),
            Decoded::U128(number) => Owned::U128(*number),
            Decoded::F64(number) => Owned::F64(*number),
            Decoded::F32(number) => Owned::F64(f64::from(*number)),
            Decoded::Elapsed(from) => Owned::F64(self.elapsed_ms(*from)),
            Decoded::Text(text) => Owned::Text((*text).to_owned()),
            Decoded::FoundText(text) => Owned::Text(crate::config::scrub_text(text).into_owned()),
            other => Owned::Shown(display(self.shown(other))),
        }
    }

    /// As the line would show it.
    fn shown(&self, value: &Decoded<'_>) -> String {
        let mut out = Vec::new();
        match value {
            Decoded::Decimal(mantissa, scale) => json::decimal(&mut out, *mantissa, *scale),
            Decoded::Instant(nanos) => json::instant(&mut out, *nanos),
            Decoded::Counter(counter) => {
                json::instant(&mut out, i128::from(self.calibration.wall(*counter)));
            }
            Decoded::Bytes(bytes) => json::hex(&mut out, bytes),
            Decoded::Decision(id) => out.extend_from_slice(id.write_text(&mut [0; 32]).as_bytes()),
            Decoded::Uuid(id) => {
                let hex = format!("{id:032x}");
                let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                return parts.join("-");
            }
            Decoded::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.plain(item, None)).collect();
                return format!("[{}]", items.join(", "));
            }
            Decoded::Map(pairs) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(key, item)| format!("{key}: {}", self.plain(item, None))).collect();
                return format!("{{{}}}", pairs.join(", "));
            }
            other => return self.plain(other, None),
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    /// In a message.
    fn plain(&self, value: &Decoded<'_>, precision: Option<usize>) -> String {
        match (self.owned(value), precision) {
            (Owned::Absent, _) if *value == Decoded::Null => "null".to_owned(),
            (Owned::Absent, _) => String::new(),
            (Owned::Bool(truth), _) => truth.to_string(),
            (Owned::I64(number), _) => number.to_string(),
            (Owned::U64(number), _) => number.to_string(),
            (Owned::I128(number), _) => number.to_string(),
            (Owned::U128(number), _) => number.to_string(),
            (Owned::F64(number), Some(digits)) => format!("{number:.digits$}"),
            (Owned::F64(number), None) => format!("{number:?}"),
            (Owned::Text(text), _) => text,
            (Owned::Shown(text), _) => text.to_string(),
        }
    }

    /// The message of a site over these values.
    pub(super) fn message(&self, pieces: &[Piece], fields: &[From], values: &[Decoded<'_>]) -> String {
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Hole(at, precision) => {
                    let value = match &fields[*at] {
                        From::DisplayTime | From::EpochSeconds => self.of_the_clock(&fields[*at]),
                        _ => self.plain(&values[*at], *precision),
                    };
                    let _ = out.write_str(&value);
                }
            }
        }
        out
    }

    /// What the drain would fill in from the record's time.
    fn of_the_clock(&self, from: &From) -> String {
        let mut out = Vec::new();
        let wall = self.calibration.wall(self.counter);
        match from {
            From::EpochSeconds => json::decimal(&mut out, i128::from(wall.div_euclid(1_000)), 6),
            _ => json::clock(&mut out, wall),
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    /// A field that no record holds.
    pub(super) fn derived(&self, from: &From) -> Owned {
        Owned::Shown(display(self.of_the_clock(from)))
    }
}
