//! Canary secrets: texts that no output may hold. Every [`Folder`](crate::Folder) is searched when its test ends, and
//! what [`victim`](crate::victim) ran is searched in its words and in the rings that it left.
//!
//! Inputs that must hold them stand in a folder named `input`.

use std::fs;
use std::path::{Path, PathBuf};

/// A password, by its key's name.
pub const PASSWORD: &str = "canary-Pw7hTq2LmZx";
/// Secret by attribute alone: nothing in it or in its key says so.
pub const LOGIN: &str = "canary-login-orchid";
/// In a `Secret<T>`.
pub const TYPED: &str = "canary-typed-heron";
/// In the user-info of a URL.
pub const IN_URL: &str = "canary-urlpw-Xk29";
/// By its shape: a JWT, whose parts are base64 of `canary`.
pub const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnktand0LTQ3MTEifQ.c2lnbmF0dXJlLWNhbmFyeS1qd3QtMDAwMQ";
/// By its shape: a cloud access key.
pub const AWS: &str = "AKIACANARY7Q2LMZX3HT";
/// By its shape: the lines of a private key.
pub const PEM: &str = "MIICanaryKeyMaterialThatNobodyMayReadInAnyFile0123456789";
/// Set in the environment under a name that nobody bound.
pub const IN_ENVIRONMENT: &str = "canary-env-magpie";

/// What is searched for everywhere.
pub const ALL: [&str; 8] = [PASSWORD, LOGIN, TYPED, IN_URL, JWT, AWS, PEM, IN_ENVIRONMENT];

/// Fails when a text holds a canary.
///
/// # Panics
/// When it does.
pub fn assert_clean(what: &str, bytes: &[u8]) {
    for canary in ALL {
        let found = memchr::memmem::find(bytes, canary.as_bytes()).is_some();
        assert!(!found, "{what} holds the secret `{canary}`");
    }
}

/// Fails when a file below a folder holds one, or a file's name.
///
/// # Panics
/// When one does.
pub fn assert_clean_folder(folder: &Path) {
    for path in files(folder) {
        assert_clean("a file's name", path.to_string_lossy().as_bytes());
        assert_clean(&path.display().to_string(), &fs::read(&path).unwrap_or_default());
    }
}

/// Fails when shared memory of a run holds one.
///
/// # Panics
/// When it does.
pub fn assert_clean_memory(run: &Path) {
    for folder in crate::shared_left(run) {
        for path in files(&folder) {
            assert_clean(&path.display().to_string(), &fs::read(&path).unwrap_or_default());
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_symlink() || entry.file_name() == "input" {
            continue;
        }
        if path.is_dir() {
            all.append(&mut files(&path));
        } else if path.is_file() {
            all.push(path);
        }
    }
    all
}
