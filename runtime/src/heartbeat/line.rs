//! The heartbeat's line: SHUTDOWN_HEARTBEAT (S4-023 to S4-026), and the same as `heartbeat.json`.
//!
//! Invariant: both say the same, because both are written from one [`Line`].

use core::sync::atomic::Ordering;
use std::time::Duration;

use crate::events::SHUTDOWN_HEARTBEAT;
use crate::hot::activity::Ended;
use crate::hot::clock::{self, CALIBRATION};
use crate::hot::hub::Hub;
use crate::hot::registry;
use crate::{Value, event};

use super::monitor::{Monitor, Stage, Watched, at, count, enclosing};
use super::process::{ClockQuality, Process, clock_quality, process};
use super::seals::{self, SealHead};
use super::{locks, threads};

/// One heartbeat.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Line {
    pub(crate) registered_components: Vec<String>,
    pub(crate) registered_threads: Vec<ThreadLine>,
    pub(crate) recent_heartbeats: Vec<BeatLine>,
    pub(crate) last_heartbeat_age_s: f64,
    pub(crate) shutdown_requested: bool,
    pub(crate) shutdown: Option<crate::shutdown::Progress>,
    pub(crate) stats: Stats,
    pub(crate) threads_alive: u64,
    pub(crate) threads_known: u64,
    pub(crate) threads_stalled: u64,
    pub(crate) decisions_open: u64,
    pub(crate) decisions_stalled: u64,
    pub(crate) process: Process,
    pub(crate) clock: ClockQuality,
    /// The newest seal of each stream.
    pub(crate) seals: Vec<SealHead>,
}

/// A thread.
#[derive(Clone, Debug, Value, serde::Serialize)]
pub(crate) struct ThreadLine {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) alive: bool,
    /// It belongs to the recorder, and ends with it.
    pub(crate) daemon: bool,
    pub(crate) critical: bool,
    /// `fine`, `warn` or `max`.
    pub(crate) stage: &'static str,
    /// Scopes entered, and beats.
    pub(crate) beats: u64,
    /// Since its last sign of progress.
    pub(crate) age_s: f64,
    /// What it waits for, if it said so.
    pub(crate) waiting: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) decision_id: Option<String>,
    pub(crate) enclosing: Vec<String>,
    pub(crate) kernel_state: String,
    pub(crate) wait_channel: Option<String>,
    /// The tracked lock that it waits for, who holds it, and since which line.
    pub(crate) waits_for: Option<String>,
    pub(crate) cpu_ms: u64,
}

/// A component's last beat.
#[derive(Clone, Debug, Value, serde::Serialize)]
pub(crate) struct BeatLine {
    pub(crate) component: String,
    pub(crate) beats: u64,
    pub(crate) age_s: f64,
}

/// Counts.
#[derive(Clone, Debug, Value, serde::Serialize)]
pub(crate) struct Stats {
    pub(crate) shutdown_requests: u64,
    pub(crate) heartbeats: u64,
    pub(crate) records_lost: u64,
    /// How far the files are behind what was recorded.
    pub(crate) writer_lag_ms: f64,
    /// Of the fullest ring.
    pub(crate) ring_fill_percent: f64,
    pub(crate) decisions_unwatched: u64,
}

/// Seconds since a counter reading.
pub(crate) fn age_s(counter: u64) -> f64 {
    CALIBRATION.get().nanos(clock::now().wrapping_sub(counter) as i64).max(0) as f64 / 1e9
}

/// An instant as in every line.
pub(crate) fn instant(counter: u64) -> String {
    wall_text(CALIBRATION.get().wall(counter))
}

/// Nanoseconds since 1970 as in every line.
pub(crate) fn wall_text(wall_ns: i64) -> String {
    let mut text = Vec::new();
    crate::cold::json::instant(&mut text, i128::from(wall_ns));
    String::from_utf8_lossy(&text).into_owned()
}

impl Line {
    /// Looks at everything.
    pub(crate) fn take(
        hub: &'static Hub,
        monitor: &Monitor,
        decisions: (usize, usize),
        heartbeats: u64,
        last: Option<Duration>,
    ) -> Self {
        let beats = super::component_beats();
        let threads = thread_lines(monitor);
        let requests = super::shutdown_requests();
        Self {
            registered_components: beats.iter().map(|beat| beat.component.clone()).collect(),
            recent_heartbeats: beats,
            last_heartbeat_age_s: last.map_or(0.0, |last| last.as_secs_f64()),
            shutdown_requested: requests > 0,
            shutdown: crate::shutdown::progress(),
            stats: stats(hub, monitor.began, requests, heartbeats),
            threads_alive: threads.iter().filter(|thread| thread.alive).count() as u64,
            threads_known: threads.len() as u64,
            threads_stalled: threads.iter().filter(|thread| thread.stage != Stage::Fine.as_str()).count()
                as u64,
            registered_threads: threads,
            decisions_open: decisions.0 as u64,
            decisions_stalled: decisions.1 as u64,
            process: process(),
            clock: clock_quality(age_s(CALIBRATION.get().counter)),
            seals: seals::newest(),
        }
    }

    /// Writes SHUTDOWN_HEARTBEAT.
    pub(crate) fn record(&self) {
        let progress = self.shutdown.as_ref();
        event!(
            SHUTDOWN_HEARTBEAT,
            registered_components = self.registered_components,
            registered_threads = self.registered_threads,
            recent_heartbeats = self.recent_heartbeats,
            last_heartbeat_age_s = self.last_heartbeat_age_s,
            shutdown_requested = self.shutdown_requested,
            shutdown = progress,
            stats = self.stats,
            threads_alive = self.threads_alive,
            threads_known = self.threads_known,
            threads_stalled = self.threads_stalled,
            decisions_open = self.decisions_open,
            decisions_stalled = self.decisions_stalled,
            process = self.process,
            clock = self.clock,
            seals = self.seals,
            "{threads_alive} of {threads_known} threads alive, {threads_stalled} without progress"
        );
    }

    /// One sentence, for `systemctl status` and the first line of `tape heartbeat`.
    pub(crate) fn status(&self) -> String {
        if let Some(progress) = self.shutdown.as_ref().filter(|progress| !progress.waiting_for.is_empty()) {
            return format!("shutting down: waiting for {}", progress.waiting_for.join(", "));
        }
        let stalled = self.registered_threads.iter().find(|thread| thread.stage == Stage::Stalled.as_str());
        let worst = stalled.map_or_else(String::new, |thread| {
            let place = thread.location.as_deref().unwrap_or("outside of annotated functions");
            format!(": {} {place} for {:.0} s", thread.name, thread.age_s)
        });
        format!(
            "{} of {} threads alive, {} stalled{worst}",
            self.threads_alive, self.threads_known, self.threads_stalled
        )
    }

    /// The same with only the threads that somebody must look at, for a disk without room.
    pub(crate) fn short(&self) -> Self {
        let mut short = self.clone();
        short.registered_threads.retain(|thread| !thread.alive || thread.stage != Stage::Fine.as_str());
        short.registered_threads.truncate(4);
        short
    }
}

fn stats(hub: &'static Hub, began: u64, shutdown_requests: u64, heartbeats: u64) -> Stats {
    // A drain that never wrote anything is late since the beginning.
    let released = hub.released.load(Ordering::Relaxed).max(began);
    let fill =
        |(head, tail, capacity): (u64, u64, u64)| tail.saturating_sub(head) as f64 * 100.0 / capacity as f64;
    Stats {
        shutdown_requests,
        heartbeats,
        records_lost: hub.lost_cells().iter().map(|cell| cell.count.load(Ordering::Relaxed)).sum(),
        writer_lag_ms: age_s(released) * 1e3,
        ring_fill_percent: hub
            .rings()
            .map(|ring| fill((ring.head(), ring.tail(), ring.capacity())))
            .fold(0.0, f64::max),
        decisions_unwatched: hub.open.unwatched(),
    }
}

fn thread_lines(monitor: &Monitor) -> Vec<ThreadLine> {
    let mut lines: Vec<_> =
        monitor.threads.iter().map(|thread| thread_line(thread, monitor.awake())).collect();
    lines.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    lines.extend(monitor.ended.iter().map(ended_line));
    lines
}

fn thread_line(thread: &Watched, awake: Duration) -> ThreadLine {
    let top = thread.activity.frames.first();
    let kernel = threads::kernel(thread.id);
    let alive = kernel.is_some() || threads::alive(thread.id);
    let (kernel_state, wait_channel, cpu_ms) = kernel.map_or_else(
        || (if alive { "unknown" } else { "gone" }.to_owned(), None, 0),
        |kernel| (kernel.state, kernel.channel, kernel.cpu_ms),
    );
    ThreadLine {
        name: thread.name.clone(),
        id: thread.id,
        alive,
        daemon: thread.is_ours(),
        critical: thread.activity.critical_ms > 0,
        stage: thread.stage.as_str(),
        beats: count(&thread.activity),
        age_s: thread.age(awake).as_secs_f64(),
        waiting: thread.activity.waiting.clone(),
        location: top.and_then(|frame| registry::site(frame.site)).map(at),
        since: top.map(|frame| instant(frame.since)),
        decision_id: top.and_then(|frame| frame.decision.some()).map(|id| id.to_string()),
        enclosing: enclosing(&thread.activity),
        kernel_state,
        wait_channel,
        waits_for: locks::waits_for(thread.id),
        cpu_ms,
    }
}

fn ended_line(ended: &Ended) -> ThreadLine {
    ThreadLine {
        name: ended.name.clone(),
        id: ended.id,
        alive: false,
        daemon: false,
        critical: ended.activity.critical_ms > 0,
        stage: Stage::Fine.as_str(),
        beats: count(&ended.activity),
        age_s: 0.0,
        waiting: None,
        location: None,
        since: None,
        decision_id: None,
        enclosing: Vec::new(),
        kernel_state: "gone".to_owned(),
        wait_channel: None,
        waits_for: None,
        cpu_ms: 0,
    }
}
