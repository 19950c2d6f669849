//! Map keys as text, as JSON needs them: text itself, numbers, booleans, unit variants.

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::number;
use super::serialize::Fault;

/// Map keys: text, and what has one obvious text.
pub(super) struct Key;

macro_rules! keys_by_display {
    ($($method:ident: $type:ty),*) => {$(
        fn $method(self, v: $type) -> Result<String, Fault> {
            Ok(v.to_string())
        }
    )*};
}

type No = Impossible<String, Fault>;

fn refused<T>() -> Result<T, Fault> {
    Err(Fault::key())
}

impl Serializer for Key {
    type Ok = String;
    type Error = Fault;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    keys_by_display!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_char: char, serialize_str: &str
    );

    fn serialize_f32(self, v: f32) -> Result<String, Fault> {
        if v.is_finite() { Ok(v.to_string()) } else { refused() }
    }
    fn serialize_f64(self, v: f64) -> Result<String, Fault> {
        if !v.is_finite() {
            return refused();
        }
        let mut out = String::new();
        number::push(&mut out, v);
        Ok(out)
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<String, Fault> {
        refused()
    }
    fn serialize_none(self) -> Result<String, Fault> {
        refused()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String, Fault> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<String, Fault> {
        refused()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<String, Fault> {
        refused()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<String, Fault> {
        Ok(variant.to_owned())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<String, Fault> {
        // A `Secret` used as a key gives its mark: it is opened only where a value stands.
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String, Fault> {
        refused()
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<No, Fault> {
        refused()
    }
    fn serialize_tuple(self, _: usize) -> Result<No, Fault> {
        refused()
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<No, Fault> {
        refused()
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, Fault> {
        refused()
    }
    fn serialize_map(self, _: Option<usize>) -> Result<No, Fault> {
        refused()
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<No, Fault> {
        refused()
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, Fault> {
        refused()
    }
}
