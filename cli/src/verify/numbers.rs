//! Which `seq` there are: a bit for each, so that a billion events take some 200 MB, and a forged number no more than any.

use std::collections::BTreeMap;

/// So many numbers share a block.
const BLOCK: u64 = 512;

/// A set of numbers.
#[derive(Default)]
pub(super) struct Numbers(BTreeMap<u64, [u64; 8]>);

impl Numbers {
    pub(super) fn insert(&mut self, number: u64) {
        let block = self.0.entry(number / BLOCK).or_default();
        let bit = number % BLOCK;
        if let Some(word) = block.get_mut((bit / 64) as usize) {
            *word |= 1 << (bit % 64);
        }
    }

    /// All of them, rising.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(block, words)| {
            let bits = (0..BLOCK)
                .filter(|bit| words.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1));
            bits.map(move |bit| block * BLOCK + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_once_and_rising_however_far_they_are_apart() {
        let mut numbers = Numbers::default();
        for number in [7, 512, 0, u64::MAX, 511, 7, 1 << 40] {
            numbers.insert(number);
        }
        assert!(numbers.iter().eq([0, 7, 511, 512, 1 << 40, u64::MAX]));
    }
}
