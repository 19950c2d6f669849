//! Levels as words: `info,orders=debug,market=off`.

use crate::{Class, Level, Stream, events};

/// A name, none for all, and its least level; none: nothing.
pub(super) type Word = (Option<String>, Option<Level>);

/// The words of `text`, or what is wrong.
pub(super) fn parse(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let Some((name, level_word)) = word.split_once('=') else {
            words.push((None, level(word)?));
            continue;
        };
        let (name, level_word) = (name.trim(), level_word.trim());
        if name.is_empty() {
            return Err(format!("`{word}` names nothing; write `orders=debug`"));
        }
        let level = level(level_word)?;
        if level.is_none() {
            refuse_audit(name, "switched off")?;
        }
        words.push((Some(name.to_owned()), level));
    }
    Ok(words)
}

/// A level in any case, `warn` too; `off` is none.
pub(super) fn level(word: &str) -> Result<Option<Level>, String> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "off" | "none" => return Ok(None),
        "warn" => return Ok(Some(Level::Warning)),
        "fatal" => return Ok(Some(Level::Critical)),
        "trace" => return Ok(Some(Level::Debug)),
        _ => {}
    }
    if let Some(level) = Level::ALL.into_iter().find(|level| level.as_str() == lower) {
        return Ok(Some(level));
    }
    let meant = Level::ALL.into_iter().map(Level::as_str).find(|known| near(known, &lower));
    Err(match meant {
        Some(meant) => format!("`{word}` is no level; did you mean `{meant}`? Levels are {LEVELS}"),
        None => format!("`{word}` is no level; levels are {LEVELS}"),
    })
}

const LEVELS: &str = "`debug`, `info`, `warning`, `error`, `critical` and `off`";

/// Two thirds of the letters agree from the beginning.
fn near(known: &str, word: &str) -> bool {
    let same = known.bytes().zip(word.bytes()).take_while(|(a, b)| a == b).count();
    same * 3 >= known.len().max(word.len()) * 2
}

/// What is of class `audit` is always recorded.
pub(super) fn refuse_audit(name: &str, what: &str) -> Result<(), String> {
    let streams = Stream::STANDARD.into_iter().chain(Stream::DOMAIN);
    let of_stream =
        streams.filter(|stream| stream.class() == Class::Audit).any(|stream| stream.name() == name);
    let of_event = events::ALL
        .iter()
        .any(|event| event.name.eq_ignore_ascii_case(name) && event.stream.class() == Class::Audit);
    if of_stream || of_event {
        return Err(format!(
            "`{name}` cannot be {what}: it is of class audit, of which everything is recorded; remove it"
        ));
    }
    Ok(())
}
