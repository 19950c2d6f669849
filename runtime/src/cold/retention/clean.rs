//! Cleaning a root: packs what was not packed, and removes what need not be kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::choose::{Candidate, choose};
use super::ops;
use crate::cold::read::{Packing, ReadError, Root, Run, Segment};
use crate::cold::recover::seq_of;
use crate::cold::seal::{SealFile, hex};
use crate::cold::segments::{Plan, Rotation, pack, sidecar_of};

/// How [`Root::clean`] goes about it.
///
/// ```
/// use tapelog::read::{Cleaned, Root};
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-clean-{}", std::process::id()));
/// # tapelog::Recorder::builder("engine").root(&root).start()?.finish()?;
///
/// let mut clean = tapelog::read::Clean::default();
/// clean.actor = "nightly job".to_owned();
/// clean.dry_run = true;
/// let would_go: Vec<Cleaned> = Root::open(&root)?.clean(&clean)?;
/// for file in &would_go {
///     println!("{} of {} would go: {} ({} bytes)", file.file, file.session_id, file.policy, file.bytes);
/// }
/// assert!(would_go.is_empty(), "the run is of today");
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Clean {
    /// Who cleans, for RETENTION_DELETE.
    pub actor: String,
    /// Only says what would go.
    pub dry_run: bool,
    /// Instead of what each run's own policy keeps of streams of class `log`.
    pub log: Option<Rotation>,
    /// Instead of what each run's own policy keeps of streams of class `audit`, which is everything unless told otherwise.
    pub audit: Option<Rotation>,
}

/// A file that went, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cleaned {
    /// Its path below the root.
    pub file: String,
    /// Its session.
    pub session_id: String,
    /// Its stream's file.
    pub stream: String,
    /// Which limit it is beyond.
    pub policy: String,
    /// Its size on the disk.
    pub bytes: u64,
    /// The `seq` of its first line and of its last.
    pub seqs: (u64, u64),
    /// The SHA-256 of its lines, unpacked.
    pub sha256: String,
}

impl Root {
    /// Removes the segments that the runs' policies, or those of `clean`, do not keep, and packs those that are closed
    /// and were not packed. Live runs, dead runs that were not recovered, and what is held are left alone. Each removal
    /// is said in `ops.jsonl` before it is done.
    ///
    /// ```no_run
    /// use tapelog::Rotation;
    /// use tapelog::read::{Clean, Root};
    ///
    /// let mut clean = Clean::default();
    /// clean.actor = "alice".to_owned();
    /// clean.log = Some(Rotation::never().keep_days(7));
    /// for file in Root::open("logs")?.clean(&clean)? {
    ///     println!("{} is gone: {}", file.file, file.policy);
    /// }
    /// # Ok::<(), tapelog::read::ReadError>(())
    /// ```
    ///
    /// # Errors
    /// When the root cannot be listed, or a file not be removed.
    pub fn clean(&self, clean: &Clean) -> Result<Vec<Cleaned>, ReadError> {
        let plan = |run: &Run| {
            let mut plan = run.manifest().plan();
            plan.log = clean.log.unwrap_or(plan.log);
            plan.audit = clean.audit.unwrap_or(plan.audit);
            if clean.log.is_some() || clean.audit.is_some() {
                plan.streams.clear();
            }
            plan
        };
        let job =
            Job { root: self, own: None, dry_run: clean.dry_run, now: SystemTime::now(), stop: &|| false };
        if !clean.dry_run {
            // What to keep may be said anew; how to pack is the run's own affair.
            job.pack(&|run: &Run| run.manifest().plan(), |_| true)?;
        }
        job.remove(
            &plan,
            |_| true,
            |cleaned| ops::record(self.path(), "RETENTION_DELETE", &clean.actor, cleaned.fields()),
        )
    }
}

impl Cleaned {
    pub(super) fn fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        add("session_id", self.session_id.as_str().into());
        add("file", self.file.as_str().into());
        add("stream", self.stream.as_str().into());
        add("policy", self.policy.as_str().into());
        add("first_seq", self.seqs.0.into());
        add("last_seq", self.seqs.1.into());
        add("bytes", self.bytes.into());
        add("sha256", self.sha256.as_str().into());
        fields
    }
}

/// The segments of one stream, each with its run.
type Candidates<'a> = Vec<Candidate<(&'a Run, Segment)>>;

/// One cleaning.
pub(super) struct Job<'a> {
    pub(super) root: &'a Root,
    /// The run that is being written by this process: of it, closed segments may go.
    pub(super) own: Option<&'a Path>,
    pub(super) dry_run: bool,
    /// Ages are counted up to here.
    pub(super) now: SystemTime,
    /// The process wants to end.
    pub(super) stop: &'a dyn Fn() -> bool,
}

impl Job<'_> {
    /// The runs whose files may be touched.
    fn runs(&self, wanted: impl Fn(&Run) -> bool) -> Result<Vec<Run>, ReadError> {
        let mut runs = self.root.runs()?;
        runs.retain(|run| {
            let own = self.own.is_some_and(|own| own == run.dir());
            wanted(run) && (own || run.manifest().status != crate::cold::read::Status::Running)
        });
        Ok(runs)
    }

    /// Packs what ended runs have left unpacked, and of all runs what is old enough now.
    pub(super) fn pack(
        &self,
        plan: &dyn Fn(&Run) -> Plan,
        wanted: impl Fn(&Run) -> bool,
    ) -> Result<(), ReadError> {
        for run in &self.runs(wanted)? {
            // What cannot be tidied or packed now stays as it is, and is readable.
            let Some(_alone) = pack::alone(run.dir()) else { continue };
            let _ = pack::tidy(run.dir());
            let plan = plan(run);
            for segment in run.segments()? {
                let rotation = plan.rotation(&segment.stream, run.manifest().class_of(&segment.stream));
                // The newest of a run's own may not be named or sealed yet: its keeper packs it when it is. What waits for
                // an age is both by then.
                let waits = rotation.pack_after_seconds.is_some_and(|seconds| seconds > 0);
                let settled = waits || self.own != Some(run.dir());
                if settled && self.is_due(&segment, rotation) && !(self.stop)() {
                    let packed = pack::pack(&segment.path(), rotation.packing);
                    // What was made for the plain one is for nobody now.
                    let _ = packed.and_then(|_| fs::remove_file(sidecar_of(run.dir(), &segment.path())));
                }
            }
        }
        Ok(())
    }

    fn is_due(&self, segment: &Segment, rotation: Rotation) -> bool {
        let closed = segment.packing == Packing::Plain && !segment.fallback && segment.number().is_some();
        let written = || fs::metadata(segment.path()).and_then(|about| about.modified());
        let age = |written| self.now.duration_since(written).unwrap_or_default();
        closed && pack::can(rotation.packing) && written().is_ok_and(|written| rotation.packs(age(written)))
    }

    /// Removes what `plan` does not keep, after `say` has said so.
    pub(super) fn remove(
        &self,
        plan: &dyn Fn(&Run) -> Plan,
        wanted: impl Fn(&Run) -> bool,
        say: impl Fn(&Cleaned) -> io::Result<()>,
    ) -> Result<Vec<Cleaned>, ReadError> {
        let runs = self.runs(wanted)?;
        let mut streams: BTreeMap<_, (Rotation, Candidates<'_>)> = BTreeMap::new();
        for run in &runs {
            let (manifest, plan, held) = (run.manifest(), plan(run), run.held().is_some());
            let own = self.own == Some(run.dir());
            for segment in run.segments()? {
                // A file without lines costs nothing, and the documented greps want it.
                if segment.fallback || segment.bytes == 0 || (own && segment.number().is_none()) {
                    continue;
                }
                let Ok(modified) = fs::metadata(segment.path()).and_then(|about| about.modified()) else {
                    continue;
                };
                let rotation = plan.rotation(&segment.stream, manifest.class_of(&segment.stream));
                let key = (manifest.service.clone(), manifest.instance.clone(), segment.stream.to_string());
                // The newest run's policy is the last word; runs come oldest first.
                let of_stream = streams.entry(key).or_insert_with(|| (rotation, Vec::new()));
                of_stream.0 = rotation;
                of_stream.1.push(Candidate {
                    order: (manifest.session_id.clone(), segment.number().unwrap_or(u32::MAX)),
                    rotated: segment.number().is_some(),
                    bytes: segment.bytes,
                    modified,
                    held,
                    what: (run, segment),
                });
            }
        }
        let mut cleaned = Vec::new();
        for (rotation, candidates) in streams.into_values() {
            for (candidate, policy) in choose(candidates, rotation, self.now) {
                if (self.stop)() {
                    return Ok(cleaned);
                }
                let (run, segment) = &candidate.what;
                let failed = |source| ReadError::Io { path: segment.path(), source };
                let one = self.examine(run, segment, policy).map_err(failed)?;
                if !self.dry_run {
                    say(&one).and_then(|()| fs::remove_file(segment.path())).map_err(failed)?;
                    // It may have none, and alone it says nothing.
                    let _ = fs::remove_file(sidecar_of(run.dir(), &segment.path()));
                }
                cleaned.push(one);
            }
        }
        if !self.dry_run {
            self.remove_empty_runs(&runs, &cleaned, &say)?;
        }
        Ok(cleaned)
    }

    fn examine(&self, run: &Run, segment: &Segment, policy: String) -> io::Result<Cleaned> {
        let mut reader = BufReader::with_capacity(256 << 10, segment.open()?);
        let (mut line, mut sha, mut seqs) = (Vec::new(), Sha256::new(), (0, 0));
        while reader.read_until(b'\n', &mut line)? > 0 {
            sha.update(&line);
            if let Some(seq) = seq_of(line.trim_ascii_end()) {
                seqs = (if seqs.0 == 0 { seq } else { seqs.0 }, seq);
            }
            line.clear();
        }
        let path = segment.path();
        let file = path.strip_prefix(self.root.path()).unwrap_or(&path);
        Ok(Cleaned {
            file: file.to_string_lossy().into_owned(),
            session_id: run.manifest().session_id.clone(),
            stream: segment.stream.to_string(),
            policy,
            bytes: segment.bytes,
            seqs,
            sha256: hex(&sha.finalize().into()),
        })
    }

    /// A run of which no line is left goes as a whole.
    fn remove_empty_runs(
        &self,
        runs: &[Run],
        cleaned: &[Cleaned],
        say: &impl Fn(&Cleaned) -> io::Result<()>,
    ) -> Result<(), ReadError> {
        for run in runs.iter().filter(|run| self.own != Some(run.dir())) {
            let touched = cleaned.iter().any(|one| one.session_id == run.manifest().session_id);
            if !touched || run.segments()?.iter().any(|segment| segment.bytes > 0) {
                continue;
            }
            let failed = |source| ReadError::Io { path: run.dir().to_owned(), source };
            let head = SealFile::open(run.dir()).map_err(failed)?.head();
            let file = run.dir().strip_prefix(self.root.path()).unwrap_or(run.dir());
            let whole = Cleaned {
                file: file.to_string_lossy().into_owned(),
                session_id: run.manifest().session_id.clone(),
                stream: String::new(),
                policy: "no lines are left".to_owned(),
                bytes: 0,
                seqs: (0, 0),
                sha256: head.map_or_else(String::new, |(head, _)| head),
            };
            say(&whole).and_then(|()| fs::remove_dir_all(run.dir())).map_err(failed)?;
            // Other processes of the same session may have theirs in it.
            let _ = run.dir().parent().map(fs::remove_dir);
        }
        Ok(())
    }
}
