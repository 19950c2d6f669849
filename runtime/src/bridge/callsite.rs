//! Our sites as callsites of `tracing`: made at run time, one for each site that somebody listens to, and never freed.

use std::sync::OnceLock;

use core::sync::atomic::{AtomicU8, Ordering};

use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::metadata::Kind;
use tracing_core::subscriber::{Interest, NoSubscriber};
use tracing_core::{Dispatch, Level, Metadata, dispatcher};

use super::TARGET;
use crate::cold::sites::Constant;
use crate::hot::site::Site;

/// What the subscribers said of a callsite: nothing yet is as `sometimes`.
const SOMETIMES: u8 = 0;
const NEVER: u8 = 1;
const ALWAYS: u8 = 2;

/// One callsite.
#[derive(Debug, Default)]
pub(crate) struct Made {
    interest: AtomicU8,
    metadata: OnceLock<Metadata<'static>>,
    /// Of a span: where the values of its own fields come from.
    pub(super) origins: OnceLock<Vec<Origin>>,
}

/// Where a field's value comes from: a place among the recorded values, or the site.
#[derive(Debug)]
pub(super) enum Origin {
    Recorded(usize),
    Constant(Constant),
    Absent,
}

/// The level that `tracing` has for ours.
pub(super) const fn level(level: crate::Level) -> Level {
    match level {
        crate::Level::Debug => Level::DEBUG,
        crate::Level::Info => Level::INFO,
        crate::Level::Warning => Level::WARN,
        crate::Level::Error | crate::Level::Critical => Level::ERROR,
    }
}

impl Made {
    /// A callsite for `site`, known to every subscriber that there is or will be.
    pub(super) fn new(
        site: &'static Site,
        name: &'static str,
        target: &str,
        fields: Vec<&'static str>,
        kind: Kind,
    ) -> &'static Self {
        let made: &'static Self = Box::leak(Box::default());
        let target: &'static str = Box::leak(format!("{TARGET}{target}").into_boxed_str());
        let fields = FieldSet::new(Box::leak(fields.into_boxed_slice()), Identifier(made));
        let place = &site.place;
        let metadata = Metadata::new(
            name,
            target,
            level(site.event.level),
            Some(place.file),
            Some(place.line),
            Some(place.module),
            fields,
            kind,
        );
        let _first = made.metadata.set(metadata);
        callsite::register(made);
        made
    }

    pub(super) fn meta(&'static self) -> &'static Metadata<'static> {
        self.metadata.get().expect("it is set before anybody else has the callsite")
    }

    /// Calls `with` the current subscriber, if that wants this callsite now.
    pub(super) fn if_wanted<R>(&'static self, with: impl FnOnce(&Dispatch) -> R) -> Option<R> {
        let interest = self.interest.load(Ordering::Relaxed);
        if interest == NEVER {
            return None;
        }
        let mut with = Some(with);
        dispatcher::get_default(|dispatch| {
            // What a subscriber that is gone said is remembered: nobody need be there.
            let wanted =
                !dispatch.is::<NoSubscriber>() && (interest == ALWAYS || dispatch.enabled(self.meta()));
            if wanted { with.take().map(|with| with(dispatch)) } else { None }
        })
    }

    pub(super) fn is_wanted(&'static self) -> bool {
        self.if_wanted(|_| ()).is_some()
    }
}

impl Callsite for Made {
    fn set_interest(&self, interest: Interest) {
        let interest = match interest {
            interest if interest.is_never() => NEVER,
            interest if interest.is_always() => ALWAYS,
            _ => SOMETIMES,
        };
        self.interest.store(interest, Ordering::Relaxed);
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.metadata.get().expect("it is set before the callsite is registered")
    }
}
