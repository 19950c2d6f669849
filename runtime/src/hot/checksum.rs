//! The checksum of table entries and commit slots: FNV-1a, 64 bits.
//!
//! It tells a torn write from a whole one after a crash. It proves nothing against intent; seals do that.

/// FNV-1a over `bytes` (Fowler, Noll, Vo; draft-eastlake-fnv).
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}
