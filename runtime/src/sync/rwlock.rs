//! [`RwLock`]: one writer, or many readers, of whom eight are known by name.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, PoisonError, TryLockError};

use super::waits::{Holders, Waiting};
use super::{Holder, me};

/// How many readers of one lock are known at once; of more, the latest are not named.
pub(super) const READERS: usize = 8;

/// As [`std::sync::RwLock`], with a name, and known to the heartbeat while somebody waits for it.
///
/// ```
/// use tapelog::sync::RwLock;
///
/// static LIMITS: RwLock<f64> = RwLock::named("limits", 20.0);
/// assert_eq!(*LIMITS.read().expect("nobody panicked with it"), 20.0);
/// *LIMITS.write().expect("nobody panicked with it") = 15.0;
/// ```
///
/// ```
/// use tapelog::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
///
/// let mut limits = RwLock::new(1.0);
/// *limits.get_mut().expect("nobody panicked with it") = 2.0;
/// {
///     let mut limit: RwLockWriteGuard<'_, f64> = limits.write().expect("nobody panicked with it");
///     *limit += 0.5;
/// }
/// let limit: RwLockReadGuard<'_, f64> = limits.read().expect("nobody panicked with it");
/// assert_eq!(*limit, 2.5);
/// drop(limit);
/// assert_eq!(limits.into_inner().expect("nobody panicked with it"), 2.5);
/// ```
pub struct RwLock<T: ?Sized> {
    name: &'static str,
    writer: Holder,
    readers: [Holder; READERS],
    inner: std::sync::RwLock<T>,
}

/// Gives the lock back when it is dropped.
#[must_use = "the lock is held only while its guard lives"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    place: Option<&'a Holder>,
    inner: std::sync::RwLockReadGuard<'a, T>,
}

/// Gives the lock back when it is dropped.
#[must_use = "the lock is held only while its guard lives"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    writer: &'a Holder,
    inner: std::sync::RwLockWriteGuard<'a, T>,
}

impl<T> RwLock<T> {
    /// A lock without a name: where it is taken says which it is.
    pub const fn new(value: T) -> Self {
        Self::named("", value)
    }

    /// A lock with a name, as it stands in THREAD_STALLED and DEADLOCK.
    pub const fn named(name: &'static str, value: T) -> Self {
        Self {
            name,
            writer: Holder::new(),
            readers: [const { Holder::new() }; READERS],
            inner: std::sync::RwLock::new(value),
        }
    }

    /// The value, when nobody needs the lock any more.
    ///
    /// # Errors
    /// When somebody panicked while writing; the value is in the error.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes, and reads.
    ///
    /// # Errors
    /// When somebody panicked while writing; the guard is in the error.
    #[inline]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let place = Location::caller();
        let locked = match self.inner.try_read() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Err(poisoned),
            Err(TryLockError::WouldBlock) => {
                let _waiting = self.waits(place);
                self.inner.read()
            }
        };
        let held = |inner| RwLockReadGuard { place: self.note_reader(place), inner };
        locked.map(held).map_err(|poisoned| PoisonError::new(held(poisoned.into_inner())))
    }

    /// Waits until nobody reads or writes, and writes.
    ///
    /// # Errors
    /// When somebody panicked while writing; the guard is in the error.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let place = Location::caller();
        let locked = match self.inner.try_write() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Err(poisoned),
            Err(TryLockError::WouldBlock) => {
                let _waiting = self.waits(place);
                self.inner.write()
            }
        };
        let held = |inner| {
            self.writer.take(me(), place);
            RwLockWriteGuard { writer: &self.writer, inner }
        };
        locked.map(held).map_err(|poisoned| PoisonError::new(held(poisoned.into_inner())))
    }

    #[cold]
    fn waits(&self, place: &'static Location<'static>) -> Waiting {
        Waiting::begin(self.name, place, Holders::Many(&self.writer, &self.readers))
    }

    /// The value, of a lock that nobody else can have.
    ///
    /// # Errors
    /// When somebody panicked while writing; the value is in the error.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }

    /// A place among the readers that are known; none when all are taken.
    #[inline]
    fn note_reader(&self, place: &'static Location<'static>) -> Option<&Holder> {
        let me = me();
        // Each begins at a place of its own, so that two seldom meet.
        let reader = (0..READERS)
            .map(|at| &self.readers[(me as usize).wrapping_add(at) % READERS])
            .find(|reader| reader.take_if_free(me))?;
        reader.take(me, place);
        Some(reader)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.place {
            place.leave();
        }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.writer.leave();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
