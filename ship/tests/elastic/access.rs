//! Who may come in, how, and what a cluster must know before the first event.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{each_is_there_once, shipper};
use crate::support::cluster::Cluster;
use crate::support::{self, Folder, recorded};
use tapelog_ship::Shipper;
use tapelog_ship::elastic::Elastic;

#[test]
fn a_wrong_password_is_said_clearly_and_never_shown() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    // `ship:right`
    cluster.with(|state| state.password = Some("Basic c2hpcDpyaWdodA==".to_owned()));
    let once = |password: &str, file: bool| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child_ships", "--nocapture"]);
        command.env("TAPELOG_TEST_SHIP", format!("{}|{}", root.path().display(), cluster.address()));
        command.env("ELASTIC_USERNAME", "ship");
        if file {
            let path = root.path().join("password");
            fs::write(&path, format!("{password}\n")).unwrap();
            command.env("ELASTIC_PASSWORD_FILE", path);
        } else {
            command.env("ELASTIC_PASSWORD", password);
        }
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let said = once("canary-7", false);
    assert!(
        said.contains("401") && said.contains("`ELASTIC_PASSWORD`") && !said.contains("canary-7"),
        "{said}"
    );
    assert!(cluster.ids().is_empty());
    let said = once("right", true);
    assert!(said.contains("SHIPPED"), "{said}");
    each_is_there_once(root.path(), &cluster);
    for entry in walk(&root.path().join("ship")) {
        assert!(!fs::read_to_string(&entry).unwrap_or_default().contains("canary-7"), "{}", entry.display());
    }
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files.extend(walk(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

#[test]
fn a_connection_is_encrypted_and_its_certificate_checked() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    let make = "set -e
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\\n' > san
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -extfile san -out server.crt";
    let output = Command::new("sh").args(["-c", make]).current_dir(root.path()).output().unwrap();
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    // What ends the encryption before the fake.
    let proxy = "import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('server.crt', 'server.key')
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
def pump(a, b):
    try:
        while data := a.recv(65536): b.sendall(data)
    except OSError: pass
    for one in (a, b):
        try: one.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def serve(raw):
    try: client = context.wrap_socket(raw, server_side=True)
    except (ssl.SSLError, OSError): return
    server = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
";
    let mut proxy = support::python("ssl", "apt-get install python3")
        .args(["-c", proxy, &cluster.port.to_string()])
        .current_dir(root.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(proxy.stdout.take().unwrap()), &mut port)
        .unwrap();
    let address = format!("elasticsearch://localhost:{}/tapelog?tls=on", port.trim());
    // Signed by nobody that this machine knows.
    let mut ship = Shipper::new(root.path(), Elastic::parse(&address).unwrap()).unwrap();
    let error = ship.once(Duration::ZERO).unwrap_err().to_string();
    assert!(error.to_lowercase().contains("certificate"), "{error}");
    assert!(cluster.ids().is_empty());
    drop(ship);
    let address = format!("{address}&ca={}", root.path().join("ca.pem").display());
    let mut ship = Shipper::new(root.path(), Elastic::parse(&address).unwrap()).unwrap();
    let sent = ship.once(Duration::from_secs(10)).map(drop);
    proxy.kill().unwrap();
    proxy.wait().unwrap();
    sent.unwrap();
    each_is_there_once(root.path(), &cluster);
    // What is no file of certificates is said before anything is sent.
    let error = Elastic::parse("elasticsearch://h/t?ca=/nowhere.pem").unwrap_err().to_string();
    assert!(error.contains("/nowhere.pem"), "{error}");
}

#[test]
fn a_cluster_that_lets_nobody_make_templates_is_told_who_must() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    cluster.with(|state| state.manages = false);
    let error = shipper(root.path(), &cluster).once(Duration::from_secs(5)).unwrap_err().to_string();
    assert!(error.contains("403") && error.contains("deploy/elastic/setup.sh"), "{error}");
    assert!(cluster.ids().is_empty());
    // With `setup=off` it is somebody else's business.
    let elastic = Elastic::parse(&format!("{}?setup=off", cluster.address())).unwrap();
    Shipper::new(root.path(), elastic).unwrap().once(Duration::from_secs(5)).unwrap();
    each_is_there_once(root.path(), &cluster);
    assert!(cluster.with(|state| state.templates.is_empty()));
}

#[test]
fn a_template_that_is_older_is_replaced_and_a_newer_one_or_a_changed_policy_stays() {
    let cluster = Cluster::start();
    let mut elastic = Elastic::parse(&cluster.address()).unwrap();
    elastic.prepare().unwrap();
    cluster.with(|state| {
        state.templates.get_mut("tapelog").unwrap()["version"] = 0.into();
        state.policies.get_mut("tapelog").unwrap()["policy"]["phases"]["cold"]["min_age"] = "7d".into();
    });
    Elastic::parse(&cluster.address()).unwrap().prepare().unwrap();
    cluster.with(|state| {
        assert!(state.templates["tapelog"]["version"].as_u64() >= Some(1));
        assert_eq!(state.policies["tapelog"]["policy"]["phases"]["cold"]["min_age"], "7d");
        state.templates.get_mut("tapelog").unwrap()["version"] = 999.into();
    });
    Elastic::parse(&cluster.address()).unwrap().prepare().unwrap();
    assert_eq!(cluster.with(|state| state.templates["tapelog"]["version"].clone()), 999);
}

#[test]
fn opensearch_is_given_no_type_and_no_setting_that_it_lacks() {
    let root = Folder::new("elastic");
    recorded(root.path(), 5);
    let cluster = Cluster::start();
    cluster.with(|state| state.opensearch = true);
    let address = cluster.address().replace("elasticsearch:", "opensearch:");
    let mut shipper = Shipper::new(root.path(), Elastic::parse(&address).unwrap()).unwrap();
    shipper.once(Duration::from_secs(5)).unwrap();
    each_is_there_once(root.path(), &cluster);
    let template = cluster.with(|state| state.templates["tapelog"].to_string());
    for absent in ["lifecycle", "ignore_dynamic", "match_only_text", "wildcard", "flattened"] {
        assert!(!template.contains(absent), "{absent}");
    }
    assert!(cluster.with(|state| state.policies.is_empty()));
}
