//! What `error!` reads of the error that it is given: its text, those of its sources, and a backtrace where one is
//! wanted. Only ever called on a failing path, while somebody records: it may allocate.

use std::backtrace::{Backtrace, BacktraceStatus};

use crate::__private::{Encoder, Fields};
use crate::found::FoundText;
use crate::hot::value::{Maybe, Value};

/// Text, chain and backtrace: the three recorded fields of `error!`.
#[derive(Debug)]
pub struct Found {
    error: Maybe<FoundText>,
    chain: Maybe<Vec<FoundText>>,
    backtrace: Maybe<FoundText>,
}

impl Found {
    /// No error was given.
    #[cold]
    #[must_use]
    pub fn nothing() -> Self {
        Self::of(None, Vec::new())
    }

    fn of(error: Option<String>, chain: Vec<String>) -> Self {
        // Taken only when RUST_BACKTRACE asks for it.
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        let chain = (!chain.is_empty()).then(|| chain.into_iter().map(FoundText::new).collect());
        Self {
            error: Maybe(error.map(FoundText::new)),
            chain: Maybe(chain),
            backtrace: Maybe(backtrace.map(FoundText::new)),
        }
    }
}

impl Fields for Found {
    fn size(&self) -> usize {
        self.error.size() + self.chain.size() + self.backtrace.size()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        Value::encode(&self.error, out);
        Value::encode(&self.chain, out);
        Value::encode(&self.backtrace, out);
    }
}

/// Reads an error by what its type can do: `(&&&Of(&error)).found()`, with the traits of [`levels`] in scope.
#[derive(Debug)]
pub struct Of<'a, E: ?Sized>(pub &'a E);

/// The traits that find out by type: the one with the most references is tried first.
pub mod levels {
    use core::error::Error;
    use core::fmt::Display;
    use core::ops::Deref;

    use super::{Found, Of};
    use crate::scope::outcome::written;

    /// Sources behind an error; a chain that leads back to itself ends.
    fn sources(mut source: Option<&(dyn Error + 'static)>) -> Vec<String> {
        let mut chain = Vec::new();
        while let Some(cause) = source.filter(|_| chain.len() < 32) {
            chain.push(written(format_args!("{cause}")));
            source = cause.source();
        }
        chain
    }

    /// An error.
    pub trait OfError {
        /// What it says.
        fn found(&self) -> Found;
    }

    impl<E: Error> OfError for &&Of<'_, E> {
        #[cold]
        fn found(&self) -> Found {
            Found::of(Some(written(format_args!("{}", self.0))), sources(self.0.source()))
        }
    }

    /// A pointer to an error, such as `Box<dyn Error>`.
    pub trait OfPointer {
        /// What it says.
        fn found(&self) -> Found;
    }

    impl<E: Deref<Target: Error>> OfPointer for &Of<'_, E> {
        #[cold]
        fn found(&self) -> Found {
            let target = &**self.0;
            Found::of(Some(written(format_args!("{target}"))), sources(target.source()))
        }
    }

    /// Something that can be shown.
    pub trait OfDisplay {
        /// What it says.
        fn found(&self) -> Found;
    }

    impl<E: Display + ?Sized> OfDisplay for Of<'_, E> {
        #[cold]
        fn found(&self) -> Found {
            Found::of(Some(written(format_args!("{}", self.0))), Vec::new())
        }
    }
}
