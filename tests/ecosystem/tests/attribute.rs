//! `#[tapelog::test]`.

use tapelog::events::*;
use tapelog::testing::events;
use tapelog::{assert_events, event};

#[tapelog::test]
fn a_test_sees_what_it_recorded() {
    assert!(events().is_empty());
    event!(BUY_TRIGGERED, score = 0.5, "fired");
    assert_events!(events(), exactly[BUY_TRIGGERED { score: 0.5 }]);
}

#[tapelog::test]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_async_test_too() -> Result<(), std::io::Error> {
    tapelog::spawn(async { event!(BUY_TRIGGERED, "in a task") }).await?;
    assert_events!(events(), exactly[BUY_TRIGGERED]);
    Ok(())
}

#[tapelog::test]
#[should_panic(expected = "the events are not those expected")]
fn a_test_that_panics_panics() {
    event!(BUY_TRIGGERED, "fired");
    assert_events!(events(), exactly []);
}

/// The stable text is what `insta` wants: a snapshot that is the same in every run.
#[tapelog::test]
fn insta_takes_the_stable_text() {
    #[tapelog::decision(kind = "buy")]
    fn decide(intent_id: tapelog::IntentId) -> Result<(), std::io::Error> {
        event!(BUY_ORDER, intent_id, "{intent_id} is wanted");
        Err(std::io::Error::other("no route"))
    }
    decide(tapelog::IntentId::new()).unwrap_err();
    decide(tapelog::IntentId::new()).unwrap_err();
    insta::assert_snapshot!(events().render(), @r#"
    DECISION_START dec_1 "decide decides" function="decide" kind="buy"
    BUY_ORDER dec_1 "uuid_1 is wanted" intent_id="uuid_1"
    DECISION_END dec_1 "decide: err" outcome="err" duration_ms=… error="no route" function="decide" kind="buy"
    DECISION_START dec_2 "decide decides" function="decide" kind="buy"
    BUY_ORDER dec_2 "uuid_2 is wanted" intent_id="uuid_2"
    DECISION_END dec_2 "decide: err" outcome="err" duration_ms=… error="no route" function="decide" kind="buy"
    "#);
}
