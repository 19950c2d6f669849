use super::*;
use crate::events::{
    BUY_BLOCKED, BUY_FILLED, BUY_TRIGGERED, DECISION_CLOSED, DECISION_END, DECISION_START, ORDER_CONTEXT,
    ORDER_FAILED,
};
use crate::{Context, Maybe, OrderOutcome, assert_events, decision, event, order_attempt};

#[test]
fn a_capture_inside_another_has_its_own_events() {
    let outer = capture(|| {
        event!(BUY_TRIGGERED, "outer");
        let inner = capture(|| event!(BUY_BLOCKED, "inner"));
        event!(BUY_FILLED, "outer again");
        inner
    });
    assert_events!(outer.result, exactly[BUY_BLOCKED]);
    assert_events!(outer, exactly [BUY_TRIGGERED, BUY_FILLED]);
}

#[test]
fn a_thread_that_goes_to_and_fro_needs_no_more_rings() {
    let outer = capture(|| {
        for round in 0..600_u32 {
            event!(BUY_TRIGGERED, round, "outer");
            let inner = capture(|| event!(BUY_BLOCKED, round, "inner"));
            assert_events!(inner, exactly[BUY_BLOCKED { round: round }]);
        }
    });
    assert_eq!(outer.all().len(), 600);
}

#[test]
fn captures_of_parallel_threads_see_only_their_own() {
    // S3-020
    let threads: Vec<_> = (0..8_u32)
        .map(|number| {
            std::thread::spawn(move || {
                for _ in 0..20 {
                    let taken = capture(|| (0..50).for_each(|_| event!(BUY_BLOCKED, number, "mine")));
                    assert_eq!(taken.all().len(), 50);
                    assert!(taken.all().iter().all(|event| event.get("number").unwrap() == number));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn outside_of_a_capture_there_are_no_events() {
    assert!(events().is_empty());
    let taken = capture(|| {
        event!(BUY_BLOCKED, "one");
        events()
    });
    assert_eq!(taken.result.all().len(), 1);
}

fn message(panics: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let error = std::panic::catch_unwind(panics).unwrap_err();
    error.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn a_failure_says_what_is_missing_what_is_nearest_and_what_there_was() {
    let taken = capture(|| {
        event!(BUY_TRIGGERED, score = 0.5, "fired");
        event!(BUY_BLOCKED, rule = "stale", limit = 250, "too old");
    });
    let text = message(|| {
        assert_events!(taken, [BUY_TRIGGERED, BUY_BLOCKED { rule: "spread", limit: 250 }], "of {}", "BTC");
    });
    assert_eq!(
        text,
        "the events are not those expected: of BTC\n\
         \x20 found    BUY_TRIGGERED\n\
         \x20 missing  BUY_BLOCKED rule=\"spread\" limit=250\n\
         \x20          of seq 2, `rule` is \"stale\"\n\
         recorded, 2 in all:\n\
         \x20 BUY_TRIGGERED \"fired\" score=0.5\n\
         \x20 BUY_BLOCKED \"too old\" rule=\"stale\" limit=250\n"
    );
    let text = message(|| assert_events!(taken, exactly[BUY_TRIGGERED]));
    assert!(text.contains("too many: BUY_BLOCKED was not expected"), "{text}");
    let text = message(|| assert_events!(taken, [BUY_BLOCKED, BUY_TRIGGERED]));
    assert!(text.contains("it was recorded, but earlier"), "{text}");
    let text = message(|| assert_events!(taken, [BUY_BLOCKED { absent: 1 }]));
    assert!(text.contains("`absent` is not there"), "{text}");
    let text = message(|| drop(taken.one(&BUY_FILLED).clone()));
    assert!(text.starts_with("no BUY_FILLED was recorded"), "{text}");
}

#[test]
fn more_than_a_ring_holds_fails_and_says_so() {
    let text = message(|| {
        drop(capture(|| {
            let long = "x".repeat(200_000);
            (0..40).for_each(|_| event!(crate::events::DASH_EVENT, long, "much"));
        }));
    });
    assert!(text.contains("records of this capture were lost"), "{text}");
}

#[test]
fn numbers_are_compared_as_numbers_and_whole_ones_to_the_last_digit() {
    let taken =
        capture(|| event!(BUY_TRIGGERED, order = 9_007_199_254_740_993_u64, levels = &[1.0, 2.5], "fired"));
    assert_events!(taken, [BUY_TRIGGERED { order: 9_007_199_254_740_993_u64, levels: [1.0, 2.5] }]);
    assert_events!(taken, [BUY_TRIGGERED { levels: (1, 2.5) }]);
    let text = message(|| assert_events!(taken, [BUY_TRIGGERED { order: 9_007_199_254_740_992_u64 }]));
    assert!(text.contains("`order` is 9007199254740993"), "{text}");
    let text = message(|| assert_events!(taken, [BUY_TRIGGERED { levels: [1.0] }]));
    assert!(text.contains("`levels` is [1.0,2.5]"), "{text}");
}

#[test]
fn a_request_looks_the_same_in_every_run() {
    // S3-020
    let request = || {
        let incoming = crate::w3c::Incoming::of(|name| match name {
            "traceparent" => vec!["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            _ => Vec::new(),
        });
        let (context, _held) = incoming.enter();
        context.run(|| {
            event!(BUY_TRIGGERED, span_id = "b7ad6b7169203331", "for {id}", id = &incoming.correlation_id)
        });
        context.run(|| event!(BUY_BLOCKED, "for the same"));
    };
    let (one, other) = (capture(request), capture(request));
    assert_ne!(one.lines(), other.lines());
    assert_eq!(one.render(), other.render());
    assert!(
        one.render().contains("\"for req_1\"") && one.render().contains("trace_id=…"),
        "{}",
        one.render()
    );
}

// Issue 4: what stands behind a block is written as what stands in it.
#[test]
fn options_texts_numbers_and_truths_stand_in_their_order_twice() {
    let taken = capture(|| {
        for turn in 0..2_u64 {
            // The first line of a site learns the kinds of its fields, the second knows them.
            event!(
                BUY_FILLED,
                some = Some(1.5),
                text = Some("IOC"),
                none = None::<f64>,
                absent = Maybe(None::<u8>),
                count = Maybe(Some(7_u64)),
                less = Some(-7_i64),
                truth = Some(true),
                not_finite = Some(f64::NAN),
                list = vec![1_u8, 2],
                plain = turn,
                last = false,
                "filled"
            );
        }
    });
    for turn in 0..2 {
        let line = taken.lines().lines().nth(turn).expect("a line").to_owned();
        let fields = format!(
            r#""message":"filled","some":1.5,"text":"IOC","none":null,"count":7,"less":-7,"truth":true,"not_finite":null,"list":[1,2],"plain":{turn},"last":false,"#
        );
        assert!(line.contains(&fields), "{line}");
    }
}

struct Order {
    id: u64,
    symbol: String,
    qty: f64,
    tif: &'static str,
    filled: Option<f64>,
    legs: Vec<u8>,
    more: More,
}

struct More {
    px: f32,
    post_only: bool,
}

impl Order {
    fn new() -> Self {
        let more = More { px: 1.5, post_only: true };
        let (id, symbol, filled) = (7, "BTC/USDT".to_owned(), Some(0.25));
        Self { id, symbol, qty: 2.0, tif: "IOC", filled, legs: vec![1, 2], more }
    }
}

/// The same event, of places of `$order`.
macro_rules! placed {
    ($order:ident, $attempt:ident) => {
        event!(
            BUY_FILLED,
            $order.id,
            $attempt,
            order_symbol = $order.symbol,
            $order.qty,
            $order.tif,
            $order.filled,
            shown = %$order.symbol,
            $order.legs,
            $order.more.px,
            $order.more.post_only,
            "filled"
        )
    };
}

// Issue 4, "Speed": places are looked at where they are, or are passed as what is there; the line is the same.
#[test]
fn places_of_a_struct_are_recorded_alike_whoever_has_it() {
    let attempt = 3;
    let mut mine = Order::new();
    let taken = capture(|| {
        let order = &mine;
        placed!(order, attempt);
        let order = std::sync::Arc::new(Order::new());
        placed!(order, attempt);
        let order = Order::new();
        placed!(order, attempt);
        let order = &mut mine;
        placed!(order, attempt);
        order.qty = 4.0;
    });
    let expected = r#""message":"filled","id":7,"attempt":3,"order_symbol":"BTC/USDT","qty":2.0,"tif":"IOC","filled":0.25,"shown":"BTC/USDT","legs":[1,2],"px":1.5,"post_only":true,"#;
    let lines: Vec<_> = taken.lines().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4);
    for line in lines {
        assert!(line.contains(expected), "{line}");
    }
}

#[crate::decision(lazy, kind = "buy", fields(qty = order.qty))]
fn lazily(order: &Order) {
    event!(BUY_BLOCKED, order.id, order.qty, order.tif, order_symbol = order.symbol);
    event!(BUY_TRIGGERED, order.id, order.qty, order.tif, order_symbol = order.symbol);
}

#[test]
fn an_event_of_places_makes_a_lazy_decision_begin() {
    let taken = capture(|| lazily(&Order::new()));
    let names: Vec<_> = taken.all().iter().map(|event| event.event_type().to_owned()).collect();
    assert_eq!(names, ["DECISION_START", "BUY_BLOCKED", "BUY_TRIGGERED", "DECISION_END"]);
}

static LIMITS: std::sync::LazyLock<Order> = std::sync::LazyLock::new(|| {
    event!(BUY_TRIGGERED, "limits are read");
    Order::new()
});

// Issue 4, guarantees 2 and 4: what a `Deref` does is done before the record has its time.
#[test]
fn what_is_made_when_an_event_first_looks_at_it_may_record_itself() {
    let taken = capture(|| {
        event!(BUY_BLOCKED, LIMITS.id, LIMITS.qty, LIMITS.tif, order_symbol = LIMITS.symbol);
    });
    assert_events!(
        taken,
        [BUY_TRIGGERED, BUY_BLOCKED { id: 7, qty: 2.0, tif: "IOC", order_symbol: "BTC/USDT" }]
    );
    let times: Vec<_> = taken.lines().lines().map(|line| line[..45].to_owned()).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[decision]
fn hands_on(router: &std::sync::mpsc::Sender<Context>) {
    router.send(Context::current()).expect("the router lives");
}

#[decision]
fn tells_its_id() -> crate::DecisionId {
    crate::decision_id().expect("inside of it")
}

#[decision]
async fn returns_later() -> Context {
    Context::current()
}

fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut task) {
        std::task::Poll::Ready(result) => result,
        std::task::Poll::Pending => panic!("it waits for nothing"),
    }
}

/// Its order is placed, and not sent.
fn places_in_vain(context: &Context) {
    context.run(|| {
        let attempt = order_attempt!(
            intent_id = "int_1",
            symbol = "BTC/USDT",
            side = "buy",
            qty = 0.5,
            none(
                limit_px,
                quote_budget,
                notional,
                tif,
                slippage_bps,
                min_notional,
                max_retries,
                retry_backoff_ms
            ),
        );
        attempt.end(OrderOutcome::Failed);
    });
}

// Design §4: DECISION_CLOSED, also where a router places the orders when deciding is over.
#[test]
fn a_decision_whose_order_is_placed_after_its_end_is_closed_with_that_order() {
    let handed = capture(|| {
        let (router, orders) = std::sync::mpsc::channel();
        hands_on(&router);
        places_in_vain(&orders.recv().expect("it was handed on"));
    });
    let told = capture(|| {
        let id = tells_its_id();
        places_in_vain(&Context::current().with_decision(id));
    });
    let later = capture(|| {
        let context = at_once(returns_later());
        places_in_vain(&context);
    });
    for taken in [&handed.events, &told.events, &later.events] {
        assert_events!(
            taken,
            exactly [DECISION_START, DECISION_END, ORDER_CONTEXT, ORDER_FAILED, DECISION_CLOSED]
        );
    }
}

#[decision(lazy)]
fn gives(context: &mut Option<Context>, give: bool) {
    if give {
        *context = Some(Context::current());
    }
}

#[decision(lazy)]
async fn gives_later(give: bool) -> Option<Context> {
    give.then(Context::current)
}

// Design §4: what is recorded elsewhere in a lazy decision has a START to look at.
#[test]
fn a_lazy_decision_whose_id_is_given_away_is_written() {
    let sync = |give| {
        capture(|| {
            let mut context = None;
            gives(&mut context, give);
        })
    };
    let later = |give| capture(|| drop(at_once(gives_later(give))));
    for taken in [sync(true).events, later(true).events] {
        assert_events!(&taken, exactly[DECISION_START, DECISION_END]);
    }
    for taken in [sync(false).events, later(false).events] {
        assert!(taken.is_empty(), "{taken:?}");
    }
}
