//! A measured call of a sync function: as a decision, in the caller's frame, which is not written while nobody records.

use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr;

use super::{Measured, Timer};
use crate::hot::registry::{heard, may_be_heard};
use crate::hot::value::Fields;
use crate::scope::outcome::{Outcome, closes};

/// Where the timer of a call lives while its function runs.
#[derive(Debug)]
pub struct Frame(MaybeUninit<Timer>);

impl Frame {
    /// Nothing is in it.
    pub const EMPTY: Self = Self(MaybeUninit::uninit());
}

/// A call that is being measured, if somebody records. `IN_PLACE` as for a decision.
#[must_use = "a measurement ends when its guard is dropped"]
#[derive(Debug)]
#[repr(transparent)]
pub struct Running<'f, const IN_PLACE: bool = false>(Option<&'f mut Timer>);

/// Begins, in the decision that is current now. The arguments cost nothing to name: they are evaluated also while nobody
/// records.
#[inline(always)]
pub fn open<'f, F: Fields>(frame: &'f mut Frame, measured: &'static Measured, arguments: F) -> Running<'f> {
    open_with(frame, measured, &arguments)
}

/// As [`open`], around a body that stands in place.
#[inline(always)]
pub fn open_in_place<'f, F: Fields>(
    frame: &'f mut Frame,
    measured: &'static Measured,
    arguments: F,
) -> Running<'f, true> {
    if may_be_heard() {
        Running(ManuallyDrop::new(open_with(frame, measured, &arguments)).0.take())
    } else {
        Running(None)
    }
}

/// One function for all shapes of arguments, so that nothing of it is compiled again for each.
// Not `C`, by which a fat reference is passed through memory, though it does not unwind either: at the beginning there is
// nothing yet that would have to be cleaned up.
#[inline(never)]
fn open_with<'f>(frame: &'f mut Frame, measured: &'static Measured, arguments: &dyn Fields) -> Running<'f> {
    if may_be_heard() { open_heard(frame, measured, arguments) } else { Running(None) }
}

#[expect(improper_ctypes_definitions, reason = "`C` only because such a function does not unwind")]
#[inline(never)]
extern "C" fn open_heard<'f>(
    frame: &'f mut Frame,
    measured: &'static Measured,
    arguments: &dyn Fields,
) -> Running<'f> {
    if !heard() {
        return Running(None);
    }
    let mut running = open_now(frame, measured);
    if running.keeps() {
        running.keep(arguments);
    }
    running
}

/// As [`open`], without arguments, or with some that are evaluated only when they are wanted.
#[inline(never)]
pub extern "C" fn open_without<'f>(frame: &'f mut Frame, measured: &'static Measured) -> Running<'f> {
    if heard() { open_now(frame, measured) } else { Running(None) }
}

#[inline(never)]
fn open_now<'f>(frame: &'f mut Frame, measured: &'static Measured) -> Running<'f> {
    let timer = frame.0.write(Timer::IDLE);
    timer.start_now(measured);
    Running(Some(timer))
}

impl<const IN_PLACE: bool> Running<'_, IN_PLACE> {
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

closes!(Running<'_>, |running| running.keeps(), |running, ended| {
    if let Some(timer) = &mut ManuallyDrop::new(running).0 {
        closed(timer, ended.outcome);
    }
});

impl<const IN_PLACE: bool> Drop for Running<'_, IN_PLACE> {
    #[inline(always)]
    fn drop(&mut self) {
        if !IN_PLACE || self.0.is_some() {
            unclosed(self.0.as_deref_mut());
        }
    }
}

/// By a panic, or by the return of a function whose result nobody sees.
#[inline(never)]
extern "C" fn unclosed(timer: Option<&mut Timer>) {
    if let Some(timer) = timer {
        leave(timer);
    }
}

#[inline(never)]
fn closed(timer: &mut Timer, outcome: Outcome) {
    timer.close(outcome);
    leave(timer);
}

/// Nothing is left in the frame.
#[inline]
fn leave(timer: &mut Timer) {
    // SAFETY: it was written by `open_now`, and both callers had the only reference to it, which they do not use again.
    unsafe { ptr::drop_in_place(timer) };
}
