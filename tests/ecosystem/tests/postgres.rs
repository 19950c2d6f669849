//! A real PostgreSQL server under `sqlx`.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tapelog::events::*;
use tapelog::testing::capture_async;
use tapelog::{assert_events, decision};
use tapelog_web::events::{POOL_EXHAUSTED, QUERY_FAILED, SLOW_QUERY};
use tapelog_web::sql::Watched;

/// A server of our own, as user `postgres`, on a free port.
struct Server {
    folder: PathBuf,
    port: u16,
    child: Child,
}

impl Server {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!(
            "tapelog-ecosystem-postgres-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(Command::new("chown").args(["-R", "postgres"]).arg(&folder).status().unwrap().success());
        let made = as_postgres("initdb")
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-D"])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let child = as_postgres("postgres")
            .args(["-h", "127.0.0.1", "-c", "fsync=off", "-p", &port.to_string(), "-D"])
            .arg(folder.join("data"))
            .arg("-k")
            .arg(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, port, child }
    }

    async fn pool(&self, most: u32) -> PgPool {
        let address = format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port);
        let options = PgPoolOptions::new().max_connections(most).acquire_timeout(Duration::from_secs(1));
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            match options.clone().connect(&address).await {
                Ok(pool) => return pool,
                Err(error) => assert!(Instant::now() < end, "the server does not answer: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT: a fast shutdown, which ends its children too.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A program of the newest installed server, as the user that it wants to be.
fn as_postgres(program: &str) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found =
        versions.map(|entry| entry.path().join("bin").join(program)).filter(|path| path.exists()).max();
    let mut command = Command::new(
        found.expect("this test needs a PostgreSQL server; install it: `apt-get install postgresql`"),
    );
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:")).expect("a user `postgres`");
    let id = |at: usize| user.split(':').nth(at).unwrap().parse().unwrap();
    command.uid(id(2)).gid(id(3)).current_dir("/");
    command
}

#[decision(kind = "load")]
async fn load(pool: &Watched<sqlx::Postgres>) -> Result<i64, sqlx::Error> {
    let sleeps = "SELECT 7::bigint WHERE pg_sleep(0.06) IS NOT NULL";
    pool.query("sleeps", |pool| sqlx::query_scalar(sleeps).fetch_one(pool)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_failed_queries_and_an_exhausted_pool_of_postgresql_say_so() {
    // S3-016
    let server = Server::start();
    let pool = Watched::new("orders", server.pool(2).await).slow_after(Duration::from_millis(50));
    let taken = capture_async(async {
        pool.query("table", |pool| {
            sqlx::query("CREATE TABLE orders (id text PRIMARY KEY, token text)").execute(pool)
        })
        .await
        .unwrap();
        assert_eq!(load(&pool).await.unwrap(), 7);
        let twice = "INSERT INTO orders VALUES ('o-1', 'password=hunter2hunter2'), ('o-1', 'x')";
        pool.query("twice", |pool| sqlx::query(twice).execute(pool)).await.unwrap_err();
        // Both connections are held: the third waits for the pool's second, and is told.
        let (one, two) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        pool.query("waits", |pool| sqlx::query("SELECT 1").execute(pool)).await.unwrap_err();
        pool.begin().await.unwrap_err();
        drop((one, two));
        let mut transaction = pool.begin().await.unwrap();
        pool.query("in a transaction", |_| sqlx::query("SELECT pg_sleep(0.06)").execute(&mut *transaction))
            .await
            .unwrap();
        transaction.rollback().await.unwrap();
    })
    .await;
    let of: Vec<_> =
        taken.all().iter().filter(|event| !event.text("event_type").starts_with("DECISION")).collect();
    let named: Vec<_> = of.iter().map(|event| (event.text("event_type"), event.text("query_name"))).collect();
    assert_eq!(
        named,
        [
            ("SLOW_QUERY", "sleeps"),
            ("QUERY_FAILED", "twice"),
            ("POOL_EXHAUSTED", "waits"),
            ("POOL_EXHAUSTED", "begin"),
            ("SLOW_QUERY", "in a transaction"),
        ],
        "{}",
        taken.events
    );
    assert_events!(
        taken,
        [
            SLOW_QUERY {
                query_name: "sleeps",
                pool: "orders",
                limit_ms: 50,
                decision_id: taken.one(&DECISION_START).text("decision_id")
            },
            QUERY_FAILED { pool: "orders" },
            POOL_EXHAUSTED { pool: "orders", pool_size: 2 },
        ]
    );
    // The database's own words, without the values of the row.
    let failed = taken.one(&QUERY_FAILED).text("error").to_owned();
    assert!(failed.contains("orders_pkey") && !taken.lines().contains("hunter2"), "{failed}");
    assert!(taken.of(&POOL_EXHAUSTED).all(|event| event.get("waited_ms").unwrap().as_f64() >= Some(900.0)));
}

#[tokio::test]
async fn a_database_that_went_away_is_a_failed_query_and_nothing_else() {
    let server = Server::start();
    let pool = Watched::new("orders", server.pool(1).await);
    pool.query("one", |pool| sqlx::query("SELECT 1").execute(pool)).await.unwrap();
    drop(server);
    let taken = capture_async(async {
        pool.query("gone", |pool| sqlx::query("SELECT 1").execute(pool)).await.unwrap_err();
    })
    .await;
    // The pool tries until its patience ends, or knows at once: either is said, under the query's name.
    let said: Vec<_> = taken.all().iter().filter(|event| event.text("query_name") == "gone").collect();
    assert!(
        said.iter().any(|event| ["QUERY_FAILED", "POOL_EXHAUSTED"].contains(&event.text("event_type"))),
        "{}",
        taken.events
    );
}
