//! The engine decides the same, whoever records it.

use crate::recorded::{Folder, digest, printed, recorded, session};

#[test]
fn same_seed_same_decisions_and_another_seed_others() {
    let folder = Folder::new("seeds");
    let of = |seed: &str| digest(&printed(&session(folder.path(), &["--no-recorder", "--seed", seed])));
    let first = of("7");
    assert_eq!(of("7"), first);
    assert_ne!(of("8"), first);
}

#[test]
fn without_a_recorder_the_engine_decides_the_same() {
    let folder = Folder::new("no-recorder");
    let without = printed(&session(folder.path(), &["--no-recorder"]));
    assert_eq!(digest(&without), digest(&printed(&recorded().output)));
    assert!(!folder.path().join("logs").exists(), "nothing is written when nobody records");
}

#[test]
fn another_speed_decides_the_same() {
    let folder = Folder::new("speed");
    let paced = printed(&session(folder.path(), &["--no-recorder", "--speed", "60"]));
    assert_eq!(digest(&paced), digest(&printed(&recorded().output)));
}

#[test]
fn wrong_options_end_with_2_and_say_what_to_write() {
    let folder = Folder::new("options");
    for (options, says) in [
        (&["--seed", "x"][..], "write `--seed 7`"),
        (&["--speed", "-1"], "write `--speed 60`"),
        (&["--rot", "x"], "--help"),
        (&["--root", "/proc/none"], "/proc/none"),
    ] {
        let output = session(folder.path(), options);
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(says), "{options:?}: {errors}");
    }
}
