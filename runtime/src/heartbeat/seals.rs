//! The newest seal of each stream, for heartbeats: any copy of a heartbeat that left the host proves a cut-off end
//! (design §6).
//!
//! Invariant: the sealer tells, and never waits: whoever reads holds the lock for a copy of a few lines.

use std::sync::{Mutex, PoisonError};

use crate::Value;

/// The newest seal of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Value, serde::Serialize)]
pub(crate) struct SealHead {
    /// The sealed segment, as it is named in the run directory.
    pub(crate) file: String,
    /// The last `seq` that is sealed.
    pub(crate) sealed_seq: u64,
    /// The seal's own hash, which the next one names.
    pub(crate) seal_sha256: String,
}

static NEWEST: Mutex<Vec<(String, SealHead)>> = Mutex::new(Vec::new());

/// Tells the newest seal of a stream.
pub(crate) fn note(stream: &str, head: SealHead) {
    let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
    match newest.iter_mut().find(|(name, _)| name == stream) {
        Some((_, known)) => *known = head,
        None => newest.push((stream.to_owned(), head)),
    }
}

/// Of every stream that was sealed.
pub(super) fn newest() -> Vec<SealHead> {
    let newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
    newest.iter().map(|(_, head)| head.clone()).collect()
}

/// Forgets those of the run before.
pub(super) fn forget() {
    NEWEST.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_seal_of_each_stream_is_kept() {
        let head = |seq| SealHead { file: "a.jsonl".into(), sealed_seq: seq, seal_sha256: "00".into() };
        note("seal-test", head(1));
        note("seal-test", head(2));
        assert_eq!(newest().iter().filter(|seal| seal.file == "a.jsonl").collect::<Vec<_>>(), [&head(2)]);
    }
}
