//! Objects as fields of typed events, without allocating: entries of the caller's own map or slice, and `metadata`.

use std::collections::{BTreeMap, HashMap};

use crate::__private::{Encoder, Shape, Shaped};
use crate::Value;
use crate::hot::encoder::{HEAD, tag};
use crate::hot::shape::inside;

/// An object of named values: a borrowed slice of pairs, `BTreeMap` or `HashMap`.
///
/// ```
/// use std::collections::BTreeMap;
/// use tapelog::events::Entries;
///
/// let of_slice: Entries<f64> = [("aave:aToken:aUSDT", 1000.0)].as_slice().into();
/// let map = BTreeMap::from([("wallet:BaseToken:USDT".to_owned(), 250.0)]);
/// let of_map: Entries<f64> = (&map).into();
/// # let _ = (of_slice, of_map);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Entries<'a, V> {
    /// Pairs, in their order.
    Pairs(&'a [(&'a str, V)]),
    /// A map, in the order of its keys.
    Tree(&'a BTreeMap<String, V>),
    /// A map, in no order.
    Hash(&'a HashMap<String, V>),
}

impl<V> Default for Entries<'_, V> {
    fn default() -> Self {
        Self::Pairs(&[])
    }
}

impl<'a, V> From<&'a [(&'a str, V)]> for Entries<'a, V> {
    fn from(pairs: &'a [(&'a str, V)]) -> Self {
        Self::Pairs(pairs)
    }
}

impl<'a, V, const N: usize> From<&'a [(&'a str, V); N]> for Entries<'a, V> {
    fn from(pairs: &'a [(&'a str, V); N]) -> Self {
        Self::Pairs(pairs)
    }
}

impl<'a, V> From<&'a BTreeMap<String, V>> for Entries<'a, V> {
    fn from(map: &'a BTreeMap<String, V>) -> Self {
        Self::Tree(map)
    }
}

impl<'a, V> From<&'a HashMap<String, V>> for Entries<'a, V> {
    fn from(map: &'a HashMap<String, V>) -> Self {
        Self::Hash(map)
    }
}

impl<V: Value> Value for Entries<'_, V> {
    crate::hot::value::by_reference!();

    fn size(&self) -> usize {
        match self {
            Self::Pairs(pairs) => {
                HEAD + pairs.iter().map(|(key, value)| 4 + key.len() + value.size()).sum::<usize>()
            }
            Self::Tree(map) => map.size(),
            Self::Hash(map) => map.size(),
        }
    }

    fn encode(&self, out: &mut Encoder<'_>) {
        match self {
            Self::Pairs(pairs) => {
                out.head(tag::MAP, pairs.len());
                for (key, value) in *pairs {
                    out.key(key);
                    value.encode(out);
                }
            }
            Self::Tree(map) => map.encode(out),
            Self::Hash(map) => map.encode(out),
        }
    }
}

impl<V: Shaped> Shaped for Entries<'_, V> {
    fn shape(deep: u32) -> Shape {
        Shape::Map(Box::new(inside::<V>(deep)))
    }
}

/// What a domain event carries beside its fields (S2-015): `{}` unless said.
///
/// ```
/// use tapelog::events::Metadata;
///
/// let metadata = Metadata(&[("venue", "aave".into()), ("block", 19_000_000.into())]);
/// # let _ = metadata;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata<'a>(pub &'a [(&'a str, MetaValue<'a>)]);

impl Value for Metadata<'_> {
    crate::hot::value::by_reference!();

    fn size(&self) -> usize {
        Entries::Pairs(self.0).size()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        Entries::Pairs(self.0).encode(out);
    }
}

impl Shaped for Metadata<'_> {
    fn shape(_deep: u32) -> Shape {
        Shape::Map(Box::new(Shape::Any))
    }
}

/// A value in [`Metadata`].
///
/// ```
/// use tapelog::events::MetaValue;
///
/// assert_eq!(MetaValue::from("aave"), MetaValue::Text("aave"));
/// assert_eq!([MetaValue::from(7), 0.5.into(), true.into()], [MetaValue::Integer(7), MetaValue::Number(0.5), MetaValue::Bool(true)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetaValue<'a> {
    /// Text.
    Text(&'a str),
    /// A number with a fraction.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// A truth.
    Bool(bool),
}

macro_rules! from {
    ($($variant:ident: $($type:ty),*;)*) => {$($(
        impl<'a> From<$type> for MetaValue<'a> {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*)*};
}

from! {
    Text: &'a str;
    Number: f64, f32;
    Integer: i64, i32, u32;
    Bool: bool;
}

impl Value for MetaValue<'_> {
    crate::hot::value::by_reference!();

    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.size(),
            Self::Number(number) => number.size(),
            Self::Integer(number) => number.size(),
            Self::Bool(truth) => truth.size(),
        }
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        match self {
            Self::Text(text) => text.encode(out),
            Self::Number(number) => number.encode(out),
            Self::Integer(number) => number.encode(out),
            Self::Bool(truth) => truth.encode(out),
        }
    }
}
