//! Real servers and real engines for the tests of shipping. Each is a process of its own, and ends with its owner.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

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

/// A PostgreSQL server of our own, as user `postgres`, on a free port.
pub struct Server {
    folder: Folder,
    pub port: u16,
    child: Option<Child>,
}

impl Server {
    pub fn start() -> Self {
        let folder = Folder::new("postgres");
        let (data, port) = (folder.path().join("data"), free_port());
        as_postgres(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()), false);
        as_postgres(
            Command::new(bin("initdb")).args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"]).arg(&data),
            true,
        );
        let mut server = Self { folder, port, child: None };
        server.begin();
        server.admin("postgres").batch_execute("CREATE DATABASE engine").unwrap();
        server
    }

    pub fn begin(&mut self) {
        self.begin_without_waiting();
        let end = Instant::now() + Duration::from_secs(60);
        while let Err(error) = self.try_admin("postgres") {
            assert!(Instant::now() < end, "the server does not answer: {error}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn begin_without_waiting(&mut self) {
        let mut command = Command::new(bin("postgres"));
        command
            .arg("-D")
            .arg(self.data())
            .args([
                "-p",
                &self.port.to_string(),
                "-h",
                "127.0.0.1",
                "-c",
                "fsync=off",
                "-c",
                "dynamic_shared_memory_type=mmap",
            ])
            .arg("-k")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        user(&mut command);
        self.child = Some(command.spawn().unwrap());
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Its children notice that it is gone; the next start waits for them.
        let end = Instant::now() + Duration::from_secs(20);
        while children_of(&self.data()) > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn address(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/engine", self.port)
    }

    pub fn admin(&self, database: &str) -> Client {
        self.try_admin(database).unwrap()
    }

    fn try_admin(&self, database: &str) -> Result<Client, postgres::Error> {
        Client::connect(&format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port), NoTls)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How many server processes work in that data folder.
fn children_of(data: &Path) -> usize {
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    let data = data.display().to_string();
    entries
        .flatten()
        .filter(|entry| {
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.display().to_string() == data)
        })
        .count()
}

/// The newest installed server's programs: Debian keeps them away from the path.
fn bin(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    versions.sort();
    let found = versions.pop().map(|version| version.join("bin").join(name)).filter(|path| path.exists());
    found.expect("these tests need a PostgreSQL server; install it: `apt-get install postgresql`")
}

/// The server refuses to be root.
fn user(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let entry = passwd.lines().find(|line| line.starts_with("postgres:")).expect("a user `postgres`");
    let id = |at: usize| entry.split(':').nth(at).unwrap().parse().unwrap();
    command.uid(id(2)).gid(id(3)).current_dir("/");
}

fn as_postgres(command: &mut Command, switch: bool) {
    if switch {
        user(command);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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
fn one_event(i: u64) {
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
