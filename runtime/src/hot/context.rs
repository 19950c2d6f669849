//! The context: which decision, and under which keys (correlation id, strategy id, execution mode, any).
//!
//! Invariant: a context is immutable; [`Context::with`] makes another. Attaching one costs no allocation, and a record
//! names it by 24 bytes. What it does not do: it opens and closes nothing; `#[decision]` does.

use std::sync::Arc;

use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{self, Poll};

use super::clock;
use super::contexts::{ENTRY_LEN, INLINE, NO_SLOT};
use super::encoder::{Encoder, tag};
use super::hub::Hub;
use super::ids::DecisionId;
use super::thread::{RawKeys, SlotKeys, THREAD, hand_decision};
use super::value::Value;

/// What is current on a thread: take it along, to another thread, task or callback, and attach it there.
///
/// ```
/// use tapelog::Context;
///
/// let here = Context::current().with("strategy_id", "mean_reversion");
/// std::thread::spawn(move || {
///     let _attached = here.attach();
///     // Whatever is recorded here carries `strategy_id`, and the decision of the thread that spawned.
/// })
/// .join()
/// # .expect("the thread ends well");
///
/// // A context from elsewhere: of a request, of an order.
/// let id = "dec_20251026_123456_abc123".parse()?;
/// let request = Context::empty().with_correlation_id("req-7").with_decision(id);
/// assert_eq!(request.decision_id(), Some(id));
/// assert_eq!(request.run(tapelog::decision_id), Some(id));
/// # Ok::<(), tapelog::ParseIdError>(())
/// ```
#[derive(Debug)]
pub struct Context {
    hub: Option<&'static Hub>,
    decision: DecisionId,
    keys: Keys,
}

#[derive(Clone, Debug)]
enum Keys {
    None,
    Slot(Held),
    Inline(Arc<[u8]>),
}

/// A slot of the table, held.
#[derive(Debug)]
struct Held {
    hub: &'static Hub,
    slot: u32,
    generation: u32,
}

impl Clone for Held {
    fn clone(&self) -> Self {
        self.hub.contexts.hold(self.slot);
        Self { ..*self }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.hub.contexts.let_go(self.slot, clock::now());
    }
}

impl Context {
    /// Nothing: no decision, no keys.
    #[must_use]
    pub fn empty() -> Self {
        Self { hub: None, decision: DecisionId::NONE, keys: Keys::None }
    }

    /// Nothing but where to record: into `hub`, whatever recorder the process has.
    #[cfg(feature = "testing")]
    pub(crate) fn into_hub(hub: &'static Hub) -> Self {
        Self { hub: Some(hub), ..Self::empty() }
    }

    /// What is current on this thread.
    #[must_use]
    pub fn current() -> Self {
        THREAD.with(|thread| {
            let raw = thread.keys();
            // The thread keeps its own; this is one holder more.
            let own = ManuallyDrop::new(Keys::from_raw(raw));
            Self { hub: thread.target(), decision: hand_decision(), keys: Keys::clone(&own) }
        })
    }

    /// This context, with one more key. An equal key is replaced (S0-041).
    #[must_use]
    pub fn with(self, key: &str, value: impl Value) -> Self {
        let mut entry = Vec::with_capacity(ENTRY_LEN);
        self.each_key(|known, bytes| {
            if known != key {
                push_key(&mut entry, known, bytes);
            }
        });
        let mut bytes = vec![0; value.size()];
        value.encode(&mut Encoder::new(&mut bytes));
        push_key(&mut entry, key, &bytes);
        Self { keys: Keys::store(self.hub, entry), hub: self.hub, decision: self.decision }
    }

    /// This context, with `id` as its correlation id: of a request, or of an operation of several steps (S0-060).
    #[must_use]
    pub fn with_correlation_id(self, id: &str) -> Self {
        self.with("correlation_id", id)
    }

    /// This context, in decision `id`.
    #[must_use]
    pub fn with_decision(mut self, id: DecisionId) -> Self {
        self.decision = id;
        self
    }

    /// The decision, if there is one.
    #[must_use]
    pub fn decision_id(&self) -> Option<DecisionId> {
        self.decision.some()
    }

    /// The text of a key, for example of `correlation_id`; none when there is no such key, or it holds no text.
    ///
    /// ```
    /// let context = tapelog::Context::empty().with_correlation_id("req-7").with("attempt", 2);
    /// assert_eq!(context.text("correlation_id").as_deref(), Some("req-7"));
    /// assert_eq!(context.text("attempt"), None);
    /// ```
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        let mut found = None;
        self.each_key(|known, value| {
            if known == key
                && let [tag::TEXT, _, _, _, _, text @ ..] = value
            {
                found = core::str::from_utf8(text).ok().map(str::to_owned);
            }
        });
        found
    }

    /// Makes this context current on this thread until the guard is dropped.
    pub fn attach(&self) -> Attached {
        self.clone().attach_owned()
    }

    fn attach_owned(self) -> Attached {
        THREAD.with(|thread| {
            let previous = Self {
                hub: thread.set_target(self.hub),
                decision: thread.decision.replace(self.decision),
                keys: Keys::from_raw(thread.set_keys(self.keys.into_raw())),
            };
            Attached { previous: Some(previous), _not_send: PhantomData }
        })
    }

    /// Runs `body` in this context.
    pub fn run<R>(&self, body: impl FnOnce() -> R) -> R {
        let _attached = self.attach();
        body()
    }

    /// Calls `each` with every key and its encoded value.
    fn each_key(&self, mut each: impl FnMut(&str, &[u8])) {
        let bytes = match &self.keys {
            Keys::None => return,
            Keys::Slot(held) => held.hub.contexts.read(held.slot, held.generation).unwrap_or_default(),
            Keys::Inline(bytes) => bytes.to_vec(),
        };
        each_key(&bytes, &mut each);
    }
}

impl Clone for Context {
    fn clone(&self) -> Self {
        Self { hub: self.hub, decision: self.decision, keys: self.keys.clone() }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::current()
    }
}

const _: fn() = || {
    const fn is<T: Send + Sync>() {}
    is::<Context>();
};

impl Keys {
    fn store(hub: Option<&'static Hub>, entry: Vec<u8>) -> Self {
        use core::sync::atomic::Ordering;
        let hub = hub.or_else(super::registry::hub);
        let slot = hub.and_then(|hub| {
            let released = hub.released.load(Ordering::Acquire);
            hub.contexts.insert(&entry, released).map(|(slot, generation)| Held { hub, slot, generation })
        });
        slot.map_or_else(|| Self::Inline(entry.into()), Self::Slot)
    }

    /// The keys as a thread keeps them; what they hold stays held.
    fn into_raw(self) -> RawKeys {
        match self {
            Self::None => RawKeys::NONE,
            Self::Slot(held) => {
                let held = ManuallyDrop::new(held);
                RawKeys { named: SlotKeys::new(held.slot, held.generation), hub: held.hub, ..RawKeys::NONE }
            }
            Self::Inline(bytes) => {
                RawKeys { named: SlotKeys::new(INLINE, 0), bytes: Arc::into_raw(bytes), ..RawKeys::NONE }
            }
        }
    }

    /// Takes back what [`Keys::into_raw`] gave.
    fn from_raw(raw: RawKeys) -> Self {
        match raw.named.slot() {
            NO_SLOT => Self::None,
            // SAFETY: raw keys come from `into_raw` alone, which leaked this `Arc`; every caller either has taken them
            // out of the thread or does not drop the result.
            INLINE => Self::Inline(unsafe { Arc::from_raw(raw.bytes) }),
            // SAFETY: as above; a hub is leaked, so the pointer is valid.
            slot => match unsafe { raw.hub.as_ref() } {
                Some(hub) => Self::Slot(Held { hub, slot, generation: raw.named.generation() }),
                None => Self::None,
            },
        }
    }
}

/// Keys stand as in a map: length-prefixed key, then the value with its tag. The entry of a slot has no count before
/// them; its length says where they end.
fn push_key(entry: &mut Vec<u8>, key: &str, value: &[u8]) {
    entry.extend_from_slice(&(key.len() as u32).to_le_bytes());
    entry.extend_from_slice(&(value.len() as u32).to_le_bytes());
    entry.extend_from_slice(key.as_bytes());
    entry.extend_from_slice(value);
}

/// Calls `each` with every key of an entry and its encoded value; stops where the entry is damaged.
pub(crate) fn each_key(mut entry: &[u8], each: &mut impl FnMut(&str, &[u8])) {
    while let Some((lengths, rest)) = entry.split_first_chunk::<8>() {
        let [a, b, c, d, e, f, g, h] = *lengths;
        let (key_len, value_len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let Some((key, rest)) = rest.split_at_checked(key_len as usize) else { return };
        let Some((value, rest)) = rest.split_at_checked(value_len as usize) else { return };
        let Ok(key) = core::str::from_utf8(key) else { return };
        each(key, value);
        entry = rest;
    }
}

/// Restores what was current before, when dropped. Not `Send`: it belongs to the thread that attached.
///
/// ```
/// use tapelog::Context;
///
/// let attached = Context::empty().with_correlation_id("req-7").attach();
/// assert_eq!(Context::current().text("correlation_id").as_deref(), Some("req-7"));
/// // From here on what was current before is current again.
/// drop(attached);
/// assert_eq!(Context::current().text("correlation_id"), None);
/// ```
#[must_use = "the context is attached only while this guard lives; write `let _attached = …`"]
#[derive(Debug)]
pub struct Attached {
    previous: Option<Context>,
    _not_send: PhantomData<*const ()>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let Some(previous) = self.previous.take() {
            // What was current until now comes back as the guard of that, and is let go.
            let mut mine = previous.attach_owned();
            drop(mine.previous.take());
        }
    }
}

/// The decision that is current on this thread, if any.
///
/// Keep it with what must be explained later, for example in a position's data (S4-014).
#[must_use]
pub fn decision_id() -> Option<DecisionId> {
    hand_decision().some()
}

/// Carries a context through a future: it is current during each poll, on whichever thread that happens.
pub trait FutureExt: Future + Sized {
    /// Polls in the context that is current now.
    ///
    /// ```
    /// use tapelog::FutureExt as _;
    ///
    /// # async fn place_order() {}
    /// # fn spawn(_: impl Future + Send + 'static) {}
    /// spawn(place_order().in_current_context());
    /// ```
    fn in_current_context(self) -> InContext<Self> {
        self.in_context(Context::current())
    }

    /// Polls in `context`.
    ///
    /// ```
    /// use tapelog::{Context, FutureExt as _};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let work = async { Context::current().text("correlation_id") };
    /// let request = Context::empty().with_correlation_id("req-7");
    /// assert_eq!(work.in_context(request).await.as_deref(), Some("req-7"));
    /// # });
    /// ```
    fn in_context(self, context: Context) -> InContext<Self> {
        InContext { context, future: ManuallyDrop::new(self) }
    }
}

/// A future that is polled, and dropped, in a context. See [`FutureExt`].
///
/// ```
/// use tapelog::{Context, FutureExt as _, InContext};
///
/// /// Whatever is done for a request, by name.
/// struct Job<F>(InContext<F>);
///
/// let job = Job(async { 7 }.in_context(Context::empty().with_correlation_id("req-7")));
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(job.0.await, 7);
/// # });
/// ```
#[must_use = "a future does nothing until it is polled or spawned"]
#[derive(Debug)]
pub struct InContext<F> {
    context: Context,
    future: ManuallyDrop<F>,
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let _attached = self.context.attach();
        // SAFETY: `future` is pinned with `self`: it is never moved out, and `Drop` drops it where it is.
        let future = unsafe { self.map_unchecked_mut(|this| &mut *this.future) };
        future.poll(task)
    }
}

impl<F> Drop for InContext<F> {
    fn drop(&mut self) {
        let _attached = self.context.attach();
        // SAFETY: this is the only place that drops it, and it runs once; the value is dropped where it was pinned.
        unsafe { ManuallyDrop::drop(&mut self.future) };
    }
}

impl<F: Future> FutureExt for F {}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DecisionId {
        text.parse().unwrap()
    }

    fn keys(context: &Context) -> Vec<String> {
        let mut keys = Vec::new();
        context.each_key(|key, _| keys.push(key.to_owned()));
        keys
    }

    #[test]
    fn a_guard_restores_what_was_current() {
        let one = Context::empty().with_decision(id("dec_20251026_123456_aaaaaa"));
        let two = one.clone().with("strategy_id", "s").with_decision(id("dec_20251026_123456_bbbbbb"));
        let first = one.attach();
        {
            let _second = two.attach();
            assert_eq!(decision_id(), two.decision_id());
            assert_eq!(keys(&Context::current()), ["strategy_id"]);
        }
        assert_eq!(decision_id(), one.decision_id());
        assert!(keys(&Context::current()).is_empty());
        drop(first);
        assert_eq!(decision_id(), None);
    }

    #[test]
    fn guards_dropped_in_the_wrong_order_leave_valid_keys() {
        let first = Context::empty().with("a", 1).attach();
        let second = Context::current().with("b", 2).attach();
        drop(first);
        assert!(keys(&Context::current()).is_empty());
        drop(second);
        assert_eq!(keys(&Context::current()), ["a"]);
        drop(Context::empty().attach_owned().previous.take());
    }

    #[test]
    fn an_equal_key_is_replaced() {
        // S0-041
        let context = Context::empty().with("mode", "live").with("x", 1).with("mode", "paper");
        assert_eq!(keys(&context), ["x", "mode"]);
    }
}
