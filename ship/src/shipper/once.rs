//! Shipping what is there, then returning.
//!
//! Invariant: what is there is what was there at the start. An engine that writes faster than a destination takes does not
//! move the end, and whatever stood there then is sent before it returns.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tapelog::read::{ReadError, Run};

use super::{POLL, ShipError, Shipper, Summary, mirror};
use crate::destination::{Destination, Unit};

/// A run whose files move under the listing is listed again, so often at most.
const MOST_LOOKS: u32 = 16;

/// Where a run ended when it was looked at. One that had ended by then has no end but its own.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The last event that stood in its files. A process has one order: what comes later has a higher `seq`.
    Seq(u64),
    /// The segments that were closed, by their names before packing.
    Files(BTreeSet<String>),
}

impl<D: Destination + 'static> Shipper<D> {
    /// Ships what is there now, then returns, also while engines write on. A destination that is away is tried again until
    /// `patience` has passed.
    ///
    /// Of a destination that takes files, a segment that was just closed is waited for until it is packed, at most 30 s.
    ///
    /// # Errors
    /// When the destination took not everything, or a run cannot be read.
    pub fn once(&mut self, patience: Duration) -> Result<&Summary, ShipError> {
        let deadline = Instant::now() + patience;
        let unit = self.destination.unit();
        let ends: Vec<(PathBuf, Option<End>)> = self
            .runs()?
            .into_iter()
            .map(|dir| End::of(&dir, unit).map(|end| (dir, end)))
            .collect::<Result<_, _>>()?;
        for (dir, end) in ends {
            let Some(mut run) = self.open(&dir, deadline, end)? else { continue };
            loop {
                if self.step(&mut run, true)? {
                    self.wait_while_away(deadline)?;
                } else if run.settling {
                    std::thread::sleep(POLL);
                } else {
                    break;
                }
            }
        }
        while let Err(error) = self.destination.finish() {
            self.is_away(&error);
            self.wait_while_away(deadline)?;
        }
        self.is_back();
        Ok(&self.summary)
    }
}

impl End {
    /// The end of the run in `dir` as it stands; none when nothing can come after it, or when it is gone.
    fn of(dir: &Path, unit: Unit) -> Result<Option<Self>, ShipError> {
        // Asked before reading: what has ended by now is whole in its files.
        let Ok(run) = Run::open(dir) else { return Ok(None) };
        if !run.is_alive() && !run.is_dead() {
            return Ok(None);
        }
        let end = match unit {
            Unit::Events => last_seq(&run).map(Self::Seq),
            Unit::Files => mirror::closed(&run).map(Self::Files),
        };
        match end {
            Ok(end) => Ok(Some(end)),
            Err(_) if !dir.exists() => Ok(None),
            Err(error) => Err(ShipError::Io { path: dir.to_owned(), source: io::Error::other(error) }),
        }
    }

    pub(super) fn seq(&self) -> Option<u64> {
        match self {
            Self::Seq(seq) => Some(*seq),
            Self::Files(_) => None,
        }
    }

    pub(super) fn files(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::Files(files) => Some(files),
            Self::Seq(_) => None,
        }
    }
}

/// The last event of a run that grows. A file that is closed or packed between its listing and its reading is missed, and
/// the file behind it may still be empty: only a look during which no name changed has surely seen every end.
fn last_seq(run: &Run) -> Result<u64, ReadError> {
    let names = || run.segments().map(|all| all.into_iter().map(|one| one.path()).collect::<Vec<_>>());
    let (mut last, mut before) = (0, names()?);
    for _ in 0..MOST_LOOKS {
        last = last.max(run.last_seq()?);
        let after = names()?;
        if before == after {
            break;
        }
        before = after;
    }
    Ok(last)
}
