//! How a function ended, read from the type of its result.
//!
//! Invariant: `ok` and `err` are said only of a type that is a `Result`, whatever alias it was written by. Where the
//! compiler does not know the type (a generic parameter), or it is another one, all that is said is `returned`.

use core::error::Error;
use core::fmt::{Debug, Display, Write as _};
use core::ops::Deref;
use core::panic::AssertUnwindSafe;

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

    #[inline]
    fn read<T, E>(result: &Result<T, E>, text: impl FnOnce(&E) -> Option<String>) -> Self {
        match result {
            Ok(_) => Self::OK,
            Err(error) => Self::failed(error, text),
        }
    }

    /// Formats only while somebody records: a failing path may allocate.
    #[cold]
    #[inline(never)]
    fn failed<E>(error: &E, text: impl FnOnce(&E) -> Option<String>) -> Self {
        if !registry::heard() {
            return Self::with(Outcome::Err);
        }
        // The caller may be one that must not unwind, and what the log wants is no reason to.
        let text = std::panic::catch_unwind(AssertUnwindSafe(|| text(error)));
        let text = text.unwrap_or_else(|_panicked| Some("(the text of this error panicked)".to_owned()));
        Self { outcome: Outcome::Err, error: text.map(FoundText::new) }
    }
}

/// What is open while a function runs, and closed with its outcome. Its drop says that it was not.
pub trait Closes {
    /// Closes it; asks for the outcome only while somebody records. Does not unwind.
    fn close(self, ended: impl FnOnce() -> Ended);
}

/// Closes with an outcome that is known.
#[inline(never)]
pub extern "C" fn close(scope: impl Closes, ended: &Ended) {
    scope.close(|| ended.clone());
}

/// Closes a call that returned, and cannot have failed.
#[inline(never)]
pub extern "C" fn ok(scope: impl Closes) {
    scope.close(|| Ended::OK);
}

/// Closes a call that returned.
#[inline(never)]
pub extern "C" fn returned(scope: impl Closes) {
    scope.close(|| Ended::RETURNED);
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

/// Reads the outcome of a value: `(&&&&&&Of(&result)).read()`, with [`Level`] in scope, or closes what is open with it:
/// `(&&&&&&Of(&result)).close(decision)`.
#[derive(Debug)]
pub struct Of<'a, R>(pub &'a R);

/// What finds out by type how a function ended. The implementation with the most references is tried first; that all are
/// of one trait leaves the compiler one question at each of them.
pub trait Level {
    /// How it ended.
    fn read(&self) -> Ended;
    /// Closes `scope` with it.
    fn close<S: Closes>(&self, scope: S);
}

macro_rules! level {
    ($(#[$doc:meta])* [$($refs:tt)*] [$($generic:tt)*] $result:ty, |$error:ident| $text:expr) => {
        $(#[$doc])*
        impl<$($generic)*> Level for $($refs)* Of<'_, $result> {
            #[inline]
            fn read(&self) -> Ended {
                Ended::read(self.0, |$error| $text)
            }
            // In place, so that the caller need not keep the references to references in memory.
            #[inline(always)]
            fn close<S: Closes>(&self, scope: S) {
                // `C` only because such a function does not unwind.
                #[inline(never)]
                extern "C" fn close<$($generic)*, S: Closes>(result: &$result, scope: S) {
                    scope.close(|| Ended::read(result, |$error| $text));
                }
                close(self.0, scope);
            }
        }
    };
}

level! {
    /// A `Result` with an error: its text, and that of its sources.
    [&&&&&][T, E: Error] Result<T, E>, |error| Some(chain(error))
}
level! {
    /// A `Result` with a pointer to an error, such as `Box<dyn Error>`.
    [&&&&][T, E: Deref<Target: Error>] Result<T, E>, |error| Some(pointed(error))
}
level! {
    /// A `Result` with something that can be shown.
    [&&&][T, E: Display] Result<T, E>, |error| Some(written(format_args!("{error}")))
}
level! {
    /// A `Result` with something that can be debugged.
    [&&][T, E: Debug] Result<T, E>, |error| Some(written(format_args!("{error:?}")))
}
level! {
    /// Any other `Result`.
    [&][T, E] Result<T, E>, |_error| None
}

/// Anything else.
impl<R> Level for Of<'_, R> {
    #[inline]
    fn read(&self) -> Ended {
        Ended::RETURNED
    }
    #[inline(always)]
    fn close<S: Closes>(&self, scope: S) {
        returned(scope);
    }
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
