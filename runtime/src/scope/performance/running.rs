//! A measured call of a sync function: as a decision, in a place of its thread, which is not written while nobody records.

use core::mem::ManuallyDrop;

use super::{Measured, Timer};
use crate::hot::fields::Fields;
use crate::hot::registry::{heard, may_be_heard};
use crate::scope::frames::{Framed, Frames, InFrames, Vacant};
use crate::scope::outcome::{Outcome, closes};

/// A call that is being measured, if somebody records. `IN_PLACE` as for a decision.
#[must_use = "a measurement ends when its guard is dropped"]
#[derive(Debug)]
#[repr(transparent)]
pub struct Running<const IN_PLACE: bool = false>(Option<Framed<Timer>>);

thread_local! {
    static FRAMES: Frames<Timer> = const { Frames::new() };
}

impl InFrames for Timer {
    #[inline(always)]
    fn of_thread<R>(look: impl FnOnce(&Frames<Self>) -> R) -> R {
        FRAMES.with(look)
    }
}

/// Begins, in the decision that is current now. The arguments cost nothing to name: they are evaluated also while nobody
/// records.
#[inline(always)]
pub fn open<F: Fields>(measured: &'static Measured, arguments: F) -> Running {
    open_with(measured, &arguments)
}

/// As [`open`], around a body that stands in place.
#[inline(always)]
pub fn open_in_place<F: Fields>(measured: &'static Measured, arguments: F) -> Running<true> {
    if may_be_heard() {
        // As in `decision::open_in_place`.
        let arguments = arguments;
        Running(ManuallyDrop::new(open_with(measured, &arguments)).0.take())
    } else {
        Running(None)
    }
}

/// One function for all shapes of arguments, so that nothing of it is compiled again for each.
// It may unwind: a field's own code may panic, and where nothing may unwind that ends the process.
#[inline(never)]
fn open_with(measured: &'static Measured, arguments: &dyn Fields) -> Running {
    if may_be_heard() { open_heard(measured, arguments) } else { Running(None) }
}

#[inline(never)]
fn open_heard(measured: &'static Measured, arguments: &dyn Fields) -> Running {
    if !heard() {
        return Running(None);
    }
    let mut running = open_now(measured);
    if running.keeps() {
        running.keep(arguments);
    }
    running
}

/// As [`open`], without arguments, or with some that are evaluated only when they are wanted.
#[inline(never)]
pub extern "C" fn open_without(measured: &'static Measured) -> Running {
    if heard() { open_now(measured) } else { Running(None) }
}

#[inline(never)]
fn open_now(measured: &'static Measured) -> Running {
    let mut timer = Vacant::take().map(|place| place.put(Timer::IDLE));
    if let Some(timer) = &mut timer {
        timer.start_now(measured);
    }
    Running(timer)
}

impl<const IN_PLACE: bool> Running<IN_PLACE> {
    /// As [`Timer::keeps`].
    #[inline]
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.0.as_ref().is_some_and(|timer| timer.keeps())
    }

    /// As [`Timer::keep`].
    #[inline]
    pub fn keep(&mut self, arguments: &dyn Fields) {
        if let Some(timer) = &mut self.0 {
            timer.keep(arguments);
        }
    }
}

closes!(Running, |running| running.0.is_some(), |running, ended| {
    if let Some(timer) = ManuallyDrop::new(running).0.take() {
        closed(timer, ended.outcome);
    }
});

impl<const IN_PLACE: bool> Drop for Running<IN_PLACE> {
    #[inline(always)]
    fn drop(&mut self) {
        if !IN_PLACE || self.0.is_some() {
            unclosed(self.0.take());
        }
    }
}

/// By a panic, or by the return of a function whose result nobody sees.
#[inline(never)]
extern "C" fn unclosed(timer: Option<Framed<Timer>>) {
    if let Some(timer) = timer {
        timer.remove();
    }
}

#[inline(never)]
fn closed(mut timer: Framed<Timer>, outcome: Outcome) {
    timer.close(outcome);
    timer.remove();
}
