//! A future whose polls happen inside of a decision.
//!
//! Invariant: between polls nothing of the decision is left on the thread; the future is dropped inside of it too, so
//! that what its destructors record carries the id.

use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::decision::Scope;

/// See [`within`].
#[must_use = "futures do nothing unless they are awaited"]
#[derive(Debug)]
pub struct Within<'a, F> {
    scope: &'a mut Scope,
    future: ManuallyDrop<F>,
}

/// Polls `future` inside of the decision.
#[inline]
pub const fn within<F: Future>(scope: &mut Scope, future: F) -> Within<'_, F> {
    Within { scope, future: ManuallyDrop::new(future) }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is never moved out of `this`; `scope` is a reference, which may move.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `self` was pinned, so `future` stays where it is until it is dropped there, in `drop` below.
        let future = unsafe { Pin::new_unchecked(&mut *this.future) };
        let inside = this.scope.inside();
        let polled = future.poll(task);
        drop(inside);
        if polled.is_pending() {
            this.scope.hear_verdict();
        }
        polled
    }
}

impl<F> Drop for Within<'_, F> {
    fn drop(&mut self) {
        let future = &mut self.future;
        self.scope.run(|| {
            // SAFETY: `drop` runs once, nothing uses `future` after it, and it is dropped in place, as pinning asks.
            unsafe { ManuallyDrop::drop(future) };
        });
    }
}

/// A boxed future, for functions that return one.
pub fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}
