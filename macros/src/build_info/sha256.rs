//! SHA-256 (FIPS 180-4), for one file at compile time: a dependency would be compiled by everyone who annotates.

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2), computed rather than
/// copied: see [`roots`].
fn constants() -> [u32; 64] {
    roots(|prime| fraction(prime, 3))
}

/// The same of square roots, of the first 8 (§5.3.3).
fn initial() -> [u32; 8] {
    roots(|prime| fraction(prime, 2))
}

fn roots<const N: usize>(of: impl Fn(u128) -> u32) -> [u32; N] {
    let mut primes = (2_u128..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    std::array::from_fn(|_| of(primes.next().unwrap_or(2)))
}

/// The first 32 bits behind the point of the `degree`-th root of `n`: the largest `r` with `r^degree <= n * 2^(32 * degree)`.
fn fraction(n: u128, degree: u32) -> u32 {
    let target = n << (32 * degree);
    let mut root = 0_u128;
    for bit in (0..40).rev() {
        let tried = root | 1 << bit;
        if tried.pow(degree) <= target {
            root = tried;
        }
    }
    root as u32
}

/// All 64 hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let constants = constants();
    let mut state = initial();
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((bytes.len() as u64 * 8).to_be_bytes());
    for block in padded.as_chunks::<64>().0 {
        let mut words = [0_u32; 64];
        for (word, four) in words.iter_mut().zip(block.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*four);
        }
        for at in 16..64 {
            let (a, b) = (words[at - 15], words[at - 2]);
            let small = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let large = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            words[at] = words[at - 16].wrapping_add(small).wrapping_add(words[at - 7]).wrapping_add(large);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (word, constant) in words.iter().zip(constants) {
            let choice = (e & f) ^ (!e & g);
            let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(constant).wrapping_add(*word);
            let majority = (a & b) ^ (a & c) ^ (b & c);
            let second = (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22)).wrapping_add(majority);
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second));
        }
        for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *old = old.wrapping_add(new);
        }
    }
    state.iter().map(|word| format!("{word:08x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_have_their_hashes() {
        // FIPS 180-4 constants, and the examples that NIST publishes with it.
        assert_eq!((constants()[0], constants()[63]), (0x428a_2f98, 0xc671_78f2));
        assert_eq!((initial()[0], initial()[7]), (0x6a09_e667, 0x5be0_cd19));
        for (text, hash) in [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ] {
            assert_eq!(hex(text.as_bytes()), hash, "{text}");
        }
        let million = vec![b'a'; 1_000_000];
        assert_eq!(hex(&million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}
