//! The static description of a decision, and the sites that are made of it.

use crate::events;
use crate::hot::ids::DecisionId;
use crate::hot::site::{Field, Site};
use crate::scope::described::{Described, Make, Parts, leaked};
use crate::scope::outcome::Outcome;

/// What `#[decision]` writes, in a `static`. Words: `lazy`, `inherit`, `deadline_ns=…`, and what is said when it ends
/// without saying how: `ok`, `returned`, `cancelled`, else `panicked`.
pub type Decision = Described<Sites>;

/// The sites of a decision.
#[derive(Debug)]
pub struct Sites {
    pub(super) start: Site,
    pub(super) end: Site,
    pub(super) closed: Site,
    /// The one around it is joined, if there is one.
    pub(super) inherit: bool,
    /// START waits until something happens.
    pub(super) lazy: bool,
    /// What is said when it is dropped without being closed, and nothing panics.
    pub(super) unclosed: Outcome,
}

const START: &[Field] = &[Field::recorded("parent_decision_id"), Field::recorded("started_at")];
const END: &[Field] = &[
    Field::recorded("outcome"),
    Field::recorded("duration_ms"),
    Field::recorded("error"),
    Field::recorded("verdict"),
    Field::recorded("rule"),
    Field::recorded("value"),
    Field::recorded("limit"),
];

impl Make for Sites {
    fn make(parts: &Parts) -> Self {
        let place = parts.place;
        let function = Field::text("function", place.function);
        let kind = parts.fields.iter().filter(|field| field.name == "kind");
        let end = leaked(core::iter::once(function).chain(kind.copied()).collect());
        let start = leaked(core::iter::once(function).chain(parts.fields.iter().copied()).collect());
        let closed = "no order of this decision is open";
        let mut sites = Self {
            start: Site::new(&events::DECISION_START, "{function} decides", START, start, place),
            end: Site::new(&events::DECISION_END, "{function}: {outcome}", END, end, place),
            closed: Site::new(&events::DECISION_CLOSED, closed, &[], end, place),
            inherit: parts.has("inherit"),
            lazy: parts.has("lazy"),
            unclosed: Outcome::unclosed(parts),
        };
        sites.start.deadline_ns = parts.number("deadline_ns", 0);
        sites
    }
}

/// What may stand behind `id =` and `resume =`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a decision id",
    label = "expected a `DecisionId`, or an `Option` of one",
    note = "a text is parsed first: `text.parse::<tapelog::DecisionId>()`"
)]
pub trait IntoId {
    /// The id, or none.
    fn into_id(self) -> DecisionId;
}

impl IntoId for DecisionId {
    fn into_id(self) -> DecisionId {
        self
    }
}

impl IntoId for &DecisionId {
    fn into_id(self) -> DecisionId {
        *self
    }
}

impl<T: IntoId> IntoId for Option<T> {
    fn into_id(self) -> DecisionId {
        self.map_or(DecisionId::NONE, T::into_id)
    }
}

/// An id that the user brings.
#[inline]
pub fn id(id: impl IntoId) -> DecisionId {
    id.into_id()
}
