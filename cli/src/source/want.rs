//! Which lines are wanted, found before anything is parsed.

use aho_corasick::AhoCorasick;
use aho_corasick::packed;
use memchr::memmem;

/// Which lines.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    All,
    /// Those that contain this text.
    One(Box<memmem::Finder<'static>>),
    /// Those that contain one of several, found by their ends.
    Some(Box<Ends>),
    /// As `Some`, of texts that are too many or too short for that.
    Any(Box<AhoCorasick>),
    Nothing,
}

/// Several texts, each looked for by its last bytes: ids that begin alike, as all do, end differently. With vector
/// instructions that is ten times as fast as looking for them from their beginning.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    searcher: packed::Searcher,
    /// By the end, the texts that end so.
    texts: Vec<Vec<Vec<u8>>>,
}

/// So many last bytes, or as many as the shortest has.
const END: usize = 8;
/// With shorter ends, half of all lines would be candidates.
const SHORTEST: usize = 4;

impl Ends {
    fn of(texts: &[&[u8]]) -> Option<Self> {
        let len = texts.iter().map(|text| text.len()).min()?.min(END);
        if len < SHORTEST {
            return None;
        }
        let mut ends: Vec<&[u8]> = Vec::new();
        let mut by_end: Vec<Vec<Vec<u8>>> = Vec::new();
        for text in texts {
            let end = text.get(text.len() - len..)?;
            match ends.iter().position(|known| *known == end) {
                Some(at) => by_end.get_mut(at)?.push(text.to_vec()),
                None => {
                    ends.push(end);
                    by_end.push(vec![text.to_vec()]);
                }
            }
        }
        let searcher = packed::Config::new().builder().extend(&ends).build()?;
        Some(Self { searcher, texts: by_end })
    }

    /// Where the first text ends, behind `from`: its last byte.
    fn find(&self, text: &[u8], mut from: usize) -> Option<usize> {
        loop {
            let found = self.searcher.find_in(text, (from..text.len()).into())?;
            let before = text.get(..found.end())?;
            let mut candidates = self.texts.get(found.pattern().as_usize())?.iter();
            if candidates.any(|whole| before.ends_with(whole)) {
                return Some(found.end() - 1);
            }
            from = found.start() + 1;
        }
    }
}

impl Want {
    /// Lines with one of these texts in them.
    pub(crate) fn containing<T: AsRef<str>>(texts: &[T]) -> Self {
        let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_ref().as_bytes()).collect();
        match bytes.as_slice() {
            [] => Self::Nothing,
            [one] => Self::One(Box::new(memmem::Finder::new(one).into_owned())),
            _ => match Ends::of(&bytes) {
                Some(ends) => Self::Some(Box::new(ends)),
                None => match AhoCorasick::new(&bytes) {
                    Ok(any) => Self::Any(Box::new(any)),
                    // More texts than an automaton has states: every line is looked at then, which is slow and right.
                    Err(_) => Self::All,
                },
            },
        }
    }

    /// Lines of these types of events.
    pub(crate) fn types<T: AsRef<str>>(types: &[T]) -> Self {
        let texts: Vec<_> = types.iter().map(|one| format!("\"event_type\":\"{}\"", one.as_ref())).collect();
        Self::containing(&texts)
    }

    /// A place in the first of them that begins in `text` at or behind `from`.
    fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let rest = text.get(from..)?;
        match self {
            Self::All => Some(from),
            Self::One(finder) => finder.find(rest).map(|at| from + at),
            Self::Some(ends) => ends.find(text, from),
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
    fn many_texts_are_found_as_one_by_one() {
        let mut text = String::new();
        for at in 0..2000_u32 {
            let id = at.wrapping_mul(2_654_435_761);
            text.push_str(&format!(
                "{{\"decision_id\":\"dec_{id:010}\",\"order_id\":\"S{:07}\"}}\n",
                at % 700
            ));
        }
        for many in [2_usize, 7, 40, 200] {
            let texts: Vec<String> =
                (0..many).map(|at| format!("S{:07}", at * 3)).chain(["dec_0000000000".to_owned()]).collect();
            let mut found = Vec::new();
            Want::containing(&texts).lines(text.as_bytes(), |line| {
                found.push(String::from_utf8_lossy(line).into_owned());
            });
            let naive: Vec<_> =
                text.lines().filter(|line| texts.iter().any(|text| line.contains(text))).collect();
            assert_eq!(found, naive, "{many}");
        }
    }

    #[test]
    fn a_line_comes_once_however_often_it_has_the_text() {
        check(&Want::All, &["one two", "three", "", "two two", "four"]);
        check(&Want::containing(&["two"]), &["one two", "two two"]);
        check(&Want::containing(&["two", "four", "on"]), &["one two", "two two", "four"]);
        check(&Want::containing(&["o two", "four"]), &["two two", "four"]);
        check(&Want::containing(&["ne two", "four", "xthree"]), &["one two", "four"]);
        check(&Want::containing(&["two two", "xx two", "one two"]), &["one two", "two two"]);
        check(&Want::containing(&["absent"]), &[]);
        check(&Want::containing::<&str>(&[]), &[]);
    }
}
