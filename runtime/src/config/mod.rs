//! Configuration audit: which configuration is in force, what changed since the last session, what the environment did.
//!
//! ```text
//! any Serialize ─▶ serialize ─▶ Node ─┬▶ redact ─▶ canonical (RFC 8785) ─▶ SHA-256 ─▶ config_hash
//!                                     │     └▶ fingerprints (keyed) ─┐
//!                                     └▶ overrides ◀─ environment    ├▶ diff ◀─ history ◀─ <session>/<pid>/config.json
//!                                                                    └▶ AuditReport ─▶ the events CONFIG_*
//! ```
//!
//! [`Audit`] is the one way in; [`scrub_text`] and [`Secret`] serve the rest of the crate too.
//!
//! Architecture invariant: a secret leaves this module only as a mark or as a keyed fingerprint, whether in a
//! returned text, an error or a file. In plain it lives in `node`, `redact` and `overrides` alone, whose types have no
//! `Debug`. The tests in `canary.rs` look for it everywhere.

mod audit;
mod canonical;
mod diff;
mod error;
mod files;
mod fingerprint;
mod hash;
mod history;
mod keys;
mod loaders;
mod names;
mod node;
mod number;
mod overrides;
mod provenance;
mod readings;
mod record;
mod redact;
mod scrub;
mod secret;
mod serialize;
mod shapes;
mod snapshot;

#[cfg(test)]
mod audit_tests;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod overrides_tests;
#[cfg(test)]
mod scrub_tests;

pub use audit::{Audit, AuditReport, HASH_FILE, compare};
pub use canonical::{canonical, nonfinite};
pub use diff::{Change, Diff, MAX_CHANGES, Op};
pub use error::{ConfigError, KeyFault};
pub use files::SourceFile;
pub use fingerprint::KEY_FILE;
pub use hash::ConfigHash;
pub use history::{Against, CONFIG_FILE, FORMAT, Found, MAX_SESSIONS, StoredConfig, find};
#[cfg(feature = "tracing")]
pub(crate) use names::{Class, classify};
pub use overrides::{Environment, OverrideDetail, OverrideStatus, Overrides, UnknownVariable};
pub use provenance::Provenance;
pub use record::audit;
pub use scrub::scrub_text;
pub use secret::Secret;
#[cfg(feature = "tracing")]
pub(crate) use shapes::is_opaque;
pub use snapshot::{ConfigSnapshot, ConfigTable, EnvBinding};
pub use tapelog_macros::ConfigSnapshot;

/// What stands in place of a secret.
///
/// ```
/// use tapelog::config::{MARK, MAX_BYTES, MAX_DEPTH, MAX_NAME, scrub_text};
///
/// assert!(scrub_text("password=hunter2").contains(MARK));
/// assert!(MAX_BYTES < 16 << 20 && MAX_DEPTH == 128 && MAX_NAME < 255);
/// ```
pub const MARK: &str = "[redacted]";

/// A configuration nested deeper is refused: it would be data, or a cycle.
pub const MAX_DEPTH: usize = 128;

/// A configuration larger than this is refused: it has to fit in one event (16 MiB), with room for a diff.
pub const MAX_BYTES: usize = 4 << 20;

/// The longest session id, in bytes: file systems end at 255, and names are put before and after it.
pub const MAX_NAME: usize = 128;
