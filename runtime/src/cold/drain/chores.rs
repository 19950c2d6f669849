//! What the drain looks after ten times a second: rings, the clock, files that were removed, and what must be said.

use std::sync::PoisonError;

use core::sync::atomic::Ordering;

use crate::cold::manifest::StreamFile;
use crate::cold::{manifest, run};
use crate::hot::clock::CALIBRATION;
use crate::hot::hub::degraded;
use crate::hot::{registry, ring};
use crate::logging::Watch;

use super::{Drain, SPARE_RINGS};

impl Drain {
    /// Rings for new threads, slots for new contexts, the clock, and what must be said of losses.
    pub(super) fn housekeeping(&mut self) {
        if self.given {
            // What follows looks at the files.
            self.write();
        }
        self.calibration = self.calibrator.calibrate();
        CALIBRATION.set(&self.calibration);
        self.report_clock_step();
        self.note_findings();
        self.restore_removed();
        self.syncer.set_files(self.streams.files());
        self.make_spare_rings();
        self.hub.contexts.grow();
        self.report_losses();
        self.report_late_syncs();
        self.report_conflicts();
        self.report_degraded();
        self.report_refused_segment();
        self.report_suppressed(false);
        self.engine.listeners.report_dropped();
        self.watch.iter_mut().for_each(Watch::look);
        self.link_streams();
    }

    /// Sealed streams' segments are sealed before they are packed.
    pub(super) fn hand_on_closed(&mut self) {
        for closed in self.streams.take_closed() {
            match self.sealer.as_ref().filter(|_| closed.sealed) {
                Some(sealer) => sealer.closed(closed),
                None => self.keeper.closed(closed),
            }
        }
    }

    /// What sampling left out, once a second and at the end.
    pub(super) fn report_suppressed(&mut self, last: bool) {
        const INTERVAL: std::time::Duration = std::time::Duration::from_secs(1);
        if !last && self.suppressed_at.elapsed() < INTERVAL {
            return;
        }
        self.suppressed_at = std::time::Instant::now();
        for (site, sampler) in registry::sampled() {
            let suppressed_total = sampler.suppressed.load(Ordering::Relaxed);
            let suppressed = suppressed_total - sampler.reported.swap(suppressed_total, Ordering::Relaxed);
            if suppressed > 0 {
                let suppressed_source = format!("{}:{}", site.place.file, site.place.line);
                crate::event!(
                    crate::events::EVENTS_SUPPRESSED,
                    suppressed,
                    suppressed_total,
                    suppressed_event = site.event.name,
                    suppressed_source,
                    "{suppressed} of {suppressed_event} were left out"
                );
            }
        }
    }

    /// A segment that could not be closed goes on, larger than promised.
    fn report_refused_segment(&mut self) {
        if let Some(error) = self.streams.refused.take() {
            let error = error.to_string();
            crate::event!(
                crate::events::ROTATION_FAILED,
                error,
                "a segment could not be closed and goes on: {error}"
            );
        }
    }

    /// What an audit found, and what the executable is, stands in the manifest as well.
    fn note_findings(&mut self) {
        let audited = self.signals.config.lock().unwrap_or_else(PoisonError::into_inner).take();
        let executable = self.signals.executable.lock().unwrap_or_else(PoisonError::into_inner).take();
        let changed = audited.is_some() || executable.is_some();
        if let Some((hash, previous)) = audited {
            self.manifest.config_hash = Some(hash);
            // An audit without one, of a reload say, takes nothing away.
            if previous.is_some() {
                self.manifest.previous_session = previous;
            }
        }
        if let Some(found) = executable {
            self.manifest.executable_sha256 = found.sha256;
            self.manifest.executable_build_id = found.build_id;
        }
        if changed {
            self.syncer.write_soon(&self.manifest);
        }
    }

    /// Order never depends on wall time; but whoever reads the times must know that they jumped.
    fn report_clock_step(&mut self) {
        if let Some(step_ns) = self.calibrator.step() {
            let step_ms = step_ns as f64 / 1e6;
            crate::event!(crate::events::CLOCK_STEP, step_ms, "the wall clock jumped by {step_ms:.3} ms");
        }
    }

    /// Somebody removed the run directory, or files in it: they are put back with what they held.
    fn restore_removed(&mut self) {
        let files = self.streams.restore_removed();
        if files == 0 {
            return;
        }
        // The lock and the manifest went with the files; an error leaves the run as it is, without them.
        if !self.run.path.join(manifest::FILE).exists() {
            self.syncer.write_soon(&self.manifest);
            if let Ok(Some(lock)) = run::lock(&self.run.path) {
                run::set_own(Some(&lock));
                self.run.lock = lock;
            }
            let _ = run::link_latest(&self.root, &self.run.path);
        }
        crate::event!(
            crate::events::FILES_RESTORED,
            files,
            "{files} files had been removed; they are back, with what they held"
        );
    }

    /// A closed ring that is empty may serve another thread. Looked for often: threads may come and go by the hundred
    /// between two housekeepings, and each that finds no ring makes one.
    pub(super) fn reopen_rings(&self) {
        for ring in self.hub.rings() {
            if ring.state() == ring::state::CLOSED && ring.head() == ring.tail() {
                ring.reopen();
            }
        }
    }

    /// Makes rings before threads need them: a new one costs half a millisecond of page faults.
    fn make_spare_rings(&self) {
        let spare = self.hub.rings().filter(|ring| ring.state() == ring::state::READY).count();
        for _ in spare..SPARE_RINGS {
            if !self.hub.add_ring() {
                break;
            }
        }
    }

    /// While nothing can be written, one report waits until it can: it says all that was lost meanwhile.
    fn report_losses(&mut self) {
        if self.waiting.is_none() || self.signals.stopped() {
            self.losses.report(self.hub);
        }
    }

    fn report_late_syncs(&self) {
        let calls = self.hub.synced.late.swap(0, Ordering::Relaxed);
        if calls > 0 {
            crate::event!(
                crate::events::DURABILITY_LATE,
                calls,
                "{calls} calls returned before their records were on the disk"
            );
        }
    }

    fn report_conflicts(&mut self) {
        for conflict in self.engine.encoder.kinds.conflicts.drain(..) {
            let (field, first, second) = (conflict.name, conflict.first.as_str(), conflict.second.as_str());
            let written_as = format!("{field}_{second}");
            crate::event!(
                crate::events::FIELD_TYPE_CONFLICT,
                field,
                first,
                second,
                written_as,
                "`{field}` was a {first} first; as a {second} it is written to `{written_as}`"
            );
        }
    }

    fn report_degraded(&self) {
        let found = self.hub.degraded.swap(0, Ordering::Relaxed);
        if found & degraded::ON_DISK != 0 {
            crate::event!(
                crate::events::RING_DEGRADED,
                place = "disk",
                promise = "records survive the process, but a record call may take tens of microseconds",
                "the folder for rings has no room; {promise}"
            );
        }
        if found & degraded::PRIVATE != 0 {
            crate::event!(
                crate::events::RING_DEGRADED,
                place = "memory",
                promise = "records that are not yet written are lost when the process is killed",
                "no folder has room for rings; {promise}"
            );
        }
    }

    /// `<root>/<stream>.jsonl` leads to the newest run's file, for the documented greps.
    fn link_streams(&mut self) {
        let mut fresh = false;
        for index in 0.. {
            let Some(stream) = registry::stream(index) else { break };
            let file = stream.file();
            if !self.linked.contains(&file) {
                self.manifest.streams.push(StreamFile::new(file.clone(), stream.class()));
                fresh = true;
                // A root on a file system without links still has the run directory.
                let _ = run::link_stream(&self.root, &file);
                for (name, _) in self.names.iter().filter(|(_, of)| *of == file) {
                    let _ = run::link_name(&self.root, name, &file);
                }
                self.linked.push(file);
            }
        }
        if fresh {
            // Until it is written, readers know the standard streams.
            self.syncer.write_soon(&self.manifest);
        }
    }
}
