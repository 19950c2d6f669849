//! Shapes: what a type's value looks like in a line, known without a value. The event reference and the JSON Schemas
//! are made from them; recording never looks at one.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use super::ids::{DecisionId, IntentId};
use super::value::{Bytes, Fixed, Maybe};

/// What a value looks like in a line.
///
/// ```
/// use tapelog::{Event, Shape};
///
/// /// A hedge was placed.
/// #[derive(Event)]
/// #[event(stream = execution, level = info, category = execution, message = "{qty} {symbol} hedged")]
/// struct HedgePlaced<'a> {
///     symbol: &'a str,
///     qty: f64,
///     legs: Vec<u64>,
/// }
///
/// let shapes: Vec<Shape> = HedgePlaced::DESCRIPTION.fields.iter().map(|field| field.shape()).collect();
/// assert_eq!(shapes, [Shape::Text, Shape::Number, Shape::List(Box::new(Shape::Integer))]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Anything.
    Any,
    /// A number that may have a fraction.
    Number,
    /// A whole number.
    Integer,
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
    /// An instant: RFC 3339 with nine digits and `Z`.
    Instant,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list.
    List(Box<Self>),
    /// An object with any keys.
    Map(Box<Self>),
    /// An object with these keys.
    Object(Vec<(&'static str, Self)>),
    /// The value, or `null`.
    Nullable(Box<Self>),
}

/// A type whose shape is known. `#[derive(Value)]` implements it.
#[diagnostic::on_unimplemented(
    message = "nobody knows what `{Self}` looks like in a line",
    label = "this type is not a `tapelog::Value`",
    note = "if the type is yours, write `#[derive(tapelog::Value)]` on it",
    note = "or record its text: `#[event(display)]` or `#[event(debug)]` on the field"
)]
pub trait Shaped {
    /// What a value looks like. Below `deep` levels the answer is [`Shape::Any`], so that it ends for a type that
    /// holds itself.
    fn shape(deep: u32) -> Shape;
}

/// How deep a shape is told.
pub const DEEP: u32 = 8;

/// The shape of a field that holds a `T`, for a struct that is `deep` levels deep.
#[must_use]
pub fn inside<T: Shaped + ?Sized>(deep: u32) -> Shape {
    deep.checked_sub(1).map_or(Shape::Any, T::shape)
}

/// The fields of an object.
#[must_use]
pub fn shapes<const N: usize>(fields: [(&'static str, Shape); N]) -> Vec<(&'static str, Shape)> {
    fields.into()
}

/// Anything, at any depth.
#[must_use]
pub fn any(_deep: u32) -> Shape {
    Shape::Any
}

/// Text, at any depth.
#[must_use]
pub fn text(_deep: u32) -> Shape {
    Shape::Text
}

/// The shape of what a `T` holds.
fn inner<T: Shaped + ?Sized>(deep: u32) -> Box<Shape> {
    Box::new(inside::<T>(deep))
}

macro_rules! shapes {
    ($($shape:ident: $($type:ty),*;)*) => {$($(
        impl Shaped for $type {
            fn shape(_deep: u32) -> Shape {
                Shape::$shape
            }
        }
    )*)*};
}

shapes! {
    Integer: i8, i16, i32, i64, isize, u8, u16, u32, u64, usize;
    Number: f32, f64, Fixed;
    Text: i128, u128, str, String, char, Bytes<'_>, DecisionId, IntentId;
    Bool: bool;
    Instant: SystemTime;
}

macro_rules! nonzero {
    ($($type:ident)*) => {$(
        impl Shaped for core::num::$type {
            fn shape(_deep: u32) -> Shape {
                Shape::Integer
            }
        }
    )*};
}

nonzero!(NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroUsize NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroIsize);

macro_rules! forward {
    ($($type:ty),*) => {$(
        impl<T: Shaped + ?Sized> Shaped for $type {
            fn shape(deep: u32) -> Shape {
                T::shape(deep)
            }
        }
    )*};
}

forward!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: Shaped + ToOwned + ?Sized> Shaped for Cow<'_, T> {
    fn shape(deep: u32) -> Shape {
        T::shape(deep)
    }
}

impl<T: Shaped> Shaped for Option<T> {
    fn shape(deep: u32) -> Shape {
        Shape::Nullable(inner::<T>(deep))
    }
}

impl<T: Shaped> Shaped for Maybe<T> {
    fn shape(deep: u32) -> Shape {
        T::shape(deep)
    }
}

macro_rules! lists {
    ($($type:ty),*) => {$(
        impl<T: Shaped> Shaped for $type {
            fn shape(deep: u32) -> Shape {
                Shape::List(inner::<T>(deep))
            }
        }
    )*};
}

lists!([T], Vec<T>, VecDeque<T>);

impl<T: Shaped, const N: usize> Shaped for [T; N] {
    fn shape(deep: u32) -> Shape {
        Shape::List(inner::<T>(deep))
    }
}

impl<K: AsRef<str>, V: Shaped> Shaped for BTreeMap<K, V> {
    fn shape(deep: u32) -> Shape {
        Shape::Map(inner::<V>(deep))
    }
}

impl<K: AsRef<str>, V: Shaped, S> Shaped for HashMap<K, V, S> {
    fn shape(deep: u32) -> Shape {
        Shape::Map(inner::<V>(deep))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_nest() {
        let list = Shape::List(Box::new(Shape::Text));
        assert_eq!(<Option<Vec<&str>>>::shape(DEEP), Shape::Nullable(Box::new(list)));
        let numbers = Shape::List(Box::new(Shape::Number));
        assert_eq!(<BTreeMap<String, Cow<'_, [f64]>>>::shape(DEEP), Shape::Map(Box::new(numbers)));
    }

    #[test]
    fn a_type_that_holds_itself_has_a_shape() {
        #[derive(tapelog_macros::Value)]
        struct Node {
            children: Vec<Node>,
        }
        let node = Node { children: Vec::new() };
        assert!(node.children.is_empty());
        let mut shape = Node::shape(DEEP);
        for _ in 0..DEEP / 2 {
            let Shape::Object(fields) = shape else { panic!("{shape:?}") };
            let Some(("children", Shape::List(item))) = fields.into_iter().next() else { panic!() };
            shape = *item;
        }
        assert_eq!(shape, Shape::Object(vec![("children", Shape::Any)]));
    }
}
