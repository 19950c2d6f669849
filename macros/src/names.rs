//! Names: what was probably meant, and how lists of names are written.
//!
//! Invariant: pure functions of text.

/// The name of `known` that `name` was probably meant to be: few edits away, or one that contains the other.
pub(crate) fn nearest<'a>(known: impl IntoIterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    known
        .into_iter()
        .filter_map(|candidate| {
            let edits = edits(&candidate.to_ascii_lowercase(), &name);
            // A third of the name may be wrong, as in other tools that suggest; or its end is missing.
            let begins = name.len() >= 3 && candidate.starts_with(&name);
            (begins || edits * 3 <= candidate.len().max(name.len())).then_some((edits, candidate))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// `` `a`, `b`, `c` ``: the beginning of a longer list.
pub(crate) fn some<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "and")
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn choice<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    joined(names, "or")
}

fn joined<'a>(names: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// `info` as `Info`.
pub(crate) fn upper_first(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// `BidAsk` as `bid_ask`; a name without lower-case letters, such as `IOC`, is kept as it is.
pub(crate) fn lower_snake(name: &str) -> String {
    if !name.chars().any(char::is_lowercase) {
        return name.to_owned();
    }
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let after_lower = i > 0 && (chars[i - 1].is_lowercase() || chars[i - 1].is_ascii_digit());
        let before_lower =
            i > 0 && chars[i - 1].is_uppercase() && chars.get(i + 1).is_some_and(|c| c.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_name_that_was_meant() {
        let known = ["slippage_bps", "limit_px", "qty", "tif"];
        for (wrote, meant) in [
            ("slipage_bps", Some("slippage_bps")),
            ("limitpx", Some("limit_px")),
            ("QTY", Some("qty")),
            ("qyt", Some("qty")),
            ("slip", Some("slippage_bps")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(known, wrote), meant, "{wrote}");
        }
    }

    #[test]
    fn variants_become_lower_snake_and_acronyms_stay() {
        for (name, text) in [
            ("Buy", "buy"),
            ("GoodTillCancel", "good_till_cancel"),
            ("IOC", "IOC"),
            ("HTTPError", "http_error"),
            ("L2Book", "l2_book"),
            ("already_snake", "already_snake"),
        ] {
            assert_eq!(lower_snake(name), text);
        }
    }
}
