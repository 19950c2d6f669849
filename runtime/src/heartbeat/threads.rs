//! What the kernel knows of a thread: whether it runs, and what it sleeps on.
//!
//! Invariant: only /proc is read, nobody is stopped for it, and a field that cannot be read is left out.

use std::fs;

/// A thread as the kernel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// In words: `running`, `mutex (futex)`, `sleep`, `socket read`, `epoll`, `disk`, `stopped`, …
    pub(crate) state: String,
    /// The kernel function that it sleeps in, where the kernel tells.
    pub(crate) channel: Option<String>,
    /// Processor time so far, in milliseconds.
    pub(crate) cpu_ms: u64,
}

/// The threads of this process that the kernel has under this id.
pub(crate) fn alive(thread_id: u32) -> bool {
    cfg!(not(target_os = "linux")) || fs::metadata(format!("/proc/self/task/{thread_id}")).is_ok()
}

/// What the kernel says of a thread of this process; none when it has none of this id.
pub(crate) fn kernel(thread_id: u32) -> Option<Kernel> {
    let read = |file: &str| fs::read_to_string(format!("/proc/self/task/{thread_id}/{file}")).ok();
    let (letter, cpu_ms) = stat(&read("stat")?)?;
    let channel =
        read("wchan").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty() && name != "0");
    let state = match letter {
        'S' => read("syscall")
            .and_then(|line| sleeping(&line))
            .or_else(|| channel.as_deref().and_then(by_channel).map(str::to_owned))
            .unwrap_or_else(|| "sleeping".to_owned()),
        letter => named(letter).to_owned(),
    };
    Some(Kernel { state, channel, cpu_ms })
}

fn named(letter: char) -> &'static str {
    match letter {
        'R' => "running",
        'D' => "disk",
        'T' | 't' => "stopped",
        'Z' | 'X' => "dead",
        _ => "sleeping",
    }
}

/// The state's letter, and the processor time: fields 3, 14 and 15 of `stat` (proc(5)). The name in parentheses may
/// hold anything.
fn stat(line: &str) -> Option<(char, u64)> {
    let (_, rest) = line.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let letter = fields.next()?.chars().next()?;
    let mut ticks = fields.skip(10).map_while(|field| field.parse::<u64>().ok());
    let (user, system) = (ticks.next()?, ticks.next()?);
    Some((letter, (user + system) * 1_000 / ticks_per_second()))
}

fn ticks_per_second() -> u64 {
    // SAFETY: `sysconf` only reads a constant of the system.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(100).max(1)
}

/// `NUMBER ARGUMENT…` in hexadecimal, of the system call that the thread sleeps in; or `running`.
fn sleeping(line: &str) -> Option<String> {
    let mut parts = line.split_whitespace();
    let number: libc::c_long = parts.next()?.parse().ok()?;
    let first = parts.next().and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    Some(match number {
        libc::SYS_futex => "mutex (futex)".to_owned(),
        libc::SYS_nanosleep | libc::SYS_clock_nanosleep => "sleep".to_owned(),
        libc::SYS_epoll_pwait => "epoll".to_owned(),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => "epoll".to_owned(),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll | libc::SYS_select => "poll".to_owned(),
        libc::SYS_ppoll | libc::SYS_pselect6 => "poll".to_owned(),
        libc::SYS_recvfrom | libc::SYS_recvmsg | libc::SYS_recvmmsg => "socket read".to_owned(),
        libc::SYS_accept | libc::SYS_accept4 => "accept".to_owned(),
        libc::SYS_connect => "connect".to_owned(),
        libc::SYS_sendto | libc::SYS_sendmsg => "socket write".to_owned(),
        libc::SYS_wait4 | libc::SYS_waitid => "wait for a process".to_owned(),
        libc::SYS_fsync | libc::SYS_fdatasync => "disk".to_owned(),
        libc::SYS_read | libc::SYS_readv => format!("{} read", kind_of(first)),
        libc::SYS_write | libc::SYS_writev => format!("{} write", kind_of(first)),
        other => format!("system call {other}"),
    })
}

/// Where `syscall` cannot be read: what the function's name says.
fn by_channel(channel: &str) -> Option<&'static str> {
    let known = [
        ("futex", "mutex (futex)"),
        ("nanosleep", "sleep"),
        ("ep_poll", "epoll"),
        ("poll", "poll"),
        ("skb", "socket read"),
        ("sk_wait", "socket read"),
        ("unix_stream", "socket read"),
        ("pipe", "pipe read"),
    ];
    known.into_iter().find(|(part, _)| channel.contains(part)).map(|(_, state)| state)
}

fn kind_of(descriptor: Option<u64>) -> &'static str {
    let target = descriptor.and_then(|number| fs::read_link(format!("/proc/self/fd/{number}")).ok());
    match target.as_deref().and_then(|path| path.to_str()) {
        Some(path) if path.starts_with("socket:") => "socket",
        Some(path) if path.starts_with("pipe:") => "pipe",
        _ => "file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hot::thread::thread_id;

    #[test]
    fn a_name_with_parentheses_does_not_disturb() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 30 20 0 0 20 0 1 0 100 0 0";
        assert_eq!(stat(line), Some(('S', 50 * 1_000 / ticks_per_second())));
        assert_eq!(stat("nothing"), None);
    }

    #[test]
    fn a_thread_that_sleeps_is_said_to_sleep() {
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            send.send(thread_id()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(400));
        });
        let id = receive.recv().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(alive(id));
        let kernel = kernel(id).unwrap();
        // A container may hide both files; then the letter is all there is.
        assert!(["sleep", "sleeping"].contains(&&*kernel.state), "{kernel:?}");
        thread.join().unwrap();
    }

    #[test]
    fn a_thread_that_runs_is_said_to_run() {
        assert_eq!(kernel(thread_id()).unwrap().state, "running");
    }
}
