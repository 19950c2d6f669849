//! The edition of the crate that is being compiled, as its manifest says it: no token tells it.
//!
//! Invariant: only ever used where the earlier edition is a safe guess. A manifest that is not there, or that says it in
//! another way, is of an earlier edition.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// Whether closures capture what they name and not the variables around it: from edition 2021 on.
pub(crate) fn captures_are_disjoint() -> bool {
    static DISJOINT: OnceLock<bool> = OnceLock::new();
    *DISJOINT.get_or_init(|| {
        let folder = std::env::var_os("CARGO_MANIFEST_DIR");
        folder.and_then(|folder| edition(Path::new(&folder))).is_some_and(|edition| edition >= 2021)
    })
}

fn edition(folder: &Path) -> Option<u32> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    match key(&manifest, "[package]")? {
        "workspace" => folder.ancestors().find_map(|folder| {
            let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
            key(&manifest, "[workspace.package]")?.parse().ok()
        }),
        year => year.parse().ok(),
    }
}

/// `2024` of `edition = "2024"` in that table, or `workspace` where it is inherited.
fn key<'a>(manifest: &'a str, table: &str) -> Option<&'a str> {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != table).skip(1);
    lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        let value = line.strip_prefix("edition")?.trim_start();
        if value.starts_with(".workspace") || value.contains("workspace = true") {
            return Some("workspace");
        }
        value.strip_prefix('=')?.trim().trim_matches('"').get(..4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(manifest: &str, table: &str, expected: Option<&str>) {
        assert_eq!(key(manifest, table), expected, "{manifest}");
    }

    #[test]
    fn a_manifest_says_its_edition() {
        check(
            "[package]\nname = \"a\"\nedition = \"2018\" # old\n[lib]\nedition = \"2024\"",
            "[package]",
            Some("2018"),
        );
        check("[package]\nedition.workspace = true", "[package]", Some("workspace"));
        check("[package]\nedition = { workspace = true }", "[package]", Some("workspace"));
        check("[package]\nname = \"a\"\n\n[dependencies]\nedition = \"2024\"", "[package]", None);
        check("[workspace.package]\nedition = \"2021\"\n[package]", "[workspace.package]", Some("2021"));
        assert!(captures_are_disjoint(), "this crate is of edition 2024");
    }
}
