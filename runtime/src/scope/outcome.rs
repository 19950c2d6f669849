//! How a function ended, read from the type of its result.
//!
//! Invariant: `ok` and `err` are said only of a type that is a `Result`, whatever alias it was written by. Where the
//! compiler does not know the type (a generic parameter), or it is another one, all that is said is `returned`.

use core::error::Error;
use core::fmt::{Debug, Display, Write as _};
use core::mem;
use core::ops::Deref;
use core::panic::AssertUnwindSafe;
use core::ptr;

use super::described::Parts;
use crate::found::FoundText;
use crate::hot::registry;

/// How a function ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A `Result` that is `Ok`, or a type that cannot be an error.
    Ok,
    /// A `Result` that is `Err`.
    Err,
    /// It came back, and its type says no more.
    Returned,
    /// It panicked.
    Panicked,
    /// Its future was dropped before it was ready.
    Cancelled,
}

impl Outcome {
    /// The word in the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Err => "err",
            Self::Returned => "returned",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Outcome {
    /// What a description says of a call that ended without saying how, while nothing panicked.
    pub(crate) fn unclosed(parts: &Parts) -> Self {
        // `Panicked`: a function that was called while its thread was unwinding, and panics itself.
        let said =
            [Self::Ok, Self::Returned, Self::Cancelled].into_iter().find(|said| parts.has(said.as_str()));
        said.unwrap_or(Self::Panicked)
    }
}

/// An outcome, and the error's text.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// With `Err`, when the error has a text.
    pub error: Option<FoundText>,
}

impl Ended {
    /// Returned, and cannot have failed.
    pub const OK: Self = Self::with(Outcome::Ok);
    /// Returned.
    pub const RETURNED: Self = Self::with(Outcome::Returned);

    /// Without a text.
    #[must_use]
    pub const fn with(outcome: Outcome) -> Self {
        Self { outcome, error: None }
    }

    /// Failed. Formats only while somebody records: a failing path may allocate.
    #[cold]
    #[inline(never)]
    pub(crate) fn failed(text: Text<'_>) -> Self {
        if !registry::heard() {
            return Self::with(Outcome::Err);
        }
        // The caller may be one that must not unwind, and what the log wants is no reason to.
        let text = std::panic::catch_unwind(AssertUnwindSafe(text));
        let text = text.unwrap_or_else(|_panicked| Some("(the text of this error panicked)".to_owned()));
        Self { outcome: Outcome::Err, error: text.map(FoundText::new) }
    }
}

/// What gives the text of an error, if it has one. By reference, so that what is done with it is compiled once, and not
/// for each type of error in the crates that have them.
pub type Text<'a> = &'a dyn Fn() -> Option<String>;

/// What is open while a function runs, and closed with its outcome. Its drop says that it was not.
///
/// The methods are out of line, and `C` only because such a function does not unwind.
pub trait Closes: Sized {
    /// Whether somebody records.
    fn is_open(&self) -> bool;
    /// Closes it with an outcome that is known.
    extern "C" fn close(self, ended: &Ended);
    /// Closes a call that returned, and cannot have failed.
    extern "C" fn ok(self);
    /// Closes a call that returned.
    extern "C" fn returned(self);
    /// Closes a call that returned an error; asks for its text only while somebody records.
    extern "C" fn failed(self, text: Text<'_>);
}

/// [`Closes`] for a type, of whether it is open, and of what closes it.
macro_rules! closes {
    ($type:ty, |$open:ident| $is_open:expr, |$scope:ident, $ended:ident| $close:expr) => {
        #[expect(improper_ctypes_definitions, reason = "`C` only because such a function does not unwind")]
        impl $crate::scope::outcome::Closes for $type {
            #[inline]
            fn is_open(&self) -> bool {
                let $open = self;
                $is_open
            }
            #[inline(never)]
            extern "C" fn close(self, $ended: &$crate::scope::outcome::Ended) {
                let $scope = self;
                $close;
            }
            #[inline(never)]
            extern "C" fn ok(self) {
                let $scope = self;
                let $ended = &$crate::scope::outcome::Ended::OK;
                $close;
            }
            #[inline(never)]
            extern "C" fn returned(self) {
                let $scope = self;
                let $ended = &$crate::scope::outcome::Ended::RETURNED;
                $close;
            }
            #[inline(never)]
            extern "C" fn failed(self, text: $crate::scope::outcome::Text<'_>) {
                use $crate::scope::outcome::{Closes, Ended};
                if Closes::is_open(&self) {
                    Closes::close(self, &Ended::failed(text));
                } else {
                    Closes::returned(self);
                }
            }
        }
    };
}
pub(crate) use closes;

/// Closes with an outcome that is known.
#[inline(always)]
pub fn close(scope: impl Closes, ended: &Ended) {
    scope.close(ended);
}

/// Closes a call that returned, and cannot have failed.
#[inline(always)]
pub fn ok(scope: impl Closes) {
    scope.ok();
}

/// Closes a call that returned.
#[inline(always)]
pub fn returned(scope: impl Closes) {
    scope.returned();
}

/// The error and what it came from: `order refused: no route: timed out`.
///
/// An error that already shows its source is not followed by it again.
pub(crate) fn chain(error: &(dyn Error + '_)) -> String {
    let mut text = written(format_args!("{error}"));
    let mut source = error.source();
    // A chain that leads back to itself must end.
    for _ in 0..32 {
        let Some(cause) = source else { break };
        let cause_text = written(format_args!("{cause}"));
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// A `Display` that reports an error is shown as far as it wrote; `to_string` would panic.
pub(crate) fn written(text: core::fmt::Arguments<'_>) -> String {
    let mut out = String::new();
    let _ = out.write_fmt(text);
    out
}

/// Reads the outcome of a value: `Of(&result).read()`, or closes what is open with it: `Of(&result).close(decision)`.
///
/// By type: a method that its type has no error for is not one, and the compiler goes on to what the type leads to, down
/// to [`Any`]. That costs it less than a trait would, which has to be imported, and references to references.
#[derive(Debug)]
#[repr(transparent)]
pub struct Of<'a, R>(pub &'a R);

macro_rules! level {
    ($(#[$doc:meta])* $name:ident, [$($generic:tt)*] |$error:ident| $text:expr, then $next:ident) => {
        impl<'a, $($generic)*> $name<'a, Result<T, E>> {
            /// How it ended.
            #[inline]
            #[must_use]
            pub fn read(self) -> Ended {
                match self.0 {
                    Ok(_) => Ended::OK,
                    Err($error) => Ended::failed(&|| $text),
                }
            }
            /// Closes `scope` with it.
            #[inline(never)]
            pub extern "C" fn close<S: Closes>(self, scope: S) {
                match self.0 {
                    // Nobody records: one call less.
                    _ if !scope.is_open() => mem::forget(scope),
                    Ok(_) => scope.ok(),
                    Err($error) => scope.failed(&|| $text),
                }
            }
        }

        impl<'a, R> Deref for $name<'a, R> {
            type Target = $next<'a, R>;

            #[inline(always)]
            fn deref(&self) -> &$next<'a, R> {
                // SAFETY: both are `repr(transparent)` over the same reference, and neither asks anything of it.
                unsafe { &*ptr::from_ref(self).cast() }
            }
        }

        $(#[$doc])*
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $next<'a, R>(pub &'a R);

        // Not derived, which would ask it of the result.
        impl<R> Clone for $next<'_, R> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<R> Copy for $next<'_, R> {}
    };
}

level! {
    /// One whose error is not an [`Error`] itself; a `Result` with a pointer to one, such as `Box<dyn Error>`, is read.
    Of, [T, E: Error] |error| Some(chain(error)), then Pointed
}
level! {
    /// One whose error is no pointer to an [`Error`] either; a `Result` with something that can be shown is read.
    Pointed, [T, E: Deref<Target: Error>] |error| Some(pointed(error)), then Shown
}
level! {
    /// One whose error cannot be shown; a `Result` with something that can be debugged is read.
    Shown, [T, E: Display] |error| Some(shown(error)), then Debugged
}
level! {
    /// One whose error cannot be debugged; any `Result` is read, without a text.
    Debugged, [T, E: Debug] |error| Some(debugged(error)), then Failed
}
level! {
    /// Anything else.
    Failed, [T, E] |_error| None, then Any
}

impl<R> Any<'_, R> {
    /// It returned.
    #[inline]
    #[must_use]
    pub fn read(self) -> Ended {
        Ended::RETURNED
    }
    /// Closes `scope` with that.
    #[inline(always)]
    pub fn close<S: Closes>(self, scope: S) {
        scope.returned();
    }
}

fn shown(error: &dyn Display) -> String {
    written(format_args!("{error}"))
}

fn debugged(error: &dyn Debug) -> String {
    written(format_args!("{error:?}"))
}

/// The target may be unsized, and then cannot become `dyn Error` itself.
fn pointed<E: Deref<Target: Error>>(error: &E) -> String {
    let target = &**error;
    let mut text = written(format_args!("{target}"));
    if let Some(source) = target.source() {
        let source = chain(source);
        if !text.ends_with(&source) {
            text.push_str(": ");
            text.push_str(&source);
        }
    }
    text
}
