//! Ids of a story, said once: the main ones in its title, the others by a letter.

use std::borrow::Cow;

use crate::line::Line;

/// The ids of a story.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The decision that the story is of.
    decision: Option<String>,
    /// Its intent, when it has only one.
    pub(crate) intent: Option<String>,
    /// The others, in the order in which they come: the id, and what it is.
    others: Vec<(String, String)>,
}

/// With more than these, letters would have to be looked up on every line.
const MOST_LETTERS: usize = 12;

impl Names {
    pub(crate) fn of(lines: &[Line], decision: Option<&str>) -> Self {
        let mut names = Self { decision: decision.map(str::to_owned), ..Self::default() };
        names.intent = only_intent(lines);
        for line in lines {
            let kind = line.text("kind").filter(|_| line.is("DECISION_START"));
            let ids =
                [("decision_id", &names.decision, kind), ("intent_id", &names.intent, line.text("side"))];
            let own = ids.map(|(key, main, about)| {
                let id = line.text(key).filter(|id| Some(&**id) != main.as_deref())?;
                Some((id.into_owned(), about.unwrap_or_default().into_owned()))
            });
            for (id, about) in own.into_iter().flatten() {
                match names.others.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, known)) if known.is_empty() => *known = about,
                    Some(_) => {}
                    None => names.others.push((id, about)),
                }
            }
        }
        names
    }

    /// `A  buy  8f14e45f-…`, when there are letters.
    pub(crate) fn legend(&self) -> Vec<Vec<String>> {
        if self.others.len() > MOST_LETTERS {
            return Vec::new();
        }
        let rows = self.others.iter().enumerate();
        rows.map(|(at, (id, about))| vec![letter(at), about.clone(), id.clone()]).collect()
    }

    /// The ids of a line that are not the main ones: letters, or as they are.
    pub(crate) fn on(&self, line: &Line) -> Option<String> {
        let own = |key, main: &Option<String>| line.text(key).filter(|id| Some(&**id) != main.as_deref());
        let ids = [own("decision_id", &self.decision), own("intent_id", &self.intent)];
        let shown: Vec<_> = ids.into_iter().flatten().map(|id| self.short(id)).collect();
        (!shown.is_empty()).then(|| shown.join(" "))
    }

    fn short<'a>(&self, id: Cow<'a, str>) -> Cow<'a, str> {
        match self.others.iter().position(|(known, _)| *known == id) {
            Some(at) if self.others.len() <= MOST_LETTERS => Cow::Owned(letter(at)),
            _ => id,
        }
    }
}

fn letter(at: usize) -> String {
    char::from(b'A' + at.min(25) as u8).to_string()
}

fn only_intent(lines: &[Line]) -> Option<String> {
    let mut ids = lines.iter().filter_map(|line| line.text("intent_id"));
    let first = ids.next()?.into_owned();
    ids.all(|id| id == first).then_some(first)
}
