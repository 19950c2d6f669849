//! A `#[decision]` as a span.

use core::sync::atomic::Ordering;

use tracing_core::field::{Value, display};
use tracing_core::metadata::Kind;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Dispatch, LevelFilter};

use super::callsite::{self, Made, Origin};
use super::out::{bytes, guarded, speaking};
use super::text::{Now, Owned};
use crate::cold::decode::{Decoded, Reader};
use crate::cold::sites::{From, Sites};
use crate::hot::describe;
use crate::hot::fields::Fields;
use crate::hot::ids::DecisionId;
use crate::hot::site::{Site, Source};

/// What stands before the fields of START: what tracing-opentelemetry reads, and what END says.
const HEAD: [&str; 4] = ["decision_id", "outcome", "error", "otel.status_code"];

/// The span of an open decision, or none. Closed when dropped.
#[derive(Debug, Default)]
pub(crate) struct Span(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    dispatch: Dispatch,
    id: Id,
    made: &'static Made,
}

impl Span {
    pub(crate) const NONE: Self = Self(None);

    /// Opens the span of a decision whose START is `site`, if a subscriber wants it.
    #[inline]
    pub(crate) fn open<F: Fields>(site: &'static Site, decision: DecisionId, fields: &F) -> Self {
        if callsite::level(site.event.level) <= LevelFilter::current() {
            Self::open_now(site, decision, fields)
        } else {
            Self::NONE
        }
    }

    #[cold]
    #[inline(never)]
    fn open_now(site: &'static Site, decision: DecisionId, fields: &dyn Fields) -> Self {
        let made = of(site);
        let opened = speaking(|| {
            made.if_wanted(|dispatch| {
                let bytes = bytes(fields);
                let now = Now::take();
                let values = values(made, &bytes, &now);
                let id = display(decision);
                let mut all: Vec<Option<&dyn Value>> = vec![Some(&id), None, None, None];
                all.extend(values.iter().map(Owned::as_value));
                let meta = made.meta();
                let id = dispatch.new_span(&Attributes::new(meta, &meta.fields().value_set_all(&all)));
                Box::new(Open { dispatch: dispatch.clone(), id, made })
            })
        });
        Self(opened.flatten())
    }

    /// This thread is inside from here on.
    #[inline]
    pub(crate) fn enter(&self) {
        if let Some(open) = &self.0 {
            guarded(|| open.dispatch.enter(&open.id));
        }
    }

    /// This thread is outside again.
    #[inline]
    pub(crate) fn exit(&self) {
        if let Some(open) = &self.0 {
            guarded(|| open.dispatch.exit(&open.id));
        }
    }

    /// Says how the decision ended. The span closes when it is dropped.
    #[inline]
    pub(crate) fn ended(&self, outcome: &str, error: Option<&str>) {
        if let Some(open) = &self.0 {
            guarded(|| open.ended(outcome, error));
        }
    }
}

impl Open {
    #[cold]
    fn ended(&self, outcome: &str, error: Option<&str>) {
        let status = match outcome {
            "err" | "panicked" => "ERROR",
            _ => "OK",
        };
        let fields = self.made.meta().fields();
        let mut all: Vec<Option<&dyn Value>> = vec![None; fields.len()];
        all[1] = Some(&outcome);
        all[2] = error.as_ref().map(|error| error as &dyn Value);
        all[3] = Some(&status);
        self.dispatch.record(&self.id, &Record::new(&fields.value_set_all(&all)));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        guarded(|| self.dispatch.try_close(self.id.clone()));
    }
}

/// The span's callsite of a decision's START, made on its first use.
fn of(site: &'static Site) -> &'static Made {
    let known = site.span.load(Ordering::Acquire);
    // SAFETY: only the line below stores here, what was leaked for it.
    if let Some(known) = unsafe { known.as_ref() } {
        return known;
    }
    let mut names = HEAD.to_vec();
    names.extend(own(site).map(|(_, field)| field.name));
    let name = if site.place.function.is_empty() { "decision" } else { site.place.function };
    let made = Made::new(site, name, "decision", names, Kind::SPAN);
    let _first = made.origins.set(origins(site));
    // Release: whoever loads it sees it whole.
    site.span.store(core::ptr::from_ref(made).cast_mut(), Ordering::Release);
    made
}

/// The fields that the user named, and `kind`; each with its place among the recorded ones.
fn own(site: &'static Site) -> impl Iterator<Item = (Option<usize>, &'static crate::hot::site::Field)> {
    let mut recorded = 0;
    let place = move |field: &'static crate::hot::site::Field| {
        let place = (field.source == Source::Recorded).then_some(recorded);
        recorded += usize::from(place.is_some());
        (place, field)
    };
    site.own.iter().map(place).filter(|(_, field)| !HEAD.contains(&field.name))
}

/// Asked once for each site: a site's description is not small.
fn origins(site: &'static Site) -> Vec<Origin> {
    // The constants, as the drain knows them.
    let mut sites = Sites::default();
    sites.add(&describe::site(0, site));
    let constant = |name: &str| {
        let field = sites.get(0)?.fields.iter().find(|field| field.name == name)?;
        match &field.from {
            From::Constant(constant) => Some(Origin::Constant(constant.clone())),
            _ => None,
        }
    };
    own(site)
        .map(|(place, field)| match place {
            Some(place) => Origin::Recorded(place),
            None => constant(field.name).unwrap_or(Origin::Absent),
        })
        .collect()
}

fn values(made: &Made, bytes: &[u8], now: &Now) -> Vec<Owned> {
    let mut reader = Reader::new(bytes);
    let recorded: Vec<_> = core::iter::from_fn(|| reader.value()).collect();
    let origins = made.origins.get().map_or(&[][..], Vec::as_slice);
    let value = |origin: &Origin| match origin {
        Origin::Recorded(place) => now.owned(recorded.get(*place).unwrap_or(&Decoded::Absent)),
        Origin::Constant(constant) => now.owned(&constant.value()),
        Origin::Absent => Owned::Absent,
    };
    origins.iter().map(value).collect()
}
