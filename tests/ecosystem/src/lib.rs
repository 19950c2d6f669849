//! What the tests beside real crates share.
