//! A server that speaks as Azure's blob storage does: Microsoft's Azurite, in one process of its own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::{Folder, free_port, program};

/// What a shipper has to know; the key is a canary that must show up nowhere.
pub const ACCOUNT: &str = "tape";
pub const KEY: &str = "Y2FuYXJ5LXNlY3JldC1vZi10aGUtc3RvcmU=";

/// A request of the server's own interface, signed as Azure wants it: method, address, key, a file with the body.
const SIGNED: &str = r#"
import base64, email.utils, hashlib, hmac, sys, urllib.parse, urllib.request
method, url, key, path = sys.argv[1:]
body = open(path, "rb").read()
at = urllib.parse.urlsplit(url)
account = at.path.split("/")[1]
headers = {"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
if "comp=" not in url and method == "PUT" and "restype" not in url:
    headers["x-ms-blob-type"] = "BlockBlob"
canonical = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
query = "".join(f"\n{name}:{value}" for name, value in sorted(urllib.parse.parse_qsl(at.query)))
length = str(len(body)) if body else ""
kind = "application/octet-stream" if body else ""
text = f"{method}\n\n\n{length}\n\n{kind}\n\n\n\n\n\n\n{canonical}/{account}{at.path}{query}"
signature = base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()
headers["Authorization"] = f"SharedKey {account}:{signature}"
headers["Content-Type"] = kind
headers["Content-Length"] = str(len(body))
request = urllib.request.Request(url, data=body or None, headers=headers, method=method)
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"#;

/// The server, with the container `tapes`.
pub struct Azurite {
    folder: Folder,
    port: u16,
    child: Child,
}

impl Azurite {
    pub fn start() -> Self {
        let (folder, port) = (Folder::new("azurite"), free_port());
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program("azurite-blob", "npm install -g azurite"))
            .args(["--blobHost=127.0.0.1", &format!("--blobPort={port}"), "--disableTelemetry", "--silent"])
            .arg(format!("--location={}", folder.path().join("data").display()))
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"))
            .current_dir(folder.path())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let azurite = Self { folder, port, child };
        let end = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(azurite.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "Azurite does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        azurite.signed("PUT", "tapes?restype=container", b"");
        azurite
    }

    /// For the query of an address; the account stands in its path.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.port)
    }

    pub fn address(&self, prefix: &str, more: &str) -> String {
        format!("az://tapes/{prefix}?endpoint={}{more}", self.endpoint())
    }

    /// Puts a blob as somebody else would.
    pub fn put(&self, name: &str, body: &[u8]) {
        self.signed("PUT", &format!("tapes/{name}"), body);
    }

    /// Every blob below a prefix, copied to a folder through the server's own interface.
    pub fn fetch(&self, prefix: &str) -> Folder {
        let folder = Folder::new("fetched");
        let listing =
            self.signed("GET", &format!("tapes?comp=list&prefix={prefix}%2F&restype=container"), b"");
        let listing = String::from_utf8(listing).unwrap();
        for name in listing.split("<Name>").skip(1).map(|rest| rest.split("</Name>").next().unwrap()) {
            let path = folder.path().join(Path::new(name).strip_prefix(prefix).unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, self.signed("GET", &format!("tapes/{name}"), b"")).unwrap();
        }
        folder
    }

    fn signed(&self, method: &str, below: &str, body: &[u8]) -> Vec<u8> {
        let file = self.folder.path().join("body");
        fs::write(&file, body).unwrap();
        let url = format!("{}/{below}", self.endpoint());
        let output =
            Command::new("python3").args(["-c", SIGNED, method, &url, KEY]).arg(&file).output().unwrap();
        assert!(output.status.success(), "{method} {url}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
