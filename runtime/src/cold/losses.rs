//! RECORDS_LOST: a loss is said in the stream that it happened to.

use core::sync::atomic::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::hot::hub::{Cause, LostCell};
use crate::hot::record;
use crate::hot::registry;
use crate::hot::site::{EventType, Field, Place, Site};
use crate::hot::value::Taken;

/// One site for each stream that has lost something.
static SITES: Mutex<Option<HashMap<u32, &'static Site>>> = Mutex::new(None);

const FIELDS: &[Field] = &[
    Field::recorded("lost"),
    Field::recorded("lost_total"),
    Field::recorded("first_lost"),
    Field::recorded("last_lost"),
    Field::recorded("causes"),
];

/// Records what was lost of a stream. False when it could not be recorded, and must be tried again.
pub(crate) fn record(stream: u32, cell: &LostCell, count: u64) -> bool {
    let site = {
        let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
        *sites.get_or_insert_default().entry(stream).or_insert_with(|| site_for(stream))
    };
    let causes = cell.causes.load(Ordering::Relaxed);
    let causes: Vec<_> =
        Cause::ALL.iter().filter(|(cause, _)| causes & *cause as u64 != 0).map(|(_, name)| *name).collect();
    site.enabled()
        && record::record(
            site,
            &(
                count,
                cell.count.load(Ordering::Relaxed),
                Taken(cell.first.load(Ordering::Relaxed)),
                Taken(cell.last.load(Ordering::Relaxed)),
                causes,
            ),
        ) != 0
}

/// At most as many as there are streams, so leaking them is bounded.
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
