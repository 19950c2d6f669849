//! Tasks of tokio that carry the context of whoever spawns them.

use std::future::Future;

use tokio::task::JoinHandle;

use super::{Background, Ending};
use crate::hot::context::{FutureExt as _, InContext};

/// As [`tokio::spawn`]; the task is polled, and dropped, in the context that is current now.
///
/// For a `JoinSet`, `spawn_local` or another runtime, carry it by hand:
/// `set.spawn(work.in_current_context())` ([`crate::FutureExt`]).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use tapelog::Context;
///
/// let _attached = Context::current().with_correlation_id("req-7").attach();
/// let task = tapelog::spawn(async { Context::current().text("correlation_id") });
/// assert_eq!(task.await.expect("it ends well").as_deref(), Some("req-7"));
/// # });
/// ```
///
/// # Panics
/// Outside of a runtime, as [`tokio::spawn`].
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(future.in_current_context())
}

/// As [`tokio::task::spawn_blocking`]; `work` runs in the context that is current now.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let _attached = tapelog::Context::current().with_correlation_id("req-7").attach();
/// let work = tapelog::spawn_blocking(|| tapelog::Context::current().text("correlation_id"));
/// assert_eq!(work.await.expect("it ends well").as_deref(), Some("req-7"));
/// # });
/// ```
///
/// # Panics
/// As [`spawn`].
#[track_caller]
pub fn spawn_blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    tokio::task::spawn_blocking(super::carry(work))
}

/// Spawns a task that nobody may be waiting for: an error, a panic, a cancellation and an end are each recorded, with the
/// ids of the context that is current now (S3-017). See [`Background`].
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # #[derive(Debug)] struct Lost;
/// # impl std::fmt::Display for Lost { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("connection lost") } }
/// async fn keep_quotes_fresh() -> Result<(), Lost> {
///     Err(Lost)
/// }
/// // Whoever drops the handle still reads BACKGROUND_FAILED, task "quotes", "connection lost".
/// tapelog::background("quotes", keep_quotes_fresh());
/// # });
/// ```
///
/// # Panics
/// As [`spawn`].
#[track_caller]
pub fn background<F>(name: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Ending + Send> + Send + 'static,
{
    tokio::spawn(watched(Background::new(name), future.in_current_context()).in_current_context())
}

async fn watched<F: Future<Output: Ending>>(watch: Background, future: InContext<F>) -> F::Output {
    let result = future.await;
    watch.ended(&result);
    result
}
