//! Rayon's pool: work that it runs carries the context of whoever handed it over.
//!
//! For its parallel iterators, take the context along: `let here = Context::current();` and in the closure
//! `here.run(|| …)`, which costs two swaps of thread-local words.

use crate::hot::context::Context;

/// As `rayon::join`: both closures run in the context that is current now, on whichever threads.
///
/// ```
/// use tapelog::Context;
///
/// let _attached = Context::current().with_correlation_id("req-7").attach();
/// let id = || Context::current().text("correlation_id");
/// let (left, right) = tapelog::rayon::join(id, id);
/// assert_eq!((left.as_deref(), right.as_deref()), (Some("req-7"), Some("req-7")));
/// ```
pub fn join<A, B, RA, RB>(a: A, b: B) -> (RA, RB)
where
    A: FnOnce() -> RA + Send,
    B: FnOnce() -> RB + Send,
    RA: Send,
    RB: Send,
{
    let here = Context::current();
    rayon_core::join(|| here.run(a), || here.run(b))
}

/// As `rayon::spawn`: fire and forget, on the pool, in the context that is current now.
///
/// ```
/// let (sender, receiver) = std::sync::mpsc::channel();
/// tapelog::rayon::spawn(move || sender.send(tapelog::decision_id()).expect("somebody waits"));
/// assert_eq!(receiver.recv().expect("it was sent"), None);
/// ```
pub fn spawn(work: impl FnOnce() + Send + 'static) {
    rayon_core::spawn(super::carry(work));
}

/// As `rayon::scope`, whose `spawn` carries the context that is current when it is called.
///
/// ```
/// let mut sums = [0, 0];
/// let (left, right) = sums.split_at_mut(1);
/// tapelog::rayon::scope(|scope| {
///     scope.spawn(|| left[0] = 1);
///     scope.spawn(|| right[0] = 2);
/// });
/// assert_eq!(sums, [1, 2]);
/// ```
pub fn scope<'scope, R: Send>(body: impl FnOnce(&Scope<'_, 'scope>) -> R + Send) -> R {
    let here = Context::current();
    rayon_core::scope(|scope| here.run(|| body(&Scope(scope))))
}

/// See [`scope`].
///
/// ```
/// use tapelog::Context;
/// use tapelog::rayon::{Scope, scope};
///
/// fn price<'scope>(scope: &Scope<'_, 'scope>, out: &'scope mut Option<String>) {
///     scope.spawn(|| *out = Context::current().text("strategy_id"));
/// }
///
/// let mut seen = None;
/// Context::current().with("strategy_id", "mean_reversion").run(|| scope(|scope| price(scope, &mut seen)));
/// assert_eq!(seen.as_deref(), Some("mean_reversion"));
/// ```
#[derive(Debug)]
pub struct Scope<'a, 'scope>(&'a rayon_core::Scope<'scope>);

impl<'scope> Scope<'_, 'scope> {
    /// Runs `work` on the pool, before the scope ends.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'scope) {
        let here = Context::current();
        self.0.spawn(move |_| here.run(work));
    }
}
