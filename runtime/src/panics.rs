//! Panics: each one is recorded, with its decision and its place, before it goes on as it would have.
//!
//! Invariant: the hook that was there before still runs, after ours, with the same panic. Ours neither panics nor waits.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once};

use crate::event;
use crate::events::PANIC;
use crate::found::FoundText;
use crate::hot::activity;
use crate::hot::registry::is_recording;
use crate::hot::thread;

/// How many messages are kept for THREAD_PANICKED.
const KEPT: usize = 64;

/// The last panics: the kernel's id of the thread, and what it said.
static LAST: Mutex<VecDeque<(u32, String)>> = Mutex::new(VecDeque::new());
static INSTALLED: Once = Once::new();

/// Puts our hook before the one that is there, once in a process. While nobody records it does nothing.
pub(crate) fn install() {
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if is_recording() {
                record(info);
            }
            previous(info);
        }));
    });
}

/// What the thread with this id last panicked with.
pub(crate) fn message_of(thread_id: u32) -> Option<String> {
    let last = LAST.try_lock().ok()?;
    last.iter().find(|(id, _)| *id == thread_id).map(|(_, message)| message.clone())
}

fn record(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("(a payload that is no text)");
    let panic_place = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let thread_id = thread::thread_id();
    let name = std::thread::current().name().unwrap_or("unnamed").to_owned();
    // Taken only when RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    if let Ok(mut last) = LAST.try_lock() {
        last.truncate(KEPT - 1);
        last.push_front((thread_id, format!("{message} ({panic_place})")));
    }
    let slot = activity::mine();
    slot.panics();
    let critical = slot.is_critical();
    let panic_message = FoundText::new(message);
    event!(
        PANIC,
        panicked_thread = name,
        thread_id,
        panic_place,
        panic_message,
        critical,
        backtrace = backtrace.map(FoundText::new),
        "{panicked_thread} panicked at {panic_place}: {panic_message}"
    );
}
