//! Cleanup, archive, partitions, and the questions that are asked there.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tapelog_ship::postgres::{Daily, Partitions, Retention};
use tapelog_ship::{Destination as _, Shipper};

use crate::support::database::Server;
use crate::support::{Folder, all_lines, recorded};
use crate::{PATIENCE, count, destination};

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
    let page = include_str!("../../../docs/SHIPPING.md");
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
