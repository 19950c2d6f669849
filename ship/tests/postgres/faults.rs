//! Kills, lost answers, silence, a full disk: nothing is lost and nothing twice.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tapelog_ship::postgres::{Address, Postgres};
use tapelog_ship::{Limits, ShipError, Shipper};

use crate::support::database::Server;
use crate::support::{self, Folder, all_lines, engine as start_engine, recorded};
use crate::{PATIENCE, count, destination, ship_process};

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
