//! Files as they stand: a segment once it is closed, everything else once the run has ended, `run.json` last.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tapelog::read::{Packing, ReadError, Run, Segment};

use super::events::local;
use super::once::End;
use super::{Following, ShipError, Shipper};
use crate::destination::Destination;

/// A closed segment that is not packed after so long will not be.
const PACKED_WITHIN: Duration = Duration::from_secs(30);
/// The manifest: whoever finds it in the store finds the whole run there.
const MANIFEST: &str = "run.json";

/// A file that will not change any more.
struct Ready {
    /// Where it is.
    path: PathBuf,
    /// Its name below the run directory.
    name: String,
    /// The same without the ending of its packing.
    plain: String,
}

impl<D: Destination + 'static> Shipper<D> {
    /// Sends one file, if one is ready. False: nothing to do now.
    pub(super) fn step_files(&mut self, run: &mut Following) -> Result<bool, ShipError> {
        let dir = run.follower.dir().to_owned();
        let io = |source| ShipError::Io { path: dir.clone(), source };
        let opened = Run::open(&dir).map_err(ShipError::Read)?;
        // A run that died is complete once it was recovered.
        let ended = !opened.is_alive() && !opened.is_dead();
        let all = run.end.as_ref().and_then(End::files);
        let (next, settling) = next(&opened, ended, all, &run.checkpoint.files).map_err(io)?;
        run.settling = settling;
        let Some(file) = next else {
            run.ended = ended;
            run.complete = ended;
            run.waits = None;
            return Ok(false);
        };
        run.waits.get_or_insert_with(Instant::now);
        let sent = self.destination.send_file(run.follower.run(), &file.name, file.path.clone());
        let sent = sent.and_then(|()| {
            run.checkpoint.files.insert(file.plain);
            run.checkpoint.write(&run.path).map_err(|error| local(&run.path, &error))
        });
        match sent {
            Ok(()) => {
                run.waits = None;
                self.summary.files += 1;
                self.is_back();
            }
            // It was packed or removed since it was listed; the next listing knows.
            Err(_) if !file.path.exists() => {}
            Err(error) => self.is_away(&error),
        }
        Ok(true)
    }
}

/// The next file that is complete and not confirmed, of all or of those that are named; and whether one of those named is
/// closed and may still be packed.
fn next(
    run: &Run,
    ended: bool,
    named: Option<&BTreeSet<String>>,
    done: &BTreeSet<String>,
) -> io::Result<(Option<Ready>, bool)> {
    let wanted = |plain: &String| !done.contains(plain) && named.is_none_or(|named| named.contains(plain));
    let (mut ready, mut settling) = (Vec::new(), false);
    for segment in run.segments().map_err(io::Error::other)? {
        let Some(file) = Ready::of(run, &segment) else { continue };
        let settled = ended || segment.packing != Packing::Plain || is_old(&segment.path());
        if ended || (segment.number().is_some() && settled) {
            ready.push(file);
        } else {
            settling |= named.is_some() && wanted(&file.plain);
        }
    }
    if ended {
        others(run, &mut ready)?;
    }
    ready.retain(|file| wanted(&file.plain));
    ready.sort_by(|a, b| (a.name == MANIFEST, &a.name).cmp(&(b.name == MANIFEST, &b.name)));
    Ok((ready.into_iter().next(), settling))
}

/// The closed segments, by their names before packing.
pub(super) fn closed(run: &Run) -> Result<BTreeSet<String>, ReadError> {
    let mut names = BTreeSet::new();
    // A folder that is listed while a file in it gets its other name may show neither; the second listing shows one.
    for _ in 0..2 {
        let closed = run.segments()?.into_iter().filter(|segment| segment.number().is_some());
        names.extend(closed.filter_map(|segment| Ready::of(run, &segment)).map(|file| file.plain));
    }
    Ok(names)
}

/// The files of a run that has ended which are no segments.
fn others(run: &Run, ready: &mut Vec<Ready>) -> io::Result<()> {
    for entry in fs::read_dir(run.dir())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let other = !name.starts_with('.') && name != "lock" && name != "hold";
        // An engine that ended while it packed leaves a segment plain and packed: it is listed already, once.
        let plain = plain_name(&name);
        if other && entry.file_type()?.is_file() && !ready.iter().any(|ready| ready.plain == plain) {
            ready.push(Ready { path: entry.path(), plain: name.clone(), name });
        }
    }
    Ok(())
}

impl Ready {
    fn of(run: &Run, segment: &Segment) -> Option<Self> {
        let name = name_of(run, &segment.path(), segment.fallback)?;
        let plain = name.strip_suffix(segment.packing.suffix()).unwrap_or(&name).to_owned();
        Some(Self { path: segment.path(), name, plain })
    }
}

fn plain_name(name: &str) -> &str {
    let mut packings = [Packing::Gzip, Packing::Zstd].into_iter();
    packings.find_map(|packing| name.strip_suffix(packing.suffix())).unwrap_or(name)
}

fn name_of(run: &Run, path: &Path, fallback: bool) -> Option<String> {
    if fallback {
        let below = path.strip_prefix(run.manifest().fallback.as_ref()?).ok()?;
        return Some(format!("fallback/{}", below.display()));
    }
    Some(path.strip_prefix(run.dir()).ok()?.display().to_string())
}

fn is_old(path: &Path) -> bool {
    let written = path.metadata().and_then(|about| about.modified());
    // By a clock that was set back meanwhile it would be young for ever.
    written.is_ok_and(|at| at.elapsed().map_or(true, |age| age > PACKED_WITHIN))
}
