//! One trait for each order field, which `#[derive(OrderContext)]` implements for the fields that a struct has.
//!
//! `#[order_context(from = order)]` asks for each field that was not given by its trait, so that a missing one is an
//! error of its own, in plain words.

use crate::hot::value::Value;

/// A struct that provides order fields; see `#[derive(OrderContext)]`.
///
/// ```
/// use tapelog::order::{HasQty, HasSymbol};
/// use tapelog::OrderContext;
///
/// #[derive(OrderContext)]
/// struct Order {
///     symbol: &'static str,
///     #[order(qty)]
///     size: f64,
/// }
///
/// /// Whatever says what is traded, and how much.
/// fn takes(_: &(impl HasSymbol + HasQty)) {}
/// takes(&Order { symbol: "BTC/USDT", size: 0.5 });
/// ```
///
/// Every field that there is, and the trait of each:
///
/// ```
/// use tapelog::OrderContext;
/// use tapelog::order::*;
///
/// #[derive(OrderContext)]
/// struct Everything {
///     intent_id: u64, symbol: u64, side: u64, qty: u64, limit_px: u64, quote_budget: u64, notional: u64, tif: u64,
///     slippage_bps: u64, min_notional: u64, max_retries: u64, retry_backoff_ms: u64, attempt: u64,
///     attempt_start_ts: u64, venue: u64, account: u64, strategy_id: u64, client_order_id: u64,
///     orig_client_order_id: u64, order_type: u64, stop_px: u64, expire_at: u64, post_only: u64,
///     reduce_only: u64, close_position: u64, position_side: u64, margin_mode: u64, leverage: u64,
///     trigger_by: u64, contract: u64, expiry: u64, strike: u64, right: u64, multiplier: u64, group_id: u64,
///     leg: u64,
/// }
///
/// fn has_everything<T>(_: &T)
/// where
///     T: OrderContext
///         + HasIntentId + HasSymbol + HasSide + HasQty + HasLimitPx + HasQuoteBudget + HasNotional +
///         HasTif + HasSlippageBps + HasMinNotional + HasMaxRetries + HasRetryBackoffMs + HasAttempt +
///         HasAttemptStartTs + HasVenue + HasAccount + HasStrategyId + HasClientOrderId +
///         HasOrigClientOrderId + HasOrderType + HasStopPx + HasExpireAt + HasPostOnly + HasReduceOnly +
///         HasClosePosition + HasPositionSide + HasMarginMode + HasLeverage + HasTriggerBy +
///         HasContract + HasExpiry + HasStrike + HasRight + HasMultiplier + HasGroupId + HasLeg,
/// {
/// }
/// # let _ = has_everything::<Everything>;
/// ```
pub trait OrderContext {}

impl<T: OrderContext + ?Sized> OrderContext for &T {}

/// Takes a field from the first value, else from the second: `from = order` and `defaults(config)` together.
#[derive(Debug)]
pub struct Pick<'a, A: ?Sized, B: ?Sized>(pub &'a A, pub &'a B);

/// A value or a reference to one: `(&Of(&order)).peel()` is a reference to the order, so that what is missing is said of
/// the order, not of the reference.
#[derive(Debug)]
pub struct Of<'a, T: ?Sized>(pub &'a T);

impl<T: ?Sized> Clone for Of<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Of<'_, T> {}

/// The traits that find out which of the two it is.
pub mod peel {
    use super::Of;

    /// A reference.
    pub trait Reference {
        /// What it refers to.
        type Order;
        /// The order.
        fn peel(self) -> Self::Order;
    }

    impl<'a, T: ?Sized> Reference for &Of<'a, &T> {
        type Order = &'a T;
        fn peel(self) -> &'a T {
            self.0
        }
    }

    /// Anything else.
    pub trait Owned {
        /// Itself, by reference.
        type Order;
        /// The order.
        fn peel(self) -> Self::Order;
    }

    impl<'a, T: ?Sized> Owned for Of<'a, T> {
        type Order = &'a T;
        fn peel(self) -> &'a T {
            self.0
        }
    }
}

macro_rules! order_fields {
    ($($trait:ident $field:ident $message:literal $note:literal;)*) => {
        $(
            #[doc = concat!("Provides `", stringify!($field), "` of an order.")]
            #[diagnostic::on_unimplemented(message = $message, label = "asked for by this order context", note = $note)]
            pub trait $trait {
                /// The value.
                fn $field(&self) -> impl Value;
            }

            #[diagnostic::do_not_recommend]
            impl<T: $trait + ?Sized> $trait for &T {
                fn $field(&self) -> impl Value {
                    (**self).$field()
                }
            }
        )*

        /// The traits alone.
        pub mod has {
            $(pub use super::$trait;)*
        }

        /// What finds out which of two values has a field. The one with the most references is tried first.
        pub mod pick {
            $(pub use self::$field::{Defaults as _, First as _, Neither as _};)*

            $(
                #[doc = concat!("See [`super::", stringify!($trait), "`].")]
                pub mod $field {
                    use super::super::{Pick, $trait};
                    use crate::hot::value::Value;

                    /// `from` has it.
                    pub trait First {
                        /// The value.
                        fn $field(&self) -> impl Value;
                    }

                    impl<A: $trait + ?Sized, B: ?Sized> First for &Pick<'_, A, B> {
                        fn $field(&self) -> impl Value {
                            self.0.$field()
                        }
                    }

                    /// `defaults` has it.
                    pub trait Defaults {
                        /// The value.
                        fn $field(&self) -> impl Value;
                    }

                    impl<A: ?Sized, B: $trait + ?Sized> Defaults for Pick<'_, A, B> {
                        fn $field(&self) -> impl Value {
                            self.1.$field()
                        }
                    }

                    /// Neither has it: this says so in the words of the trait.
                    pub trait Neither {
                        /// The first value.
                        type Asked: ?Sized;
                        /// Never called.
                        fn $field(self) -> bool
                        where
                            Self: Sized,
                            Self::Asked: $trait;
                    }

                    impl<A: ?Sized, B: ?Sized> Neither for Pick<'_, A, B> {
                        type Asked = A;
                        fn $field(self) -> bool
                        where
                            A: $trait,
                        {
                            false
                        }
                    }
                }
            )*
        }
    };
}

order_fields! {
    HasIntentId intent_id
        "`{Self}` has no `intent_id` for an order context"
        "write `intent_id = expr` in `#[order_context(...)]`, or give the type a field `intent_id` and `#[derive(tapelog::OrderContext)]`";
    HasSymbol symbol
        "`{Self}` has no `symbol` for an order context"
        "write `symbol = expr` in `#[order_context(...)]`, or give the type a field `symbol` and `#[derive(tapelog::OrderContext)]`";
    HasSide side
        "`{Self}` has no `side` for an order context"
        "write `side = expr` in `#[order_context(...)]`, or give the type a field `side` and `#[derive(tapelog::OrderContext)]`";
    HasQty qty
        "`{Self}` has no `qty` for an order context"
        "write `qty = expr` in `#[order_context(...)]`, or give the type a field `qty` and `#[derive(tapelog::OrderContext)]`";
    HasLimitPx limit_px
        "`{Self}` has no `limit_px` for an order context"
        "write `limit_px = expr` or `limit_px = none` in `#[order_context(...)]`, or give the type a field `limit_px` and `#[derive(tapelog::OrderContext)]`";
    HasQuoteBudget quote_budget
        "`{Self}` has no `quote_budget` for an order context"
        "write `quote_budget = expr` or `quote_budget = none` in `#[order_context(...)]`, or give the type a field `quote_budget` and `#[derive(tapelog::OrderContext)]`";
    HasNotional notional
        "`{Self}` has no `notional` for an order context"
        "write `notional = expr` or `notional = none` in `#[order_context(...)]`, or give the type a field `notional` and `#[derive(tapelog::OrderContext)]`";
    HasTif tif
        "`{Self}` has no `tif` for an order context"
        "write `tif = expr` or `tif = none` in `#[order_context(...)]`, or give the type a field `tif` and `#[derive(tapelog::OrderContext)]`";
    HasSlippageBps slippage_bps
        "`{Self}` has no `slippage_bps` for an order context"
        "write `slippage_bps = expr` or `slippage_bps = none` in `#[order_context(...)]`, or give the type a field `slippage_bps` and `#[derive(tapelog::OrderContext)]`";
    HasMinNotional min_notional
        "`{Self}` has no `min_notional` for an order context"
        "write `min_notional = expr` or `min_notional = none` in `#[order_context(...)]`, or give the type a field `min_notional` and `#[derive(tapelog::OrderContext)]`";
    HasMaxRetries max_retries
        "`{Self}` has no `max_retries` for an order context"
        "write `max_retries = expr` or `max_retries = none` in `#[order_context(...)]`, or give the type a field `max_retries` and `#[derive(tapelog::OrderContext)]`";
    HasRetryBackoffMs retry_backoff_ms
        "`{Self}` has no `retry_backoff_ms` for an order context"
        "write `retry_backoff_ms = expr` or `retry_backoff_ms = none` in `#[order_context(...)]`, or give the type a field `retry_backoff_ms` and `#[derive(tapelog::OrderContext)]`";
    HasAttempt attempt
        "`{Self}` has no `attempt` for an order context"
        "write `attempt = expr` or `attempt = none` in `#[order_context(...)]`, or give the type a field `attempt` and `#[derive(tapelog::OrderContext)]`";
    HasAttemptStartTs attempt_start_ts
        "`{Self}` has no `attempt_start_ts` for an order context"
        "write `attempt_start_ts = expr` or `attempt_start_ts = none` in `#[order_context(...)]`, or give the type a field `attempt_start_ts` and `#[derive(tapelog::OrderContext)]`";
    HasVenue venue
        "`{Self}` has no `venue` for an order context"
        "write `venue = expr` or `venue = none` in `#[order_context(...)]`, or give the type a field `venue` and `#[derive(tapelog::OrderContext)]`";
    HasAccount account
        "`{Self}` has no `account` for an order context"
        "write `account = expr` or `account = none` in `#[order_context(...)]`, or give the type a field `account` and `#[derive(tapelog::OrderContext)]`";
    HasStrategyId strategy_id
        "`{Self}` has no `strategy_id` for an order context"
        "write `strategy_id = expr` or `strategy_id = none` in `#[order_context(...)]`, or give the type a field `strategy_id` and `#[derive(tapelog::OrderContext)]`";
    HasClientOrderId client_order_id
        "`{Self}` has no `client_order_id` for an order context"
        "write `client_order_id = expr` or `client_order_id = none` in `#[order_context(...)]`, or give the type a field `client_order_id` and `#[derive(tapelog::OrderContext)]`";
    HasOrigClientOrderId orig_client_order_id
        "`{Self}` has no `orig_client_order_id` for an order context"
        "write `orig_client_order_id = expr` or `orig_client_order_id = none` in `#[order_context(...)]`, or give the type a field `orig_client_order_id` and `#[derive(tapelog::OrderContext)]`";
    HasOrderType order_type
        "`{Self}` has no `order_type` for an order context"
        "write `order_type = expr` or `order_type = none` in `#[order_context(...)]`, or give the type a field `order_type` and `#[derive(tapelog::OrderContext)]`";
    HasStopPx stop_px
        "`{Self}` has no `stop_px` for an order context"
        "write `stop_px = expr` or `stop_px = none` in `#[order_context(...)]`, or give the type a field `stop_px` and `#[derive(tapelog::OrderContext)]`";
    HasExpireAt expire_at
        "`{Self}` has no `expire_at` for an order context"
        "write `expire_at = expr` or `expire_at = none` in `#[order_context(...)]`, or give the type a field `expire_at` and `#[derive(tapelog::OrderContext)]`";
    HasPostOnly post_only
        "`{Self}` has no `post_only` for an order context"
        "write `post_only = expr` or `post_only = none` in `#[order_context(...)]`, or give the type a field `post_only` and `#[derive(tapelog::OrderContext)]`";
    HasReduceOnly reduce_only
        "`{Self}` has no `reduce_only` for an order context"
        "write `reduce_only = expr` or `reduce_only = none` in `#[order_context(...)]`, or give the type a field `reduce_only` and `#[derive(tapelog::OrderContext)]`";
    HasClosePosition close_position
        "`{Self}` has no `close_position` for an order context"
        "write `close_position = expr` or `close_position = none` in `#[order_context(...)]`, or give the type a field `close_position` and `#[derive(tapelog::OrderContext)]`";
    HasPositionSide position_side
        "`{Self}` has no `position_side` for an order context"
        "write `position_side = expr` or `position_side = none` in `#[order_context(...)]`, or give the type a field `position_side` and `#[derive(tapelog::OrderContext)]`";
    HasMarginMode margin_mode
        "`{Self}` has no `margin_mode` for an order context"
        "write `margin_mode = expr` or `margin_mode = none` in `#[order_context(...)]`, or give the type a field `margin_mode` and `#[derive(tapelog::OrderContext)]`";
    HasLeverage leverage
        "`{Self}` has no `leverage` for an order context"
        "write `leverage = expr` or `leverage = none` in `#[order_context(...)]`, or give the type a field `leverage` and `#[derive(tapelog::OrderContext)]`";
    HasTriggerBy trigger_by
        "`{Self}` has no `trigger_by` for an order context"
        "write `trigger_by = expr` or `trigger_by = none` in `#[order_context(...)]`, or give the type a field `trigger_by` and `#[derive(tapelog::OrderContext)]`";
    HasContract contract
        "`{Self}` has no `contract` for an order context"
        "write `contract = expr` or `contract = none` in `#[order_context(...)]`, or give the type a field `contract` and `#[derive(tapelog::OrderContext)]`";
    HasExpiry expiry
        "`{Self}` has no `expiry` for an order context"
        "write `expiry = expr` or `expiry = none` in `#[order_context(...)]`, or give the type a field `expiry` and `#[derive(tapelog::OrderContext)]`";
    HasStrike strike
        "`{Self}` has no `strike` for an order context"
        "write `strike = expr` or `strike = none` in `#[order_context(...)]`, or give the type a field `strike` and `#[derive(tapelog::OrderContext)]`";
    HasRight right
        "`{Self}` has no `right` for an order context"
        "write `right = expr` or `right = none` in `#[order_context(...)]`, or give the type a field `right` and `#[derive(tapelog::OrderContext)]`";
    HasMultiplier multiplier
        "`{Self}` has no `multiplier` for an order context"
        "write `multiplier = expr` or `multiplier = none` in `#[order_context(...)]`, or give the type a field `multiplier` and `#[derive(tapelog::OrderContext)]`";
    HasGroupId group_id
        "`{Self}` has no `group_id` for an order context"
        "write `group_id = expr` or `group_id = none` in `#[order_context(...)]`, or give the type a field `group_id` and `#[derive(tapelog::OrderContext)]`";
    HasLeg leg
        "`{Self}` has no `leg` for an order context"
        "write `leg = expr` or `leg = none` in `#[order_context(...)]`, or give the type a field `leg` and `#[derive(tapelog::OrderContext)]`";
}
