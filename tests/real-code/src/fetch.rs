//! A crate's source, as the registry has it, made to stand alone and to depend on tapelog.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fetches `name`, or `name@version`, into `work/crate`, and gives that folder and the version.
pub(crate) fn fetch(name: &str, work: &Path) -> io::Result<(PathBuf, String)> {
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    let (plain, version) =
        name.split_once('@').map_or((name, "*".to_owned()), |(plain, v)| (plain, exact(v)));
    let probe = work.join("probe");
    fs::create_dir_all(probe.join("src"))?;
    fs::write(probe.join("src/lib.rs"), "")?;
    fs::write(
        probe.join("Cargo.toml"),
        format!(
            "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{plain} = \"{version}\"\n\n[workspace]\n"
        ),
    )?;
    let output =
        Command::new("cargo").args(["vendor", "--quiet", "--versioned-dirs"]).current_dir(&probe).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    // Two versions may be there, where the crate depends on an older one of itself.
    let prefix = format!("{plain}-");
    let mut found: Vec<_> = fs::read_dir(probe.join("vendor"))?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let folder = entry.file_name().into_string().ok()?;
            let version =
                folder.strip_prefix(&prefix).filter(|v| v.starts_with(|c: char| c.is_ascii_digit()))?;
            Some((locked(&probe, plain)? == version, entry.path(), version.to_owned()))
        })
        .collect();
    found.sort();
    let (_, source, version) =
        found.pop().ok_or_else(|| io::Error::other(format!("cargo gave no source of `{plain}`")))?;
    let dir = work.join("crate");
    copy(&source, &dir)?;
    prepare(&dir)?;
    Ok((dir, version))
}

/// `1.2.3` as this version and no later one; a range stays what it is.
fn exact(version: &str) -> String {
    if version.starts_with(|c: char| c.is_ascii_digit()) { format!("={version}") } else { version.to_owned() }
}

/// The version of `name` that the probe itself depends on: the highest that its lock file has.
fn locked(probe: &Path, name: &str) -> Option<String> {
    let lock = fs::read_to_string(probe.join("Cargo.lock")).ok()?;
    let versions =
        lock.split("[[package]]").filter(|entry| entry.contains(&format!("\nname = \"{name}\"\n")));
    let version = |entry: &str| Some(entry.split_once("\nversion = \"")?.1.split_once('"')?.0.to_owned());
    versions.filter_map(version).max_by_key(|version| {
        version.split(['.', '-', '+']).map(|part| part.parse::<u64>().unwrap_or(0)).collect::<Vec<_>>()
    })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let target = to.join(&name);
        // Its own toolchain and cargo settings would build it with another compiler than ours.
        let left = [".cargo-checksum.json", "rust-toolchain", "rust-toolchain.toml", ".cargo", "Cargo.lock"];
        if left.iter().any(|left| name == *left) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Makes the crate depend on tapelog, and stand alone. Both runs have the dependency, so that only the attributes differ.
fn prepare(dir: &Path) -> io::Result<()> {
    let manifest = dir.join("Cargo.toml");
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime");
    let mut text = fs::read_to_string(&manifest)?;
    if !text.lines().any(|line| line.trim_start().starts_with("[workspace]")) {
        text.push_str("\n[workspace]\n");
    }
    let dependency = format!(
        "\n[dependencies.tapelog]\npath = \"{}\"\ndefault-features = false\n",
        runtime.canonicalize()?.display()
    );
    text.push_str(&dependency);
    fs::write(manifest, text)
}

/// Whether the crate is of the first edition, in which `::name` begins at the crate's root.
pub(crate) fn is_edition_2015(dir: &Path) -> io::Result<bool> {
    let manifest = fs::read_to_string(dir.join("Cargo.toml"))?;
    let edition = manifest.lines().find_map(|line| line.strip_prefix("edition = "));
    Ok(edition.is_none_or(|edition| edition.trim() == "\"2015\""))
}
