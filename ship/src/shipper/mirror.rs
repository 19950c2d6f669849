//! Files as they stand: a segment once it is closed, everything else once the run has ended, `run.json` last.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tapelog::read::{Packing, Run};

use super::events::local;
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
        let Some(file) = next(&opened, ended, &run.checkpoint.files).map_err(io)? else {
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

/// The next file that is complete and not confirmed.
fn next(run: &Run, ended: bool, done: &BTreeSet<String>) -> io::Result<Option<Ready>> {
    let mut ready = Vec::new();
    for segment in run.segments().map_err(io::Error::other)? {
        let settled = ended || segment.packing != Packing::Plain || is_old(&segment.path);
        if !ended && (segment.number().is_none() || !settled) {
            continue;
        }
        let Some(name) = name_of(run, &segment.path, segment.fallback) else { continue };
        let plain = name.strip_suffix(segment.packing.suffix()).unwrap_or(&name).to_owned();
        ready.push(Ready { path: segment.path, name, plain });
    }
    if ended {
        for entry in fs::read_dir(run.dir())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let other = !name.starts_with('.') && name != "lock" && name != "hold";
            // An engine that ended while it packed leaves a segment plain and packed: it is listed above, once.
            let plain = plain_name(&name);
            if other && entry.file_type()?.is_file() && !ready.iter().any(|ready| ready.plain == plain) {
                ready.push(Ready { path: entry.path(), plain: name.clone(), name });
            }
        }
    }
    ready.retain(|file| !done.contains(&file.plain));
    ready.sort_by(|a, b| (a.name == MANIFEST, &a.name).cmp(&(b.name == MANIFEST, &b.name)));
    Ok(ready.into_iter().next())
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
    written.is_ok_and(|at| at.elapsed().unwrap_or_default() > PACKED_WITHIN)
}
