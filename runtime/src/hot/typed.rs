//! Typed events: what `#[derive(Event)]` implements, and how `event!(OrderFilled { … })` uses it.
//!
//! Invariant: whether every field that an event needs is given, and none twice, is decided while the program is
//! compiled; recording a typed event is recording its fields.

use super::fields::Fields;
use super::shape::{DEEP, Shape};
use super::site::{EventType, Field, Place, Site};

/// An event that is a type: `#[derive(tapelog::Event)]`.
///
/// ```
/// use tapelog::events::OrderFilled;
/// use tapelog::{Event, Stream};
///
/// assert_eq!(OrderFilled::TYPE.name, "ORDER_FILLED");
/// assert_eq!(OrderFilled::TYPE.stream, Stream::ORDERS);
/// assert_eq!(OrderFilled::MESSAGE, "Order {order_id} filled at {fill_price}");
/// assert_eq!(OrderFilled::FIELDS.len(), OrderFilled::DESCRIPTION.fields.len());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "this type does not derive `tapelog::Event`",
    note = "write `#[derive(tapelog::Event)]` and `#[event(stream = …, level = …, category = …)]` on it"
)]
pub trait Event: Fields {
    /// What happened, and where such events go.
    const TYPE: &'static EventType;
    /// The message with its holes.
    const MESSAGE: &'static str;
    /// The fields, in the order of the line.
    const FIELDS: &'static [Field];
    /// What the reference says of it.
    const DESCRIPTION: &'static Description;
}

/// What the event reference says of a typed event.
///
/// ```
/// use tapelog::{Event, events::OrderFilled};
///
/// let description = OrderFilled::DESCRIPTION;
/// assert_eq!((description.rust, description.event.name), ("OrderFilled", "ORDER_FILLED"));
/// let needed: Vec<_> = description.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
/// assert_eq!(needed, ["order_id", "symbol", "fill_price", "fill_qty"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The name of the Rust type.
    pub rust: &'static str,
    /// What stands in `event_type`, and where such events go.
    pub event: &'static EventType,
    /// The message with its holes.
    pub message: &'static str,
    /// The documentation of the type.
    pub doc: &'static str,
    /// Its fields, in the order of the line.
    pub fields: &'static [FieldDescription],
}

/// What the event reference says of a field.
///
/// ```
/// use tapelog::{Event, Shape, events::OrderFilled};
///
/// let price = OrderFilled::DESCRIPTION.fields.iter().find(|field| field.name == "fill_price").expect("it has one");
/// assert_eq!(price.shape(), Shape::Number);
/// assert!(price.given && price.required && !price.doc.is_empty());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FieldDescription {
    /// The key in the line.
    pub name: &'static str,
    /// The field in the Rust type; empty for a constant.
    pub rust: &'static str,
    /// What its value looks like; see [`FieldDescription::shape`].
    pub shape_of: fn(u32) -> Shape,
    /// Whether it is in every line of the event.
    pub required: bool,
    /// Whether the caller must give it; `..` leaves out the others.
    pub given: bool,
    /// Its documentation.
    pub doc: &'static str,
}

impl FieldDescription {
    /// What its value looks like.
    #[must_use]
    pub fn shape(&self) -> Shape {
        (self.shape_of)(DEEP)
    }
}

/// The site of a typed event. `given` are the fields that the caller named; with `rest`, those that may be absent are
/// left out.
///
/// # Panics
/// While the program is compiled: a field that the event needs is not given, or a field beside it has the name of one
/// of its own.
#[must_use]
pub const fn site<E: Event>(given: &[&str], rest: bool, own: &'static [Field], place: Place) -> Site {
    let fields = E::DESCRIPTION.fields;
    let mut i = 0;
    while i < fields.len() {
        let field = &fields[i];
        if rest && field.given && !contains(given, field.rust) {
            missing(field.rust);
        }
        let mut j = 0;
        while j < own.len() {
            if equal(own[j].name, field.name) {
                twice(field.name);
            }
            j += 1;
        }
        i += 1;
    }
    Site::new(E::TYPE, E::MESSAGE, E::FIELDS, own, place)
}

// `panic!` takes no pieces in a constant; the compiler shows the argument of the call, and these words.
#[track_caller]
const fn missing(field: &str) -> ! {
    const_panic(&["a field that the event needs is missing; write `", field, ": value` before the `..`"])
}

#[track_caller]
const fn twice(field: &str) -> ! {
    const_panic(&["`", field, "` is a field of the event itself; name the one beside it otherwise"])
}

/// Panics with the pieces joined: at most 256 bytes.
#[track_caller]
const fn const_panic(pieces: &[&str]) -> ! {
    let mut text = [0; 256];
    let mut len = 0;
    let mut i = 0;
    while i < pieces.len() {
        let bytes = pieces[i].as_bytes();
        let mut j = 0;
        while j < bytes.len() && len < text.len() {
            text[len] = bytes[j];
            len += 1;
            j += 1;
        }
        i += 1;
    }
    match core::str::from_utf8(text.split_at(len).0) {
        Ok(text) => panic!("{}", text),
        Err(_) => panic!("a field of the event is missing or given twice"),
    }
}

const fn contains(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if equal(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// What stands for the fields that `..` leaves out.
#[diagnostic::on_unimplemented(
    message = "`..` cannot stand for the other fields: `{T}` has no `Default`",
    note = "write every field of the event, with `None` for those that are absent"
)]
pub trait Left<T> {
    /// A value that nobody reads: the field is given, or absent.
    fn left() -> T;
}

/// What `..` means.
#[derive(Clone, Copy, Debug)]
pub enum Absent {}

#[diagnostic::do_not_recommend]
impl<T: Default> Left<T> for Absent {
    #[inline]
    fn left() -> T {
        T::default()
    }
}

/// An event whose fields may be left out.
pub trait WithRest<D>: Sized {
    /// All of them left out.
    fn rest() -> Self;
}

/// What `..` in `event!(OrderFilled { order_id, .. })` becomes.
#[inline]
#[must_use]
pub fn rest<E: WithRest<Absent>>() -> E {
    E::rest()
}
