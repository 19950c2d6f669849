//! Orders that outlive the process that placed them.

use tapelog_tests::{Folder, assert_ended, lines, of_type, runs, victim};

const VICTIM: &str = env!("CARGO_BIN_EXE_victim");

#[test]
fn a_fill_in_the_next_process_carries_the_decision_of_its_order() {
    // Design §4, Late acknowledgements and fills: bindings of open orders survive a restart.
    let root = Folder::new("orders");
    assert_ended(&victim(VICTIM, "place-order", root.path(), &[]), |status| status.success());
    assert_ended(&victim(VICTIM, "start", root.path(), &[]), |status| status.success());
    // Not the run before, but the one before that, placed the order.
    assert_ended(&victim(VICTIM, "fill-order", root.path(), &[]), |status| status.success());
    let runs = runs(root.path());
    let placed = lines(&runs[0]);
    assert_eq!(of_type(&placed, "ORDER_CONTEXT").len(), 2);
    for run in &runs[1..] {
        let all = lines(run);
        let restored = of_type(&all, "ORDER_RESTORED");
        assert_eq!(restored.len(), 1, "client-6 was filled, client-7 was not");
        assert_eq!(restored[0]["decision_id"], "dec_20251026_123456_abc123");
    }
    let all = lines(&runs[2]);
    assert_eq!(of_type(&all, "SELL_FILLED")[0]["decision_id"], "dec_20251026_123456_abc123");
    assert_eq!(of_type(&all, "DECISION_CLOSED")[0]["decision_id"], "dec_20251026_123456_abc123");
    assert_eq!(of_type(&all, "ORPHAN_EXECUTION").len(), 1, "nothing here has placed client-8");
}
