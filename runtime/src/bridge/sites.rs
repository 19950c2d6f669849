//! Foreign callsites as sites of ours: made once for each, found again by address.
//!
//! Invariant: at most [`MOST`] are made; those beyond share one site that has no fields of its own. Finding one takes no
//! lock.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use tracing_core::{Level, Metadata};

use crate::config::{Class, classify};
use crate::hot::site::{Category, EventType, Field, Place, Site, Stream};

/// So many callsites of libraries have a site of their own. A large service has some hundreds.
const MOST: usize = 6_144;
const PLACES: usize = 8_192;
/// So many component logs; beyond, lines go to `other.log`.
const MOST_COMPONENTS: usize = 48;

/// A foreign callsite, and what it became.
#[derive(Debug)]
pub(super) struct Foreign {
    key: *const Metadata<'static>,
    /// Its events, or the close of its spans.
    pub(super) site: Site,
    /// How many fields it has, among them the message. `span` and `span_fields` have the next two indices.
    pub(super) fields: usize,
    /// What each field's name says of its value.
    pub(super) classes: &'static [Class],
}

// SAFETY: `key` is only compared.
unsafe impl Sync for Foreign {}
// SAFETY: as above.
unsafe impl Send for Foreign {}

static TABLE: [AtomicPtr<Foreign>; PLACES] = [const { AtomicPtr::new(ptr::null_mut()) }; PLACES];

/// What is made under a lock.
#[derive(Debug, Default)]
struct Making {
    made: usize,
    components: HashMap<String, Stream>,
    events: HashMap<(Stream, &'static str, u8), &'static EventType>,
}

static MAKING: LazyLock<Mutex<Making>> = LazyLock::new(Mutex::default);

fn lock() -> MutexGuard<'static, Making> {
    MAKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a span's close says beside its fields.
pub(super) const SPAN_EXTRA: [&str; 2] = ["duration_ms", "busy_ms"];

/// The site of a callsite; none when there are too many.
pub(super) fn of(
    meta: &'static Metadata<'static>,
    component: Option<&'static str>,
) -> Option<&'static Foreign> {
    let start =
        (ptr::from_ref(meta).addr() / align_of::<Metadata<'static>>()).wrapping_mul(0x9E37_79B9) % PLACES;
    for step in 0..PLACES {
        let place = &TABLE[(start + step) % PLACES];
        // Acquire: pairs with the store below.
        // SAFETY: only `make` stores here, what it leaked.
        match unsafe { place.load(Ordering::Acquire).as_ref() } {
            Some(known) if ptr::eq(known.key, meta) => return Some(known),
            Some(_) => {}
            None => return make(place, meta, component).or_else(|| of_again(meta, component)),
        }
    }
    None
}

/// Another thread took the place in the meantime.
fn of_again(meta: &'static Metadata<'static>, component: Option<&'static str>) -> Option<&'static Foreign> {
    if lock().made >= MOST { None } else { of(meta, component) }
}

#[cold]
fn make(
    place: &AtomicPtr<Foreign>,
    meta: &'static Metadata<'static>,
    component: Option<&'static str>,
) -> Option<&'static Foreign> {
    let mut making = lock();
    if making.made >= MOST || !place.load(Ordering::Acquire).is_null() {
        return None;
    }
    let at = Place::new(
        meta.file().unwrap_or(""),
        meta.line().unwrap_or(0),
        0,
        meta.module_path().unwrap_or(""),
        if meta.is_span() { meta.name() } else { "" },
    );
    let names: Vec<_> = meta.fields().iter().map(|field| field.name()).collect();
    let stream = making.component(component.unwrap_or_else(|| meta.target()));
    let made = Box::leak(Box::new(Foreign {
        key: meta,
        site: making.site(meta.is_span(), *meta.level(), stream, meta.target(), meta.name(), &names, at),
        fields: names.len(),
        classes: names.iter().map(|name| classify(name)).collect::<Vec<_>>().leak(),
    }));
    making.made += 1;
    // Release: whoever finds it sees it whole.
    place.store(made, Ordering::Release);
    Some(made)
}

/// A line of `log`, by its level, target and place.
#[cfg(feature = "log")]
pub(super) fn of_log(
    level: Level,
    target: &str,
    file: &str,
    line: u32,
    component: Option<&'static str>,
) -> Option<&'static Foreign> {
    type Key = (Level, String, String, u32);
    static KNOWN: LazyLock<Mutex<HashMap<Key, &'static Foreign>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (level, target.to_owned(), file.to_owned(), line);
    if let Some(found) = known.get(&key) {
        return Some(*found);
    }
    let mut making = lock();
    if making.made >= MOST {
        return None;
    }
    let target: &'static str = target.to_owned().leak();
    let at = Place::new(file.to_owned().leak(), line, 0, target, "");
    let stream = making.component(component.unwrap_or(target));
    let site = making.site(false, level, stream, target, "", &["message"], at);
    let made: &'static Foreign =
        Box::leak(Box::new(Foreign { key: ptr::null(), site, fields: 1, classes: &[] }));
    making.made += 1;
    known.insert(key, made);
    Some(made)
}

impl Making {
    /// The component log of a target: that of its crate.
    fn component(&mut self, target: &str) -> Stream {
        let krate = target.split("::").next().unwrap_or(target);
        let mut name: String = krate
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '_' })
            .take(64)
            .collect();
        if name.is_empty()
            || (self.components.len() >= MOST_COMPONENTS && !self.components.contains_key(&name))
        {
            name = "other".to_owned();
        }
        if let Some(known) = self.components.get(&name) {
            return *known;
        }
        let stream = Stream::component(name.clone().leak());
        self.components.insert(name, stream);
        stream
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one site")]
    fn site(
        &mut self,
        is_span: bool,
        level: Level,
        stream: Stream,
        target: &'static str,
        name: &'static str,
        fields: &[&'static str],
        at: Place,
    ) -> Site {
        let (event, level) = (if is_span { "SPAN" } else { "LOG" }, of_level(level));
        let category = if level == crate::Level::Error { Category::Error } else { Category::System };
        let event = *self
            .events
            .entry((stream, event, level as u8))
            .or_insert_with(|| Box::leak(Box::new(EventType::new(event, stream, level, category))));
        let mut fixed = vec![Field::text("target", target)];
        if is_span {
            fixed.push(Field::text("name", name));
        }
        let mut own: Vec<_> = fields.iter().map(|name| Field::recorded(field_name(name, is_span))).collect();
        own.extend(["span", "span_fields"].map(Field::recorded));
        if is_span {
            own.extend(SPAN_EXTRA.map(Field::recorded));
        }
        let message = if is_span {
            "{name} took {duration_ms:.3} ms"
        } else if fields.contains(&"message") {
            "{message}"
        } else {
            ""
        };
        Site::new(event, message, fixed.leak(), own.leak(), at)
    }
}

/// `tracing` knows no critical, and we no trace: what a library traces is for debugging.
fn of_level(level: Level) -> crate::Level {
    match level {
        Level::ERROR => crate::Level::Error,
        Level::WARN => crate::Level::Warning,
        Level::INFO => crate::Level::Info,
        _ => crate::Level::Debug,
    }
}

/// A name that the envelope has, or that we give, is told apart by `field_` before it. `message` of an event is the line's.
fn field_name(name: &'static str, is_span: bool) -> &'static str {
    const TAKEN: &[&str] = &[
        "timestamp",
        "level",
        "event_type",
        "category",
        "service",
        "session_id",
        "decision_id",
        "source",
        "thread",
        "event_id",
        "seq",
        "nonfinite",
        "target",
        "span",
        "span_fields",
        "name",
        "duration_ms",
        "busy_ms",
    ];
    let name = name.strip_prefix("r#").unwrap_or(name);
    if TAKEN.contains(&name) || (is_span && name == "message") {
        format!("field_{name}").leak()
    } else {
        name
    }
}
