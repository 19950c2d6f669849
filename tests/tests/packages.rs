//! What is published says what it is, and with which compiler it builds (issue 8, point 7).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The packages of the workspace that may be published.
fn published() -> Vec<Value> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| package["publish"].is_null()).cloned().collect()
}

#[test]
fn every_published_package_has_what_a_registry_and_docs_rs_want() {
    let published = published();
    let names: Vec<_> = published.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tapelog-macros", "tapelog", "tapelog-web", "tapelog-cli", "tapelog-ship"]);
    for package in &published {
        let name = package["name"].as_str().unwrap();
        for key in ["description", "license", "repository"] {
            assert!(package[key].as_str().is_some_and(|text| !text.is_empty()), "{name} has no `{key}`");
        }
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        let readme = package["readme"].as_str().map(|readme| manifest.with_file_name("").join(readme));
        assert!(readme.is_some_and(|readme| readme.exists()), "{name} has no `readme`");
        for key in ["keywords", "categories"] {
            let count = package[key].as_array().unwrap().len();
            assert!((1..=5).contains(&count), "{name} has {count} {key}; a registry takes 1 to 5");
        }
        // Without it docs.rs shows the default features alone.
        let is_library =
            package["targets"].as_array().unwrap().iter().any(|target| target["kind"][0] == "lib");
        let has_features = !package["features"].as_object().unwrap().is_empty();
        let documented = package["metadata"]["docs"]["rs"]["all-features"] == true;
        assert!(!(is_library && has_features) || documented, "{name}: docs.rs would not show its features");
    }
}

#[test]
fn the_oldest_compiler_that_is_promised_is_the_one_that_everything_is_tested_with() {
    let toolchain = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for package in published() {
        let oldest = package["rust_version"].as_str().unwrap();
        assert!(toolchain.contains(&format!("channel = \"{oldest}.0\"")), "{}: {oldest}", package["name"]);
        assert!(readme.contains(&format!("oldest compiler is Rust {oldest},")), "README.md: {oldest}");
    }
}

#[test]
fn every_feature_is_named_where_its_library_is_described() {
    for package in published() {
        let targets = package["targets"].as_array().unwrap();
        let Some(library) = targets.iter().find(|target| target["kind"][0] == "lib") else { continue };
        let source = fs::read_to_string(library["src_path"].as_str().unwrap()).unwrap();
        let docs: String = source.lines().filter(|line| line.starts_with("//!")).collect();
        for feature in package["features"].as_object().unwrap().keys().filter(|feature| *feature != "default")
        {
            assert!(
                docs.contains(&format!("`{feature}`")),
                "{} says nothing of `{feature}`",
                package["name"]
            );
        }
    }
}
