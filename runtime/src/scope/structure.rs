//! Objects and lists made of values: what `#[derive(Value)]` and `inputs(…)` write.

use crate::hot::encoder::{Encoder, HEAD, tag};
use crate::hot::value::{Value, by_reference, by_value};

/// `null`.
#[derive(Clone, Copy, Debug)]
pub struct Null;

/// `null`, as a value.
pub const NULL: Null = Null;

impl Value for Null {
    by_value!(NULL, 0);
}

/// A field that is left out of the line.
#[derive(Clone, Copy, Debug)]
pub struct Absent;

/// No value, as a value.
pub const ABSENT: Absent = Absent;

impl Value for Absent {
    by_value!(ABSENT, 0);
}

/// The entries of an object, or the items of a list, one behind the other.
pub trait Chain {
    /// How many there are.
    fn count(&self) -> usize;
    /// Their bytes.
    fn size(&self) -> usize;
    /// Writes them.
    fn encode(&self, out: &mut Encoder<'_>);
}

/// No more.
#[derive(Clone, Copy, Debug)]
pub struct End;

impl Chain for End {
    #[inline]
    fn count(&self) -> usize {
        0
    }
    #[inline]
    fn size(&self) -> usize {
        0
    }
    #[inline]
    fn encode(&self, _out: &mut Encoder<'_>) {}
}

/// A key, its value, and the rest.
#[derive(Clone, Copy, Debug)]
pub struct Entry<V, R>(pub &'static str, pub V, pub R);

impl<V: Value, R: Chain> Chain for Entry<V, R> {
    #[inline]
    fn count(&self) -> usize {
        1 + self.2.count()
    }
    #[inline]
    fn size(&self) -> usize {
        4 + self.0.len() + self.1.size() + self.2.size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.key(self.0);
        self.1.encode(out);
        self.2.encode(out);
    }
}

/// A key with a value only if there is one, and the rest.
#[derive(Clone, Copy, Debug)]
pub struct OptionalEntry<V, R>(pub &'static str, pub Option<V>, pub R);

impl<V: Value, R: Chain> Chain for OptionalEntry<V, R> {
    fn count(&self) -> usize {
        usize::from(self.1.is_some()) + self.2.count()
    }
    fn size(&self) -> usize {
        self.1.as_ref().map_or(0, |value| 4 + self.0.len() + value.size()) + self.2.size()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        if let Some(value) = &self.1 {
            out.key(self.0);
            value.encode(out);
        }
        self.2.encode(out);
    }
}

/// A value without a key, and the rest.
#[derive(Clone, Copy, Debug)]
pub struct Item<V, R>(pub V, pub R);

impl<V: Value, R: Chain> Chain for Item<V, R> {
    #[inline]
    fn count(&self) -> usize {
        1 + self.1.count()
    }
    #[inline]
    fn size(&self) -> usize {
        self.0.size() + self.1.size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

/// An object.
#[derive(Clone, Copy, Debug)]
pub struct Map<C>(pub C);

impl<C: Chain> Value for Map<C> {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        HEAD + self.0.size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.head(tag::MAP, self.0.count());
        self.0.encode(out);
    }
}

/// A list.
#[derive(Clone, Copy, Debug)]
pub struct List<C>(pub C);

impl<C: Chain> Value for List<C> {
    by_reference!();

    #[inline]
    fn size(&self) -> usize {
        HEAD + self.0.size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.head(tag::LIST, self.0.count());
        self.0.encode(out);
    }
}

/// A type whose value depends on its variant: what `#[derive(Value)]` implements.
pub trait Structured {
    /// Gives the value of `self` to `out`.
    fn put_into<O: Out>(&self, out: &mut O);
}

/// Takes one value: to measure it, or to write it.
pub trait Out {
    /// Takes it.
    fn put<V: Value + ?Sized>(&mut self, value: &V);
}

struct Size(usize);

impl Out for Size {
    #[inline]
    fn put<V: Value + ?Sized>(&mut self, value: &V) {
        self.0 += value.size();
    }
}

struct Write<'a, 'b>(&'a mut Encoder<'b>);

impl Out for Write<'_, '_> {
    #[inline]
    fn put<V: Value + ?Sized>(&mut self, value: &V) {
        value.encode(self.0);
    }
}

/// `Value::size` of a derived type.
#[inline]
pub fn size_of<T: Structured + ?Sized>(value: &T) -> usize {
    let mut size = Size(0);
    value.put_into(&mut size);
    size.0
}

/// `Value::encode` of a derived type.
#[inline]
pub fn encode<T: Structured + ?Sized>(value: &T, out: &mut Encoder<'_>) {
    value.put_into(&mut Write(out));
}
