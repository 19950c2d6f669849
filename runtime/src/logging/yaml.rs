//! A YAML file as a tree. Aliases, tags and several documents are refused: a configuration needs none.

use saphyr_parser::{Event, Parser, Span};

use super::LoggingError;
use super::tree::{Node, Value};

pub(super) fn parse(text: &str) -> Result<Node, LoggingError> {
    let mut events = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            LoggingError::at(error.marker().line(), "", format!("no YAML: {}", error.info()))
        })?;
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
            other => events.push((other, span)),
        }
    }
    let mut events = events.into_iter();
    match events.next() {
        None => Ok(Node { line: 1, value: Value::Table(Vec::new()) }),
        Some((event, span)) => node(event, span, &mut events, 0),
    }
}

fn node<'a>(
    event: Event<'a>,
    span: Span,
    events: &mut impl Iterator<Item = (Event<'a>, Span)>,
    depth: usize,
) -> Result<Node, LoggingError> {
    let line = span.start.line();
    let refuse = |wrong: &str| Err(LoggingError::at(line, "", wrong));
    if depth > 32 {
        return refuse("nested too deeply");
    }
    let end = || LoggingError::at(line, "", "it ends in the middle");
    match event {
        Event::Scalar(text, ..) => Ok(Node::scalar(line, text)),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                let (event, span) = events.next().ok_or_else(end)?;
                if matches!(event, Event::SequenceEnd) {
                    return Ok(Node { line, value: Value::List(items) });
                }
                items.push(node(event, span, events, depth + 1)?);
            }
        }
        Event::MappingStart(..) => {
            let mut table = Vec::new();
            loop {
                let (event, span) = events.next().ok_or_else(end)?;
                let key_line = span.start.line();
                let key = match event {
                    Event::MappingEnd => return Ok(Node { line, value: Value::Table(table) }),
                    Event::Scalar(text, ..) => text.into_owned(),
                    _ => return Err(LoggingError::at(key_line, "", "a key is a word")),
                };
                let (event, span) = events.next().ok_or_else(end)?;
                let mut value = node(event, span, events, depth + 1)?;
                value.line = key_line;
                table.push((key, value));
            }
        }
        Event::Alias(_) => refuse("an alias; write the value itself"),
        _ => refuse("something that a configuration has not"),
    }
}
