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
    /// Writes all values in place, those of a tuple as a `tag::BLOCK`: for what is recorded most often. False, and something
    /// is missing, where a value wrote more than it claimed.
    #[inline(always)]
    fn encode_block(&self, out: &mut Encoder<'_>) -> bool
    where
        Self: Sized,
    {
        self.encode(out);
        true
    }
    /// As [`Fields::encode_block`], for `Seen`.
    #[inline(always)]
    fn see_block(see: impl Fn() -> Self, out: &mut Encoder<'_>) -> bool
    where
        Self: Sized,
    {
        see().encode_block(out)
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
    fn encode_block(&self, out: &mut Encoder<'_>) -> bool {
        self.0.encode_block(out) && self.1.encode_block(out)
    }
    #[inline(always)]
    fn see_block(see: impl Fn() -> Self, out: &mut Encoder<'_>) -> bool {
        A::see_block(|| see().0, out) && B::see_block(|| see().1, out)
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

/// Fields that the closure looks at where they are, each time that one is written: nothing of them is put on the stack for
/// the record call, and nothing is kept there while others are written. It has to give the same each time, and may do
/// nothing but read.
///
/// It is passed by reference: what it captured is then read from memory, and the compiler, which knows nothing of where that
/// points, does not read all texts before the first byte is written.
#[derive(Clone, Copy, Debug)]
pub struct Seen<C>(pub C);

impl<F: Fields, C: Fn() -> F> Fields for Seen<C> {
    #[inline]
    fn size(&self) -> usize {
        (self.0)().size()
    }
    #[inline]
    fn encode(&self, out: &mut Encoder<'_>) {
        (self.0)().encode(out);
    }
    #[inline(always)]
    fn block_size(&self) -> usize {
        (self.0)().block_size()
    }
    #[inline(always)]
    fn encode_block(&self, out: &mut Encoder<'_>) -> bool {
        F::see_block(&self.0, out)
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
            fn encode_block(&self, out: &mut Encoder<'_>) -> bool {
                let Some(mut block) = tuples!(@block out $head $($rest)*) else { return false };
                let ($head, $($rest,)*) = self;
                $head.encode_fixed(&mut block);
                $($rest.encode_fixed(&mut block);)*
                $head.encode_rest(out) $(&& $rest.encode_rest(out))*
            }
            #[inline(always)]
            #[expect(non_snake_case, reason = "the type parameters name the parts")]
            fn see_block(see: impl Fn() -> Self, out: &mut Encoder<'_>) -> bool {
                let Some(mut block) = tuples!(@block out $head $($rest)*) else { return false };
                let ($head, $($rest,)*) = see();
                $head.encode_fixed(&mut block);
                $($rest.encode_fixed(&mut block);)*
                tuples!(@each_seen see out ($head $($rest)*) $head $($rest)*);
                true
            }
        }
        tuples!($($rest)*);
    };
    // The block of these values, with its head.
    (@block $out:ident $($value:ident)*) => {{
        let (head, head_len) = const {
            let kinds = [$($value::KIND),*];
            (head(kinds), head_len(kinds.len()))
        };
        // The compiler knows its length, so that this is the one check of room for all that stands in it.
        let block = $out.part(const { block_len([$($value::FIXED),*]) });
        block.map(|mut block| {
            block.slice(&head[..head_len]);
            block
        })
    }};
    // What this one of all values has behind the block; looked at for it alone.
    (@seen $see:ident $out:ident ($($all:ident)*) $value:ident) => {
        if const { tag::has_rest($value::KIND) } {
            let ($($all,)*) = $see();
            let _others = ($(&$all,)*);
            if !$value.encode_rest($out) {
                return false;
            }
        }
    };
    (@each_seen $see:ident $out:ident $all:tt $($value:ident)*) => {
        $(tuples!(@seen $see $out $all $value);)*
    };
    () => {};
}

tuples!(A B C D E F G H I J K L M N O P);
