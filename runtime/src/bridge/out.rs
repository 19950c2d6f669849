//! Our events as `tracing` events.

use core::cell::Cell;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::Ordering;
use std::panic::catch_unwind;

use tracing_core::field::Value;
use tracing_core::metadata::Kind;
use tracing_core::{Event, LevelFilter};

use super::callsite::{self, Made};
use super::text::{Now, Owned};
use crate::cold::decode::{Decoded, Reader};
use crate::cold::sites::{From, Piece, Sites};
use crate::hot::context::Context;
use crate::hot::describe;
use crate::hot::fields::Fields;
use crate::hot::site::Site;
use crate::hot::thread::THREAD;

/// A site that somebody listened to, ready to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    made: &'static Made,
    message: Vec<Piece>,
    fields: Vec<From>,
    /// Whether `correlation_id` is taken from the context, since the site has no field of that name.
    correlation: bool,
}

/// What stands before the fields of the site.
const HEAD: [&str; 4] = ["message", "event_type", "category", "decision_id"];

/// Whether any subscriber is there: one relaxed load.
#[inline]
pub(crate) fn listening() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}

/// Whether a subscriber wants the events of this site.
#[inline]
pub(crate) fn wants(site: &'static Site) -> bool {
    callsite::level(site.event.level) <= LevelFilter::current() && asked(site)
}

#[cold]
#[inline(never)]
fn asked(site: &'static Site) -> bool {
    may_speak() && guarded(|| of(site).made.is_wanted()).unwrap_or(false)
}

/// The recorder's own threads say nothing outside: a subscriber that blocks would block them. Neither does an event that
/// a subscriber makes while it is told of one.
fn may_speak() -> bool {
    !SPEAKING.get() && !THREAD.with(|thread| thread.never_waits.get())
}

thread_local! {
    static SPEAKING: Cell<bool> = const { Cell::new(false) };
}

/// Calls a subscriber. Its panic is its own: the call that records may be one that must not unwind, and the application
/// does not fail because of its log. The panic hook has told of it.
pub(super) fn guarded<R>(call: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// Runs `speak` unless this thread speaks already.
pub(super) fn speaking<R>(speak: impl FnOnce() -> R) -> Option<R> {
    struct Silent;
    impl Drop for Silent {
        fn drop(&mut self) {
            SPEAKING.set(false);
        }
    }
    if !may_speak() {
        return None;
    }
    SPEAKING.set(true);
    let _silent = Silent;
    guarded(speak)
}

/// The outgoing half of a site, made on its first use.
fn of(site: &'static Site) -> &'static Outgoing {
    let known = site.outgoing.load(Ordering::Acquire);
    // SAFETY: only the line below stores here, what was leaked for it.
    if let Some(known) = unsafe { known.as_ref() } {
        return known;
    }
    let made = Box::leak(Box::new(make(site)));
    // Release: whoever loads it sees it whole. A thread that was faster has registered a callsite of its own, which is
    // used by nobody from here on.
    site.outgoing.store(made, Ordering::Release);
    made
}

fn make(site: &'static Site) -> Outgoing {
    let mut sites = Sites::default();
    sites.add(&describe::site(0, site));
    let (message, fields) = sites
        .get(0)
        .map(|info| (info.message.clone(), info.fields.iter().map(|field| field.from.clone()).collect()))
        .unwrap_or_default();
    let mut names = HEAD.to_vec();
    let correlation = site.fields().all(|field| field.name != "correlation_id");
    if correlation {
        names.push("correlation_id");
    }
    names.extend(site.fields().map(|field| field.name));
    let made = Made::new(site, site.event.name, site.event.stream.name(), names, Kind::EVENT);
    Outgoing { made, message, fields, correlation }
}

/// Sends an event out, if a subscriber wants it.
#[inline]
pub(crate) fn event<F: Fields>(site: &'static Site, fields: &F) {
    if callsite::level(site.event.level) <= LevelFilter::current() {
        send(site, fields);
    }
}

#[cold]
#[inline(never)]
fn send(site: &'static Site, fields: &dyn Fields) {
    speaking(|| {
        let outgoing = of(site);
        outgoing.made.if_wanted(|dispatch| {
            let bytes = bytes(fields);
            let mut reader = Reader::new(&bytes);
            let values: Vec<_> = outgoing
                .fields
                .iter()
                .map(|from| match from {
                    From::Recorded => reader.value().unwrap_or(Decoded::Absent),
                    From::Constant(constant) => constant.value(),
                    From::DisplayTime | From::EpochSeconds => Decoded::Absent,
                })
                .collect();
            let now = Now::take();
            let owned: Vec<_> = outgoing
                .fields
                .iter()
                .zip(&values)
                .map(|(from, value)| match from {
                    From::DisplayTime | From::EpochSeconds => now.derived(from),
                    _ => now.owned(value),
                })
                .collect();
            let context = Context::current();
            let message = now.message(&outgoing.message, &outgoing.fields, &values);
            let decision = context.decision_id().map(|id| id.to_string());
            let correlation = outgoing.correlation.then(|| context.text("correlation_id"));
            let category = site.event.category.as_str();
            let mut all: Vec<Option<&dyn Value>> = vec![
                Some(&message),
                Some(&site.event.name),
                Some(&category),
                decision.as_ref().map(|id| id as &dyn Value),
            ];
            all.extend(correlation.as_ref().map(|id| id.as_ref().map(|id| id as &dyn Value)));
            all.extend(owned.iter().map(Owned::as_value));
            let meta = outgoing.made.meta();
            dispatch.event(&Event::new(meta, &meta.fields().value_set_all(&all)));
        })
    });
}

/// The values of a record.
pub(super) fn bytes(fields: &dyn Fields) -> Vec<u8> {
    describe::bytes(&fields)
}
