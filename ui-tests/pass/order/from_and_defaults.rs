use tapelog::{IntentId, OrderContext, Value, fixed, order_context};

#[derive(Clone, Copy, Value)]
enum Side {
    Buy,
}

#[derive(OrderContext)]
#[order(notional = fixed(self.ticks * self.lots, 4), tif = "IOC")]
struct Order<'a, T> {
    intent_id: IntentId,
    symbol: &'a str,
    side: Side,
    #[order(limit_px)]
    px: tapelog::Fixed,
    #[order(skip)]
    qty: T,
    #[order(qty)]
    lots: i64,
    ticks: i64,
    venue: Option<String>,
}

#[derive(OrderContext)]
struct Config {
    slippage_bps: f64,
    min_notional: f64,
    max_retries: u32,
    retry_backoff_ms: u64,
    quote_budget: Option<f64>,
    tif: &'static str,
}

struct Router {
    config: Config,
}

#[derive(Debug)]
enum Error {
    NoRoute,
    Rejected { code: u32 },
}

struct Ack {
    id: String,
}

impl Router {
    #[order_context(
        from = order,
        defaults(self.config),
        venue,
        not_sent = Error::NoRoute,
        rejected = Error::Rejected { code: 1..=9 } | Error::Rejected { .. },
        returns(order_id = |ack| &ack.id, len = |ack| ack.id.len()),
    )]
    async fn place<T>(&self, order: &Order<'_, T>) -> Result<Ack, Error> {
        if order.lots == 0 {
            return Err(Error::NoRoute);
        }
        if order.lots == 1 {
            Err(Error::Rejected { code: 1 })?;
        }
        Ok(Ack { id: String::new() })
    }
}

fn main() {
    let order = Order {
        intent_id: IntentId::new(),
        symbol: "BTC/USDT",
        side: Side::Buy,
        px: fixed(4_500_000, 2),
        qty: (),
        lots: 1,
        ticks: 1,
        venue: None,
    };
    let config = Config {
        slippage_bps: 1.0,
        min_notional: 1.0,
        max_retries: 1,
        retry_backoff_ms: 1,
        quote_budget: None,
        tif: "GTC",
    };
    drop(Router { config }.place(&order));
    let () = order.qty;
}
