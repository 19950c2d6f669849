//! The event reference that is checked in is the one that the types make.
//!
//! After a change: `TAPELOG_REFERENCE=overwrite cargo test -p tapelog-tests --test reference`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tapelog::reference;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Compares with a file, or writes it.
fn check(path: &Path, text: &str) {
    if std::env::var_os("TAPELOG_REFERENCE").is_some_and(|what| what == "overwrite") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        return;
    }
    let now = fs::read_to_string(path).unwrap_or_default();
    assert!(now == text, "{} is stale; see the module's first lines", path.display());
}

#[test]
fn the_reference_is_what_the_types_make() {
    // S4-041: the event reference of the runbook.
    let entries = reference::entries(tapelog_ship::events::TYPED);
    reference::one_type_for_each_name(&entries).unwrap();
    check(&docs().join("EVENTS.md"), &reference::markdown(&entries));
    let schemas = reference::schemas(&entries);
    for (name, text) in &schemas {
        check(&docs().join("schema").join(name), text);
    }
    let there: BTreeSet<String> = fs::read_dir(docs().join("schema"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let made: BTreeSet<String> = schemas.into_iter().map(|(name, _)| name).collect();
    assert_eq!(there, made, "a schema without an event, or an event without a schema");
}
