//! RECORDS_LOST: a loss is said in the stream that it happened to.
//!
//! Invariant: each loss is told once. What is about to be told stands in shared memory before it is recorded, with the
//! place where its record begins, so that recovery knows whether it was. One RECORDS_LOST says what came since the one
//! before: how many, the first, the last, the causes.

use core::sync::atomic::Ordering;
use std::collections::HashMap;

use crate::hot::hub::{Cause, Hub, LostCell};
use crate::hot::ring::Ring;
use crate::hot::site::{EventType, Field, Place, Site};
use crate::hot::value::Taken;
use crate::hot::{record, registry, thread};

const FIELDS: &[Field] = &[
    Field::recorded("lost"),
    Field::recorded("lost_total"),
    Field::recorded("first_lost"),
    Field::recorded("last_lost"),
    Field::recorded("causes"),
];

/// A RECORDS_LOST is smaller, whatever it says. With less room it waits: it must not become a loss itself.
const ROOM: u64 = 1024;

/// What the drain knows of losses. See the module.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    streams: HashMap<usize, Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    /// At most as many as there are streams, so leaking them is bounded.
    site: Option<&'static Site>,
    /// What was taken from the shared cell and not told yet.
    next: Stretch,
    /// What was told last.
    told: Stretch,
}

/// Some losses of one stream: counter readings, and bits of [`Cause`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stretch {
    first: u64,
    last: u64,
    causes: u64,
}

impl Losses {
    /// Records what was lost and not yet told. What cannot be recorded now is told the next time.
    pub(crate) fn report(&mut self, hub: &'static Hub) {
        for (index, cell) in hub.lost_cells().iter().enumerate() {
            if cell.untold() > 0
                && let Some(ring) = thread::own_ring(hub)
                && ring.capacity() - (ring.tail() - ring.head()) >= ROOM.min(ring.capacity() / 4)
            {
                self.tell(hub, &ring, index, say);
            }
        }
    }

    /// Tells what was lost of one stream, with `say`, which records into `ring`.
    fn tell(
        &mut self,
        hub: &Hub,
        ring: &Ring,
        index: usize,
        say: impl FnOnce(&'static Site, u64, u64, Stretch) -> bool,
    ) {
        let Some(cell) = hub.lost_cells().get(index) else { return };
        let stream = self.streams.entry(index).or_default();
        // Acquire: first, last and causes of those that are counted are there.
        let total = cell.count.load(Ordering::Acquire);
        let stretch = stream.take(cell);
        let site = *stream.site.get_or_insert_with(|| site_for(index as u32));
        let reported = cell.reported.load(Ordering::Relaxed);
        hub.telling(index).begin(total, ring);
        if say(site, total.saturating_sub(reported), total, stretch) {
            cell.reported.store(total, Ordering::Release);
            (stream.told, stream.next) = (stretch, Stretch::default());
        } else {
            hub.telling(index).take_back();
        }
    }
}

impl Stream {
    /// Adds what the shared cell holds, and empties it. A loss that is counted only after this may have left its time and
    /// cause here already: then it has those of the losses beside it.
    fn take(&mut self, cell: &LostCell) -> Stretch {
        let first = cell.first.swap(0, Ordering::Relaxed);
        if self.next.first == 0 || (first != 0 && first < self.next.first) {
            self.next.first = first;
        }
        self.next.last = cell.last.load(Ordering::Relaxed);
        self.next.causes |= cell.causes.swap(0, Ordering::Relaxed);
        Stretch {
            first: if self.next.first == 0 { self.next.last } else { self.next.first },
            last: self.next.last,
            causes: if self.next.causes == 0 { self.told.causes } else { self.next.causes },
        }
    }
}

/// Records one RECORDS_LOST. False when it could not be.
fn say(site: &'static Site, lost: u64, lost_total: u64, stretch: Stretch) -> bool {
    let Stretch { first, last, causes } = stretch;
    let causes: Vec<_> =
        Cause::ALL.iter().filter(|(cause, _)| causes & *cause as u64 != 0).map(|(_, name)| *name).collect();
    site.enabled() && record::record(site, &(lost, lost_total, Taken(first), Taken(last), causes))
}

fn site_for(stream: u32) -> &'static Site {
    let mut event: EventType = crate::events::RECORDS_LOST;
    event.stream = registry::stream(stream).unwrap_or(event.stream);
    let place = Place::new(file!(), line!(), column!(), module_path!(), "");
    Box::leak(Box::new(Site::new(
        Box::leak(Box::new(event)),
        "{lost} records of this stream were lost",
        FIELDS,
        &[],
        place,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot::hub::untold_after_death;
    use crate::hot::ring::RECORD_HEADER;

    fn hub() -> &'static Hub {
        Hub::create(Vec::new(), 1 << 14, crate::Level::Debug, false, None).unwrap()
    }

    #[test]
    fn each_report_says_what_came_since_the_one_before() {
        // Issue 4, guarantee 3: count, first and last time, cause.
        let (hub, mut losses) = (hub(), Losses::default());
        let producer = hub.take_ring(1, "t").unwrap();
        let mut told = Vec::new();
        let mut tell = |works: bool| {
            losses.tell(hub, producer.ring(), 3, |_, lost, total, stretch| {
                told.push((lost, total, stretch.first, stretch.last, stretch.causes));
                works
            });
        };
        hub.lost(3, Cause::RingFull, 10);
        hub.lost(3, Cause::NoRing, 12);
        tell(true);
        hub.lost(3, Cause::TooLarge, 20);
        // Not recorded: the next one says it too.
        tell(false);
        hub.lost(3, Cause::TooLarge, 25);
        tell(true);
        let (full, none, large) = (Cause::RingFull as u64, Cause::NoRing as u64, Cause::TooLarge as u64);
        assert_eq!(told, [(2, 2, 10, 12, full | none), (1, 3, 20, 20, large), (2, 4, 20, 25, large)]);
    }

    #[test]
    fn a_process_that_dies_around_a_report_has_each_loss_told_once() {
        // What was recorded and not yet noted as told, and what was about to be recorded, are told apart.
        let (hub, mut losses) = (hub(), Losses::default());
        let mut producer = hub.take_ring(1, "t").unwrap();
        let ring = *producer.ring();
        let untold = || untold_after_death(&hub.state, &[ring]);
        hub.lost(0, Cause::RingFull, 10);
        hub.lost(7, Cause::RingFull, 10);
        assert_eq!(untold(), 2);
        losses.tell(hub, &ring, 0, |_, _, _, _| {
            assert_eq!(untold(), 2, "before the record");
            let _place = producer.reserve(RECORD_HEADER).unwrap();
            assert_eq!(untold(), 2, "before its publication");
            producer.publish(RECORD_HEADER);
            assert_eq!(untold(), 1, "recorded, not yet noted");
            true
        });
        assert_eq!(untold(), 1);
        losses.tell(hub, &ring, 7, |_, _, _, _| false);
        // The drain goes on recording other things; that report was none.
        producer.reserve(RECORD_HEADER).unwrap();
        producer.publish(RECORD_HEADER);
        assert_eq!(untold(), 1);
        hub.lost(0, Cause::RingFull, 11);
        assert_eq!(untold(), 2);
    }
}
