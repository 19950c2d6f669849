//! The names of a package's features: the table `[features]` of its `Cargo.toml`. Which are on, the compiler knows.

use std::fs;
use std::path::Path;

/// The names, in the file's order. Of a file that is written otherwise than usual, those that were found.
pub(super) fn of(manifest: &Path) -> Vec<String> {
    fs::read_to_string(manifest).map(|text| names(&text)).unwrap_or_default()
}

fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    // A list may go over several lines.
    let mut open = 0_i32;
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if open <= 0 && line.starts_with('[') {
            inside = line == "[features]";
            continue;
        }
        if !inside {
            continue;
        }
        if open <= 0
            && let Some((name, _)) = line.split_once('=')
        {
            names.push(name.trim().trim_matches('"').to_owned());
        }
        open += line.matches('[').count() as i32 - line.matches(']').count() as i32;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn features_are_found_and_nothing_else() {
        let text = "[package]\nname = \"a\"\n\n[features]\n# all\ndefault = [\n    \"live\", # comment\n    \"x = y\",\n]\nlive = []\n\"paper-2\" = [\"dep:a\"]\n\n[dependencies]\nserde = \"1\"\n";
        assert_eq!(names(text), ["default", "live", "paper-2"]);
        assert!(names("").is_empty());
    }
}
