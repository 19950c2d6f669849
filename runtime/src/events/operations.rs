//! Operations at venues: their types, the keys of positions, and groups that succeed or fail together (S2-031…035).

use std::fmt;
use std::str::FromStr;

use crate::__private::{Encoder, Left, Shape, Shaped};
use crate::hot::encoder::HEAD;
use crate::hot::ids::IntentId;
use crate::hot::typed::Absent;
use crate::{Value, event};

use super::AtomicOperationGroup;

/// What is done at a venue (S2-031…033). Written in lower case, read in either (C14).
///
/// ```
/// use tapelog::events::OperationType;
///
/// assert_eq!("FLASH_BORROW".parse::<OperationType>()?, OperationType::FlashBorrow);
/// assert_eq!("supply".parse::<OperationType>()?.as_str(), "supply");
/// assert!(OperationType::ALL.iter().all(|known| known.as_str().parse() == Ok(*known)));
/// # Ok::<(), tapelog::events::ParseOperationError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Value)]
pub enum OperationType {
    /// A spot trade at a central exchange.
    SpotTrade,
    /// A trade of a perpetual future.
    PerpTrade,
    /// Lending out.
    Supply,
    /// Borrowing.
    Borrow,
    /// Giving back what was borrowed.
    Repay,
    /// Taking back what was lent out.
    Withdraw,
    /// Staking.
    Stake,
    /// Taking back what was staked.
    Unstake,
    /// Exchanging one token for another.
    Swap,
    /// Moving a token from one venue to another.
    Transfer,
    /// Borrowing within one transaction.
    FlashBorrow,
    /// Giving that back.
    FlashRepay,
}

impl OperationType {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::SpotTrade,
        Self::PerpTrade,
        Self::Supply,
        Self::Borrow,
        Self::Repay,
        Self::Withdraw,
        Self::Stake,
        Self::Unstake,
        Self::Swap,
        Self::Transfer,
        Self::FlashBorrow,
        Self::FlashRepay,
    ];

    /// The word in the line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SpotTrade => "spot_trade",
            Self::PerpTrade => "perp_trade",
            Self::Supply => "supply",
            Self::Borrow => "borrow",
            Self::Repay => "repay",
            Self::Withdraw => "withdraw",
            Self::Stake => "stake",
            Self::Unstake => "unstake",
            Self::Swap => "swap",
            Self::Transfer => "transfer",
            Self::FlashBorrow => "flash_borrow",
            Self::FlashRepay => "flash_repay",
        }
    }
}

impl Left<OperationType> for Absent {
    fn left() -> OperationType {
        OperationType::SpotTrade
    }
}

impl FromStr for OperationType {
    type Err = ParseOperationError;

    fn from_str(text: &str) -> Result<Self, ParseOperationError> {
        let known = Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text));
        known.ok_or_else(|| ParseOperationError { text: text.chars().take(64).collect() })
    }
}

/// A text that names no operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseOperationError {
    text: String,
}

impl fmt::Display for ParseOperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no operation; write one of ", self.text.escape_debug())?;
        for (at, known) in OperationType::ALL.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}`{}`", known.as_str())?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseOperationError {}

/// How an operation ended (S2-018).
///
/// ```
/// use tapelog::events::OperationStatus;
///
/// let after = |done: bool, group_failed: bool| match (done, group_failed) {
///     (true, true) => OperationStatus::RolledBack,
///     (true, false) => OperationStatus::Success,
///     (false, _) => OperationStatus::Failed,
/// };
/// assert_eq!(after(true, true), OperationStatus::RolledBack);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Value)]
#[non_exhaustive]
pub enum OperationStatus {
    /// It is under way.
    Pending,
    /// It was done.
    Success,
    /// It was not done.
    Failed,
    /// It was done and then undone, with its group.
    RolledBack,
}

impl Left<OperationStatus> for Absent {
    fn left() -> OperationStatus {
        OperationStatus::Pending
    }
}

/// Which position: `venue:position_type:symbol`, for example `aave:aToken:aUSDT` (S2-017).
///
/// ```
/// use tapelog::events::PositionKey;
///
/// let key = PositionKey { venue: "aave", position_type: "aToken", symbol: "aUSDT" };
/// assert_eq!(key.to_string(), "aave:aToken:aUSDT");
/// assert_eq!(PositionKey::parse("aave:aToken:aUSDT"), Some(key));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PositionKey<'a> {
    /// Where it is.
    pub venue: &'a str,
    /// What kind of position it is.
    pub position_type: &'a str,
    /// Of what.
    pub symbol: &'a str,
}

impl<'a> PositionKey<'a> {
    /// Reads a key; none where it has not three parts.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (venue, position_type, symbol) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = ![venue, position_type, symbol].contains(&"");
        whole.then_some(Self { venue, position_type, symbol })
    }
}

impl fmt::Display for PositionKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.venue, self.position_type, self.symbol)
    }
}

impl Value for PositionKey<'_> {
    crate::hot::value::by_reference!();

    fn size(&self) -> usize {
        HEAD + self.venue.len() + self.position_type.len() + self.symbol.len() + 2
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        let Some(mut out) = out.split(Value::size(self)) else { return };
        out.head(crate::hot::encoder::tag::TEXT, Value::size(self) - HEAD);
        for (at, part) in [self.venue, self.position_type, self.symbol].into_iter().enumerate() {
            if at > 0 {
                out.slice(b":");
            }
            out.slice(part.as_bytes());
        }
    }
}

impl Shaped for PositionKey<'_> {
    fn shape(_deep: u32) -> Shape {
        Shape::Text
    }
}

/// Operations that all succeed or all fail (S2-034).
///
/// Its id is 32 hexadecimal digits; that of an operation has the operation's number behind it, from 1 (S2-035). Dropped
/// without [`AtomicGroup::finish`], it records a group that was rolled back.
///
/// ```
/// use tapelog::events::{AtomicGroup, OperationType};
///
/// let mut group = AtomicGroup::new();
/// let borrow = group.operation(OperationType::FlashBorrow);
/// let swap = group.operation(OperationType::Swap);
/// assert_eq!(swap.id, format!("{}_2", group.id()));
/// assert_eq!((borrow.sequence_in_group, swap.sequence_in_group), (0, 1));
/// // … both are executed …
/// group.finish(true);
/// ```
#[derive(Debug)]
#[must_use = "a group that is dropped is recorded as rolled back; write `group.finish(true)`"]
pub struct AtomicGroup {
    id: String,
    started: std::time::Instant,
    ids: Vec<String>,
    types: Vec<OperationType>,
    finished: bool,
}

/// One operation of a group.
///
/// ```
/// use tapelog::events::{AtomicGroup, OperationType};
///
/// let mut group = AtomicGroup::new();
/// let borrow = group.operation(OperationType::FlashBorrow);
/// let repay = group.operation(OperationType::FlashRepay);
/// assert_eq!((borrow.sequence_in_group, repay.sequence_in_group), (0, 1));
/// assert!(repay.id.ends_with("_2"));
/// group.finish(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `{atomic_group_id}_{n}`, from 1.
    pub id: String,
    /// What it does.
    pub operation_type: OperationType,
    /// Its place in the group, from 0.
    pub sequence_in_group: u64,
}

impl AtomicGroup {
    /// A new group, without operations.
    #[expect(clippy::new_without_default, reason = "two calls give two values")]
    pub fn new() -> Self {
        Self {
            id: IntentId::new().to_string().replace('-', ""),
            started: std::time::Instant::now(),
            ids: Vec::new(),
            types: Vec::new(),
            finished: false,
        }
    }

    /// The group's id: 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Adds an operation.
    pub fn operation(&mut self, operation_type: OperationType) -> Operation {
        let id = format!("{}_{}", self.id, self.ids.len() + 1);
        self.ids.push(id.clone());
        self.types.push(operation_type);
        Operation { id, operation_type, sequence_in_group: self.ids.len() as u64 - 1 }
    }

    /// Ends the group: all succeeded, or all were undone.
    pub fn finish(mut self, all_succeeded: bool) {
        self.record(all_succeeded);
    }

    fn record(&mut self, all_succeeded: bool) {
        self.finished = true;
        event!(AtomicOperationGroup {
            atomic_group_id: &self.id,
            operation_ids: &self.ids,
            operation_types: &self.types,
            all_succeeded,
            rollback_occurred: !all_succeeded,
            total_duration_ms: self.started.elapsed().as_secs_f64() * 1e3,
        });
    }
}

impl Drop for AtomicGroup {
    fn drop(&mut self) {
        if !self.finished {
            self.record(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_read_in_either_case() {
        // C14
        for operation in OperationType::ALL {
            assert_eq!(operation.as_str().parse(), Ok(operation));
            assert_eq!(operation.as_str().to_uppercase().parse(), Ok(operation));
        }
        let wrong = "steal".parse::<OperationType>().unwrap_err().to_string();
        assert!(
            wrong.starts_with("`steal` is no operation; write one of `spot_trade`, `perp_trade`"),
            "{wrong}"
        );
    }

    #[test]
    fn operations_of_a_group_are_numbered() {
        // S2-035
        let mut group = AtomicGroup::new();
        assert_eq!(group.id().len(), 32);
        assert!(group.id().bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
        let first = group.operation(OperationType::Supply);
        assert_eq!(first.id, format!("{}_1", group.id()));
        assert_eq!(first.sequence_in_group, 0);
        assert_ne!(AtomicGroup::new().id(), group.id());
        group.finish(true);
    }
}
