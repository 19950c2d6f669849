//! Evidence: which binary runs, built from what. For `run.json` (design §6).
//!
//! Invariant: nothing here holds up a start. The executable is read on a thread of the lowest priority, and what was
//! not found out is absent, never guessed.

mod build_id;
mod build_info;

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::{Arc, PoisonError};

use sha2::{Digest as _, Sha256};

pub use build_info::BuildInfo;

use super::drain::Signals;

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// What the executable's bytes say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Executable {
    /// All 64 hexadecimal digits.
    pub(crate) sha256: String,
    /// Of its linker, in hexadecimal; empty when it wrote none.
    pub(crate) build_id: String,
}

/// Looks at the executable of this process, on a thread of its own, and leaves what it found for the manifest.
pub(crate) fn look_at_executable(signals: &Arc<Signals>) {
    // Opened now: a file that takes its name later, on an update say, is another.
    let Ok(file) = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?)) else {
        return;
    };
    let signals = Arc::clone(signals);
    let look = move || {
        crate::hot::thread::never_wait();
        crate::cold::quiet::step_back(19);
        if let Ok(found) = executable(file, || signals.stopped()) {
            *signals.executable.lock().unwrap_or_else(PoisonError::into_inner) = found;
        }
    };
    // Without a thread the manifest goes without.
    let _ = crate::cold::quiet::spawn("tapelog-evidence", look);
}

/// Reads the whole file, unless `stop` says that nobody needs it any more.
fn executable(mut file: File, stop: impl Fn() -> bool) -> io::Result<Option<Executable>> {
    let build_id = build_id::of(&file).unwrap_or_default();
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        if stop() {
            return Ok(None);
        }
        match file.read(&mut chunk)? {
            0 => break,
            len => hash.update(&chunk[..len]),
        }
    }
    Ok(Some(Executable { sha256: hex(&hash.finalize()), build_id }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let path = std::env::temp_dir().join(format!("tapelog-evidence-{}", std::process::id()));
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-4, the first example.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let found = executable(File::open(&path).unwrap(), || false).unwrap().unwrap();
        assert_eq!((found.sha256.as_str(), found.build_id.as_str()), (expected, ""));
        assert_eq!(executable(File::open(&path).unwrap(), || true).unwrap(), None);
        std::fs::remove_file(path).unwrap();
    }
}
