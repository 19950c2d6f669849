//! sd_notify(3): tells systemd what the process does, over the datagram socket that `NOTIFY_SOCKET` names.
//!
//! Invariant: nothing here fails or waits; without the variable nothing is sent.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// The socket, and how often the watchdog wants to hear.
#[derive(Debug)]
pub(crate) struct Notify {
    socket: Option<(UnixDatagram, String)>,
    /// Half of `WATCHDOG_USEC`, as sd_watchdog_enabled(3) recommends.
    pub(crate) watchdog: Option<Duration>,
}

impl Notify {
    /// Reads the environment.
    pub(crate) fn of_process() -> Self {
        let socket = std::env::var("NOTIFY_SOCKET").ok().and_then(|to| {
            let socket = UnixDatagram::unbound().ok()?;
            // Never waits for systemd.
            socket.set_nonblocking(true).ok()?;
            Some((socket, to))
        });
        let ours = std::env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
        let watchdog = std::env::var("WATCHDOG_USEC").ok().filter(|_| ours && socket.is_some());
        let watchdog =
            watchdog.and_then(|text| text.parse().ok()).map(|us: u64| Duration::from_micros(us / 2));
        Self { socket, watchdog }
    }

    /// Sends `KEY=value`, for example `READY=1`.
    pub(crate) fn send(&self, text: &str) {
        let Some((socket, to)) = &self.socket else { return };
        // Nobody listens, or is too slow: the next one may arrive.
        #[cfg(target_os = "linux")]
        if let Some(name) = to.strip_prefix('@') {
            use std::os::linux::net::SocketAddrExt as _;
            if let Ok(address) = std::os::unix::net::SocketAddr::from_abstract_name(name) {
                let _ = socket.send_to_addr(text.as_bytes(), &address);
            }
            return;
        }
        let _ = socket.send_to(text.as_bytes(), to);
    }
}
