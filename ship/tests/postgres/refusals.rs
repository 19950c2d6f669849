//! Databases and events that are not as they should be: each is said, with what to do.

use std::process::Command;
use std::time::{Duration, Instant};

use tapelog_ship::postgres::{Address, Partitions, Postgres};
use tapelog_ship::{Limits, Shipper};

use crate::support::database::Server;
use crate::support::{Folder, all_lines, recorded};
use crate::{PATIENCE, count, destination};

#[test]
fn an_event_that_the_database_refuses_stops_nothing_and_is_kept_with_the_reason() {
    let (server, root) = (Server::start(), Folder::new("poison"));
    recorded(root.path(), 50);
    let all = all_lines(root.path()).len();
    destination(&server).prepare().unwrap();
    // A rule that the schema does not have: the server's own refusal, not our check.
    server
        .admin("engine")
        .batch_execute("ALTER TABLE logging.system_logs ADD CONSTRAINT no_thirteen CHECK (data ->> 'i' IS DISTINCT FROM '13')")
        .unwrap();
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap().limits(Limits::BULK);
    let summary = shipper.once(PATIENCE).unwrap().clone();
    assert_eq!((summary.rejected, summary.events as usize), (1, all - 1));
    let rejected = std::fs::read_to_string(shipper.folder().join("rejected.jsonl")).unwrap();
    assert!(rejected.contains("no_thirteen") && rejected.contains("\"i\":13"), "{rejected}");
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, all - 1);
}

#[test]
fn a_missing_database_a_wrong_password_and_a_changed_schema_say_what_to_do() {
    let (mut server, root) = (Server::start(), Folder::new("wrong"));
    recorded(root.path(), 5);
    let fails = |address: &str| {
        let destination = Postgres::new(Address::parse(address).unwrap());
        let error = Shipper::new(root.path(), destination).unwrap().once(PATIENCE).unwrap_err();
        error.to_string()
    };
    let started = Instant::now();
    let missing = fails(&server.address().replace("/engine", "/nowhere"));
    assert!(missing.contains("createdb"), "{missing}");
    assert!(started.elapsed() < PATIENCE, "what waiting cannot mend is not waited for");
    destination(&server).prepare().unwrap();
    server
        .admin("engine")
        .batch_execute("ALTER TABLE logging.system_logs DROP COLUMN message CASCADE")
        .unwrap();
    let changed = fails(&server.address());
    assert!(changed.contains("not as `tape ship` made it"), "{changed}");
    server
        .admin("engine")
        .batch_execute("UPDATE logging.schema_migrations SET version = version + 100")
        .unwrap();
    let newer = fails(&server.address());
    assert!(newer.contains("use a newer one"), "{newer}");
    server.admin("postgres").batch_execute("ALTER USER postgres PASSWORD 'right'").unwrap();
    server.kill();
    let hba = server.data().join("pg_hba.conf");
    std::fs::write(hba, "host all postgres 127.0.0.1/32 scram-sha-256\n").unwrap();
    let port = server.port;
    let with = Address::parse(&format!("postgresql://postgres@127.0.0.1:{port}/postgres")).unwrap();
    server.begin_without_waiting();
    let end = Instant::now() + PATIENCE;
    loop {
        let mut wrong = Postgres::new(with.clone().password("canary-wrong"));
        let error = wrong.prepare().unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
        if error.contains("PGPASSWORD") {
            break;
        }
        assert!(Instant::now() < end, "{error}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Postgres::new(with.password("right")).prepare().unwrap();
    // From the file that PostgreSQL's own tools keep; no argument of the process shows it.
    let file = root.path().join("pgpass");
    std::fs::write(&file, format!("# ours\n127.0.0.1:{port}:*:postgres:right\n")).unwrap();
    let mut shipper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ship", "--nocapture"])
        .env(
            "TAPELOG_TEST_SHIP",
            format!("{}|postgresql://postgres@127.0.0.1:{port}/postgres", root.path().display()),
        )
        .env("PGPASSFILE", &file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut admin = postgres::Client::connect(
        &format!("host=127.0.0.1 port={port} user=postgres password=right dbname=postgres"),
        postgres::NoTls,
    )
    .unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        let rows: i64 = admin.query_one("SELECT COUNT(*) FROM logging.system_logs", &[]).unwrap().get(0);
        if rows as usize == all_lines(root.path()).len() {
            break;
        }
        assert!(Instant::now() < end, "{rows} rows");
        std::thread::sleep(Duration::from_millis(50));
    }
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", shipper.id())).unwrap();
    assert!(!arguments.contains("right"), "{arguments}");
    let _ = shipper.kill();
    let _ = shipper.wait();
}

#[test]
fn a_database_with_another_clock_is_said_and_shipped_to() {
    let (server, root) = (Server::start(), Folder::new("clock"));
    recorded(root.path(), 5);
    // The server's own clock cannot be moved; what it says of it can.
    server
        .admin("engine")
        .batch_execute(
            "CREATE SCHEMA fake;
             CREATE FUNCTION fake.clock_timestamp() RETURNS TIMESTAMPTZ LANGUAGE SQL AS
                 $$ SELECT pg_catalog.clock_timestamp() + INTERVAL '1 hour' $$;
             ALTER DATABASE engine SET search_path = fake, pg_catalog, public",
        )
        .unwrap();
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap();
    assert_eq!(shipper.once(PATIENCE).unwrap().events as usize, all_lines(root.path()).len());
    let ops = std::fs::read_to_string(shipper.folder().join("ops.jsonl")).unwrap();
    assert!(ops.contains("SHIP_CLOCK_SKEW") && ops.contains("\"ahead_s\":3"), "{ops}");
}

/// Encrypted, and only to a server that the authority vouches for, under the name that was asked for.
#[test]
fn a_connection_is_encrypted_and_the_certificate_is_checked() {
    let (mut server, root) = (Server::start(), Folder::new("tls"));
    recorded(root.path(), 5);
    let authority = server.encrypt_only();
    let to = |host: &str, more: &str| format!("postgresql://postgres@{host}:{}/engine?{more}", server.port);
    let prepare = |address: String| Postgres::new(Address::parse(&address).unwrap()).prepare();
    let trusted = format!("sslmode=verify-full&sslrootcert={}", authority.display());
    let mut shipper =
        Shipper::new(root.path(), Postgres::new(Address::parse(&to("localhost", &trusted)).unwrap()))
            .unwrap();
    assert_eq!(shipper.once(PATIENCE).unwrap().events as usize, all_lines(root.path()).len());
    // Without encryption the server refuses; with an authority that does not know it, or another name, we do.
    let plain = prepare(to("localhost", "sslmode=disable")).unwrap_err().to_string();
    assert!(plain.contains("no encryption"), "{plain}");
    let unknown = prepare(to("localhost", "sslmode=verify-full")).unwrap_err().to_string();
    assert!(unknown.contains("UnknownIssuer") && unknown.contains("sslrootcert=FILE"), "{unknown}");
    let renamed = prepare(to("127.0.0.1", &trusted)).unwrap_err().to_string();
    assert!(renamed.contains("not valid for name"), "{renamed}");
    let server = Server::start();
    let unencrypted = format!("postgresql://postgres@localhost:{}/engine?sslmode=require", server.port);
    let never = prepare(unencrypted).unwrap_err().to_string();
    assert!(never.contains("turn on `ssl`"), "{never}");
    let missing =
        prepare(to("localhost", "sslmode=require&sslrootcert=/nowhere.pem")).unwrap_err().to_string();
    assert!(missing.contains("name a PEM file"), "{missing}");
}

/// Events that say another time than it is arrive like all others.
#[test]
fn events_of_a_clock_that_is_wrong_are_rows_too() {
    let (server, root) = (Server::start(), Folder::new("skew"));
    recorded(root.path(), 5);
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    let file = run.dir().join("decisions.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let year = text[14..18].to_owned();
    let moved = text.replacen(&format!("\"timestamp\":\"{year}"), "\"timestamp\":\"2199", 1);
    let moved = moved.replace(&format!("\n{{\"timestamp\":\"{year}"), "\n{\"timestamp\":\"1970");
    std::fs::write(&file, moved).unwrap();
    let partitioned = destination(&server).partitions(Partitions::Monthly);
    let summary = Shipper::new(root.path(), partitioned).unwrap().once(PATIENCE).unwrap().clone();
    assert_eq!(summary.rejected, 0);
    let lines = all_lines(root.path()).len();
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines);
    assert!(count(&server, "SELECT COUNT(*) FROM logging.system_logs_default") > 1);
}
