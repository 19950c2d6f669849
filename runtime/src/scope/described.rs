//! The description of an annotated function: one text, since that is what costs the compiler least. Its sites are made
//! of it when the function is first recorded.
//!
//! Invariant: the text is written by the macros alone. Its first line is the function's name and words about it; each
//! other line is a field: `name`, or `name=` and a constant (`t` text, `i` integer, `f` float, `b` truth, `0` null).

use core::fmt;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::hot::registry;
use crate::hot::site::{Field, Place, Source};
use crate::hot::thread::THREAD;

/// What the macros write, in a `static`.
///
/// A pointer rather than a `OnceBox`: it has no drop, and it may be shared whatever it points to, which is two questions
/// less for the compiler at each annotated function.
pub struct Described<T> {
    /// Null, or from `Box::into_raw`, and then never given back.
    made: AtomicPtr<T>,
    text: &'static str,
    at: &'static Location<'static>,
    module: &'static str,
}

/// What is made of a description.
pub trait Make: Sized {
    /// Makes it; called once, by whoever records first.
    #[doc(hidden)]
    fn make(parts: &Parts) -> Self;
}

/// A description, taken apart.
#[derive(Debug)]
pub struct Parts {
    pub(crate) place: Place,
    words: &'static str,
    pub(crate) fields: Vec<Field>,
}

impl<T> Described<T> {
    /// The place is that of the call.
    #[must_use]
    #[track_caller]
    pub const fn new(text: &'static str, module: &'static str) -> Self {
        Self { made: AtomicPtr::new(ptr::null_mut()), text, at: Location::caller(), module }
    }
}

// `Send` and `Sync`: what one thread makes, all of them use.
impl<T: Make + Send + Sync> Described<T> {
    /// The sites; none in an allocator that is called while this thread makes some.
    #[inline]
    pub(crate) fn get(&'static self) -> Option<&'static T> {
        match self.made() {
            Some(made) => Some(made),
            None => self.make(),
        }
    }

    #[inline]
    fn made(&'static self) -> Option<&'static T> {
        // Acquire: what it points to was written before; pairs with the exchange in `make`.
        let made = self.made.load(Ordering::Acquire);
        // SAFETY: it is null, or points to a box that was leaked, which nobody writes or frees.
        unsafe { made.as_ref() }
    }

    /// A function's first record may allocate.
    #[cold]
    #[inline(never)]
    fn make(&'static self) -> Option<&'static T> {
        THREAD.with(|thread| {
            if thread.allocates.replace(true) {
                registry::count_reentrant();
                return None;
            }
            let new = Box::into_raw(Box::new(T::make(&self.parts())));
            // Release: publishes what was made. Another thread's may be there by now; then ours is not needed.
            let first =
                self.made.compare_exchange(ptr::null_mut(), new, Ordering::Release, Ordering::Relaxed);
            if first.is_err() {
                // SAFETY: `new` is from `Box::into_raw`, three lines above, and nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
            }
            thread.allocates.set(false);
            self.made()
        })
    }

    fn parts(&self) -> Parts {
        let mut lines = self.text.split('\n');
        let first = lines.next().unwrap_or_default();
        let (function, words) = first.split_once(' ').unwrap_or((first, ""));
        let place = Place::new(self.at.file(), self.at.line(), self.at.column(), self.module, function);
        Parts { place, words, fields: lines.map(field).collect() }
    }
}

impl<T> fmt::Debug for Described<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Described").field("text", &self.text).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Parts {
    /// Whether the word stands in the first line.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.split(' ').any(|other| other == word)
    }

    /// The number behind `word=`, or `default`.
    pub(crate) fn number(&self, word: &str, default: u64) -> u64 {
        let said = self.words.split(' ').find_map(|said| said.strip_prefix(word)?.strip_prefix('='));
        said.and_then(|number| number.parse().ok()).unwrap_or(default)
    }
}

/// Lives as long as the process, as the site does that it is for.
pub(crate) fn leaked(fields: Vec<Field>) -> &'static [Field] {
    fields.leak()
}

fn field(line: &'static str) -> Field {
    let Some((name, constant)) = line.split_once('=') else { return Field::recorded(line) };
    Field::new(name, source(constant).unwrap_or(Source::Null))
}

fn source(constant: &'static str) -> Option<Source> {
    let value = constant.get(1..)?;
    Some(match constant.as_bytes().first()? {
        b't' => Source::Text(unescaped(value)),
        b'i' => Source::Int(value.parse().ok()?),
        b'f' => Source::Float(value.parse().ok()?),
        b'b' => Source::Bool(value.parse().ok()?),
        _ => Source::Null,
    })
}

/// A text of several lines stands in one.
fn unescaped(text: &'static str) -> &'static str {
    if !text.contains('\\') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.as_str().starts_with('n') => {
                chars.next();
                out.push('\n');
            }
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out.leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made(Place, Vec<Field>, bool, u64);

    impl Make for Made {
        fn make(parts: &Parts) -> Self {
            Self(parts.place, parts.fields.clone(), parts.has("lazy"), parts.number("deadline_ns", 0))
        }
    }

    #[test]
    fn a_description_is_read_as_it_was_written() {
        static WHOLE: Described<Made> = Described::new(
            "evaluate lazy deadline_ns=5000\nsymbol\nkind=tbuy\nmax=f20.5\ncount=i-3\nlive=btrue\nnote=ta\\nb\\\\=c\nnone=0",
            "module",
        );
        let line = line!() - 4;
        let Made(place, fields, lazy, deadline) = WHOLE.get().unwrap();
        assert_eq!(
            (place.function, place.module, place.file, place.line),
            ("evaluate", "module", file!(), line)
        );
        assert!(*lazy && *deadline == 5000);
        let expected = [
            Field::recorded("symbol"),
            Field::text("kind", "buy"),
            Field::new("max", Source::Float(20.5)),
            Field::new("count", Source::Int(-3)),
            Field::new("live", Source::Bool(true)),
            Field::text("note", "a\nb\\=c"),
            Field::new("none", Source::Null),
        ];
        assert_eq!(fields, &expected);
    }

    #[test]
    fn a_description_that_is_made_inside_of_another_makes_nothing() {
        static OUTER: Described<Nested> = Described::new("outer", "module");
        static INNER: Described<Made> = Described::new("inner", "module");
        struct Nested(bool);
        impl Make for Nested {
            fn make(_parts: &Parts) -> Self {
                Self(INNER.get().is_some())
            }
        }
        assert!(!OUTER.get().unwrap().0);
        assert!(INNER.get().is_some());
    }
}
