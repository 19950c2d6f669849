//! Clippy on annotated code (issue 3): nothing to say of what we add, and all that it always said of what the user wrote.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each message as lint, file and line. `cfg` are conditions that hold.
fn said(cfg: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(cargo)
        .args(["clippy", "--quiet", "-p", "tapelog-clippy-cases", "--message-format=json", "--"])
        .args(cfg.iter().flat_map(|cfg| ["--cfg", cfg]))
        .current_dir(root)
        // Flags of the test's own build are no business of this one.
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo clippy runs");
    let text = String::from_utf8(output.stdout).expect("cargo writes text");
    let messages: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(!messages.is_empty(), "clippy did not run: {}", String::from_utf8_lossy(&output.stderr));
    messages
        .iter()
        .filter(|message| message["reason"] == "compiler-message")
        .filter_map(|message| {
            let message = &message["message"];
            let span = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
            let code = message["code"]["code"].as_str().unwrap_or("(no lint)");
            Some(format!("{code} at {}:{}", span["file_name"].as_str()?, span["line_start"]))
        })
        .collect()
}

/// Lints that look at a function and its body as one, and are lost: it cannot be `const` any more; whether it wraps for
/// nothing, and what is cloned for nothing at its end, is asked only where no closure is around the body.
const OF_THE_WHOLE: [&str; 3] =
    ["clippy::missing_const_for_fn", "clippy::unnecessary_wraps", "clippy::redundant_clone"];

#[test]
fn clippy_has_nothing_to_say_of_what_we_add_and_says_what_it_says_of_the_user() {
    // One after the other: they share one build.
    let silent = said(&[]);
    assert!(silent.is_empty(), "{silent:#?}");
    let annotated = said(&["speaking", "annotated"]);
    let mut plain = said(&["speaking"]);
    plain.retain(|said| OF_THE_WHOLE.iter().all(|lint| !said.starts_with(lint)));
    assert_eq!(annotated, plain);
    for lint in [
        "dead_code",
        "unused_mut",
        "unused_variables",
        "unreachable_code",
        "unused_must_use",
        "clippy::needless_return",
        "clippy::unwrap_used",
        "clippy::print_stderr",
        "clippy::map_entry",
    ] {
        assert!(
            plain.iter().any(|said| said.starts_with(&format!("{lint} at"))),
            "{lint} is missing: {plain:#?}"
        );
    }
}
