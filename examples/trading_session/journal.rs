//! The journal: what the strategy did, counted, and as one number.
//!
//! Invariant: written by the strategy's thread alone and free of wall time and random ids, so that the same data and
//! seed give the same digest, with a recorder and without.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::guards::Rule;
use crate::orders::{OrderEnd, Side};
use crate::positions::ExitRule;

/// FNV-1a, 64 bits.
#[derive(Clone, Debug)]
struct Digest(u64);

impl fmt::Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        Ok(())
    }
}

/// The journal of one session.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    digest: Digest,
    pub(crate) ticks: u64,
    pub(crate) decisions: u64,
    pub(crate) ordered: u64,
    pub(crate) errors: u64,
    pub(crate) blocked: BTreeMap<Rule, u64>,
    pub(crate) exits: BTreeMap<ExitRule, u64>,
    pub(crate) orders: BTreeMap<(Side, OrderEnd), u64>,
    pub(crate) attempts: u64,
    pub(crate) pnl: f64,
    pub(crate) fees: f64,
    pub(crate) left_open: u64,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            digest: Digest(0xCBF2_9CE4_8422_2325),
            ticks: 0,
            decisions: 0,
            ordered: 0,
            errors: 0,
            blocked: BTreeMap::new(),
            exits: BTreeMap::new(),
            orders: BTreeMap::new(),
            attempts: 0,
            pnl: 0.0,
            fees: 0.0,
            left_open: 0,
        }
    }

    /// Adds a line to what the digest is of.
    pub(crate) fn note(&mut self, line: fmt::Arguments<'_>) {
        // A digest takes everything.
        let _ = self.digest.write_fmt(line);
        let _ = self.digest.write_str("\n");
    }

    /// Sixteen hexadecimal digits of everything that was decided, in its order.
    pub(crate) fn digest(&self) -> String {
        format!("{:016x}", self.digest.0)
    }
}
