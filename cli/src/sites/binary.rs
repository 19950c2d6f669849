//! The call sites that a binary has, whether they ever ran or not, read from the statics that the macros put into it.
//!
//! A static is found by its symbol. Its own layout is the compiler's, but those of `Place` (file, line, column, module,
//! function) and of `EventType` (name, stream) are fixed: they are found in it, and behind the pointers in it. Of an
//! annotated function it is a description and a `core::panic::Location`, whose file comes first in today's compiler (a test
//! says when it does not).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use object::read::{Object as _, ObjectSection as _, ObjectSymbol as _, ReadCache, ReadRef};

use crate::failure::Failure;
use crate::render::safe;

/// One call site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// `#[decision]`, `#[order_context]`, `#[log_performance]`, `event!`.
    pub(super) kinds: BTreeSet<&'static str>,
    pub(super) function: String,
    pub(super) module: String,
    pub(super) types: BTreeSet<String>,
}

/// What the macros' statics are named, what they are of, and, of those whose sites are made when they first run, the
/// types of their events.
const STATICS: &[(&str, &str, &[&str])] = &[
    ("__TAPELOG_DECISION", "#[decision]", &["DECISION_CLOSED", "DECISION_END", "DECISION_START"]),
    (
        "__TAPELOG_ORDER",
        "#[order_context]",
        &["ORDER_CONTEXT", "ORDER_FAILED", "ORDER_REJECTED", "ORDER_SUBMITTED", "ORDER_UNKNOWN"],
    ),
    ("__TAPELOG_PERFORMANCE", "#[log_performance]", &["PERFORMANCE", "PERFORMANCE_SLOW"]),
    ("__TAPELOG_SITE", "event!", &[]),
];
/// Longer texts are no names of files, modules or functions.
const LONGEST: u64 = 4096;

/// The sites of a binary by their place, `file:line`.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Known>, Failure> {
    let unusable = |why: String| Failure::Unusable(format!("`{}`: {why}", safe(&path.display().to_string())));
    let program = "write the path of a program, for example `target/release/engine`";
    let file = File::open(path).map_err(|error| unusable(format!("{error}; {program}")))?;
    let cache = ReadCache::new(file);
    let object = object::File::parse(&cache).map_err(|error| unusable(format!("{error}; {program}")))?;
    let image = Image::of(&object);
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    let mut symbols = 0_u64;
    for symbol in object.symbols() {
        symbols += 1;
        let Ok(name) = symbol.name() else { continue };
        let Some((_, kind, types)) = STATICS.iter().find(|(name_of, ..)| name.contains(name_of)) else {
            continue;
        };
        let whole = format!("{:#}", rustc_demangle::demangle(name));
        let path: Vec<_> = whole.split("::").filter(|part| *part != "{{closure}}").collect();
        let function = path.iter().nth_back(1).copied().unwrap_or_default();
        let (start, size) = (symbol.address(), symbol.size().min(LONGEST));
        for (source, mut known) in image.sites(start, size).into_iter().chain(image.described(start, size)) {
            if known.function.is_empty() {
                known.function = function.to_owned();
            }
            known.types.extend(types.iter().map(|name| (*name).to_owned()));
            let of = all.entry(source).or_default();
            of.kinds.insert(kind);
            of.types.extend(known.types);
            (of.function, of.module) = (known.function, known.module);
        }
    }
    if symbols == 0 {
        return Err(unusable("it has no symbols; name the program as it was before `strip`".to_owned()));
    }
    Ok(all)
}

/// A program as it would stand in memory.
struct Image<'data, 'file, R: ReadRef<'data>> {
    object: &'file object::File<'data, R>,
    /// What the loader writes, by address.
    relocated: HashMap<u64, u64>,
}

impl<'data, 'file, R: ReadRef<'data>> Image<'data, 'file, R> {
    fn of(object: &'file object::File<'data, R>) -> Self {
        let relocated = object.dynamic_relocations().into_iter().flatten();
        let relocated = relocated.map(|(at, how)| (at, how.addend() as u64)).filter(|(_, to)| *to != 0);
        Self { object, relocated: relocated.collect() }
    }

    /// The places in a static, each with the types of events beside it.
    fn sites(&self, start: u64, size: u64) -> BTreeMap<String, Known> {
        let mut places: Vec<(String, Known)> = Vec::new();
        let mut types = BTreeSet::new();
        let mut at = start;
        while at < start.saturating_add(size) {
            if let Some(place) = self.place(at) {
                places.push(place);
                at += PLACE;
                continue;
            }
            types.extend(self.relocated.get(&at).and_then(|to| self.event_type(*to)));
            at += 8;
        }
        places.into_iter().map(|(source, known)| (source, Known { types: types.clone(), ..known })).collect()
    }

    /// The place of a static that is a description: a text, the compiler's own `Location` (file, line), the module.
    fn described(&self, start: u64, size: u64) -> Option<(String, Known)> {
        let words = || (start..start.saturating_add(size)).step_by(8);
        let place = words().find_map(|at| {
            let to = *self.relocated.get(&at)?;
            let file = self.text(to).filter(|file| file.ends_with(".rs"))?;
            let line = self.word(to + 16)? as u32;
            (line > 0).then(|| format!("{file}:{line}"))
        })?;
        let text = |at: u64| self.relocated.contains_key(&at).then(|| self.text(at)).flatten();
        let mut paths = words().filter_map(text).filter(|text| !text.is_empty() && is_path(text));
        let (first, second) = (paths.next(), paths.next());
        // A description without further words is a path too, of one name.
        let module = match (first, second) {
            (Some(first), Some(second)) if !first.contains("::") => second,
            (Some(first), _) => first,
            (None, _) => return None,
        };
        Some((place, Known { module, ..Known::default() }))
    }

    fn place(&self, at: u64) -> Option<(String, Known)> {
        let file = self.text(at).filter(|file| file.ends_with(".rs"))?;
        let line = self.word(at + 16)? as u32;
        let module = self.text(at + 24)?;
        let function = self.text(at + 40)?;
        if line == 0 || !is_path(&module) || !is_path(&function) {
            return None;
        }
        Some((format!("{file}:{line}"), Known { function, module, ..Known::default() }))
    }

    /// The name of the type of events at this address: its name, then that of its stream.
    fn event_type(&self, at: u64) -> Option<String> {
        let name = self.text(at).filter(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        })?;
        let is_stream =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-/".contains(&byte);
        let stream = self.text(at + 16)?;
        (!stream.is_empty() && stream.bytes().all(is_stream)).then_some(name)
    }

    /// The text to which a pointer and a length lead.
    fn text(&self, at: u64) -> Option<String> {
        let len = self.word(at + 8)?;
        if len == 0 {
            return Some(String::new());
        }
        let to = self.relocated.get(&at).copied().or_else(|| self.word(at))?;
        if len > LONGEST || to == 0 {
            return None;
        }
        String::from_utf8(self.bytes(to, len)?.to_vec()).ok()
    }

    fn word(&self, at: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(at, 8)?.try_into().ok()?))
    }

    fn bytes(&self, at: u64, len: u64) -> Option<&'data [u8]> {
        let holds = |section: &object::Section<'data, '_, R>| {
            (section.address()..section.address().saturating_add(section.size())).contains(&at)
        };
        // Thread-local storage has addresses of its own, which others have too, and no bytes.
        self.object.sections().filter(holds).find_map(|section| section.data_range(at, len).ok().flatten())
    }
}

fn is_path(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '#'))
}

/// The size of a `Place`.
const PLACE: u64 = 56;
