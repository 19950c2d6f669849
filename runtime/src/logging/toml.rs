//! A TOML file as a tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::LoggingError;
use super::tree::{Node, Value};

pub(super) fn parse(text: &str) -> Result<Node, LoggingError> {
    let line = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
    let table = DeTable::parse(text).map_err(|error| {
        LoggingError::at(
            error.span().map_or(0, |span| line(span.start)),
            "",
            format!("no TOML: {}", error.message()),
        )
    })?;
    Ok(Node { line: 1, value: of_table(table.get_ref(), &line) })
}

fn of_table(table: &DeTable<'_>, line: &dyn Fn(usize) -> usize) -> Value {
    Value::Table(
        table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), of(value, key.span().start, line)))
            .collect(),
    )
}

fn of(value: &Spanned<DeValue<'_>>, key_at: usize, line: &dyn Fn(usize) -> usize) -> Node {
    let at = line(key_at);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Scalar(text.to_string()),
        DeValue::Integer(number) => Value::Scalar(number.as_str().to_owned()),
        DeValue::Float(number) => Value::Scalar(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Value::Scalar(truth.to_string()),
        DeValue::Datetime(time) => Value::Scalar(time.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| of(item, item.span().start, line)).collect())
        }
        DeValue::Table(table) => of_table(table, line),
    };
    Node { line: at, value }
}
