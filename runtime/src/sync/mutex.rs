//! [`Mutex`], and the [`Condvar`] that goes with it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult, WaitTimeoutResult};
use std::time::Duration;

use super::waits::{Holders, Waiting};
use super::{Holder, me};

/// As [`std::sync::Mutex`], with a name, and known to the heartbeat while somebody waits for it.
///
/// ```
/// use tapelog::sync::{Mutex, MutexGuard};
///
/// let mut open_orders = Mutex::new(vec!["o-1"]);
/// open_orders.get_mut().expect("nobody panicked with it").push("o-2");
/// {
///     let orders: MutexGuard<'_, Vec<_>> = open_orders.lock().expect("nobody panicked with it");
///     assert!(open_orders.try_lock().is_err(), "it is held");
///     assert_eq!(orders.len(), 2);
/// }
/// assert_eq!(open_orders.into_inner().expect("nobody panicked with it"), ["o-1", "o-2"]);
/// ```
pub struct Mutex<T: ?Sized> {
    name: &'static str,
    holder: Holder,
    inner: std::sync::Mutex<T>,
}

/// Gives the lock back when it is dropped.
#[must_use = "the lock is held only while its guard lives"]
pub struct MutexGuard<'a, T: ?Sized> {
    /// Dropped first, as it stands first: before the lock is given back.
    held: Held<'a>,
    inner: std::sync::MutexGuard<'a, T>,
}

/// While this thread has the lock.
struct Held<'a>(&'a Holder);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<T> Mutex<T> {
    /// A lock without a name: where it is taken says which it is.
    pub const fn new(value: T) -> Self {
        Self::named("", value)
    }

    /// A lock with a name, as it stands in THREAD_STALLED and DEADLOCK.
    pub const fn named(name: &'static str, value: T) -> Self {
        Self { name, holder: Holder::new(), inner: std::sync::Mutex::new(value) }
    }

    /// The value, when nobody needs the lock any more.
    ///
    /// # Errors
    /// When somebody panicked while holding it; the value is in the error.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until it is free, and takes it.
    ///
    /// # Errors
    /// When somebody panicked while holding it; the guard is in the error.
    // Always: a guard that is returned in memory costs more than the lock.
    #[inline(always)]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let place = Location::caller();
        match self.inner.try_lock() {
            Ok(guard) => Ok(self.held(guard, place)),
            Err(TryLockError::Poisoned(poisoned)) => {
                Err(PoisonError::new(self.held(poisoned.into_inner(), place)))
            }
            Err(TryLockError::WouldBlock) => self.wait(place),
        }
    }

    #[cold]
    fn wait(&self, place: &'static Location<'static>) -> LockResult<MutexGuard<'_, T>> {
        let waiting = Waiting::begin(self.name, place, Holders::One(&self.holder));
        let locked = self.inner.lock();
        drop(waiting);
        match locked {
            Ok(guard) => Ok(self.held(guard, place)),
            Err(poisoned) => Err(PoisonError::new(self.held(poisoned.into_inner(), place))),
        }
    }

    /// Takes it if it is free.
    ///
    /// # Errors
    /// When it is not, or somebody panicked while holding it.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let place = Location::caller();
        match self.inner.try_lock() {
            Ok(guard) => Ok(self.held(guard, place)),
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            Err(TryLockError::Poisoned(poisoned)) => {
                Err(TryLockError::Poisoned(PoisonError::new(self.held(poisoned.into_inner(), place))))
            }
        }
    }

    /// The value, of a lock that nobody else can have.
    ///
    /// # Errors
    /// When somebody panicked while holding it; the value is in the error.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }

    #[inline(always)]
    fn held<'a>(
        &'a self,
        guard: std::sync::MutexGuard<'a, T>,
        place: &'static Location<'static>,
    ) -> MutexGuard<'a, T> {
        self.holder.take(me(), place);
        MutexGuard { held: Held(&self.holder), inner: guard }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// As [`std::sync::Condvar`], for guards of our [`Mutex`]. Who waits here holds nothing, and waits for no lock.
///
/// ```
/// use std::time::Duration;
/// use tapelog::sync::{Condvar, Mutex};
///
/// static QUEUE: Mutex<Vec<u64>> = Mutex::named("orders", Vec::new());
/// static FILLED: Condvar = Condvar::new();
///
/// let router = std::thread::spawn(|| {
///     let mut queue = QUEUE.lock().expect("nobody panicked with it");
///     while queue.is_empty() {
///         queue = FILLED.wait(queue).expect("nobody panicked with it");
///     }
///     queue.pop()
/// });
/// QUEUE.lock().expect("nobody panicked with it").push(7);
/// FILLED.notify_one();
/// assert_eq!(router.join().expect("it ends well"), Some(7));
///
/// // Nothing more comes: not longer than a millisecond.
/// let queue = QUEUE.lock().expect("nobody panicked with it");
/// let (queue, _) = FILLED.wait_timeout(queue, Duration::from_millis(1)).expect("nobody panicked with it");
/// assert!(queue.is_empty());
/// FILLED.notify_all();
/// ```
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// A condition that nobody waits for.
    #[must_use]
    pub const fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    /// Gives the lock back, waits to be woken, and takes it again.
    ///
    /// # Errors
    /// When somebody panicked while holding the lock; the guard is in the error.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let place = Location::caller();
        let (holder, inner) = open(guard);
        let again = |inner| held_again(holder, inner, place);
        self.0.wait(inner).map(again).map_err(|poisoned| PoisonError::new(again(poisoned.into_inner())))
    }

    /// As [`Condvar::wait`], and not longer than `timeout`.
    ///
    /// # Errors
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let place = Location::caller();
        let (holder, inner) = open(guard);
        let again = |(inner, how)| (held_again(holder, inner, place), how);
        let waited = self.0.wait_timeout(inner, timeout);
        waited.map(again).map_err(|poisoned| PoisonError::new(again(poisoned.into_inner())))
    }

    /// Wakes one.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Nobody holds the lock while the condition waits.
fn open<'a, T>(guard: MutexGuard<'a, T>) -> (&'a Holder, std::sync::MutexGuard<'a, T>) {
    let MutexGuard { held, inner } = guard;
    (held.0, inner)
}

fn held_again<'a, T>(
    holder: &'a Holder,
    inner: std::sync::MutexGuard<'a, T>,
    place: &'static Location<'static>,
) -> MutexGuard<'a, T> {
    holder.take(me(), place);
    MutexGuard { held: Held(holder), inner }
}
