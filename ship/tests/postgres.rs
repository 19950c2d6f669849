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
}

/// Exactly once: engine, database and shipper are killed at random.
#[test]
fn kills_of_engine_database_and_shipper_lose_and_double_nothing() {
    let events: u64 =
        std::env::var("TAPELOG_SHIP_DECISIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let (mut server, root) = (Server::start(), Folder::new("kills"));
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut engines = 0;
    let mut engine = start_engine(root.path(), events, 300);
    let mut shipper = ship_process(&root, &server);
    for _ in 0..12 {
        std::thread::sleep(Duration::from_millis(150 + random(350)));
        match random(3) {
            0 => {
                let _ = engine.kill();
                let _ = engine.wait();
                // The next engine in the same root recovers what this one left.
                engine = start_engine(root.path(), events, 300);
                engines += 1;
            }
            1 => {
                server.kill();
                server.begin();
            }
            _ => {
                let _ = shipper.kill();
                let _ = shipper.wait();
                shipper = ship_process(&root, &server);
            }
        }
    }
    assert!(engine.wait().unwrap().success());
    let _ = shipper.kill();
    let _ = shipper.wait();
    recorded(root.path(), 1);
    Shipper::new(root.path(), destination(&server)).unwrap().limits(Limits::BULK).once(PATIENCE).unwrap();
    let lines = all_lines(root.path()).len();
    let distinct = "SELECT COUNT(DISTINCT (data ->> 'session_id', data ->> 'pid', data ->> 'seq')) FROM logging.system_logs";
    assert_eq!(
        count(&server, "SELECT COUNT(*) FROM logging.system_logs") as usize,
        lines,
        "{engines} engines killed"
    );
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
