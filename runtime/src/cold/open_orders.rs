//! Orders of the run before that were open when it ended: their decisions are known again, so that a fill that arrives
//! in this process is no orphan.
//!
//! Invariant: ORDER_RESTORED is recorded for each, so that the run after this one finds it here.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Context;
use crate::events::ORDER_RESTORED;
use crate::hot::ids::DecisionId;
use crate::scope::order::restore;

use super::manifest::Manifest;

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

impl Line {
    /// What fills name: the client order id, else the intent.
    fn order(self) -> Option<String> {
        self.client_order_id.or(self.intent_id)
    }
}

/// Binds the open orders of the newest run before `own` of the same service and instance. Returns how many.
pub(crate) fn restore_open_orders(runs: &[PathBuf], own: &Manifest) -> usize {
    let same = |manifest: &Manifest| manifest.service == own.service && manifest.instance == own.instance;
    let previous = runs.iter().rev().find_map(|dir| {
        let manifest = Manifest::read(dir).ok()?;
        (same(&manifest) && manifest.session_id < own.session_id).then_some(dir)
    });
    // A run whose orders cannot be read has none that could be restored.
    let open = previous.and_then(|dir| open_orders(&dir.join("orders.jsonl")).ok()).unwrap_or_default();
    for (order, decision) in &open {
        restore(order, *decision);
        // In the order's decision, as every other line of it.
        let _attached = Context::current().with_decision(*decision).attach();
        crate::event!(ORDER_RESTORED, intent_id = order, "{intent_id} was open when the run before ended");
    }
    open.len()
}

fn open_orders(path: &Path) -> io::Result<Vec<(String, DecisionId)>> {
    let mut file = File::open(path)?;
    let skip = file.metadata()?.len().saturating_sub(READ);
    file.seek(SeekFrom::Start(skip))?;
    let mut open = HashMap::new();
    // After a skip the first line may be half a line, which is no JSON.
    for line in BufReader::new(file).lines() {
        let line = line?;
        let Ok(line) = serde_json::from_str::<Line>(&line) else { continue };
        let opens = matches!(line.event_type.as_str(), "ORDER_CONTEXT" | "ORDER_RESTORED");
        let closes = matches!(
            line.event_type.as_str(),
            "ORDER_FILLED" | "ORDER_CANCELLED" | "ORDER_REJECTED" | "ORDER_FAILED" | "ORDER_EXPIRED"
        );
        if opens && let Some(decision) = line.decision_id.as_ref().and_then(|id| id.parse().ok()) {
            open.extend(line.order().map(|order| (order, decision)));
        } else if closes && let Some(order) = line.order() {
            open.remove(&order);
        }
    }
    let mut open: Vec<_> = open.into_iter().collect();
    open.sort();
    Ok(open)
}
