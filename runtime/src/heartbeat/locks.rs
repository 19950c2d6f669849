//! What the monitor says of tracked locks: for what a thread waits, and threads that wait for one another.
//!
//! Without the feature `locks` there are none, and nothing is said.

#[cfg(feature = "locks")]
pub(super) use tracked::{Deadlocks, waits_for};

#[cfg(not(feature = "locks"))]
pub(super) use untracked::{Deadlocks, waits_for};

#[cfg(not(feature = "locks"))]
mod untracked {
    /// Nothing to look at.
    #[derive(Debug, Default)]
    pub(in crate::heartbeat) struct Deadlocks {}

    impl Deadlocks {
        #[expect(clippy::unused_self, reason = "as with the feature")]
        pub(in crate::heartbeat) fn look(&mut self) -> bool {
            false
        }
    }

    pub(in crate::heartbeat) fn waits_for(_thread: u32) -> Option<String> {
        None
    }
}

#[cfg(feature = "locks")]
mod tracked {
    use crate::events::DEADLOCK;
    use crate::hot::clock::{self, CALIBRATION};
    use crate::hot::value::Taken;
    use crate::sync::{Circle, Wait, circles, of_thread};
    use crate::{Value, event};

    /// The circles that were said already.
    #[derive(Debug, Default)]
    pub(in crate::heartbeat) struct Deadlocks {
        said: Vec<Circle>,
    }

    /// One thread of a circle.
    #[derive(Value)]
    struct Link {
        thread: String,
        thread_id: u32,
        waits_for: String,
        at: String,
        held_by: String,
        held_since: String,
    }

    impl Deadlocks {
        /// Says each circle once. Whether any was.
        pub(in crate::heartbeat) fn look(&mut self) -> bool {
            let now = circles();
            self.said.retain(|known| now.contains(known));
            let fresh: Vec<Circle> = now.into_iter().filter(|circle| !self.said.contains(circle)).collect();
            fresh.iter().for_each(record);
            let any = !fresh.is_empty();
            self.said.extend(fresh);
            any
        }
    }

    fn record(circle: &Circle) {
        let names: Vec<String> = circle.iter().map(|wait| name(wait.thread)).collect();
        let links: Vec<Link> = circle
            .iter()
            .enumerate()
            .map(|(at, wait)| {
                // The next one holds it; the last waits for the first.
                let next = circle[(at + 1) % circle.len()].thread;
                let held = wait.holders.iter().find(|(holder, _)| *holder == next);
                Link {
                    thread: names[at].clone(),
                    thread_id: wait.thread,
                    waits_for: lock(wait),
                    at: wait.place.to_string(),
                    held_by: names[(at + 1) % names.len()].clone(),
                    held_since: held.map_or_else(String::new, |(_, place)| place.to_string()),
                }
            })
            .collect();
        let since = circle.iter().map(|wait| wait.since).max().map(Taken);
        let one = |link: &Link| {
            format!(
                "{} waits at {} for {}, held by {} since {}",
                link.thread, link.at, link.waits_for, link.held_by, link.held_since
            )
        };
        let circle_text = links.iter().map(one).collect::<Vec<_>>().join("; ");
        event!(DEADLOCK, stalled_threads = &names, circle = &links, since, circle_text, "{circle_text}");
    }

    /// `positions, held by strategy since src/book.rs:31:20, for 12 s`
    pub(in crate::heartbeat) fn waits_for(thread: u32) -> Option<String> {
        let wait = of_thread(thread)?;
        let holder = |(id, place): &(u32, _)| format!("{} since {place}", name(*id));
        let holders = match wait.holders.as_slice() {
            [] => "nobody any more".to_owned(),
            holders => holders.iter().map(holder).collect::<Vec<_>>().join(" and "),
        };
        let ticks = clock::now().saturating_sub(wait.since) as i64;
        let age_s = CALIBRATION.get().nanos(ticks).max(0) as f64 / 1e9;
        Some(format!("{}, held by {holders}, for {age_s:.1} s", lock(&wait)))
    }

    fn lock(wait: &Wait) -> String {
        if wait.lock.is_empty() { format!("the lock at {}", wait.place) } else { wait.lock.to_owned() }
    }

    fn name(thread: u32) -> String {
        let comm = std::fs::read_to_string(format!("/proc/self/task/{thread}/comm"));
        comm.map_or_else(|_| thread.to_string(), |name| name.trim().to_owned())
    }
}
