//! How old an input of a decision is.

use std::time::{Duration, Instant, SystemTime};

/// A value that knows when it was observed: `inputs(quote)` of `#[decision]` then records `quote_age_ms` beside it.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// struct Quote { bid_px: f64, received: Instant }
///
/// impl tapelog::Observed for Quote {
///     fn age(&self) -> Duration {
///         self.received.elapsed()
///     }
/// }
/// # let quote = Quote { bid_px: 1.0, received: Instant::now() };
/// # let _ = (quote.bid_px, tapelog::Observed::age(&quote));
/// ```
pub trait Observed {
    /// The time since then.
    fn age(&self) -> Duration;
}

impl<T: Observed + ?Sized> Observed for &T {
    fn age(&self) -> Duration {
        (**self).age()
    }
}

/// What may stand behind `=>` in `inputs(px = quote.px => quote.received)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say when something was observed",
    label = "this is neither an `Instant`, a `SystemTime` nor a `Duration`",
    note = "write `inputs(name = value => instant)`"
)]
pub trait Since {
    /// The time since then.
    fn elapsed(&self) -> Duration;
}

impl Since for Instant {
    fn elapsed(&self) -> Duration {
        Instant::elapsed(self)
    }
}

impl Since for SystemTime {
    fn elapsed(&self) -> Duration {
        // A clock that was set back: not older than now.
        SystemTime::elapsed(self).unwrap_or_default()
    }
}

impl Since for Duration {
    fn elapsed(&self) -> Duration {
        *self
    }
}

impl<T: Since + ?Sized> Since for &T {
    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }
}

/// The age in milliseconds.
pub fn since(moment: &impl Since) -> Option<f64> {
    Some(moment.elapsed().as_secs_f64() * 1e3)
}

/// Asks a value for its age, if its type has one.
#[derive(Debug)]
pub struct Of<'a, T: ?Sized>(pub &'a T);

/// The traits that find out by type.
pub mod levels {
    use super::{Observed, Of};

    /// The type knows.
    pub trait Known {
        /// The age in milliseconds.
        fn age(&self) -> Option<f64>;
    }

    impl<T: Observed + ?Sized> Known for Of<'_, T> {
        fn age(&self) -> Option<f64> {
            Some(self.0.age().as_secs_f64() * 1e3)
        }
    }

    /// The type does not know.
    pub trait Unknown {
        /// Nothing.
        fn age(&self) -> Option<f64>;
    }

    impl<T: ?Sized> Unknown for &Of<'_, T> {
        fn age(&self) -> Option<f64> {
            None
        }
    }
}
