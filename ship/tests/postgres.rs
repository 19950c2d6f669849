//! Runs of real engines in a real PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::database::Server;
use support::{Folder, all_lines, engine as start_engine, recorded};
use tapelog_ship::postgres::{Address, Daily, Partitions, Postgres, Retention};
use tapelog_ship::{Destination as _, Limits, ShipError, Shipper};

/// Not a test: the engine of the others, in a process of its own.
#[test]
fn engine() {
    support::be_the_engine();
}

fn destination(server: &Server) -> Postgres {
    Postgres::new(Address::parse(&server.address()).unwrap())
}

fn count(server: &Server, sql: &str) -> i64 {
    server.admin("engine").query_one(sql, &[]).unwrap().get(0)
}

const PATIENCE: Duration = Duration::from_secs(30);

/// S1-050…056, S1-058, S1-034: tables made by themselves, every event a row, every digit kept.
#[test]
fn every_event_of_a_run_is_a_row_once_and_again_changes_nothing() {
    let (server, root) = (Server::start(), Folder::new("every"));
    recorded(root.path(), 500);
    let lines = all_lines(root.path());
    for _ in 0..2 {
        let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap().limits(Limits::BULK);
        shipper.once(PATIENCE).unwrap();
    }
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len());
    let distinct = "SELECT COUNT(DISTINCT (data ->> 'session_id', data ->> 'pid', data ->> 'seq')) FROM logging.system_logs";
    assert_eq!(count(&server, distinct) as usize, lines.len());
    assert_eq!(
        count(&server, "SELECT COUNT(*) FROM logging.performance_logs WHERE operation = 'measured'"),
        50
    );
    let digits = "SELECT COUNT(*) FROM logging.system_logs WHERE event_type = 'BUY_CANDIDATE' AND data ->> 'qty' = '10.1'";
    assert_eq!(count(&server, digits), 1);
    // S1-071: the decision's events by its id, through the index.
    let id: String = server
        .admin("engine")
        .query_one(
            "SELECT correlation_id FROM logging.system_logs WHERE event_type = 'BUY_CANDIDATE' LIMIT 1",
            &[],
        )
        .unwrap()
        .get(0);
    let of_one = format!("SELECT COUNT(*) FROM logging.system_logs WHERE correlation_id = '{id}'");
    assert!((3..=4).contains(&count(&server, &of_one)));
}

/// S1-047: what is below stays in the files, and is not missing.
#[test]
fn only_events_of_the_level_and_above_become_rows() {
    let (server, root) = (Server::start(), Folder::new("level"));
    recorded(root.path(), 20);
    let database = destination(&server).level(tapelog::Level::Warning);
    let summary = Shipper::new(root.path(), database).unwrap().once(PATIENCE).unwrap().clone();
    let lines = all_lines(root.path());
    let low = lines.iter().filter(|line| line.contains("\"level\":\"info\"")).count();
    assert_eq!((summary.events as usize, summary.rejected, summary.missed), (lines.len(), 0, 0));
    assert!(
        low > 0 && low < lines.len(),
        "a clock that is not synchronised is a warning: {low} of {}",
        lines.len()
    );
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len() - low);
}

/// S1-046, S1-048: the files are the queue.
#[test]
fn a_database_that_is_away_costs_delay_and_nothing_else() {
    let (mut server, root) = (Server::start(), Folder::new("away"));
    recorded(root.path(), 50);
    server.kill();
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap();
    let error = shipper.once(Duration::from_millis(300)).unwrap_err();
    assert!(matches!(&error, ShipError::Destination { .. }), "{error}");
    assert!(error.to_string().contains("nothing is lost"), "{error}");
    server.begin();
    shipper.once(PATIENCE).unwrap();
    let ops = std::fs::read_to_string(shipper.folder().join("ops.jsonl")).unwrap();
    assert!(ops.contains("SHIP_FAILED") && ops.contains("SHIP_RECOVERED"), "{ops}");
    assert_eq!(ops.matches("SHIP_FAILED").count(), 1, "said once: {ops}");
    assert_eq!(
        count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize,
        all_lines(root.path()).len()
    );
}

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

/// Exactly once: engine, database and shipper are killed at random. `.ci/long ship` kills more, during 200,000 events.
#[test]
fn kills_of_engine_database_and_shipper_lose_and_double_nothing() {
    let wanted = |name: &str, else_: u64| support::number(name).unwrap_or(else_);
    let (kills, events) = (wanted("TAPELOG_SHIP_KILLS", 12), wanted("TAPELOG_SHIP_EVENTS", 10_000) as usize);
    let (mut server, root) = (Server::start(), Folder::new("kills"));
    let mut random = support::random(7);
    let (mut killed, mut round) = ([0; 3], 0);
    let start = || start_engine(root.path(), 20_000, 20_000);
    let mut engine = start();
    let mut shipper = ship_process(&root, &server);
    while round < kills || all_lines(root.path()).len() < events {
        round += 1;
        std::thread::sleep(Duration::from_millis(150 + random(350)));
        let which = random(3) as usize;
        killed[which] += 1;
        if which == 0 {
            let _ = engine.kill();
        } else if which == 1 {
            server.kill();
            server.begin();
        } else {
            let _ = shipper.kill();
            let _ = shipper.wait();
            shipper = ship_process(&root, &server);
        }
        // The next engine in the same root recovers what this one left.
        if which == 0 || engine.try_wait().unwrap().is_some() {
            let _ = engine.wait();
            engine = start();
        }
    }
    let _ = engine.kill();
    let _ = engine.wait();
    let _ = shipper.kill();
    let _ = shipper.wait();
    recorded(root.path(), 1);
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap().limits(Limits::BULK);
    assert_eq!(shipper.once(PATIENCE).unwrap().missed, 0);
    let lines = all_lines(root.path()).len();
    println!("{lines} events, engine, server, shipper killed {killed:?} times");
    let distinct = "SELECT COUNT(DISTINCT (data ->> 'session_id', data ->> 'pid', data ->> 'seq')) FROM logging.system_logs";
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines, "{killed:?}");
    assert_eq!(count(&server, distinct) as usize, lines);
}

fn ship_process(root: &Folder, server: &Server) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ship", "--nocapture"])
        .env("TAPELOG_TEST_SHIP", format!("{}|{}", root.path().display(), server.address()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test: the shipper of the others, in a process of its own.
#[test]
fn ship() {
    let Ok(what) = std::env::var("TAPELOG_TEST_SHIP") else { return };
    let (root, address) = what.split_once('|').unwrap();
    let limits = Limits { events: 50, wait: Duration::from_millis(50), ..Limits::BULK };
    // The one that was killed may hold its lock a moment longer.
    loop {
        let destination = Postgres::new(Address::parse(address).unwrap());
        if let Ok(shipper) = Shipper::new(root, destination) {
            shipper.limits(limits).follow(&AtomicBool::new(false)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Not a test: an engine that ships itself, on a thread of its own process.
#[test]
fn engine_that_ships() {
    let Ok(what) = std::env::var("TAPELOG_TEST_SHIPS") else { return };
    let what: Vec<&str> = what.split('|').collect();
    let (root, address, count) = (what[0], what[1], what[2].parse::<u64>().unwrap());
    let tape = tapelog::Recorder::builder("engine").root(root).start().unwrap();
    let limits = Limits { events: 50, wait: Duration::from_millis(50), ..Limits::BULK };
    let destination = tapelog_ship::destination(address).unwrap();
    let shipping = Shipper::new(root, destination).unwrap().limits(limits).spawn().unwrap();
    for i in 0..count {
        support::one_event(i);
        if i % 20 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    tape.finish().unwrap();
    let summary = shipping.finish().unwrap();
    println!("sent {}", summary.events);
}

fn ships_itself(root: &Folder, server: &Server, count: u64) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engine_that_ships", "--nocapture"])
        .env("TAPELOG_TEST_SHIPS", format!("{}|{}|{count}", root.path().display(), server.address()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// S1-025, S1-038…049: the same code on a thread of the engine; its last events arrive too.
#[test]
fn a_shipper_in_the_engines_process_sends_everything_with_the_end_of_the_run() {
    let (server, root) = (Server::start(), Folder::new("thread"));
    assert!(ships_itself(&root, &server, 500).wait().unwrap().success());
    let lines = all_lines(root.path());
    assert!(lines.iter().any(|line| line.contains("\"RUN_ENDED\"")));
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len());
}

/// S1-046…049: the engine ends as it should, loses nothing, and says what it could not send, in its own run.
#[test]
fn a_database_that_is_down_for_the_whole_run_costs_the_engine_nothing() {
    let (mut server, root) = (Server::start(), Folder::new("down"));
    server.kill();
    assert!(ships_itself(&root, &server, 500).wait().unwrap().success());
    let lines = all_lines(root.path());
    assert_eq!(lines.iter().filter(|line| line.contains("\"BUY_CANDIDATE\"")).count(), 500);
    assert_eq!(
        lines.iter().filter(|line| line.contains("\"SHIP_FAILED\"")).count(),
        1,
        "said once, in the run"
    );
    assert!(!lines.iter().any(|line| line.contains("RECORDS_LOST")));
    server.begin();
    Shipper::new(root.path(), destination(&server)).unwrap().once(PATIENCE).unwrap();
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines.len());
}

/// Forwards to a server, but loses the first answer to a COMMIT, and the connection with it.
fn loses_a_commit(server: &Server) -> u16 {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    let (listener, to) = (TcpListener::bind("127.0.0.1:0").unwrap(), server.port);
    let port = listener.local_addr().unwrap().port();
    // The answers to the migrations' COMMIT are let through.
    let lost = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for ours in listener.incoming().flatten() {
            let theirs = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let pump = |mut from: TcpStream, mut into: TcpStream, lost: Option<Arc<AtomicBool>>| {
                std::thread::spawn(move || {
                    let mut bytes = [0; 65536];
                    while let Ok(read @ 1..) = from.read(&mut bytes) {
                        let commits = bytes[..read].windows(7).any(|window| window == b"COMMIT\0");
                        if commits && lost.as_ref().is_some_and(|lost| !lost.swap(true, Ordering::Relaxed)) {
                            break;
                        }
                        if into.write_all(&bytes[..read]).is_err() {
                            break;
                        }
                    }
                    let _ = (from.shutdown(Shutdown::Both), into.shutdown(Shutdown::Both));
                })
            };
            pump(ours.try_clone().unwrap(), theirs.try_clone().unwrap(), None);
            pump(theirs, ours, Some(Arc::clone(&lost)));
        }
    });
    port
}

/// The rows are there and the answer is not: the database is asked where it stands. What it refused is kept by it, too.
#[test]
fn a_commit_whose_answer_is_lost_doubles_and_loses_nothing() {
    let (server, root) = (Server::start(), Folder::new("ambiguous"));
    recorded(root.path(), 50);
    let all = all_lines(root.path()).len();
    destination(&server).prepare().unwrap();
    server
        .admin("engine")
        .batch_execute("ALTER TABLE logging.system_logs ADD CONSTRAINT no_thirteen CHECK (data ->> 'i' IS DISTINCT FROM '13')")
        .unwrap();
    let through = format!("postgresql://postgres@127.0.0.1:{}/engine", loses_a_commit(&server));
    let destination = Postgres::new(Address::parse(&through).unwrap());
    let mut shipper = Shipper::new(root.path(), destination).unwrap().limits(Limits::BULK);
    let summary = shipper.once(PATIENCE).unwrap().clone();
    assert_eq!(summary.failures, 1, "the answer was lost: {summary:?}");
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, all - 1);
    let kept = "SELECT COUNT(*) FROM logging.rejected_events WHERE reason LIKE '%no_thirteen%' AND event LIKE '%\"i\":13,%'";
    assert_eq!(count(&server, kept), 1);
}

/// A server that takes the connection and says nothing: away, and the shipper goes on when it speaks.
#[test]
fn a_database_that_does_not_answer_is_away_and_keeps_nobody_waiting() {
    let (mut server, root) = (Server::start(), Folder::new("silent"));
    recorded(root.path(), 50);
    destination(&server).prepare().unwrap();
    server.pause();
    let within = Duration::from_millis(300);
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap().answer_within(within);
    let error = shipper.once(Duration::from_secs(1)).unwrap_err().to_string();
    assert!(error.contains("has not answered") || error.contains("no answer within"), "{error}");
    server.resume();
    shipper.once(PATIENCE).unwrap();
    assert_eq!(
        count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize,
        all_lines(root.path()).len()
    );
}

/// A small file system that goes with its owner.
struct Small(Folder);

impl Small {
    fn new(size: &str) -> Self {
        let small = Self(Folder::new("small"));
        assert!(small.mount(&["-t", "tmpfs", "-o", size, "tmpfs"]), "these tests need root");
        small
    }

    fn mount(&self, args: &[&str]) -> bool {
        Command::new("mount").args(args).arg(self.0.path()).status().unwrap().success()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_at_the_database_costs_delay() {
    let disk = Small::new("size=6m");
    let (server, root) = (Server::start(), Folder::new("full"));
    recorded(root.path(), 6_000);
    let lines = all_lines(root.path()).len();
    let owned = Command::new("chown").arg("postgres").arg(disk.0.path()).status().unwrap();
    assert!(owned.success());
    let mut admin = server.admin("postgres");
    admin.batch_execute(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.path().display())).unwrap();
    admin.batch_execute("ALTER DATABASE engine SET default_tablespace = small").unwrap();
    let ship = |patience| {
        let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap().limits(Limits::BULK);
        shipper.once(patience).cloned()
    };
    let full = ship(Duration::from_millis(500)).unwrap_err().to_string();
    assert!(full.contains("53100") && full.contains("nothing is lost"), "{full}");
    assert!(disk.mount(&["-o", "remount,size=500m"]));
    assert_eq!(ship(PATIENCE).unwrap().rejected, 0);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines);
    drop(server);
}

#[test]
fn what_waits_too_long_is_said_once_and_so_is_that_it_no_longer_does() {
    let (mut server, root) = (Server::start(), Folder::new("lag"));
    let mut child = start_engine(root.path(), 2_000, 100_000);
    destination(&server).prepare().unwrap();
    server.kill();
    let stop = Arc::new(AtomicBool::new(false));
    let limits = Limits { wait: Duration::ZERO, ..Limits::BULK };
    let mut shipper = Shipper::new(root.path(), destination(&server))
        .unwrap()
        .limits(limits)
        .lag_limit(Duration::from_millis(500));
    let folder = shipper.folder().to_owned();
    let ops = || std::fs::read_to_string(folder.join("ops.jsonl")).unwrap_or_default();
    let until = |word: &str| {
        let end = Instant::now() + PATIENCE;
        while !ops().contains(word) {
            assert!(Instant::now() < end, "no {word}: {}", ops());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let thread = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || shipper.follow(&stop).unwrap().clone())
    };
    until("SHIP_LAGGING");
    let status = std::fs::read_to_string(folder.join("status.json")).unwrap();
    assert!(status.contains("\"up\":false") && status.contains("\"lag_s\":"), "{status}");
    server.begin();
    until("SHIP_CAUGHT_UP");
    assert!(child.wait().unwrap().success());
    stop.store(true, Ordering::Release);
    thread.join().unwrap();
    assert_eq!(ops().matches("SHIP_LAGGING").count(), 1, "{}", ops());
}

/// S1-048: destination, then file, then stderr.
#[test]
fn what_cannot_be_written_to_its_file_either_goes_to_stderr() {
    let (mut server, root) = (Server::start(), Folder::new("chain"));
    recorded(root.path(), 5);
    let folder = Shipper::new(root.path(), destination(&server)).unwrap().folder().to_owned();
    std::fs::create_dir(folder.join("ops.jsonl")).unwrap();
    server.kill();
    let mut shipper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ship", "--nocapture"])
        .env("TAPELOG_TEST_SHIP", format!("{}|{}", root.path().display(), server.address()))
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let stderr = std::io::BufReader::new(shipper.stderr.take().unwrap());
    let said = std::io::BufRead::lines(stderr).map_while(Result::ok).find(|line| line.contains("CRITICAL"));
    let _ = shipper.kill();
    let _ = shipper.wait();
    let said = said.unwrap();
    assert!(said.starts_with("CRITICAL: Failed to log") && said.contains("SHIP_FAILED"), "{said}");
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

/// What retention took before it was sent is no silent loss.
#[test]
fn events_that_were_removed_before_they_were_sent_are_counted() {
    let (server, root) = (Server::start(), Folder::new("missed"));
    recorded(root.path(), 100);
    let all = all_lines(root.path()).len();
    let run = tapelog::read::Root::open(root.path()).unwrap().newest().unwrap();
    let gone = std::fs::read_to_string(run.dir().join("performance.jsonl")).unwrap().lines().count();
    std::fs::remove_file(run.dir().join("performance.jsonl")).unwrap();
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap();
    let summary = shipper.once(PATIENCE).unwrap().clone();
    assert_eq!((summary.events as usize, summary.missed as usize), (all - gone, gone));
    let ops = std::fs::read_to_string(shipper.folder().join("ops.jsonl")).unwrap();
    assert!(ops.contains("SHIP_MISSED"), "{ops}");
}

/// Not a test: an engine that places orders, one of which fails.
#[test]
fn engine_that_trades() {
    let Ok(root) = std::env::var("TAPELOG_TEST_TRADES") else { return };
    let tape = tapelog::Recorder::builder("engine").root(root).start().unwrap();
    let _ = (trade(1.0), trade(-1.0));
    tape.finish().unwrap();
}

#[tapelog::decision(kind = "buy")]
#[tapelog::log_performance]
fn trade(qty: f64) -> Result<(), String> {
    place("BTC/USDT", "buy", qty)
}

#[tapelog::order_context(
    intent_id = "intent-1",
    none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms)
)]
fn place(symbol: &str, side: &str, qty: f64) -> Result<(), String> {
    if qty > 0.0 { Ok(()) } else { Err("nothing to buy".to_owned()) }
}

/// S1-071…075: the queries of `docs/SHIPPING.md`, as they are printed there, on a run that was shipped.
#[test]
fn the_documented_queries_answer_on_a_shipped_run() {
    let (server, root) = (Server::start(), Folder::new("documented"));
    let mut engine = Command::new(std::env::current_exe().unwrap());
    engine.args(["--exact", "engine_that_trades"]).env("TAPELOG_TEST_TRADES", root.path());
    assert!(engine.output().unwrap().status.success());
    Shipper::new(root.path(), destination(&server)).unwrap().once(PATIENCE).unwrap();
    let mut client = server.admin("engine");
    let id: String = client
        .query_one(
            "SELECT correlation_id FROM logging.system_logs WHERE event_type = 'ORDER_CONTEXT' LIMIT 1",
            &[],
        )
        .unwrap()
        .get(0);
    let page = include_str!("../../docs/SHIPPING.md");
    let queries: Vec<&str> =
        page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(queries.len(), 5);
    let answers: Vec<usize> = queries
        .iter()
        .map(|query| {
            let query = query.replace(":'id'", &format!("'{id}'")).replace(":'symbol'", "'BTC/USDT'");
            client.query(&query, &[]).unwrap_or_else(|error| panic!("{query}: {error}")).len()
        })
        .collect();
    let lines = all_lines(root.path());
    let of_one: Vec<&String> = lines.iter().filter(|line| line.contains(&id)).collect();
    let of_orders = of_one.iter().filter(|line| line.contains("\"event_type\":\"ORDER_")).count();
    assert!(of_one.len() >= 5 && of_orders >= 2, "{of_one:?}");
    assert_eq!(answers[0], of_one.len(), "{answers:?}");
    assert_eq!(answers[1], of_orders * of_one.len(), "{answers:?}");
    assert!(answers[2..].iter().all(|rows| *rows > 0), "{answers:?}");
}

#[test]
fn a_shipper_follows_a_run_while_it_grows_and_ships_the_rest_when_it_is_stopped() {
    let (server, root) = (Server::start(), Folder::new("follow"));
    let mut child = start_engine(root.path(), 2_000, 2_000);
    let stop = Arc::new(AtomicBool::new(false));
    let mut shipper = Shipper::new(root.path(), destination(&server)).unwrap();
    let thread = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || shipper.follow(&stop).unwrap().clone())
    };
    assert!(child.wait().unwrap().success());
    stop.store(true, Ordering::Release);
    let summary = thread.join().unwrap();
    let lines = all_lines(root.path()).len();
    assert_eq!((summary.events as usize, summary.failures), (lines, 0));
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines);
    let second = Shipper::new(root.path(), destination(&server));
    assert!(second.is_ok(), "the lock goes with its shipper");
    let third = Shipper::new(root.path(), destination(&server)).unwrap_err();
    assert!(third.to_string().contains("another shipper"), "{third}");
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

/// S1-004, S1-083: once a day, by whoever ships.
#[test]
fn the_daily_cleanup_is_done_once_and_noted() {
    let (server, root) = (Server::start(), Folder::new("daily"));
    recorded(root.path(), 5);
    let mut database = destination(&server).clean_daily(Daily::new(Retention::default()));
    database.prepare().unwrap();
    assert_eq!(database.maintain().unwrap(), None, "there is nothing to clean up yet");
    server
        .admin("engine")
        .batch_execute(
            "INSERT INTO logging.system_logs (service, level, message, timestamp)
             VALUES ('s', 'INFO', 'm', NOW() - INTERVAL '40 days')",
        )
        .unwrap();
    // As the shipper does it, between batches.
    let stop = Arc::new(AtomicBool::new(false));
    let mut shipper =
        Shipper::new(root.path(), destination(&server).clean_daily(Daily::new(Retention::default())))
            .unwrap();
    let folder = shipper.folder().to_owned();
    let thread = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || shipper.follow(&stop).unwrap().clone())
    };
    let end = Instant::now() + PATIENCE;
    while count(&server, "SELECT COUNT(*) FROM logging.cleanup_runs WHERE archived = 1") == 0 {
        assert!(Instant::now() < end, "no cleanup");
        std::thread::sleep(Duration::from_millis(50));
    }
    stop.store(true, Ordering::Release);
    thread.join().unwrap();
    let ops = std::fs::read_to_string(folder.join("ops.jsonl")).unwrap();
    assert!(ops.contains("SHIP_MAINTAINED") && ops.contains("1 archived"), "{ops}");
    let mut another = destination(&server).clean_daily(Daily::new(Retention::default()));
    assert_eq!(another.maintain().unwrap(), None, "it was done today");
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

/// S1-003…005, S1-057, S1-066…070, S1-083.
#[test]
fn what_is_old_is_archived_and_what_is_too_old_deleted_and_the_result_noted() {
    let server = Server::start();
    let mut destination = destination(&server);
    destination.prepare().unwrap();
    let mut admin = server.admin("engine");
    for (level, category, days) in [
        ("INFO", "execution", 1),
        ("INFO", "execution", 40),
        ("INFO", "execution", 100),
        ("INFO", "system", 20),
        ("INFO", "system", 40),
        ("ERROR", "system", 40),
        ("ERROR", "system", 91),
    ] {
        admin
            .execute(
                &format!(
                    "INSERT INTO logging.system_logs (service, level, message, data, timestamp) \
                     VALUES ('s', '{level}', 'm', '{{\"category\":\"{category}\"}}', NOW() - INTERVAL '{days} days')"
                ),
                &[],
            )
            .unwrap();
    }
    admin
        .batch_execute(
            "INSERT INTO logging.performance_logs (service, operation, execution_time_ms, timestamp)
             SELECT 's', 'o', 1, NOW() - make_interval(days => n) FROM generate_series(1, 60) AS n",
        )
        .unwrap();
    let cleaned = destination.clean(&Retention { batch: 2, ..Retention::SHORT }).unwrap();
    // Too old: 100 days of execution, 40 of system, 91 of error. Old: 40 of execution, 20 of system, 40 of error.
    assert_eq!((cleaned.archived, cleaned.deleted, cleaned.performance_deleted), (3, 3, 31));
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs"), 1);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.archived_system_logs"), 3);
    assert_eq!(count(&server, "SELECT archived + deleted FROM logging.cleanup_runs WHERE error IS NULL"), 6);
    let again = destination.clean(&Retention::SHORT).unwrap();
    assert_eq!((again.archived, again.deleted), (0, 0));
}

#[test]
fn monthly_partitions_take_the_same_events() {
    let (server, root) = (Server::start(), Folder::new("partitions"));
    recorded(root.path(), 50);
    let destination = destination(&server).partitions(Partitions::Monthly);
    Shipper::new(root.path(), destination).unwrap().once(PATIENCE).unwrap();
    let lines = all_lines(root.path()).len();
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize, lines);
    assert_eq!(count(&server, "SELECT COUNT(*) FROM logging.system_logs_default"), 0);
}

/// A connection lasts for months; a month whose rows came before its partition stays where they are.
#[test]
fn partitions_of_coming_months_are_made_while_shipping_and_rows_that_came_before_stop_nothing() {
    let server = Server::start();
    let make = || destination(&server).partitions(Partitions::Monthly);
    make().prepare().unwrap();
    let partitions = "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = 'logging.system_logs'::REGCLASS";
    assert_eq!(count(&server, partitions), 4, "the month before, this, the next, all others");
    let drop_next = "DO $$ BEGIN EXECUTE format('DROP TABLE logging.system_logs_%s',
        to_char((NOW() AT TIME ZONE 'UTC') + INTERVAL '1 month', 'YYYY_MM')); END $$";
    server.admin("engine").batch_execute(drop_next).unwrap();
    let mut connected = make();
    connected.maintain().unwrap();
    assert_eq!(count(&server, partitions), 4, "made again");
    server.admin("engine").batch_execute(drop_next).unwrap();
    server
        .admin("engine")
        .batch_execute(
            "INSERT INTO logging.system_logs (service, level, message, timestamp)
             VALUES ('s', 'INFO', 'm', date_trunc('month', NOW() AT TIME ZONE 'UTC') + INTERVAL '1 month 5 days')",
        )
        .unwrap();
    make().prepare().unwrap();
    assert_eq!(count(&server, partitions), 3);
}

/// S1-071…075: each is answered through an index.
#[test]
fn the_questions_of_the_requirements_use_the_indexes() {
    let server = Server::start();
    destination(&server).prepare().unwrap();
    let mut admin = server.admin("engine");
    admin
        .batch_execute(
            "INSERT INTO logging.system_logs (service, level, message, data, correlation_id, event_type, timestamp)
             SELECT 'service' || n % 5, CASE WHEN n % 997 = 0 THEN 'ERROR' ELSE 'INFO' END, 'm',
                    jsonb_build_object('symbol', 'BTC/USDT'), 'dec_' || n / 10,
                    CASE WHEN n % 100 = 0 THEN 'ORDER_FILLED' ELSE 'TICK' END, NOW() - make_interval(mins => n)
             FROM generate_series(1, 50000) AS n;
             INSERT INTO logging.performance_logs (service, operation, execution_time_ms, timestamp)
             SELECT 'service' || n % 5, 'op' || n % 7, n % 100, NOW() - make_interval(mins => n)
             FROM generate_series(1, 50000) AS n;
             ANALYZE",
        )
        .unwrap();
    for (query, index) in [
        (
            "SELECT * FROM logging.system_logs WHERE correlation_id = 'dec_7' ORDER BY timestamp",
            "correlation_id",
        ),
        (
            "SELECT * FROM logging.trading_logs t JOIN logging.system_logs s ON t.trade_id = s.correlation_id \
             WHERE t.symbol = 'BTC/USDT' AND t.trade_id = 'dec_70'",
            "correlation_id",
        ),
        ("SELECT * FROM logging.service_performance", "performance_logs_timestamp"),
        ("SELECT * FROM logging.slow_operations", "performance_logs_timestamp"),
        ("SELECT * FROM logging.error_counts", "system_logs_level"),
    ] {
        let plan: String = admin
            .query(&format!("EXPLAIN {query}"), &[])
            .unwrap()
            .iter()
            .map(|row| row.get::<_, String>(0) + "\n")
            .collect();
        assert!(plan.contains("Index") && plan.contains(index), "{query}\n{plan}");
        assert!(!admin.query(query, &[]).unwrap().is_empty(), "{query}");
    }
}
