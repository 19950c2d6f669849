//! Orders of the run before that were open when it ended: their decisions are known again, so that a fill that arrives
//! in this process is no orphan.
//!
//! Invariant: ORDER_RESTORED is recorded for each, so that the run after this one finds it here.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::events::ORDER_RESTORED;
use crate::hot::ids::DecisionId;
use crate::scope::order::restore;
use crate::{Context, Maybe, event};

use super::manifest::Manifest;
use super::read::{Packing, ReadError, Run, Segment};

/// What is read of the run before, from its end: about 100,000 orders.
const READ: u64 = 64 << 20;

/// What a line of `orders.jsonl` says of an order.
#[derive(Deserialize)]
struct Line {
    event_type: String,
    decision_id: Option<String>,
    client_order_id: Option<String>,
    intent_id: Option<String>,
}

/// An order: what fills name, its client order id, else its intent; and whether it is the former.
type Order = (String, bool);
/// The decision of an open order, and its intent.
type Placed = (DecisionId, Option<String>);

/// Binds the open orders of the newest run before `own` of the same service and instance. Returns how many.
pub(crate) fn restore_open_orders(runs: &[PathBuf], own: &Manifest) -> usize {
    let same = |manifest: &Manifest| manifest.service == own.service && manifest.instance == own.instance;
    let previous = runs.iter().rev().find_map(|dir| {
        let manifest = Manifest::read(dir).ok()?;
        (same(&manifest) && manifest.session_id < own.session_id).then_some(dir)
    });
    // A run whose orders cannot be read has none that could be restored.
    let open = previous.and_then(|dir| open_orders(dir).ok()).unwrap_or_default();
    for ((order, is_client_order), (decision, intent)) in &open {
        restore(order, *is_client_order, *decision);
        // In the order's decision, as every other line of it.
        let _attached = Context::current().with_decision(*decision).attach();
        let client_order = is_client_order.then_some(order);
        let intent = intent.as_ref().unwrap_or(order);
        event!(
            ORDER_RESTORED,
            intent_id = intent,
            client_order_id = Maybe(client_order),
            "{intent_id} was open when the run before ended"
        );
    }
    open.len()
}

fn open_orders(dir: &Path) -> Result<Vec<(Order, Placed)>, ReadError> {
    let mut segments = Run::open(dir)?.segments()?;
    segments.retain(|segment| &*segment.stream == "orders.jsonl" && !segment.fallback);
    // The newest are last; what is packed is about ten times as large.
    let mut budget = READ;
    let size = |segment: &Segment| segment.bytes * if segment.packing == Packing::Plain { 1 } else { 10 };
    let mut first = segments.len();
    while first > 0 && budget > 0 {
        first -= 1;
        budget = budget.saturating_sub(size(&segments[first]));
    }
    let mut open = HashMap::new();
    for segment in &segments[first..] {
        let failed = |source| ReadError::Io { path: segment.path(), source };
        read_segment(segment, &mut open).map_err(failed)?;
    }
    let mut open: Vec<_> = open.into_iter().collect();
    open.sort();
    Ok(open)
}

fn read_segment(segment: &Segment, open: &mut HashMap<Order, Placed>) -> io::Result<()> {
    let mut lines = segment.open()?;
    // Without rotation a run may have one file of any size. The first line may be half a line then, which is no JSON.
    io::copy(&mut lines.by_ref().take(segment.bytes.saturating_sub(READ)), &mut io::sink())?;
    for line in BufReader::new(lines).lines() {
        let line = line?;
        let Ok(line) = serde_json::from_str::<Line>(&line) else { continue };
        let opens = matches!(line.event_type.as_str(), "ORDER_CONTEXT" | "ORDER_RESTORED");
        let closes = matches!(
            line.event_type.as_str(),
            "ORDER_FILLED"
                | "ORDER_CANCELLED"
                | "ORDER_REJECTED"
                | "ORDER_FAILED"
                | "ORDER_EXPIRED"
                | "ORDER_CLOSED"
        );
        let client_order = line.client_order_id.map(|id| (id, true));
        let intent = line.intent_id.clone().map(|id| (id, false));
        if opens && let Some(decision) = line.decision_id.as_ref().and_then(|id| id.parse().ok()) {
            open.extend(client_order.or(intent).map(|order| (order, (decision, line.intent_id))));
        } else if closes {
            // Who says it may name both, and the order was placed under one.
            for order in [client_order, intent].into_iter().flatten() {
                open.remove(&order);
            }
        }
    }
    Ok(())
}
