//! Lazy decisions: DECISION_START is written when something happens inside, with its true time in `started_at`.
//!
//! Invariant: a START that waits is written before the first record inside of it, outermost first. A thread keeps four;
//! a fifth is written at once.

use core::cell::{Cell, RefCell};

use super::kept::Kept;
use crate::hot::fields::And;
use crate::hot::ids::DecisionId;
use crate::hot::site::Site;
use crate::hot::value::{Maybe, Taken};
use crate::hot::{record, thread};

const DEPTH: usize = 4;
/// Bytes of START's own fields that wait without allocation: some texts and numbers, and a quote among the inputs.
pub(crate) const WAITING: usize = 192;

/// A START that was not written yet.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) site: &'static Site,
    pub(crate) id: DecisionId,
    pub(crate) parent: DecisionId,
    pub(crate) started: u64,
    pub(crate) fields: Kept<WAITING>,
}

impl Pending {
    fn write(&self) {
        let previous = thread::swap_decision(self.id);
        let head = (Maybe(self.parent.some()), Maybe(Some(Taken(self.started))));
        record::record(self.site, &And(head, &self.fields));
        thread::set_decision(previous);
    }
}

/// How many of them wait is `waiting` in the thread's state, which has no destructor: asking costs one load.
struct Stack {
    waiting: RefCell<[Option<Pending>; DEPTH]>,
}

thread_local! {
    static STACK: Stack = const { Stack { waiting: RefCell::new([const { None }; DEPTH]) } };
}

#[inline]
fn depth() -> usize {
    thread::THREAD.with(|thread| thread.waiting.get())
}

fn set_depth(depth: usize) {
    thread::THREAD.with(|thread| thread.waiting.set(depth));
}

/// Lets a START wait on this thread.
pub(crate) fn wait(pending: Pending) {
    let pending = Cell::new(Some(pending));
    let _ = STACK.try_with(|stack| {
        let Ok(mut waiting) = stack.waiting.try_borrow_mut() else { return };
        let depth = depth();
        if depth < DEPTH {
            waiting[depth] = pending.take();
            set_depth(depth + 1);
        }
    });
    if let Some(pending) = pending.take() {
        begin();
        pending.write();
    }
}

/// Takes the START of a decision back, if it still waits.
pub(crate) fn unwait(id: DecisionId) -> Option<Kept<WAITING>> {
    STACK
        .try_with(|stack| {
            let top = depth().checked_sub(1)?;
            let mut waiting = stack.waiting.try_borrow_mut().ok()?;
            if waiting[top].as_ref().is_some_and(|pending| pending.id == id) {
                set_depth(top);
                waiting[top].take().map(|pending| pending.fields)
            } else {
                None
            }
        })
        .unwrap_or_default()
}

/// Whether something waits on this thread.
#[inline]
pub(crate) fn waits() -> bool {
    depth() != 0
}

/// Something happens: what waits is written.
#[inline]
pub(crate) fn begin() {
    if waits() {
        write_all();
    }
}

#[cold]
fn write_all() {
    // After the thread's destructors ran there is nothing that waits.
    let _ = STACK.try_with(|stack| {
        let Ok(mut waiting) = stack.waiting.try_borrow_mut() else { return };
        set_depth(0);
        for pending in waiting.iter_mut().filter_map(Option::take) {
            pending.write();
        }
    });
}
