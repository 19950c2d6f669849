//! The sites of [`super::closed`]: a function, which learns only when it runs which place of the user's called it.
//!
//! Limit: 256 places; those beyond share one site, whose place is here. A place's first call allocates, as a site's first
//! record does.

use core::panic::Location;
use std::sync::OnceLock;

use super::Terminal;
use crate::events;
use crate::hot::fields::{And, Fields};
use crate::hot::ids::DecisionId;
use crate::hot::record::record;
use crate::hot::site::{Field, Place, Site};
use crate::hot::suffix::mix;
use crate::hot::thread;

/// Places in the user's source.
const MOST: usize = 256;

static PLACES: [OnceLock<Box<Known>>; MOST] = [const { OnceLock::new() }; MOST];

/// What may be recorded where an order is closed.
#[derive(Debug)]
pub(super) struct Closings {
    by_client_order: Site,
    by_intent: Site,
    pub(super) decision: Site,
}

#[derive(Debug)]
struct Known {
    at: &'static Location<'static>,
    sites: Closings,
}

impl Closings {
    const fn new(place: Place) -> Self {
        const CLIENT_ORDER: &[Field] = &[Field::recorded("client_order_id"), Field::recorded("order_state")];
        const INTENT: &[Field] = &[Field::recorded("intent_id"), Field::recorded("order_state")];
        const MESSAGE: &str = "the order is over: {order_state}";
        Self {
            by_client_order: Site::new(&events::ORDER_CLOSED, MESSAGE, CLIENT_ORDER, &[], place),
            by_intent: Site::new(&events::ORDER_CLOSED, MESSAGE, INTENT, &[], place),
            decision: decision_closed(place),
        }
    }

    /// The sites of a place.
    pub(super) fn at(place: &'static Location<'static>) -> &'static Self {
        static ELSEWHERE: Closings = Closings::new(Place::new(file!(), line!(), 0, module_path!(), ""));
        let first = mix(u64::from(place.line()) << 32 | u64::from(place.column())) as usize;
        for step in 0..MOST {
            let known = PLACES[first.wrapping_add(step) % MOST].get_or_init(|| {
                let here = Place::new(place.file(), place.line(), place.column(), "", "");
                Box::new(Known { at: place, sites: Self::new(here) })
            });
            if core::ptr::eq(known.at, place) || known.at == place {
                return &known.sites;
            }
        }
        &ELSEWHERE
    }

    /// Records ORDER_CLOSED: `id` is the encoded client order id, or intent.
    pub(super) fn order(&'static self, id: &impl Fields, is_client_order: bool, terminal: Terminal) {
        let site = if is_client_order { &self.by_client_order } else { &self.by_intent };
        if site.enabled() {
            record(site, &And(id, (terminal.as_str(),)));
        }
    }
}

/// DECISION_CLOSED, recorded where the last order of a decision came to its end.
pub(super) const fn decision_closed(place: Place) -> Site {
    Site::new(&events::DECISION_CLOSED, "no order of this decision is open", &[], &[], place)
}

/// Calls `record` in a decision.
pub(super) fn within(decision: DecisionId, record: impl FnOnce()) {
    let previous = thread::swap_decision(decision);
    record();
    thread::set_decision(previous);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn here() -> &'static Closings {
        Closings::at(Location::caller())
    }

    #[test]
    fn a_place_has_its_own_sites_and_keeps_them() {
        let [first, again] = [(); 2].map(|()| here());
        assert!(core::ptr::eq(first, again));
        let other = here();
        assert!(!core::ptr::eq(first, other));
        assert_eq!(first.decision.place.file, file!());
        assert_eq!(other.decision.place.line, first.decision.place.line + 2);
    }
}
