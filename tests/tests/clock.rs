//! The wall clock jumps.

use tapelog_tests::{Folder, assert_ended, lines, of_type, runs, victim};

#[test]
fn a_jump_of_the_wall_clock_is_recorded_and_the_order_does_not_follow_it() {
    // Issue 4, guarantee 7.
    let root = Folder::new("clock");
    assert_ended(&victim(env!("CARGO_BIN_EXE_clock"), "jump", root.path(), &[]), |status| status.success());
    let all = lines(&runs(root.path())[0]);
    let steps: Vec<_> =
        of_type(&all, "CLOCK_STEP").iter().filter_map(|line| line["step_ms"].as_f64()).collect();
    // The rest is what passed between two looks at two clocks.
    let near = |step: &f64, expected: f64| (step - expected).abs() < 60_000.0;
    assert!(matches!(&steps[..], [ahead, back] if near(ahead, 3.6e6) && near(back, -7.2e6)), "{steps:?}");
    // In the order of happening, though the times go back by hours.
    let records = of_type(&all, "ORDER_CONTEXT");
    assert!(records.iter().map(|line| line["n"].as_u64()).eq([Some(0), Some(1), Some(2)]));
    let times: Vec<_> = records.iter().filter_map(|line| line["timestamp"].as_str()).collect();
    assert!(times[2] < times[0] && times[0] < times[1], "{times:?}");
}
