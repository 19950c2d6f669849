//! The commit that a folder is at, read from git's own files; whether files differ from it, from `git status`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) commit: Option<String>,
    pub(super) dirty: Option<bool>,
    /// Files that change when the commit does.
    pub(super) watched: Vec<PathBuf>,
}

/// Looks at the repository around `folder`.
pub(super) fn look(folder: &Path) -> Repository {
    let Some(git) = folder.ancestors().map(|above| above.join(".git")).find(|path| path.exists()) else {
        return Repository::default();
    };
    let git = if git.is_file() { of_worktree(&git) } else { Some(git) };
    let Some(git) = git else { return Repository::default() };
    // A worktree has a HEAD of its own, and shares the rest.
    let common =
        fs::read_to_string(git.join("commondir")).map_or_else(|_| git.clone(), |path| git.join(path.trim()));
    let head = git.join("HEAD");
    let mut watched = vec![head.clone()];
    let commit = fs::read_to_string(head).ok().and_then(|text| match text.trim().strip_prefix("ref: ") {
        None => Some(text.trim().to_owned()),
        Some(name) => {
            let loose = common.join(name);
            let packed = common.join("packed-refs");
            let found = fs::read_to_string(&loose)
                .ok()
                .map(|text| text.trim().to_owned())
                .or_else(|| in_packed(&fs::read_to_string(&packed).ok()?, name));
            watched.extend([loose, packed].into_iter().filter(|path| path.is_file()));
            found
        }
    });
    let commit = commit.filter(|text| text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let dirty = commit.is_some().then(|| is_dirty(folder)).flatten();
    Repository { commit, dirty, watched: watched.into_iter().filter(|path| path.is_file()).collect() }
}

/// `.git` of a worktree or a submodule is a file: `gitdir: path`.
fn of_worktree(file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    Some(file.parent()?.join(text.trim().strip_prefix("gitdir: ")?))
}

fn in_packed(packed: &str, name: &str) -> Option<String> {
    packed.lines().find_map(|line| {
        let (commit, reference) = line.split_once(' ')?;
        (reference == name).then(|| commit.to_owned())
    })
}

/// None when git is not there, or does not answer.
fn is_dirty(folder: &Path) -> Option<bool> {
    let status = Command::new("git")
        .args(["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"])
        .current_dir(folder)
        .output()
        .ok()?;
    status.status.success().then_some(!status.stdout.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let done = Command::new("git").args(identity).args(args).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    #[test]
    fn commit_and_changes_are_found_loose_packed_detached_and_in_a_worktree() {
        let folder = std::env::temp_dir().join(format!("tapelog-git-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let inside = folder.join("repo/crates/engine");
        fs::create_dir_all(&inside).unwrap();
        let repo = folder.join("repo");
        assert_eq!(look(&inside).commit, None);
        git(&repo, &["init", "-q", "-b", "main"]);
        assert_eq!(look(&inside).commit, None, "no commit yet");
        fs::write(repo.join("a"), "1").unwrap();
        git(&repo, &["add", "a"]);
        git(&repo, &["commit", "-q", "-m", "one"]);
        let loose = look(&inside);
        let commit = loose.commit.clone().unwrap();
        assert_eq!((commit.len(), loose.dirty), (40, Some(false)));
        assert!(loose.watched.iter().any(|path| path.ends_with("refs/heads/main")), "{loose:?}");
        fs::write(repo.join("a"), "2").unwrap();
        assert_eq!(look(&inside).dirty, Some(true));
        git(&repo, &["checkout", "-q", "a"]);
        git(&repo, &["pack-refs", "--all"]);
        assert_eq!(look(&inside).commit.as_ref(), Some(&commit));
        git(&repo, &["worktree", "add", "-q", "-b", "other", "../tree"]);
        assert_eq!(look(&folder.join("tree")).commit.as_ref(), Some(&commit));
        git(&repo, &["checkout", "-q", "--detach"]);
        assert_eq!(look(&inside).commit.as_ref(), Some(&commit));
        fs::remove_dir_all(&folder).unwrap();
    }
}
