//! One column: its type in the file, and its values, digit for digit.

use std::borrow::Cow;

use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;

use super::table::Column;
use crate::number::digits;

/// The digits that a DECIMAL of 16 bytes holds.
const DIGITS: usize = 38;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only null so far.
    Nothing,
    Bool,
    Int,
    Float,
    /// With so many digits after the point.
    Decimal(u8),
    Instant,
    Text,
}

impl Kind {
    /// The narrowest kind that holds both.
    pub(super) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (a, b) if a == b => a,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            (Self::Decimal(a), Self::Decimal(b)) => Self::Decimal(a.max(b)),
            // How many digits the others have is not known here; as text they keep them.
            _ => Self::Text,
        }
    }
}

/// The column in the grammar of schemas.
pub(super) fn declaration(column: &Column) -> String {
    let name = name(&column.key);
    match column.kind {
        Kind::Bool => format!("optional boolean {name};"),
        Kind::Int => format!("optional int64 {name};"),
        Kind::Float => format!("optional double {name};"),
        Kind::Decimal(scale) => {
            format!("optional fixed_len_byte_array(16) {name} (DECIMAL({DIGITS},{scale}));")
        }
        Kind::Instant => format!("optional int64 {name} (TIMESTAMP(NANOS,true));"),
        Kind::Nothing | Kind::Text => format!("optional byte_array {name} (UTF8);"),
    }
}

/// A name that the schema's grammar takes.
fn name(key: &str) -> Cow<'_, str> {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        Cow::Borrowed(key)
    } else {
        // Another key may be the same but for what stands out here.
        let sum = key.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let plain: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Cow::Owned(format!("{plain}_{sum:08x}"))
    }
}

/// How many digits a number has after its point, where a DECIMAL holds it beside others of the same size.
pub(super) fn scale_of(json: &str) -> Option<u8> {
    let (_, digits, power) = digits(json)?;
    let scale = usize::try_from(-power.min(0)).ok()?;
    let before = digits.len() as i64 + power;
    // Room for others of the column with more before or after the point.
    (scale <= 18 && before <= 20).then_some(scale as u8)
}

/// A number as so many units of the last digit.
fn decimal(json: &str, scale: u8) -> Option<i128> {
    let (negative, digits, power) = digits(json)?;
    let shift = u32::try_from(power + i64::from(scale)).ok()?;
    let value = if digits.is_empty() { 0 } else { digits.parse::<i128>().ok()? };
    let value = value.checked_mul(10_i128.checked_pow(shift)?)?;
    Some(if negative { -value } else { value })
}

/// The text of a JSON value: a string's own, else the JSON itself.
fn text(json: &str) -> String {
    if json.starts_with('"') { serde_json::from_str(json).unwrap_or_default() } else { json.to_owned() }
}

/// Writes the values of a group.
pub(super) fn write(
    writer: &mut SerializedColumnWriter<'_>,
    kind: Kind,
    cells: &[Option<&str>],
) -> Result<(), ParquetError> {
    macro_rules! put {
        ($type:ty, $value:expr) => {{
            let values: Vec<Option<_>> = cells.iter().map(|cell| cell.and_then($value)).collect();
            let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
            let values: Vec<_> = values.into_iter().flatten().collect();
            writer.typed::<$type>().write_batch(&values, Some(&levels), None)?;
        }};
    }
    match kind {
        Kind::Bool => put!(BoolType, |json: &str| json.parse::<bool>().ok()),
        Kind::Int => put!(Int64Type, |json: &str| json.parse::<i64>().ok()),
        Kind::Float => put!(DoubleType, |json: &str| json.parse::<f64>().ok()),
        Kind::Decimal(scale) => put!(FixedLenByteArrayType, |json: &str| {
            Some(FixedLenByteArray::from(decimal(json, scale)?.to_be_bytes().to_vec()))
        }),
        Kind::Instant => put!(Int64Type, |json: &str| crate::time::parse(json.trim_matches('"'))),
        Kind::Nothing | Kind::Text => {
            put!(ByteArrayType, |json: &str| Some(ByteArray::from(text(json).as_str())))
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_the_digits_that_a_double_does_not() {
        assert_eq!(scale_of("1234567.123456789012"), Some(12));
        assert_eq!(decimal("1234567.123456789012", 12), Some(1_234_567_123_456_789_012));
        assert_eq!(decimal("-1.5", 3), Some(-1500));
        assert_eq!(scale_of("1e-30"), None, "then it is text");
    }

    #[test]
    fn kinds_join_to_what_holds_both() {
        assert_eq!(Kind::Int.join(Kind::Float), Kind::Float);
        assert_eq!(Kind::Decimal(2).join(Kind::Decimal(9)), Kind::Decimal(9));
        assert_eq!(Kind::Nothing.join(Kind::Bool), Kind::Bool);
        assert_eq!(Kind::Bool.join(Kind::Int), Kind::Text);
        assert_eq!(Kind::Float.join(Kind::Decimal(20)), Kind::Text);
    }
}
