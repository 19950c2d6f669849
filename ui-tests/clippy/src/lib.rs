//! Every macro under `pedantic` and `nursery`, without a word of clippy about what they become.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(speaking),
    deny(warnings, missing_docs, unused_qualifications, clippy::all, clippy::pedantic, clippy::nursery)
)]

#[cfg(not(speaking))]
mod silent;
#[cfg(speaking)]
mod speaking;

#[cfg(not(speaking))]
pub use silent::{Order, Router};
