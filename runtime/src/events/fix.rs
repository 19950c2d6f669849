//! The words of an order's life, as FIX has them: side (tag 54), order status (39), execution type (150), time in force
//! (59). In a line stands the word; the FIX value is at hand for those who speak it.
//!
//! Source: FIX Latest, fields 39, 54, 59 and 150 (<https://www.fixtrading.org/online-specification/>).

use crate::__private::Left;
use crate::Value;
use crate::hot::typed::Absent;

macro_rules! words {
    (
        $(#[doc = $doc:literal])+
        $name:ident($tag:literal), first $first:ident:
        $($(#[doc = $of:literal])+ $variant:ident = $fix:literal, $word:literal;)*
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Value)]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[doc = $of])+
                #[doc = concat!("FIX `", $fix, "`.")]
                #[value(rename = $word)]
                $variant,
            )*
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// The FIX tag.
            pub const TAG: u32 = $tag;

            /// The word in the line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The value that FIX has for it.
            #[must_use]
            pub const fn fix(self) -> char {
                match self {
                    $(Self::$variant => $fix,)*
                }
            }

            /// The one that FIX means by this value.
            #[must_use]
            pub fn from_fix(value: char) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.fix() == value)
            }
        }

        impl Left<$name> for Absent {
            fn left() -> $name {
                $name::$first
            }
        }
    };
}

words! {
    /// Which way an order goes: FIX tag 54.
    ///
    /// ```
    /// use tapelog::events::Side;
    ///
    /// assert_eq!(Side::from_fix('1'), Some(Side::Buy));
    /// assert_eq!(Side::Buy.as_str(), "buy");
    /// assert!(Side::ALL.iter().all(|one| Side::from_fix(one.fix()) == Some(*one)), "all of FIX tag {}", Side::TAG);
    /// ```
    Side(54), first Buy:
    /// To buy.
    Buy = '1', "buy";
    /// To sell.
    Sell = '2', "sell";
    /// To sell what one has not.
    SellShort = '5', "sell_short";
}

words! {
    /// How an order stands: FIX tag 39, OrdStatus.
    ///
    /// ```
    /// use tapelog::events::OrdStatus;
    ///
    /// assert_eq!(OrdStatus::from_fix('1'), Some(OrdStatus::PartiallyFilled));
    /// assert_eq!(OrdStatus::PartiallyFilled.as_str(), "partially_filled");
    /// assert!(OrdStatus::ALL.iter().all(|one| OrdStatus::from_fix(one.fix()) == Some(*one)), "all of FIX tag {}", OrdStatus::TAG);
    /// ```
    OrdStatus(39), first New:
    /// Live, nothing filled.
    New = '0', "new";
    /// Live, partly filled.
    PartiallyFilled = '1', "partially_filled";
    /// Wholly filled.
    Filled = '2', "filled";
    /// Over for the day.
    DoneForDay = '3', "done_for_day";
    /// Cancelled; it may have been partly filled before.
    Canceled = '4', "canceled";
    /// Replaced by another (in use before FIX 4.3).
    Replaced = '5', "replaced";
    /// The venue has the wish to cancel it.
    PendingCancel = '6', "pending_cancel";
    /// The venue will not execute it further.
    Stopped = '7', "stopped";
    /// Refused.
    Rejected = '8', "rejected";
    /// Held back.
    Suspended = '9', "suspended";
    /// Sent, not yet acknowledged.
    PendingNew = 'A', "pending_new";
    /// Its result is being calculated.
    Calculated = 'B', "calculated";
    /// Its time in force is over.
    Expired = 'C', "expired";
    /// Accepted for bidding.
    AcceptedForBidding = 'D', "accepted_for_bidding";
    /// The venue has the wish to replace it.
    PendingReplace = 'E', "pending_replace";
}

words! {
    /// Why the venue speaks of an order: FIX tag 150, ExecType.
    ///
    /// ```
    /// use tapelog::events::ExecType;
    ///
    /// assert_eq!(ExecType::from_fix('F'), Some(ExecType::Trade));
    /// assert_eq!(ExecType::Trade.as_str(), "trade");
    /// assert!(ExecType::ALL.iter().all(|one| ExecType::from_fix(one.fix()) == Some(*one)), "all of FIX tag {}", ExecType::TAG);
    /// ```
    ExecType(150), first New:
    /// It was accepted.
    New = '0', "new";
    /// It is over for the day.
    DoneForDay = '3', "done_for_day";
    /// It was cancelled.
    Canceled = '4', "canceled";
    /// It was replaced.
    Replaced = '5', "replaced";
    /// A cancel is under way.
    PendingCancel = '6', "pending_cancel";
    /// It was stopped.
    Stopped = '7', "stopped";
    /// It was refused.
    Rejected = '8', "rejected";
    /// It is held back.
    Suspended = '9', "suspended";
    /// It is on its way.
    PendingNew = 'A', "pending_new";
    /// Its result is being calculated.
    Calculated = 'B', "calculated";
    /// Its time is over.
    Expired = 'C', "expired";
    /// The venue changed it.
    Restated = 'D', "restated";
    /// A replace is under way.
    PendingReplace = 'E', "pending_replace";
    /// A fill, whole or partial.
    Trade = 'F', "trade";
    /// A fill was corrected.
    TradeCorrect = 'G', "trade_correct";
    /// A fill was taken back.
    TradeCancel = 'H', "trade_cancel";
    /// An answer to a question.
    OrderStatus = 'I', "order_status";
}

words! {
    /// How long an order stands: FIX tag 59. The words are those that venues use.
    ///
    /// ```
    /// use tapelog::events::TimeInForce;
    ///
    /// assert_eq!(TimeInForce::from_fix('3'), Some(TimeInForce::ImmediateOrCancel));
    /// assert_eq!(TimeInForce::ImmediateOrCancel.as_str(), "IOC");
    /// assert!(TimeInForce::ALL.iter().all(|one| TimeInForce::from_fix(one.fix()) == Some(*one)), "all of FIX tag {}", TimeInForce::TAG);
    /// ```
    TimeInForce(59), first Day:
    /// To the end of the day.
    Day = '0', "DAY";
    /// Until it is cancelled.
    GoodTillCancel = '1', "GTC";
    /// At the opening.
    AtTheOpening = '2', "OPG";
    /// At once, as much as there is; the rest is cancelled.
    ImmediateOrCancel = '3', "IOC";
    /// At once and whole, or not at all.
    FillOrKill = '4', "FOK";
    /// Only as maker.
    GoodTillCrossing = '5', "GTX";
    /// Until a date.
    GoodTillDate = '6', "GTD";
    /// At the close.
    AtTheClose = '7', "CLS";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fix_values_lead_back_to_their_words() {
        for status in OrdStatus::ALL {
            assert_eq!(OrdStatus::from_fix(status.fix()), Some(*status));
        }
        assert_eq!(OrdStatus::from_fix('2'), Some(OrdStatus::Filled));
        assert_eq!(ExecType::from_fix('F').map(ExecType::as_str), Some("trade"));
        assert_eq!(TimeInForce::from_fix('3').map(TimeInForce::as_str), Some("IOC"));
        assert_eq!(Side::from_fix('2'), Some(Side::Sell));
        assert_eq!(OrdStatus::from_fix('x'), None);
    }
}
