//! Real servers and real engines for the tests of shipping. Each is a process of its own, and ends with its owner.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test program uses its part")]

#[cfg(feature = "object-store")]
pub mod azurite;
#[cfg(feature = "elastic")]
pub mod cluster;
#[cfg(feature = "postgres")]
pub mod database;
#[cfg(feature = "otlp")]
pub mod sink;
#[cfg(feature = "object-store")]
pub mod weed;

use std::fs;
use std::iter;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::Duration;

/// A folder that goes with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tapelog-ship-{name}-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A port that a server may take later: some of them take half a minute to do so. Below those that the kernel gives to whoever
/// connects, in a stretch that no other test process has.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let stretch = 10_000 + (std::process::id() % 44) as u16 * 500;
    let next = || stretch + GIVEN.fetch_add(1, Ordering::Relaxed) % 500;
    iter::repeat_with(next).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// An engine: this test program again, in its test `engine`, which records `count` events below `root`.
pub fn engine(root: &Path, count: u64, pause_us: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine", "--nocapture"])
        .env("TAPELOG_TEST_ENGINE", format!("{}|{count}|{pause_us}", root.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the child of [`engine`] does; nothing in any other process.
pub fn be_the_engine() {
    let Ok(what) = std::env::var("TAPELOG_TEST_ENGINE") else { return };
    let mut what = what.split('|');
    let root = what.next().unwrap();
    let mut number = || what.next().unwrap().parse::<u64>().unwrap();
    let (count, pause_us) = (number(), number());
    let tape = tapelog::Recorder::builder("engine").root(root).start().unwrap();
    for i in 0..count {
        one_event(i);
        if pause_us > 0 && i.is_multiple_of(100) {
            std::thread::sleep(Duration::from_micros(pause_us));
        }
    }
    tape.finish().unwrap();
}

#[tapelog::decision(kind = "buy", fields(i))]
pub fn one_event(i: u64) {
    let symbol = ["BTC/USDT", "ETH/USDT", "SOL/USDT"][(i % 3) as usize];
    tapelog::event!(tapelog::events::BUY_CANDIDATE, symbol, qty = 0.1 + i as f64, "{symbol} is considered");
    if i.is_multiple_of(10) {
        let _ = measured();
    }
}

#[tapelog::log_performance]
fn measured() -> u64 {
    std::hint::black_box(7)
}

/// Records `count` decisions and ends.
pub fn recorded(root: &Path, count: u64) {
    let mut child = engine(root, count, 0);
    assert!(child.wait().unwrap().success());
}

/// Every line of every run below `root`.
pub fn all_lines(root: &Path) -> Vec<String> {
    let runs = tapelog::read::Root::open(root).unwrap().runs().unwrap();
    runs.iter()
        .flat_map(|run| {
            run.events().unwrap().all().iter().map(|event| event.line().to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// A program that a test needs, and how to get it.
pub fn program(name: &str, how: &str) -> PathBuf {
    let found = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let found = found.map(|folder| folder.join(name)).find(|path| path.is_file());
    let found = found.unwrap_or_else(|| panic!("these tests need `{name}`; install it: `{how}`"));
    // A version manager's shim starts the program as its child, which would outlive it.
    if found.parent().is_some_and(|folder| folder.ends_with("shims")) {
        let which = Command::new("pyenv").args(["which", name]).output().unwrap();
        return String::from_utf8(which.stdout).unwrap().trim().into();
    }
    found
}

/// A Python in which `import modules` works.
pub fn python(modules: &str, how: &str) -> Command {
    let works = Command::new("python3").args(["-c", &format!("import {modules}")]).output();
    let works = works.is_ok_and(|output| output.status.success());
    assert!(works, "these tests need Python with `{modules}`; install it: `{how}`");
    Command::new("python3")
}

/// A number that the environment sets, for the long checks.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Numbers below a bound, the same on every run.
pub fn random(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    }
}

/// Makes an authority `ca.pem`, and `server.crt` with `server.key` for `localhost`, in a folder.
pub fn certificate(folder: &Path) {
    let make = "set -e
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\\n' > san
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -extfile san -out server.crt
        chmod 600 server.key";
    let output = Command::new("sh").args(["-c", make]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}
