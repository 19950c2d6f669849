//! Threads that begin in the context of whoever starts them.

use std::io;
use std::thread::JoinHandle;

use crate::hot::context::Context;

/// As [`std::thread::spawn`]; the thread begins in the context that is current now.
///
/// ```
/// use tapelog::Context;
///
/// let _attached = Context::current().with("strategy_id", "mean_reversion").attach();
/// let thread = tapelog::thread::spawn(|| Context::current().text("strategy_id"));
/// assert_eq!(thread.join().expect("it ends well").as_deref(), Some("mean_reversion"));
/// ```
///
/// # Panics
/// When the system has no thread left, as [`std::thread::spawn`].
pub fn spawn<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    std::thread::spawn(super::carry(body))
}

/// As [`std::thread::Builder`]: a name, by which every line of the thread and every heartbeat names it, and a stack.
///
/// ```
/// let router = tapelog::thread::Builder::new("router").spawn(|| std::thread::current().name().map(str::to_owned))?;
/// assert_eq!(router.join().expect("it ends well").as_deref(), Some("router"));
///
/// // It serves many decisions, and is nobody's; when it fails, BACKGROUND_FAILED says so.
/// let poller = tapelog::thread::Builder::new("poller")
///     .stack_size(1 << 20)
///     .context(tapelog::Context::empty())
///     .background("poller", || Err::<(), _>("connection lost"))?;
/// assert!(poller.join().expect("it does not panic").is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "nothing runs until `spawn` is called"]
#[derive(Debug)]
pub struct Builder {
    inner: std::thread::Builder,
    context: Context,
}

impl Builder {
    /// A thread of this name, in the context that is current now.
    pub fn new(name: impl Into<String>) -> Self {
        Self { inner: std::thread::Builder::new().name(name.into()), context: Context::current() }
    }

    /// The bytes of its stack.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.inner = self.inner.stack_size(bytes);
        self
    }

    /// Another context than the current one, for example [`Context::empty`] for a thread that serves many decisions.
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn spawn<R: Send + 'static>(
        self,
        body: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<JoinHandle<R>> {
        let context = self.context;
        self.inner.spawn(move || context.run(body))
    }

    /// Starts it; its end is recorded, whatever it is: see [`crate::Background`].
    ///
    /// # Errors
    /// When the system has no thread left.
    #[track_caller]
    pub fn background<R: super::Ending + Send + 'static>(
        self,
        name: &'static str,
        body: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<JoinHandle<R>> {
        let watch = super::Background::new(name);
        self.spawn(move || watch.run(body))
    }
}
