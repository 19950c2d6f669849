//! Runs of real engines in Azure's blob storage, as Microsoft's Azurite speaks it.

use std::fs;
use std::path::Path;

use crate::support::azurite::{ACCOUNT, Azurite, KEY};
use crate::support::{Folder, all_lines, recorded};
use crate::{Ship, files_below, lines_below, sorted};

const CREDENTIALS: &[(&str, &str)] =
    &[("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT), ("AZURE_STORAGE_ACCOUNT_KEY", KEY)];

fn ship<'a>(root: &'a Path, address: &'a str) -> Ship<'a> {
    Ship { more: CREDENTIALS, ..Ship::new(root, address) }
}

/// S0-053…056, C19: as in S3.
#[test]
fn every_line_of_a_run_is_in_one_blob_and_again_changes_nothing() {
    let (azurite, root) = (Azurite::start(), Folder::new("azure"));
    recorded(root.path(), 100);
    let lines = all_lines(root.path());
    let address = azurite.address("lines", "&pack=zstd");
    ship(root.path(), &address).runs();
    let fetched = azurite.fetch("lines");
    assert_eq!(sorted(lines_below(fetched.path())), sorted(lines.clone()));
    let blobs = files_below(fetched.path());
    assert_eq!(blobs.len(), lines.len().div_ceil(100), "100 records a blob");
    // A checkpoint that is lost costs sending everything again, to the same blobs.
    fs::remove_dir_all(root.path().join("ship")).unwrap();
    ship(root.path(), &address).runs();
    assert_eq!(files_below(azurite.fetch("lines").path()).len(), blobs.len());
    // Whatever else stands under such a name stays, and the batch goes beside it.
    let first = blobs[0].strip_prefix(fetched.path()).unwrap().to_str().unwrap();
    azurite.put(&format!("lines/{first}"), b"somebody else's\n");
    fs::remove_dir_all(root.path().join("ship")).unwrap();
    ship(root.path(), &address).runs();
    let again = azurite.fetch("lines");
    assert_eq!(fs::read(again.path().join(first)).unwrap(), b"somebody else's\n");
    assert_eq!(files_below(again.path()).len(), blobs.len() + 1);
}

#[test]
fn the_files_of_a_run_arrive_in_azure_as_they_stand_and_large_ones_in_blocks() {
    let (azurite, root) = (Azurite::start(), Folder::new("azure-segments"));
    recorded(root.path(), 50);
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    let large: String =
        (0..200_000).map(|i| format!("{{\"i\":{i},\"text\":\"{}\"}}\n", "x".repeat(80))).collect();
    fs::write(run.dir().join("large.log"), &large).unwrap();
    let address = azurite.address("runs", "&as=segments");
    ship(root.path(), &address).runs();
    let fetched = azurite.fetch("runs");
    let arrived = files_below(fetched.path());
    for file in files_below(run.dir()).into_iter().filter(|path| !path.ends_with("lock")) {
        let name = file.strip_prefix(run.dir()).unwrap();
        let there = arrived.iter().find(|path| path.ends_with(name)).unwrap();
        assert_eq!(fs::read(&file).unwrap(), fs::read(there).unwrap(), "{name:?}");
    }
    let again = ship(root.path(), &address).runs();
    assert!(again.contains("0 files"), "{again}");
}

#[test]
fn azure_refuses_a_wrong_key_and_a_missing_container_and_neither_key_is_said() {
    let (azurite, root) = (Azurite::start(), Folder::new("azure-wrong"));
    recorded(root.path(), 5);
    let wrong = "Y2FuYXJ5LXdyb25n";
    let address = azurite.address("wrong", "");
    let with = [("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT), ("AZURE_STORAGE_ACCOUNT_KEY", wrong)];
    let said = Ship { more: &with, ..Ship::new(root.path(), &address) }.fails();
    assert!(said.contains("AZURE_STORAGE_ACCOUNT_KEY") && said.contains("nothing is lost"), "{said}");
    assert!(!said.contains(wrong) && !said.contains(KEY), "{said}");
    let missing = address.replace("az://tapes/", "az://nowhere/");
    let said = Ship { more: CREDENTIALS, ..Ship::new(root.path(), &missing) }.fails();
    assert!(said.contains("make the bucket, or container, first"), "{said}");
    ship(root.path(), &address).runs();
    assert_eq!(sorted(lines_below(azurite.fetch("wrong").path())), sorted(all_lines(root.path())));
}
