//! Values kept for later: encoded at once, so that what they borrow may go.
//!
//! Invariant: no allocation while the values fit in `N` bytes; longer ones go to the heap, whole.

use crate::hot::encoder::Encoder;
use crate::hot::fields::Fields;

/// Some values of a record, in the bytes that they will have there.
#[derive(Clone, Debug)]
pub struct Kept<const N: usize> {
    len: usize,
    inline: [u8; N],
    heap: Option<Box<[u8]>>,
}

impl<const N: usize> Kept<N> {
    /// Nothing.
    pub const EMPTY: Self = Self { len: 0, inline: [0; N], heap: None };

    /// Keeps `fields` behind what is kept already.
    #[inline]
    pub fn add<F: Fields>(&mut self, fields: &F) {
        let len = self.len + fields.size();
        if len <= N && self.heap.is_none() {
            fields.encode(&mut Encoder::new(&mut self.inline[self.len..len]));
        } else {
            self.add_long(fields, len);
        }
        self.len = len;
    }

    #[cold]
    fn add_long<F: Fields>(&mut self, fields: &F, len: usize) {
        let mut bytes = vec![0; len];
        bytes[..self.len].copy_from_slice(self.bytes());
        fields.encode(&mut Encoder::new(&mut bytes[self.len..]));
        self.heap = Some(bytes.into());
    }

    /// The bytes kept so far.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.heap.as_deref().unwrap_or_else(|| &self.inline[..self.len])
    }

    /// Whether the values are on the heap.
    #[inline]
    pub(crate) const fn is_long(&self) -> bool {
        self.heap.is_some()
    }

    /// What was kept; nothing is left.
    #[inline]
    #[must_use]
    pub fn take(&mut self) -> Self {
        core::mem::replace(self, Self::EMPTY)
    }
}

impl<const N: usize> Fields for Kept<N> {
    #[inline]
    fn size(&self) -> usize {
        self.len
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        out.slice(self.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded<F: Fields>(fields: &F) -> Vec<u8> {
        let mut bytes = vec![0; fields.size()];
        fields.encode(&mut Encoder::new(&mut bytes));
        bytes
    }

    #[test]
    fn kept_values_have_the_bytes_of_the_values() {
        let mut kept = Kept::<24>::EMPTY;
        kept.add(&("abc", 1_u64));
        assert!(kept.heap.is_none());
        assert_eq!(encoded(&kept), encoded(&("abc", 1_u64)));
        // Longer than the buffer: whole, on the heap.
        kept.add(&("x".repeat(100), 2.5));
        assert_eq!(encoded(&kept), encoded(&("abc", 1_u64, "x".repeat(100), 2.5)));
        assert_eq!(encoded(&kept.take()).len(), 8 + 9 + 105 + 9);
        assert!(kept.bytes().is_empty());
    }
}
