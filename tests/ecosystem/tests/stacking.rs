//! Our attributes above and below those of others (issue 3): `rstest`, `tokio::test`, `async_trait`, `tracing::instrument`.

use rstest::{fixture, rstest};
use tapelog::testing::capture;
use tapelog::{decision, log_performance};

/// What a function recorded when it was called with `argument`.
fn recorded(call: impl FnOnce()) -> String {
    capture(call).render()
}

#[fixture]
#[decision(kind = "fixture")]
fn limit() -> f64 {
    20.0
}

// `rstest` gives what stands below it to the functions that it makes for the cases: those have no arguments to name.
#[rstest]
#[case(34.0, true)]
#[case(10.0, false)]
#[decision(kind = "case")]
fn ours_below_rstest(#[case] spread_bps: f64, #[case] blocked: bool, limit: f64) {
    assert_eq!(spread_bps > limit, blocked);
}

#[decision(fields(spread_bps))]
#[log_performance(args(spread_bps))]
#[rstest]
#[case(34.0, true)]
#[case(10.0, false)]
fn ours_above_rstest(#[case] spread_bps: f64, #[case] blocked: bool, limit: f64) -> Result<(), String> {
    if (spread_bps > limit) == blocked { Ok(()) } else { Err(format!("{spread_bps} against {limit}")) }
}

#[rstest]
#[tokio::test]
#[log_performance]
async fn ours_below_rstest_and_tokio(
    #[values(1_u32, 2)] qty: u32,
    #[future(awt)] later: u32,
) -> Result<(), String> {
    tokio::task::yield_now().await;
    if qty < later { Ok(()) } else { Err(format!("{qty}")) }
}

#[decision]
#[rstest]
#[tokio::test]
async fn ours_above_rstest_and_tokio(#[values(1_u32, 2)] qty: u32) {
    tokio::task::yield_now().await;
    assert!(qty > 0);
}

#[fixture]
async fn later() -> u32 {
    3
}

#[test]
fn a_fixture_is_a_function_that_may_decide() {
    let text = recorded(|| assert!((limit() - 20.0).abs() < 1e-9));
    assert!(
        text.contains("DECISION_START") && text.contains("fixture") && text.contains("outcome=\"ok\""),
        "{text}"
    );
}

/// Each order of ours and `tracing::instrument`, on a sync and an async function.
mod with_instrument {
    use super::*;

    #[decision(fields(qty))]
    #[tracing::instrument(skip_all, err)]
    fn above(qty: u32) -> Result<u32, String> {
        if qty == 0 { Err("nothing to do".to_owned()) } else { Ok(qty) }
    }

    #[tracing::instrument(skip_all, ret, err)]
    #[decision(fields(qty))]
    #[log_performance]
    fn below(qty: u32) -> Result<u32, String> {
        if qty == 0 { Err("nothing to do".to_owned()) } else { Ok(qty) }
    }

    #[log_performance]
    #[tracing::instrument(skip_all, err)]
    #[decision(fields(qty))]
    async fn around(qty: u32) -> Result<u32, String> {
        tokio::task::yield_now().await;
        if qty == 0 { Err("nothing to do".to_owned()) } else { Ok(qty) }
    }

    #[test]
    fn each_order_says_how_it_ended() {
        for call in [above, below] {
            let text = recorded(|| assert!(call(0).is_err() && call(1).is_ok()));
            assert_eq!(text.matches("DECISION_END").count(), 2, "{text}");
            assert_eq!(text.matches("nothing to do").count(), 1, "{text}");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let text = recorded(|| runtime.block_on(async { assert!(around(0).await.is_err()) }));
        assert!(text.contains("nothing to do") && text.contains("PERFORMANCE"), "{text}");
    }
}

/// A trait with an `async_trait` between ours.
mod with_async_trait {
    use super::*;

    #[async_trait::async_trait]
    trait Venue: Sync {
        async fn place(&self, qty: u32) -> Result<u32, String>;
        #[decision]
        async fn by_default(&self) -> Result<u32, String> {
            self.place(2).await
        }
    }

    struct Simulated;

    #[async_trait::async_trait]
    #[log_performance]
    impl Venue for Simulated {
        #[decision(fields(qty))]
        async fn place(&self, qty: u32) -> Result<u32, String> {
            tokio::task::yield_now().await;
            if qty > 0 { Ok(qty) } else { Err("nothing to do".to_owned()) }
        }
    }

    #[test]
    fn a_default_method_and_its_implementation_decide_one_inside_of_the_other() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let venue: &dyn Venue = &Simulated;
        let text = recorded(|| runtime.block_on(async { assert_eq!(venue.by_default().await, Ok(2)) }));
        assert_eq!(text.matches("DECISION_START").count(), 2, "{text}");
        assert_eq!(text.matches("parent_decision_id").count(), 1, "{text}");
    }
}
