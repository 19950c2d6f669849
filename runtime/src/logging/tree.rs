//! What a file says, whatever its format: tables, lists and scalars, each with its line.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A text, number or truth, as text.
    Scalar(String),
    List(Vec<Node>),
    /// Keys in their order.
    Table(Vec<(String, Node)>),
}

/// The text of a scalar's value.
impl Node {
    #[cfg(feature = "yaml")]
    pub(super) fn scalar(line: usize, text: impl Into<String>) -> Self {
        Self { line, value: Value::Scalar(text.into()) }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Scalar(_) => "a value",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}
