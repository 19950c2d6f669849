//! Any `Serialize` becomes a [`Node`]: one serde `Serializer`, with limits on depth and size.
//!
//! It is our own, not `serde_json::Value`, because a `Value` turns NaN into `null` without a word, refuses 128-bit
//! integers, and behaves otherwise as soon as some crate of the build turns on `arbitrary_precision`.

use std::cell::Cell;

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::error::ConfigError;
use super::keys::Key;
use super::node::{self, Node};
use super::secret::{self, SECRET};
use super::{MARK, MAX_BYTES, MAX_DEPTH, names};

impl Node {
    /// The tree of a value.
    pub(super) fn of(value: &(impl Serialize + ?Sized)) -> Result<Self, ConfigError> {
        let left = Cell::new(MAX_BYTES);
        value.serialize(Build { left: &left, depth: 0 }).map_err(Fault::into_error)
    }
}

/// Why a value has no tree, and where; parts of the place are added while the error travels up.
#[derive(Debug)]
pub(super) struct Fault {
    kind: Kind,
    /// Innermost first.
    path: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    Custom(String),
    Key,
    Deep,
    Large,
    /// Something failed inside a secret: what it said is not repeated.
    Secret,
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { kind, path: Vec::new() }
    }

    /// A map key that is not text.
    pub(super) fn key() -> Self {
        Self::new(Kind::Key)
    }

    fn below(mut self, part: impl Into<String>) -> Self {
        self.path.push(part.into());
        self
    }

    fn into_error(self) -> ConfigError {
        let mut secret = matches!(self.kind, Kind::Secret);
        let mut parts = Vec::new();
        for part in self.path.iter().rev() {
            // Below a secret name even keys may be secret.
            parts.push(if secret { MARK.into() } else { super::scrub::scrub_text(part) });
            secret |= names::classify(part) == names::Class::Secret;
        }
        let at = node::pointer(&parts);
        match self.kind {
            Kind::Key => ConfigError::MapKey { at },
            Kind::Deep => ConfigError::TooDeep { at },
            Kind::Large => ConfigError::TooLarge,
            Kind::Custom(reason) if !secret => {
                ConfigError::Serialize { at, reason: super::scrub::scrub_text(&reason).into_owned() }
            }
            Kind::Custom(_) | Kind::Secret => ConfigError::Serialize { at, reason: MARK.to_owned() },
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Only a `Serialize` implementation that looks at our error sees this; it gets no value either.
        f.write_str("the value cannot be serialised")
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(Kind::Custom(message.to_string()))
    }
}

#[derive(Clone, Copy)]
struct Build<'a> {
    /// How many bytes the configuration may still take.
    left: &'a Cell<usize>,
    depth: usize,
}

impl Build<'_> {
    fn take(self, bytes: usize) -> Result<(), Fault> {
        self.left.set(self.left.get().checked_sub(bytes).ok_or_else(|| Fault::new(Kind::Large))?);
        Ok(())
    }

    fn deeper(self) -> Result<Self, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(Kind::Deep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    /// A container may announce any length; believe a little of it.
    fn list(self, len: Option<usize>, variant: Option<&'static str>) -> Result<List<Self>, Fault> {
        Ok(List { items: Vec::with_capacity(len.unwrap_or(0).min(64)), variant, build: self.deeper()? })
    }

    fn map(self, name: &'static str, variant: Option<&'static str>) -> Result<Map<Self>, Fault> {
        Ok(Map { entries: Vec::new(), key: None, name, variant, build: self.deeper()? })
    }
}

struct List<B> {
    items: Vec<Node>,
    variant: Option<&'static str>,
    build: B,
}

struct Map<B> {
    entries: Vec<(String, Node)>,
    key: Option<String>,
    name: &'static str,
    variant: Option<&'static str>,
    build: B,
}

/// `{"Variant": value}`, the form serde_json gives enums too.
fn tagged(variant: Option<&'static str>, value: Node) -> Node {
    match variant {
        Some(variant) => Node::Map(vec![(variant.to_owned(), value)]),
        None => value,
    }
}

impl<'a> Serializer for Build<'a> {
    type Ok = Node;
    type Error = Fault;
    type SerializeSeq = List<Self>;
    type SerializeTuple = List<Self>;
    type SerializeTupleStruct = List<Self>;
    type SerializeTupleVariant = List<Self>;
    type SerializeMap = Map<Self>;
    type SerializeStruct = Map<Self>;
    type SerializeStructVariant = Map<Self>;

    fn serialize_bool(self, v: bool) -> Result<Node, Fault> {
        self.take(5)?;
        Ok(Node::Bool(v))
    }
    fn serialize_i8(self, v: i8) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_i16(self, v: i16) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_i32(self, v: i32) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_i64(self, v: i64) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_i128(self, v: i128) -> Result<Node, Fault> {
        self.take(8)?;
        if v == i128::MIN {
            // The one value whose magnitude does not fit.
            return Ok(Node::Text(v.to_string()));
        }
        Ok(Node::integer(v))
    }
    fn serialize_u8(self, v: u8) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_u16(self, v: u16) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_u32(self, v: u32) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_u64(self, v: u64) -> Result<Node, Fault> {
        self.serialize_i128(v.into())
    }
    fn serialize_u128(self, v: u128) -> Result<Node, Fault> {
        match i128::try_from(v) {
            Ok(v) => self.serialize_i128(v),
            Err(_) => self.serialize_str(&v.to_string()),
        }
    }
    fn serialize_f32(self, v: f32) -> Result<Node, Fault> {
        // The decimal that an f32 prints is what its author wrote: 0.1, not 0.10000000149011612.
        let printed = v.is_finite().then(|| v.to_string().parse().ok()).flatten();
        self.serialize_f64(printed.unwrap_or(f64::from(v)))
    }
    fn serialize_f64(self, v: f64) -> Result<Node, Fault> {
        self.take(8)?;
        Ok(Node::float(v))
    }
    fn serialize_char(self, v: char) -> Result<Node, Fault> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Result<Node, Fault> {
        self.take(v.len() + 2)?;
        Ok(Node::Text(v.to_owned()))
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<Node, Fault> {
        self.take(v.len().saturating_mul(8))?;
        Ok(Node::List(v.iter().map(|b| Node::Number(f64::from(*b))).collect()))
    }
    fn serialize_none(self) -> Result<Node, Fault> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Fault> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Node, Fault> {
        self.take(4)?;
        Ok(Node::Null)
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Result<Node, Fault> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Node, Fault> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Node, Fault> {
        if name != SECRET {
            return value.serialize(self.deeper()?);
        }
        let inner = secret::opened(|| value.serialize(self)).map_err(|_| Fault::new(Kind::Secret))?;
        Ok(if inner == Node::Null { Node::Null } else { Node::Secret(Box::new(inner)) })
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node, Fault> {
        self.take(variant.len() + 4)?;
        let inner = value.serialize(self.deeper()?).map_err(|fault| fault.below(variant))?;
        Ok(tagged(Some(variant), inner))
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<List<Self>, Fault> {
        self.list(len, None)
    }
    fn serialize_tuple(self, len: usize) -> Result<List<Self>, Fault> {
        self.list(Some(len), None)
    }
    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<List<Self>, Fault> {
        self.list(Some(len), None)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<List<Self>, Fault> {
        self.list(Some(len), Some(variant))
    }
    fn serialize_map(self, _len: Option<usize>) -> Result<Map<Self>, Fault> {
        self.map("", None)
    }
    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Map<Self>, Fault> {
        self.map(name, None)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Map<Self>, Fault> {
        self.map("", Some(variant))
    }
}

impl<'a> List<Build<'a>> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let index = self.items.len();
        self.items.push(value.serialize(self.build).map_err(|fault| fault.below(index.to_string()))?);
        Ok(())
    }

    fn finish(self) -> Result<Node, Fault> {
        self.build.take(2)?;
        Ok(tagged(self.variant, Node::List(self.items)))
    }
}

impl<'a> Map<Build<'a>> {
    fn push<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), Fault> {
        self.build.take(key.len() + 4)?;
        match value.serialize(self.build) {
            Ok(value) => self.entries.push((key, value)),
            Err(fault) => return Err(fault.below(key)),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Node, Fault> {
        self.build.take(2)?;
        // Serde's formats carry what serde's model lacks in structs of one field with a private name: numbers with
        // all their digits, raw JSON, TOML times.
        if let ("$", [(_, Node::Text(text))]) =
            (self.name.get(..1).unwrap_or(""), self.entries.as_mut_slice())
        {
            let text = std::mem::take(text);
            return match self.name {
                "$serde_json::private::Number" => Ok(exact_number(text)),
                "$serde_json::private::RawValue" => {
                    let value: serde_json::Value = serde_json::from_str(&text)
                        .map_err(|_| ser::Error::custom("a raw value is not JSON"))?;
                    value.serialize(self.build)
                }
                _ => Ok(Node::Text(text)),
            };
        }
        Ok(tagged(self.variant, Node::map(self.entries)))
    }
}

/// A number given as text: a number if a double holds all its digits, else the text itself.
fn exact_number(text: String) -> Node {
    if let Ok(integer) = text.parse::<i128>() {
        return if integer == i128::MIN { Node::Text(text) } else { Node::integer(integer) };
    }
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() && significant(&text) == significant(&n.to_string()) => Node::float(n),
        // More digits than a double has, or out of its range: a serde_json without `arbitrary_precision` rounds here.
        _ => Node::Text(text),
    }
}

/// The digits that count, without sign, point, exponent and outer zeros.
fn significant(text: &str) -> String {
    let mantissa = text.split(['e', 'E']).next().unwrap_or("");
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

macro_rules! list_traits {
    ($($trait:ident::$method:ident),*) => {$(
        impl<'a> ser::$trait for List<Build<'a>> {
            type Ok = Node;
            type Error = Fault;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.push(value)
            }
            fn end(self) -> Result<Node, Fault> {
                self.finish()
            }
        }
    )*};
}
list_traits!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! struct_traits {
    ($($trait:ident),*) => {$(
        impl<'a> ser::$trait for Map<Build<'a>> {
            type Ok = Node;
            type Error = Fault;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
                self.push(key.to_owned(), value)
            }
            fn end(self) -> Result<Node, Fault> {
                self.finish()
            }
        }
    )*};
}
struct_traits!(SerializeStruct, SerializeStructVariant);

impl<'a> ser::SerializeMap for Map<Build<'a>> {
    type Ok = Node;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = Some(key.serialize(Key)?);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = self.key.take().ok_or_else(Fault::key)?;
        self.push(key, value)
    }
    fn end(self) -> Result<Node, Fault> {
        self.finish()
    }
}
