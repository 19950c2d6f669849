//! Where the open scopes of a thread's sync functions live: in places that the thread keeps, taken and given back in
//! any order, so that the annotated function itself holds one word.
//!
//! Invariant: a place belongs to one [`Framed`] from [`Vacant::take`] to [`Framed::remove`]. Nothing here has a destructor,
//! so that the places outlive whatever runs at the thread's end. Not `Send`: a sync function ends on the thread on which it
//! began. More than [`PLACES`] at once are boxed.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use core::ptr::{self, NonNull};

use crate::hot::registry;
use crate::hot::thread::THREAD;

/// How many annotated functions may be open on a thread, one inside of the other, before each allocates.
const PLACES: usize = 16;

/// The places of one thread.
pub(crate) struct Frames<T> {
    /// A bit for each place that is taken, in the low half: a word, because the compiler reads one in any case, and a processor
    /// that has just stored a part of it would wait. All zeros at first, so that a program has no image of it to copy for each
    /// thread.
    taken: Cell<u32>,
    places: [UnsafeCell<MaybeUninit<Frame<T>>>; PLACES],
}

struct Frame<T> {
    value: T,
    /// The place's bit, or none: boxed.
    bit: u32,
}

/// A type that has places in each thread.
pub(crate) trait InFrames: Sized + 'static {
    /// The places of the thread that calls, in a `static` without a destructor.
    fn of_thread<R>(look: impl FnOnce(&Frames<Self>) -> R) -> R;
}

/// A place for one value, which is put there next.
pub(crate) struct Vacant<T> {
    place: NonNull<MaybeUninit<Frame<T>>>,
    bit: u32,
}

/// A value in a place of the thread that made it. Like a `Box`, but without a drop: [`Framed::remove`] is what it needs.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Framed<T>(NonNull<Frame<T>>);

impl<T> Frames<T> {
    pub(crate) const fn new() -> Self {
        Self { taken: Cell::new(0), places: [const { UnsafeCell::new(MaybeUninit::uninit()) }; PLACES] }
    }
}

impl<T: InFrames> Vacant<T> {
    /// A place; none in an allocator that is called for one.
    #[inline(always)]
    pub(crate) fn take() -> Option<Self> {
        T::of_thread(|frames| {
            let taken = frames.taken.get();
            let Some(place) = frames.places.get(taken.trailing_ones() as usize) else { return boxed() };
            let bit = !taken & taken.wrapping_add(1);
            frames.taken.set(taken | bit);
            NonNull::new(place.get()).map(|place| Self { place, bit })
        })
    }

    /// Writes the value, which stays there.
    #[inline(always)]
    pub(crate) fn put(self, value: T) -> Framed<T> {
        let Self { mut place, bit } = self;
        // SAFETY: it was free until `take`, and is nobody else's since.
        let place = unsafe { place.as_mut() };
        Framed(NonNull::from(place.write(Frame { value, bit })))
    }
}

impl<T: InFrames> Framed<T> {
    /// Drops the value, and gives its place back.
    #[inline(always)]
    pub(crate) fn remove(mut self) {
        // SAFETY: it was written by `put`, and is dropped once, since `self` is gone.
        unsafe { ptr::drop_in_place::<T>(&raw mut *self) };
        // SAFETY: it is in its place until that is given back; the bit has no drop.
        let bit = unsafe { self.0.as_ref() }.bit;
        if bit == 0 {
            unbox(self.0);
        } else {
            T::of_thread(|frames| frames.taken.set(frames.taken.get() & !bit));
        }
    }
}

/// Gives back what [`boxed`] took, whose value is dropped.
#[cold]
#[inline(never)]
fn unbox<T>(place: NonNull<Frame<T>>) {
    // SAFETY: a place without a bit is from `Box::into_raw` in `boxed`, and `remove` has the last pointer to it.
    drop(unsafe { Box::from_raw(place.cast::<MaybeUninit<Frame<T>>>().as_ptr()) });
}

/// Deep recursion may allocate.
#[cold]
#[inline(never)]
fn boxed<T>() -> Option<Vacant<T>> {
    // An allocator that is annotated itself would ask for a box for its box.
    if THREAD.with(|thread| thread.allocates.replace(true)) {
        registry::count_reentrant();
        return None;
    }
    let place = Box::into_raw(Box::<Frame<T>>::new_uninit());
    THREAD.with(|thread| thread.allocates.set(false));
    NonNull::new(place).map(|place| Vacant { place, bit: 0 })
}

impl<T> Deref for Framed<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: it is in its place as long as this is there, and no other refers to it.
        &unsafe { self.0.as_ref() }.value
    }
}

impl<T> DerefMut for Framed<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`.
        &mut unsafe { self.0.as_mut() }.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::rc::Rc;

    struct Counted(#[expect(dead_code, reason = "counts itself")] Rc<()>, u32);

    thread_local! {
        static FRAMES: Frames<Counted> = const { Frames::new() };
    }

    impl InFrames for Counted {
        fn of_thread<R>(look: impl FnOnce(&Frames<Self>) -> R) -> R {
            FRAMES.with(look)
        }
    }

    #[test]
    fn places_are_given_back_in_any_order_and_more_than_there_are_is_boxed() {
        let alive = Rc::new(());
        let put = |number| Vacant::take().unwrap().put(Counted(Rc::clone(&alive), number));
        for round in 0..3 {
            let mut framed: Vec<_> = (0..100).map(put).collect();
            FRAMES.with(|frames| assert_eq!(frames.taken.get(), (1 << PLACES) - 1));
            framed.iter_mut().for_each(|one| one.1 += 1);
            // Every second first, so that holes are filled again.
            let mut at = 0;
            let (out, mut left): (Vec<_>, Vec<_>) = framed.into_iter().partition(|_| {
                at += 1;
                at % 2 == round % 2
            });
            out.into_iter().for_each(Framed::remove);
            left.extend((0..60).map(|number| put(number + 1)));
            assert!(left.iter().all(|one| (1..=100).contains(&one.1)));
            assert_eq!(Rc::strong_count(&alive), 111);
            left.into_iter().for_each(Framed::remove);
            FRAMES.with(|frames| assert_eq!(frames.taken.get(), 0));
            assert_eq!(Rc::strong_count(&alive), 1);
        }
    }

    #[test]
    fn an_allocator_that_is_asked_for_a_box_makes_none() {
        let alive = Rc::new(());
        let put = |place: Vacant<_>| place.put(Counted(Rc::clone(&alive), 0));
        let framed: Vec<_> = (0..PLACES).map_while(|_| Vacant::take().map(put)).collect();
        THREAD.with(|thread| thread.allocates.set(true));
        assert!(Vacant::<Counted>::take().is_none());
        THREAD.with(|thread| thread.allocates.set(false));
        assert_eq!((framed.len(), Rc::strong_count(&alive)), (PLACES, PLACES + 1));
        framed.into_iter().for_each(Framed::remove);
    }
}
