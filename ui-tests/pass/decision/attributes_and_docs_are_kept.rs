#![deny(missing_docs, warnings)]
//! Documented.

use tapelog::decision;

/// A documented function.
///
/// With an example.
#[must_use]
#[inline(always)]
#[decision]
#[cfg_attr(all(), doc = "More.")]
pub fn documented() -> u32 {
    //! And from inside.
    #![allow(unused_variables)]
    let unused = 1;
    1
}

/// Another.
#[cold]
#[decision]
#[inline(never)]
#[deprecated(note = "kept")]
pub fn cold() -> Result<(), ()> {
    #![allow(unused_variables)]
    let unused = 1;
    Ok(())
}

#[cfg(any())]
#[decision]
fn not_there(missing: Missing) {}

#[cfg_attr(all(), decision(kind = "buy"))]
fn conditional() -> Result<(), ()> {
    Ok(())
}

#[decision]
#[expect(dead_code)]
fn expected_dead() {}

fn main() {
    assert_eq!(documented(), 1);
    #[allow(deprecated)]
    cold().ok();
    conditional().ok();
}
