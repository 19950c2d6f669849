//! Filters on fields, as they are typed: `symbol=BTC/USDT`, `execution_time_ms>5`, `message~timeout`, `!decision_id`.

use std::borrow::Cow;

use crate::failure::Failure;
use crate::index::Term;
use crate::json::{pairs, plain};
use crate::source::Want;

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    pub(crate) key: String,
    test: Test,
    text: String,
    number: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
    Has,
    HasNot,
    There,
    Absent,
}

/// The longest first, so that `>=` is not read as `>`.
const TESTS: &[(&str, Test)] = &[
    ("!=", Test::IsNot),
    (">=", Test::AtLeast),
    ("<=", Test::AtMost),
    ("!~", Test::HasNot),
    ("==", Test::Is),
    ("=", Test::Is),
    (">", Test::More),
    ("<", Test::Less),
    ("~", Test::Has),
];

/// Reads filters. The words `where` and `and` may stand between them.
///
/// # Errors
/// When one is none.
pub(crate) fn parse(words: &[String]) -> Result<Vec<Filter>, Failure> {
    let said = words.iter().filter(|word| !matches!(word.as_str(), "where" | "and" | "WHERE" | "AND"));
    said.map(|word| one(word)).collect()
}

fn one(word: &str) -> Result<Filter, Failure> {
    let key_ok = |key: &str| {
        !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/'))
    };
    let at = word.find(['!', '=', '<', '>', '~']);
    let (key, rest) = match at {
        Some(0) => ("", word),
        Some(at) => word.split_at(at),
        None => (word, ""),
    };
    let build = |key: &str, test, text: &str| Filter {
        key: key.trim().to_owned(),
        test,
        text: text.trim().trim_matches(|c| c == '"' || c == '\'').to_owned(),
        number: text.trim().parse().ok(),
    };
    if rest.is_empty() && key_ok(key.trim()) {
        return Ok(build(key, Test::There, ""));
    }
    if let Some(absent) = word.strip_prefix('!').filter(|key| key_ok(key)) {
        return Ok(build(absent, Test::Absent, ""));
    }
    let found = TESTS.iter().find_map(|(sign, test)| Some((rest.strip_prefix(sign)?, *test)));
    match found {
        Some((text, test)) if key_ok(key.trim()) => Ok(build(key, test, text)),
        _ => Err(Failure::Unusable(format!(
            "`{word}` is no filter; write `key=value`, `key!=value`, `key>1`, `key>=1`, `key<1`, `key~part`, `key` \
             (it is there) or `!key`"
        ))),
    }
}

impl Filter {
    /// Whether a value, as it is written, passes; none when the key is not there, or null.
    pub(crate) fn passes(&self, json: Option<&str>) -> bool {
        let value: Option<Cow<'_, str>> = json.and_then(plain);
        let Some(value) = value else {
            return matches!(self.test, Test::Absent | Test::IsNot | Test::HasNot);
        };
        let compare = || Some(value.parse::<f64>().ok()?.total_cmp(&self.number?));
        let text = || value.as_ref().cmp(self.text.as_str());
        // Numbers as numbers; instants and all else as text.
        let order = compare().unwrap_or_else(text);
        match self.test {
            Test::There => true,
            Test::Absent => false,
            Test::Is => order.is_eq(),
            Test::IsNot => order.is_ne(),
            Test::Less => order.is_lt(),
            Test::AtMost => order.is_le(),
            Test::More => order.is_gt(),
            Test::AtLeast => order.is_ge(),
            Test::Has => contains(&value, &self.text),
            Test::HasNot => !contains(&value, &self.text),
        }
    }

    /// A text that every line which passes has in it.
    fn needle(&self) -> Option<String> {
        if self.test != Test::Is || self.number.is_some() || self.text.is_empty() {
            return None;
        }
        // `true` and `null` have no quotes.
        if matches!(self.text.as_str(), "true" | "false") {
            return None;
        }
        let simple = self.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./: @".contains(&byte));
        simple.then(|| self.text.clone())
    }

    fn term(&self) -> Option<Term> {
        let text = self.needle()?;
        match self.key.as_str() {
            "event_type" => Some(Term::Type(text)),
            "session_id" | "event_id" => None,
            "level" if matches!(text.as_str(), "error" | "critical") => Some(Term::Level(text)),
            key if key.ends_with("_id") && !key.contains('.') => Some(Term::Id(text)),
            _ => None,
        }
    }
}

fn contains(value: &str, part: &str) -> bool {
    value.to_lowercase().contains(&part.to_lowercase())
}

/// Which lines are worth looking at: those with the longest text that all must have.
pub(crate) fn want(filters: &[Filter]) -> Want {
    let longest = filters.iter().filter_map(Filter::needle).max_by_key(String::len);
    longest.map_or(Want::All, |text| {
        // With its quotes it is rarer; a number in quotes has them too.
        Want::containing(&[format!("\"{text}\"")])
    })
}

/// What an index knows of these filters.
pub(crate) fn term(filters: &[Filter]) -> Option<Term> {
    let rank = |term: &Term| match term {
        Term::Id(_) | Term::Beginning(_) => 0,
        Term::Type(_) => 1,
        Term::Level(_) => 2,
        _ => 3,
    };
    filters.iter().filter_map(Filter::term).min_by_key(rank)
}

/// Keys that are wanted of each line, in one pass over it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    names: Vec<String>,
}

impl Keys {
    /// The place of a key; it is added when it is new.
    pub(crate) fn add(&mut self, name: &str) -> usize {
        if let Some(at) = self.names.iter().position(|known| known == name) {
            return at;
        }
        self.names.push(name.to_owned());
        self.names.len() - 1
    }

    /// Puts the values into `values`, as they are written.
    pub(crate) fn of<'a>(&self, line: &'a str, values: &mut Vec<Option<&'a str>>) {
        values.clear();
        values.resize(self.names.len(), None);
        let mut missing = self.names.len();
        for (key, value) in pairs(line) {
            for (name, place) in self.names.iter().zip(values.iter_mut()) {
                if place.is_some() {
                    continue;
                }
                if name == key {
                    *place = Some(value);
                    missing -= 1;
                } else if let Some(rest) = name.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'))
                    && let Some(inner) = crate::json::get(value, rest)
                {
                    *place = Some(inner);
                    missing -= 1;
                }
            }
            if missing == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filter: &str, value: Option<&str>, expected: bool) {
        assert_eq!(one(filter).unwrap().passes(value), expected, "{filter} {value:?}");
    }

    #[test]
    fn filters_compare_numbers_as_numbers_and_texts_as_texts() {
        check("a=1", Some("1.0"), true);
        check("a=1", Some("\"1\""), true);
        check("a>9", Some("10"), true);
        check("a<9", Some("\"abc\""), false);
        check("a=BTC/USDT", Some("\"BTC/USDT\""), true);
        check("a!=x", Some("\"y\""), true);
        check("a!=x", None, true);
        check("a~TIME", Some("\"a timeout\""), true);
        check("a!~time", Some("\"a timeout\""), false);
        check("a", Some("null"), false);
        check("a", Some("0"), true);
        check("!a", None, true);
        check("a>=2025-10-26T12", Some("\"2025-10-26T12:34:56Z\""), true);
        check("a=true", Some("true"), true);
    }

    #[test]
    fn what_is_no_filter_says_what_one_looks_like() {
        for word in ["=1", "a b", "", "a=>", "!"] {
            let error = one(word);
            assert!(error.is_err() || word == "a=>", "{word} {error:?}");
        }
    }

    #[test]
    fn nested_keys_are_found_in_the_same_pass() {
        let mut keys = Keys::default();
        for name in ["b.c", "a", "b.d.e", "z"] {
            keys.add(name);
        }
        let mut values = Vec::new();
        keys.of(r#"{"a":1,"b":{"c":"x","d":{"e":[2]}},"y":0}"#, &mut values);
        assert_eq!(values, [Some("\"x\""), Some("1"), Some("[2]"), None]);
    }
}
