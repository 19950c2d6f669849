//! Slow queries and exhausted pools of `sqlx` (S3-016).

use std::future::Future;
use std::time::{Duration, Instant};

use crate::events::{POOL_EXHAUSTED, SLOW_QUERY};
use sqlx::pool::PoolConnection;
use sqlx::{Database, Error, Pool, Transaction};
use tapelog::event;

use crate::events::QUERY_FAILED;

/// Slower than this is slow, unless said.
const LIMIT: Duration = Duration::from_millis(100);

/// A pool that says when a query is slow, fails, or finds no connection.
///
/// A query has a name, by which it is found again; its text and its parameters are not recorded.
///
/// ```no_run
/// # async fn open(pool: sqlx::Pool<sqlx::Any>) -> Result<(), sqlx::Error> {
/// let pool = tapelog_web::sql::Watched::new("orders", pool).slow_after(std::time::Duration::from_millis(20));
/// let rows = pool.query("open_orders", |pool| sqlx::query("SELECT id FROM orders WHERE open").fetch_all(pool)).await?;
/// # drop(rows);
///
/// // A transaction, and a connection; who waits too long for one is told of as POOL_EXHAUSTED.
/// let transaction = pool.begin().await?;
/// transaction.commit().await?;
/// let connection = pool.acquire().await?;
/// # drop(connection);
/// println!("{} connections", pool.inner().size());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Watched<DB: Database> {
    name: &'static str,
    pool: Pool<DB>,
    limit: Duration,
}

impl<DB: Database> Clone for Watched<DB> {
    fn clone(&self) -> Self {
        Self { name: self.name, pool: self.pool.clone(), limit: self.limit }
    }
}

impl<DB: Database> Watched<DB> {
    /// Watches `pool`, which is `pool` in the events by this name.
    #[must_use]
    pub const fn new(name: &'static str, pool: Pool<DB>) -> Self {
        Self { name, pool, limit: LIMIT }
    }

    /// From which duration on a query is slow; 100 ms unless said.
    #[must_use]
    pub const fn slow_after(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The pool itself.
    #[must_use]
    pub const fn inner(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Runs a query, the time that it waits for a connection included.
    ///
    /// # Errors
    /// Those of the query.
    pub async fn query<'p, T, F>(
        &'p self,
        query_name: &'static str,
        run: impl FnOnce(&'p Pool<DB>) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let running = Running::new(self, query_name);
        let result = run(&self.pool).await;
        running.ended(result.as_ref().err());
        result
    }

    /// Takes a connection.
    ///
    /// # Errors
    /// Those of the pool.
    pub async fn acquire(&self) -> Result<PoolConnection<DB>, Error> {
        let running = Running::new(self, "acquire");
        let result = self.pool.acquire().await;
        running.ended(result.as_ref().err());
        result
    }

    /// Begins a transaction. Time its queries by [`Watched::query`], which may ignore the pool that it gives.
    ///
    /// # Errors
    /// Those of the pool.
    pub async fn begin(&self) -> Result<Transaction<'static, DB>, Error> {
        let running = Running::new(self, "begin");
        let result = self.pool.begin().await;
        running.ended(result.as_ref().err());
        result
    }

    fn ended(&self, query_name: &'static str, began: Instant, error: Option<&Error>) {
        let (pool, pool_size) = (self.name, self.pool.size());
        let duration_ms = crate::ms_since(began);
        match error {
            Some(Error::PoolTimedOut) => {
                event!(
                    POOL_EXHAUSTED,
                    pool,
                    pool_size,
                    waited_ms = duration_ms,
                    query_name,
                    "{pool}: all {pool_size} connections are in use"
                );
            }
            Some(error) => {
                let error = crate::found(&error.to_string(), 512);
                event!(QUERY_FAILED, pool, query_name, duration_ms, error, "{query_name} failed: {error}");
            }
            None => {}
        }
        if !matches!(error, Some(Error::PoolTimedOut)) {
            self.slow(query_name, began);
        }
    }

    /// Nobody waits for it any more.
    fn given_up(&self, query_name: &'static str, began: Instant) {
        let pool = self.name;
        let duration_ms = crate::ms_since(began);
        let error = if std::thread::panicking() { "panicked" } else { "cancelled" };
        event!(QUERY_FAILED, pool, query_name, duration_ms, error, "{query_name} was {error}");
        self.slow(query_name, began);
    }

    fn slow(&self, query_name: &'static str, began: Instant) {
        if began.elapsed() >= self.limit {
            let (pool, duration_ms) = (self.name, crate::ms_since(began));
            let limit_ms = self.limit.as_secs_f64() * 1e3;
            event!(
                SLOW_QUERY,
                query_name,
                pool,
                duration_ms,
                limit_ms,
                "{query_name} took {duration_ms:.1} ms"
            );
        }
    }
}

/// A query that has not ended. Dropped so, by a timeout or a `select!`, it says so: the slowest one would be silent
/// otherwise.
struct Running<'w, DB: Database> {
    of: &'w Watched<DB>,
    query_name: &'static str,
    began: Instant,
    open: bool,
}

impl<'w, DB: Database> Running<'w, DB> {
    fn new(of: &'w Watched<DB>, query_name: &'static str) -> Self {
        Self { of, query_name, began: Instant::now(), open: true }
    }

    fn ended(mut self, error: Option<&Error>) {
        self.open = false;
        self.of.ended(self.query_name, self.began, error);
    }
}

impl<DB: Database> Drop for Running<'_, DB> {
    fn drop(&mut self) {
        if self.open {
            self.of.given_up(self.query_name, self.began);
        }
    }
}
