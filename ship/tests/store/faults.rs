//! Kills, full disks, wrong credentials and certificates.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::weed::{KEY, SECRET, Weed};
use crate::support::{self, Folder, all_lines, engine as start_engine, recorded};
use crate::{Ship, files_below, lines_below, sorted};

#[test]
fn a_store_that_refuses_or_is_away_says_so_without_secrets_and_nothing_is_lost() {
    let (mut weed, root) = (Weed::start(), Folder::new("wrong"));
    recorded(root.path(), 50);
    let address = weed.address("wrong", "");
    let said = Ship { secret: "canary-wrong-secret", ..Ship::new(root.path(), &address) }.fails();
    assert!(said.contains("check the credentials") && said.contains("nothing is lost"), "{said}");
    assert!(!said.contains("canary") && !said.contains(KEY), "{said}");
    weed.kill();
    let said = Ship { patience_ms: 500, ..Ship::new(root.path(), &address) }.fails();
    assert!(said.contains("takes nothing") && !said.contains("canary"), "{said}");
    weed.begin();
    Ship::new(root.path(), &address).runs();
    assert_eq!(sorted(lines_below(weed.fetch("wrong").path())), sorted(all_lines(root.path())));
    for file in files_below(&root.path().join("ship")) {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains("canary") && !text.contains(KEY), "{}: {text}", file.display());
    }
}

/// Credentials from the file that the store's own tools keep, and from nowhere else.
#[test]
fn credentials_come_from_the_file_of_the_stores_own_tools() {
    let (weed, root) = (Weed::start(), Folder::new("profile"));
    recorded(root.path(), 5);
    let file = root.path().join("credentials");
    fs::write(&file, format!("[default]\naws_access_key_id={KEY}\naws_secret_access_key = {SECRET}\n"))
        .unwrap();
    let address = weed.address("profile", "");
    let ship = Ship::new(root.path(), &address);
    let mut command = ship.command();
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let output = command.env("AWS_SHARED_CREDENTIALS_FILE", &file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(sorted(lines_below(weed.fetch("profile").path())), sorted(all_lines(root.path())));
}

/// Encrypted, and only to a server that the authority vouches for.
#[test]
fn a_store_is_asked_encrypted_and_its_certificate_is_checked() {
    let (weed, root) = (Weed::start(), Folder::new("tls"));
    recorded(root.path(), 50);
    let to = |more: &str| format!("s3://tapes/tls?endpoint={}{more}", weed.encrypted());
    let said = Ship { patience_ms: 5_000, ..Ship::new(root.path(), &to("")) }.fails();
    assert!(said.contains("UnknownIssuer") && said.contains("ca=FILE"), "{said}");
    let said = Ship::new(root.path(), &to("&ca=/nowhere.pem")).fails();
    assert!(said.contains("name a PEM file"), "{said}");
    Ship::new(root.path(), &to(&format!("&ca={}", weed.authority().display()))).runs();
    assert_eq!(sorted(lines_below(weed.fetch("tls").path())), sorted(all_lines(root.path())));
    // The other client, that of collectors, at the same server: it answers, that it is no collector.
    let otlp = weed.encrypted().replace("https://", "otlp://");
    let said = Ship { patience_ms: 5_000, ..Ship::new(root.path(), &format!("{otlp}?tls=on")) }.fails();
    assert!(said.contains("UnknownIssuer") && said.contains("ca=FILE"), "{said}");
    let trusted = format!("{otlp}?tls=on&ca={}", weed.authority().display());
    let said = Ship { patience_ms: 5_000, ..Ship::new(root.path(), &trusted) }.fails();
    assert!(said.contains("it answered 4"), "{said}");
}

/// A disk that is full is full for a while: the same batch goes when there is room.
#[test]
fn a_full_disk_at_the_store_costs_delay() {
    let (root, store) = (Folder::new("full"), Folder::new("full-store"));
    recorded(root.path(), 400);
    let mount =
        |args: &[&str]| Command::new("mount").args(args).arg(store.path()).status().unwrap().success();
    assert!(mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"]), "these tests need root");
    let address = format!("file://{}", store.path().display());
    let said = Ship { patience_ms: 300, ..Ship::new(root.path(), &address) }.fails();
    let room = mount(&["-o", "remount,size=64m"]);
    let ran = room.then(|| Ship::new(root.path(), &address).runs());
    let there = lines_below(store.path());
    let _ = Command::new("umount").arg(store.path()).status();
    assert!(said.contains("No space left") && said.contains("nothing is lost"), "{said}");
    assert!(ran.is_some());
    assert_eq!(sorted(there), sorted(all_lines(root.path())));
}

/// Engine, store and shipper are killed at random: no line is missing, and none is twice. `.ci/long ship` kills more.
#[test]
fn kills_of_engine_store_and_shipper_leave_every_line_in_the_store() {
    let wanted = |name: &str, else_: u64| support::number(name).unwrap_or(else_);
    let (kills, events) = (wanted("TAPELOG_SHIP_KILLS", 8), wanted("TAPELOG_SHIP_EVENTS", 3_000) as usize);
    let (mut weed, root) = (Weed::start(), Folder::new("kills"));
    let mut random = support::random(11);
    let address = weed.address("kills", "");
    let start_shipper = || {
        // Batches of 500, so that the long check makes some hundred objects.
        let ship = Ship { events: 500, patience_ms: 600_000, ..Ship::new(root.path(), &address) };
        ship.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let start = || start_engine(root.path(), 5_000, 10_000);
    let (mut engine, mut shipper) = (start(), start_shipper());
    let (mut killed, mut round) = ([0; 3], 0);
    while round < kills || all_lines(root.path()).len() < events {
        round += 1;
        std::thread::sleep(Duration::from_millis(150 + random(350)));
        let which = random(3) as usize;
        killed[which] += 1;
        if which == 0 {
            let _ = engine.kill();
        } else if which == 1 {
            weed.kill();
            weed.begin();
        } else {
            let _ = shipper.kill();
        }
        if which == 0 || engine.try_wait().unwrap().is_some() {
            let _ = engine.wait();
            engine = start();
        }
        // It ends at the end of what is there.
        if which == 2 || shipper.try_wait().unwrap().is_some() {
            let _ = shipper.wait();
            shipper = start_shipper();
        }
    }
    let _ = engine.kill();
    let _ = engine.wait();
    let _ = shipper.kill();
    let _ = shipper.wait();
    recorded(root.path(), 1);
    Ship { events: 500, ..Ship::new(root.path(), &address) }.runs();
    let (there, lines) = (lines_below(weed.fetch("kills").path()), all_lines(root.path()));
    println!("{} events, engine, store, shipper killed {killed:?} times", lines.len());
    let distinct: BTreeSet<&String> = there.iter().collect();
    assert_eq!(distinct.len(), there.len(), "a batch that is sent again meets its own object");
    assert_eq!(sorted(there), sorted(lines));
}
