//! The values of one record: how many bytes they take together, and how they stand one behind the other.
//!
//! Invariant: [`Fields::encode`] writes what [`Fields::size`] says, [`Fields::encode_block`] what [`Fields::block_size`]
//! says, and both are read as the same values: the first for little to compile, the second for little to do.

use super::encoder::{Encoder, WORD, tag};
use super::value::Value;

/// The values of one record, in the order of the site's recorded fields. Implemented for tuples to 16 and [`And`].
pub trait Fields {
    /// The bytes that [`Fields::encode`] writes.
    fn size(&self) -> usize;
    /// Writes all values, each by a call: little to compile for each shape, for what is passed as `dyn Fields`.
    fn encode(&self, out: &mut Encoder<'_>);
    /// The bytes that [`Fields::encode_block`] writes.
    #[inline(always)]
    fn block_size(&self) -> usize
    where
        Self: Sized,
    {
        self.size()
    }
    /// Writes all values in place, those of a tuple as a `tag::BLOCK`: for what is recorded most often.
    #[inline(always)]
    fn encode_block(&self, out: &mut Encoder<'_>)
    where
        Self: Sized,
    {
        self.encode(out);
    }
}

impl Fields for () {
    #[inline]
    fn size(&self) -> usize {
        0
    }
    #[inline]
    fn encode(&self, _out: &mut Encoder<'_>) {}
}

/// More fields than a tuple holds, or fields from two places: `first`, then `rest`.
#[derive(Clone, Copy, Debug)]
pub struct And<A, B>(pub A, pub B);

impl<A: Fields, B: Fields> Fields for And<A, B> {
    #[inline]
    fn size(&self) -> usize {
        self.0.size() + self.1.size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        self.0.encode(out);
        self.1.encode(out);
    }
    #[inline(always)]
    fn block_size(&self) -> usize {
        self.0.block_size() + self.1.block_size()
    }
    #[inline(always)]
    fn encode_block(&self, out: &mut Encoder<'_>) {
        self.0.encode_block(out);
        self.1.encode_block(out);
    }
}

impl<F: Fields + ?Sized> Fields for &F {
    #[inline]
    fn size(&self) -> usize {
        (**self).size()
    }
    #[inline(always)]
    fn encode(&self, out: &mut Encoder<'_>) {
        (**self).encode(out);
    }
}

/// The most values of a tuple.
const MOST: usize = 16;

/// The head of a block: its tag, how many values, the kind of each, and zeros to a whole word.
const fn head<const N: usize>(kinds: [u8; N]) -> [u8; head_len(MOST)] {
    let mut head = [tag::END; head_len(MOST)];
    head[0] = tag::BLOCK;
    head[1] = N as u8;
    let mut at = 0;
    while at < N {
        head[2 + at] = kinds[at];
        at += 1;
    }
    head
}

/// The bytes of the head of a block with so many values.
pub(crate) const fn head_len(values: usize) -> usize {
    (2 + values).next_multiple_of(WORD)
}

/// The bytes of a block of values of which so many are fixed.
const fn block_len<const N: usize>(fixed: [usize; N]) -> usize {
    let mut len = head_len(N);
    let mut at = 0;
    while at < N {
        len += fixed[at];
        at += 1;
    }
    len
}

macro_rules! tuples {
    ($head:ident $($rest:ident)*) => {
        impl<$head: Value, $($rest: Value),*> Fields for ($head, $($rest,)*) {
            #[inline]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn size(&self) -> usize {
                let ($head, $($rest,)*) = self;
                $head.size() $(+ $rest.size())*
            }
            #[inline]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn encode(&self, out: &mut Encoder<'_>) {
                let ($head, $($rest,)*) = self;
                $head.put(out);
                $($rest.put(out);)*
            }
            #[inline(always)]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn block_size(&self) -> usize {
                let ($head, $($rest,)*) = self;
                let block = const { block_len([$head::FIXED, $($rest::FIXED),*]) };
                block + $head.rest() $(+ $rest.rest())*
            }
            // Always: the encoder then lives in registers, and this is called from one place for each shape.
            #[inline(always)]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn encode_block(&self, out: &mut Encoder<'_>) {
                let ($head, $($rest,)*) = self;
                let (head, head_len) = const {
                    let kinds = [$head::KIND, $($rest::KIND),*];
                    (head(kinds), head_len(kinds.len()))
                };
                // The compiler knows its length, so that this is the one check of room for all that stands in it.
                let len = const { block_len([$head::FIXED, $($rest::FIXED),*]) };
                let Some(mut block) = out.split(len) else { return };
                block.slice(&head[..head_len]);
                $head.encode_fixed(&mut block);
                $($rest.encode_fixed(&mut block);)*
                $head.encode_rest(out);
                $($rest.encode_rest(out);)*
            }
        }
        tuples!($($rest)*);
    };
    () => {};
}

tuples!(A B C D E F G H I J K L M N O P);
