//! Where each thread of a dead run was: its slot survives in its ring's file (C22, issue 5).
//!
//! Invariant: any bytes give a list; what a slot names and no table knows is left out.

use std::collections::HashMap;

use crate::cold::json;
use crate::cold::manifest::ThreadAtEnd;
use crate::cold::sites::place_of;
use crate::hot::activity::Slot;
use crate::hot::clock::Calibration;
use crate::hot::hub::unframed;
use crate::hot::ring::{self, Ring};

/// The threads that had a ring when the process died, but for the recorder's own.
pub(super) fn at_end(rings: &[Ring], sites: &[u8], calibration: &Calibration) -> Vec<ThreadAtEnd> {
    let places: HashMap<u32, String> = unframed(sites).filter_map(place_of).collect();
    let owned = rings.iter().filter(|ring| ring.state() == ring::state::OWNED);
    owned.filter_map(|ring| thread(ring, &places, calibration)).collect()
}

fn thread(ring: &Ring, places: &HashMap<u32, String>, calibration: &Calibration) -> Option<ThreadAtEnd> {
    let (thread, thread_id) = ring.thread();
    if thread.starts_with("tapelog-") {
        return None;
    }
    let activity = Slot::of(ring).read();
    let mut known = activity.frames.iter().filter_map(|frame| Some((frame, places.get(&frame.site)?)));
    let innermost = known.next();
    Some(ThreadAtEnd {
        thread,
        thread_id,
        location: innermost.map(|(_, place)| place.clone()),
        since: innermost.map(|(frame, _)| instant(calibration.wall(frame.since))),
        decision_id: innermost.and_then(|(frame, _)| frame.decision.some()).map(|id| id.to_string()),
        enclosing: known.map(|(_, place)| place.clone()).collect(),
        waiting: activity.waiting,
        critical: activity.critical_ms > 0,
    })
}

fn instant(wall_ns: i64) -> String {
    let mut text = Vec::new();
    json::instant(&mut text, i128::from(wall_ns));
    String::from_utf8_lossy(&text).into_owned()
}
