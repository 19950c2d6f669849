//! Which decision a function is in: what the keys `id`, `inherit`, `resume` and `lazy` say.

use crate::hot::ids::DecisionId;
use crate::hot::registry::heard;

/// Which decision a function is in.
#[derive(Clone, Copy, Debug)]
pub struct Joins {
    pub(super) id: DecisionId,
    pub(super) outer: bool,
    pub(super) lazy: bool,
}

impl Joins {
    /// A new one.
    pub const NEW: Self = Self { id: DecisionId::NONE, outer: false, lazy: false };
    /// The one around it, if there is one.
    pub const OUTER: Self = Self { outer: true, ..Self::NEW };
}

/// One with an id that exists already. It is asked for only while somebody records.
#[inline]
pub fn own(id: impl FnOnce() -> DecisionId) -> Joins {
    if heard() { Joins { id: id(), ..Joins::NEW } } else { Joins::NEW }
}

/// As `joins`, and START waits until something happens.
#[inline]
#[must_use]
pub const fn lazy(joins: Joins) -> Joins {
    Joins { lazy: true, ..joins }
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
