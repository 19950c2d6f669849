//! How the text of a variable is read, compared with a value, and likened to another name.

use serde_json::Value;

use super::node::Node;

/// Reads a variable's text as a value of the kind that the key has. The second value is false where other readings
/// are as likely.
pub(super) fn guess(text: &str, like: Option<&Node>) -> (Option<Node>, bool) {
    let trimmed = text.trim();
    match like {
        Some(Node::Bool(_)) => {
            let is = |words: &[&str]| words.iter().any(|word| trimmed.eq_ignore_ascii_case(word));
            let truth = if is(&["true", "1", "yes", "on"]) {
                Some(true)
            } else if is(&["false", "0", "no", "off"]) {
                Some(false)
            } else {
                None
            };
            (truth.map(Node::Bool), true)
        }
        Some(Node::Number(_) | Node::NotFinite) => {
            let plain = trimmed.replace('_', "");
            let number = plain.parse::<i128>().ok().filter(|n| *n != i128::MIN).map(Node::integer);
            (number.or_else(|| plain.parse().ok().map(Node::float)), true)
        }
        Some(Node::List(_)) => match serde_json::from_str::<Vec<Value>>(trimmed) {
            Ok(items) => (Node::of(&items).ok(), false),
            Err(_) => (
                Some(Node::List(trimmed.split(',').map(|item| Node::Text(item.trim().to_owned())).collect())),
                false,
            ),
        },
        Some(Node::Map(_)) => {
            (serde_json::from_str::<Value>(trimmed).ok().and_then(|value| Node::of(&value).ok()), false)
        }
        Some(Node::Text(_) | Node::Secret(_)) => (Some(Node::Text(text.to_owned())), false),
        Some(Node::Null) | None if text.is_empty() => (Some(Node::Null), false),
        Some(Node::Null) | None => (Some(Node::Text(text.to_owned())), false),
    }
}

/// Equal for the purpose of telling whether a variable was applied: text of numbers and case of words do not count.
pub(super) fn alike(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::List(a), Node::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Node::Text(text), Node::Number(n)) | (Node::Number(n), Node::Text(text)) => {
            text.trim().parse() == Ok(*n)
        }
        (Node::Text(text), Node::Bool(b)) | (Node::Bool(b), Node::Text(text)) => {
            text.trim().parse() == Ok(*b)
        }
        (Node::Text(a), Node::Text(b)) => a.trim().eq_ignore_ascii_case(b.trim()) || same_decimal(a, b),
        _ => a == b,
    }
}

/// `1.50` and `1.5`: decimals that stay text keep their zeros.
fn same_decimal(a: &str, b: &str) -> bool {
    let trimmed = |text: &str| -> Option<String> {
        let text = text.trim();
        text.parse::<f64>().ok().filter(|n| n.is_finite())?;
        Some(if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        })
    };
    trimmed(a).is_some_and(|a| Some(a) == trimmed(b))
}

/// A default as the binding declares it: JSON, or else plain text.
pub(super) fn declared(text: &str) -> Node {
    serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|value| Node::of(&value).ok())
        .unwrap_or_else(|| Node::Text(text.to_owned()))
}

/// Edits between two names, two swapped letters being one (optimal string alignment).
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(128).collect(), b.chars().take(128).collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
