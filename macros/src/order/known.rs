//! The fields of an order context: one table, in the order of the line.
//!
//! Invariant: the runtime has one trait for each of these names but `attempt_start_ts` (`scope/order/fields.rs`).

/// How a field may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Always given.
    Always,
    /// Given, or stated to be `none`.
    Stated,
    /// Filled in when not given.
    Automatic,
    /// Only when given.
    Optional,
}

/// Every known field. The first fourteen are the documented block (S4-003…005).
pub(super) const FIELDS: &[(&str, Need)] = &[
    ("intent_id", Need::Always),
    ("symbol", Need::Always),
    ("side", Need::Always),
    ("qty", Need::Always),
    ("limit_px", Need::Stated),
    ("quote_budget", Need::Stated),
    ("notional", Need::Stated),
    ("tif", Need::Stated),
    ("slippage_bps", Need::Stated),
    ("min_notional", Need::Stated),
    ("max_retries", Need::Stated),
    ("retry_backoff_ms", Need::Stated),
    ("attempt", Need::Automatic),
    ("attempt_start_ts", Need::Automatic),
    ("venue", Need::Optional),
    ("account", Need::Optional),
    ("strategy_id", Need::Optional),
    ("client_order_id", Need::Optional),
    ("orig_client_order_id", Need::Optional),
    ("order_type", Need::Optional),
    ("stop_px", Need::Optional),
    ("expire_at", Need::Optional),
    ("post_only", Need::Optional),
    ("reduce_only", Need::Optional),
    ("close_position", Need::Optional),
    ("position_side", Need::Optional),
    ("margin_mode", Need::Optional),
    ("leverage", Need::Optional),
    ("trigger_by", Need::Optional),
    ("contract", Need::Optional),
    ("expiry", Need::Optional),
    ("strike", Need::Optional),
    ("right", Need::Optional),
    ("multiplier", Need::Optional),
    ("group_id", Need::Optional),
    ("leg", Need::Optional),
];

/// What an attempt is to do (`action = …`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Action {
    #[default]
    New,
    Cancel,
    Replace,
}

impl Action {
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("new", Self::New), ("cancel", Self::Cancel), ("replace", Self::Replace)];

    /// How a field may be missing for this action.
    ///
    /// A cancel names the intent, the symbol and the order that it ends; a replace, what the order becomes as well.
    pub(super) fn need(self, field: &str, of_new: Need) -> Need {
        match (self, field) {
            (Self::New, _) => of_new,
            (_, "intent_id" | "symbol" | "orig_client_order_id") => Need::Always,
            (Self::Replace, "side" | "qty") => Need::Always,
            (Self::Replace, "limit_px") => Need::Stated,
            (_, "attempt" | "attempt_start_ts") => Need::Automatic,
            _ => Need::Optional,
        }
    }
}

/// Other names that people give to a field.
pub(super) fn synonyms(field: &str) -> &'static [&'static str] {
    match field {
        "intent_id" => &["intent", "id", "order_id", "uuid"],
        "symbol" => &["sym", "pair", "instrument", "ticker", "market", "product"],
        "side" => &["direction", "buy_sell", "is_buy"],
        "qty" => &["quantity", "amount", "size", "volume", "base_qty"],
        "limit_px" => &["price", "px", "limit", "limit_price"],
        "quote_budget" => &["budget", "quote_qty", "quote_amount"],
        "notional" => &["value", "notional_value"],
        "tif" => &["time_in_force"],
        "slippage_bps" => &["slippage", "max_slippage", "max_slippage_bps"],
        "min_notional" => &["minimum_notional"],
        "max_retries" => &["retries", "retry_count", "max_attempts"],
        "retry_backoff_ms" => &["backoff", "backoff_ms", "retry_delay_ms", "retry_backoff"],
        "orig_client_order_id" => &["client_order_id", "orig_order_id", "original_client_order_id"],
        _ => &[],
    }
}
