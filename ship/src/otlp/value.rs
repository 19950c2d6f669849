//! JSON values as OTLP's: every digit stays, as text where no number holds it.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use serde_json::value::RawValue;

use crate::number::is_exact;

pub(super) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(super) fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Value::StringValue(text.to_owned()))
}

pub(super) fn int(key: &str, number: i64) -> KeyValue {
    attribute(key, Value::IntValue(number))
}

/// The attribute of a field; none for null.
pub(super) fn field(key: &str, json: &str) -> Option<KeyValue> {
    Some(attribute(key, value(json)?))
}

fn value(json: &str) -> Option<Value> {
    let json = json.trim();
    Some(match json.as_bytes().first()? {
        b'n' => return None,
        b't' | b'f' => Value::BoolValue(json == "true"),
        b'"' => Value::StringValue(serde_json::from_str(json).ok()?),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let values = items.iter().map(|item| AnyValue { value: value(item.get()) }).collect();
            Value::ArrayValue(ArrayValue { values })
        }
        b'{' => {
            let flat = tapelog::convert::Flat::parse(json)?;
            let values = flat.pairs().filter_map(|(key, json)| field(key, json)).collect();
            Value::KvlistValue(KeyValueList { values })
        }
        _ => match json.parse::<i64>() {
            Ok(number) => Value::IntValue(number),
            Err(_) if is_exact(json) => Value::DoubleValue(json.parse().ok()?),
            Err(_) => Value::StringValue(json.to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_no_double_holds_stays_text() {
        assert_eq!(value("7"), Some(Value::IntValue(7)));
        assert_eq!(value("0.1"), Some(Value::DoubleValue(0.1)));
        let long = "0.10000000000000000000001";
        assert_eq!(value(long), Some(Value::StringValue(long.to_owned())));
        assert_eq!(value("null"), None);
        let Some(Value::KvlistValue(list)) = value(r#"{"a":[1,"x"],"b":null}"#) else {
            panic!("a list of pairs")
        };
        assert_eq!(list.values.len(), 1, "{list:?}");
    }
}
