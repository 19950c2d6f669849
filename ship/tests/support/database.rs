//! A PostgreSQL server of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use super::{Folder, certificate, free_port};

/// A PostgreSQL server of our own, as user `postgres`, on a free port.
pub struct Server {
    folder: Folder,
    pub port: u16,
    child: Option<Child>,
    /// Whether a commit waits for the disk, as it does unless told.
    durable: bool,
}

impl Server {
    pub fn start() -> Self {
        Self::new(false)
    }

    /// With the settings of a server that is installed and not touched.
    pub fn durable() -> Self {
        Self::new(true)
    }

    fn new(durable: bool) -> Self {
        let folder = Folder::new("postgres");
        let (data, port) = (folder.path().join("data"), free_port());
        as_postgres(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()), false);
        as_postgres(
            Command::new(bin("initdb")).args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"]).arg(&data),
            true,
        );
        let mut server = Self { folder, port, child: None, durable };
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
                if self.durable { "fsync=on" } else { "fsync=off" },
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

    /// Its processes stand still: the kernel takes connections, and nobody answers.
    pub fn pause(&mut self) {
        self.signal("STOP");
    }

    pub fn resume(&mut self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let mut pids = workers_of(&self.data());
        pids.extend(self.child.as_ref().map(Child::id));
        for pid in pids {
            let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Its children notice that it is gone; the next start waits for them.
        let end = Instant::now() + Duration::from_secs(20);
        while !workers_of(&self.data()).is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
    }

    /// Makes an authority and a certificate for `localhost`, and takes encrypted connections alone from now on; the
    /// authority's file. Administrators come through the socket.
    pub fn encrypt_only(&mut self) -> PathBuf {
        let folder = self.data();
        certificate(&folder);
        let owned = Command::new("chown").arg("postgres").arg(folder.join("server.key")).status().unwrap();
        assert!(owned.success());
        fs::write(folder.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n")
            .unwrap();
        let mut conf = fs::OpenOptions::new().append(true).open(folder.join("postgresql.conf")).unwrap();
        std::io::Write::write_all(&mut conf, b"ssl = on\n").unwrap();
        self.kill();
        self.begin_without_waiting();
        let end = Instant::now() + Duration::from_secs(60);
        while !self.folder.path().join(format!(".s.PGSQL.{}", self.port)).exists()
            || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err()
        {
            assert!(Instant::now() < end, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        folder.join("ca.pem")
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

/// The server processes that work in that data folder.
fn workers_of(data: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let data = data.display().to_string();
    entries
        .flatten()
        .filter(|entry| {
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.display().to_string() == data)
        })
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
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
