//! A real SQLite database under `sqlx`.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tapelog::assert_events;
use tapelog::testing::capture_async;
use tapelog_web::events::QUERY_FAILED;
use tapelog_web::events::{POOL_EXHAUSTED, SLOW_QUERY};
use tapelog_web::sql::Watched;

#[tokio::test]
async fn slow_and_failed_queries_and_an_exhausted_pool_say_so() {
    // S3-016
    let taken = capture_async(async {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_millis(30))
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await
            .unwrap();
        let pool = Watched::new("orders", pool).slow_after(Duration::from_millis(25));
        let fast: i64 = pool.query("one", |pool| sqlx::query_scalar("SELECT 1").fetch_one(pool)).await.unwrap();
        assert_eq!(fast, 1);
        let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT count(*) FROM n";
        let slow: i64 = pool.query("count", |pool| sqlx::query_scalar(count).fetch_one(pool)).await.unwrap();
        assert_eq!(slow, 2_000_000);
        pool.query("wrong", |pool| sqlx::query("SELECT gone FROM nowhere").fetch_one(pool)).await.unwrap_err();
        let held = pool.acquire().await.unwrap();
        pool.query("waits", |pool| sqlx::query("SELECT 1").fetch_one(pool)).await.unwrap_err();
        pool.acquire().await.unwrap_err();
        drop(held);
        pool.begin().await.unwrap().rollback().await.unwrap();
    })
    .await;
    assert_events!(taken, exactly [
        SLOW_QUERY { query_name: "count", pool: "orders", limit_ms: 25 },
        QUERY_FAILED { query_name: "wrong", pool: "orders" },
        POOL_EXHAUSTED { query_name: "waits", pool: "orders", pool_size: 1 },
        POOL_EXHAUSTED { query_name: "acquire" },
    ]);
    assert!(taken.one(&QUERY_FAILED).text("error").contains("no such table"), "{}", taken.events);
}

#[tokio::test]
async fn a_query_that_is_given_up_says_so_and_is_slow_if_it_was() {
    // S3-016
    let taken = capture_async(async {
        let options = SqliteConnectOptions::new().in_memory(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        let pool = Watched::new("orders", pool);
        let never = || pool.query("never", |_| std::future::pending::<Result<(), sqlx::Error>>());
        tokio::time::timeout(Duration::from_millis(5), never()).await.unwrap_err();
        let pool = pool.clone().slow_after(Duration::from_millis(5));
        let late = pool.query("late", |_| std::future::pending::<Result<(), sqlx::Error>>());
        tokio::select! {
            _ = late => {}
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
        let _held = pool.acquire().await.unwrap();
        tokio::time::timeout(Duration::from_millis(5), pool.begin()).await.unwrap_err();
    })
    .await;
    assert_events!(
        taken,
        [
            QUERY_FAILED { query_name: "never", error: "cancelled", pool: "orders" },
            QUERY_FAILED { query_name: "late", error: "cancelled" },
            SLOW_QUERY { query_name: "late", limit_ms: 5 },
            QUERY_FAILED { query_name: "begin", error: "cancelled" },
        ]
    );
}
