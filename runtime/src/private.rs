//! What the expansions of the macros name. Not for users: it changes without notice.
//!
//! Invariant: everything is safe to call, and cheap while nobody records.

pub use core::{column, file, line, module_path};

pub use crate::component::{Component, component_of};
pub use crate::errors::{ErrorCode, Severity};
pub use crate::events::DASH_EVENT;
pub use crate::hot::encoder::Encoder;
pub use crate::hot::fields::{And, Fields};
pub use crate::hot::registry::recording;
pub use crate::hot::shape::{
    Shape, Shaped, any as shape_any, inside as shape_inside, shapes, text as shape_text,
};
pub use crate::hot::site::{Category, EventType, Field, Level, Place, Site, Source, Stream};
pub use crate::hot::typed::{Description, Event, FieldDescription, Left, WithRest, rest, site as typed_site};
pub use crate::hot::value::{Maybe, Value, debug, display};
pub use crate::scope::future::{Within, boxed, within};
pub use crate::scope::structure::{
    ABSENT, End, Entry, Item, List, Map, NULL, OptionalEntry, Out, Structured, encode, size_of,
};
pub use crate::scope::{age, decision, order, outcome, performance};
pub use crate::scope::{event, event_seen};

// What each annotated function names, without its module: a step of a path less for the compiler.
pub use crate::scope::decision::{Decision, open as decide, open_in_place as decide_in_place};
pub use crate::scope::outcome::{Of, Shown};
pub use crate::scope::performance::{Measured, open as measure, open_in_place as measure_in_place};

/// What `#[derive(ConfigSnapshot)]` names.
#[cfg(feature = "recorder")]
pub mod config {
    pub use core::option::Option::{None, Some};

    pub use serde::Serialize;

    pub use crate::config::{ConfigSnapshot, ConfigTable, EnvBinding};
}

/// What `build_info!` names.
#[cfg(feature = "recorder")]
pub mod build {
    pub use core::option::Option::{self, None, Some};
    pub use core::{env, include_bytes, option_env};

    pub use crate::cold::evidence::BuildInfo;
}

/// What `error!` reads of the error that it is given.
pub mod errors {
    pub use crate::errors::found::{Found, Of, levels};
}

#[cfg(feature = "testing")]
pub use crate::testing::{capture as captured, capture_async as captured_async, show_if_failed};

/// A value of a field.
#[inline]
pub fn field<T: Value + ?Sized>(value: &T) -> T::Held<'_> {
    value.held()
}

/// A value in a type that derives `Value` or `OrderContext`.
#[inline]
pub fn held<T: Value>(value: T) -> T {
    value
}

/// Calls the body of a function. As an argument a closure keeps what it borrows, where one that is called in place
/// would give it back.
#[inline(always)]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Calls `body` inside of nothing but the activity slot of `site`: for `bench/`, which says what a slot costs.
#[inline(always)]
pub fn slot<R>(site: &'static Site, body: impl FnOnce() -> R) -> R {
    use crate::hot::activity::{enter, exit};
    let entered = enter(site, 1, crate::DecisionId::NONE);
    let result = body();
    exit(entered);
    result
}

/// Never called: it tells the compiler the type of an async body.
#[cold]
pub fn never<T>() -> T {
    unreachable!("a branch that is never taken")
}
