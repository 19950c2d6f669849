//! A measured future that is in no decision: each poll is seen, so that the heartbeat names it when nobody polls it, or
//! when a poll does not return.
//!
//! Invariant: between polls nothing of it is left on the thread.

use core::pin::Pin;
use core::task::{Context, Poll};

use super::Timer;
use crate::hot::activity::{self, Entered};
use crate::hot::open::{Listed, What};

/// See [`watched`].
#[must_use = "futures do nothing unless they are awaited"]
#[derive(Debug)]
pub struct Watched<'a, F> {
    timer: &'a mut Timer,
    future: F,
}

/// Polls `future`, which `timer` measures.
#[inline]
pub const fn watched<F: Future>(timer: &mut Timer, future: F) -> Watched<'_, F> {
    Watched { timer, future }
}

impl<F: Future> Future for Watched<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is never moved out of `this`; `timer` is a reference, which may move.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: `self` was pinned, so `future` stays where it is until it is dropped there, with `self`.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        let inside = Inside::enter(this.timer);
        let polled = future.poll(task);
        drop(inside);
        polled
    }
}

/// While a thread polls it.
struct Inside<'a>(&'a mut Timer);

impl<'a> Inside<'a> {
    #[inline]
    fn enter(timer: &'a mut Timer) -> Self {
        if let Some(sites) = timer.sites {
            timer.entered = activity::enter(&sites.site, timer.started, timer.decision);
            if !timer.listed.is() {
                timer.listed = Listed::list(What::Call, &sites.site, timer.started, timer.decision);
            }
            timer.listed.poll_begins();
        }
        Self(timer)
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        activity::exit(core::mem::replace(&mut self.0.entered, Entered::NOT));
        self.0.listed.poll_ends();
    }
}
