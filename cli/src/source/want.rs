//! Which lines are wanted, found before anything is parsed.

use aho_corasick::AhoCorasick;
use memchr::memmem;

/// Which lines.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    All,
    /// Those that contain this text.
    One(Box<memmem::Finder<'static>>),
    /// Those that contain one of several.
    Any(Box<AhoCorasick>),
    Nothing,
}

impl Want {
    /// Lines with one of these texts in them.
    pub(crate) fn containing<T: AsRef<str>>(texts: &[T]) -> Self {
        match texts {
            [] => Self::Nothing,
            [one] => Self::One(Box::new(memmem::Finder::new(one.as_ref().as_bytes()).into_owned())),
            _ => match AhoCorasick::new(texts.iter().map(AsRef::as_ref)) {
                Ok(any) => Self::Any(Box::new(any)),
                // More texts than an automaton has states: every line is looked at then, which is slow and right.
                Err(_) => Self::All,
            },
        }
    }

    /// Lines of these types of events.
    pub(crate) fn types<T: AsRef<str>>(types: &[T]) -> Self {
        let texts: Vec<_> = types.iter().map(|one| format!("\"event_type\":\"{}\"", one.as_ref())).collect();
        Self::containing(&texts)
    }

    /// Where the first of them begins in `text`, at or behind `from`.
    fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        match self {
            Self::All => Some(from),
            Self::One(finder) => finder.find(rest).map(|at| from + at),
            Self::Any(any) => any.find(rest).map(|found| from + found.start()),
            Self::Nothing => None,
        }
    }

    /// Shows `each` every wanted line of a piece of whole lines, without its newline.
    pub(crate) fn lines(&self, piece: &[u8], mut each: impl FnMut(&[u8])) {
        let mut from = 0;
        while from < piece.len() {
            let Some(found) = self.find(piece, from) else { return };
            let before = piece.get(from..found).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(from, |at| from + at + 1);
            let rest = piece.get(found..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(piece.len(), |at| found + at);
            each(piece.get(start..end).unwrap_or_default());
            from = end + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(want: &Want, expected: &[&str]) {
        let mut lines = Vec::new();
        want.lines(b"one two\nthree\n\ntwo two\nfour", |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
        });
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_line_comes_once_however_often_it_has_the_text() {
        check(&Want::All, &["one two", "three", "", "two two", "four"]);
        check(&Want::containing(&["two"]), &["one two", "two two"]);
        check(&Want::containing(&["two", "four", "on"]), &["one two", "two two", "four"]);
        check(&Want::containing(&["absent"]), &[]);
        check(&Want::containing::<&str>(&[]), &[]);
    }
}
