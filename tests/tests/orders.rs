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

#[test]
fn an_order_that_was_only_said_to_be_closed_is_not_open_in_the_next_process() {
    // Design §4: bindings of open orders survive a restart, and only of open ones. Whatever type an id comes in, it is
    // text in the line (§6, one field name has one type), and the number finds it again.
    let root = Folder::new("closed-orders");
    for scenario in ["close-orders", "close-the-rest", "start"] {
        assert_ended(&victim(VICTIM, scenario, root.path(), &[]), |status| status.success());
    }
    let runs = runs(root.path());
    let text = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();

    let first = lines(&runs[0]);
    assert!(of_type(&first, "FIELD_TYPE_CONFLICT").is_empty(), "numbers are no second type of an id");
    let submitted = of_type(&first, "ORDER_SUBMITTED");
    assert_eq!((&submitted[0]["intent_id"], &submitted[0]["order_id"]), (&"41".into(), &"941".into()));
    let closed: Vec<_> = of_type(&first, "ORDER_CLOSED")
        .iter()
        .map(|line| {
            assert_eq!(line["decision_id"], "dec_20251026_123456_abc123");
            assert!(text(line, "source").contains("victim/orders.rs:"), "{line}");
            (text(line, "client_order_id"), text(line, "intent_id"), text(line, "order_state"))
        })
        .collect();
    let expected = [("41", "", "closed"), ("client-9", "", "expired"), ("", "intent-11", "filled")];
    assert_eq!(closed, expected.map(|(client, intent, state)| (client.into(), intent.into(), state.into())));
    assert!(of_type(&first, "DECISION_CLOSED").is_empty(), "three orders are open");

    let second = lines(&runs[1]);
    let restored: Vec<_> = of_type(&second, "ORDER_RESTORED")
        .iter()
        .map(|line| (text(line, "client_order_id"), text(line, "intent_id")))
        .collect();
    let expected = [("42", "42"), ("client-10", "client-10"), ("", "intent-12")];
    assert_eq!(restored, expected.map(|(client, intent)| (client.into(), intent.into())));
    assert_eq!(of_type(&second, "SELL_FILLED")[0]["decision_id"], "dec_20251026_123456_abc123");
    assert!(of_type(&second, "ORPHAN_EXECUTION").is_empty());
    let decision_closed = of_type(&second, "DECISION_CLOSED");
    assert_eq!(decision_closed.len(), 1, "the third order was the last");
    let last_order = of_type(&second, "ORDER_CLOSED")[2];
    assert_eq!(decision_closed[0]["source"], last_order["source"], "the line of the user's that closed it");

    let third = lines(&runs[2]);
    assert!(of_type(&third, "ORDER_RESTORED").is_empty(), "nothing is open");
}
