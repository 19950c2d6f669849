//! SIGINT and SIGTERM: who sent them, told to the coordinator over a socket.
//!
//! Invariant: the handler calls only what signal-safety(7) allows; handlers that were there before are called after it.
//! A third signal ends the process at once, whatever hangs.

use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;
use std::time::Duration;

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// The signals that end an engine.
const ENDING: [c_int; 2] = [libc::SIGINT, libc::SIGTERM];
/// At so many signals the handler itself ends the process.
const AT_ONCE: u32 = 3;

static TO: AtomicI32 = AtomicI32::new(-1);
/// The process that set the handlers; a fork's child has them too.
static OWNER: AtomicI32 = AtomicI32::new(0);
static COUNT: AtomicU32 = AtomicU32::new(0);
static PREVIOUS: [OnceLock<libc::sigaction>; 2] = [const { OnceLock::new() }; 2];

/// A signal, and who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    pub(super) number: c_int,
    /// 0 when the kernel sent it.
    pub(super) pid: i32,
    pub(super) uid: u32,
}

/// What the socket carries: a signal, or the word that somebody asked.
const LEN: usize = 12;

/// Both ends of the way to the coordinator.
#[derive(Debug)]
pub(super) struct Wire {
    receive: UnixDatagram,
    send: UnixDatagram,
}

impl Wire {
    pub(super) fn new() -> io::Result<Self> {
        let (receive, send) = UnixDatagram::pair()?;
        send.set_nonblocking(true)?;
        Ok(Self { receive, send })
    }

    /// Wakes the coordinator.
    pub(super) fn wake(&self) {
        // Full: it is awake.
        let _ = self.send.send(&[0; LEN]);
    }

    /// A signal, or none when it was woken, or the time is over.
    pub(super) fn next(&self, within: Option<Duration>) -> Option<Signal> {
        // A zero would mean for ever.
        let within = within.map(|within| within.max(Duration::from_millis(1)));
        self.receive.set_read_timeout(within).ok()?;
        let mut bytes = [0; LEN];
        let len = self.receive.recv(&mut bytes).ok()?;
        decode(bytes.get(..len)?)
    }

    /// SIGINT and SIGTERM go through here from now on.
    pub(super) fn listen(&self) -> io::Result<()> {
        // SAFETY: `getpid` has no arguments and cannot fail.
        OWNER.store(unsafe { libc::getpid() }, Ordering::SeqCst);
        TO.store(self.send.as_raw_fd(), Ordering::SeqCst);
        for (number, previous) in ENDING.into_iter().zip(&PREVIOUS) {
            let before = handle(number)?;
            let _first = previous.set(before);
        }
        Ok(())
    }
}

fn encode(signal: Signal) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[..4].copy_from_slice(&signal.number.to_ne_bytes());
    bytes[4..8].copy_from_slice(&signal.pid.to_ne_bytes());
    bytes[8..].copy_from_slice(&signal.uid.to_ne_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Signal> {
    let [number, pid, uid] = bytes.as_chunks::<4>().0 else { return None };
    let number = c_int::from_ne_bytes(*number);
    (number != 0).then(|| Signal { number, pid: i32::from_ne_bytes(*pid), uid: u32::from_ne_bytes(*uid) })
}

/// Sets our handler and returns the one that was there.
fn handle(number: c_int) -> io::Result<libc::sigaction> {
    let mut action = core::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a `sigaction`: the default action, no flags, an empty mask.
    let action = unsafe { action.assume_init_mut() };
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut core::ffi::c_void) = on_signal;
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    let mut before = core::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: `action` is whole, `on_signal` is safe in a signal handler, and `before` is a place for the result.
    if unsafe { libc::sigaction(number, core::ptr::from_ref(action), before.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeros are a valid `sigaction`, and `sigaction` has filled it in.
    Ok(unsafe { before.assume_init() })
}

extern "C" fn on_signal(number: c_int, info: *mut libc::siginfo_t, context: *mut core::ffi::c_void) {
    let errno = Errno::keep();
    // SAFETY: `getpid` is safe in a signal handler.
    if unsafe { libc::getpid() } != OWNER.load(Ordering::Relaxed) {
        // Blocked as long as this handler runs, and delivered when it returns.
        die_of(number);
        errno.restore();
        return;
    }
    if COUNT.fetch_add(1, Ordering::Relaxed) + 1 >= AT_ONCE {
        // SAFETY: `_exit` is safe in a signal handler.
        unsafe { libc::_exit(128 + number) };
    }
    // SAFETY: with SA_SIGINFO the kernel gives a valid `siginfo_t`; a null, which it never gives, is left out.
    let (pid, uid) = unsafe { info.as_ref() }.map_or((0, 0), sender);
    let bytes = encode(Signal { number, pid, uid });
    let to: RawFd = TO.load(Ordering::Relaxed);
    // SAFETY: `send` is safe in a signal handler; the socket is leaked with the coordinator, and `bytes` lives.
    unsafe { libc::send(to, bytes.as_ptr().cast(), LEN, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) };
    call_previous(number, info, context);
    errno.restore();
}

fn sender(info: &libc::siginfo_t) -> (i32, u32) {
    // Positive codes come from the kernel, a terminal say, and name nobody.
    if info.si_code > 0 {
        return (0, 0);
    }
    // SAFETY: a signal that a process sent has these fields.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let uid = unsafe { info.si_uid() };
    (pid, uid)
}

/// In a fork's child the parent's handler means nothing.
fn die_of(number: c_int) {
    // SAFETY: `signal` is safe in a signal handler, and the default action exists for every signal.
    unsafe { libc::signal(number, libc::SIG_DFL) };
    // SAFETY: `raise` is safe in a signal handler.
    unsafe { libc::raise(number) };
}

fn call_previous(number: c_int, info: *mut libc::siginfo_t, context: *mut core::ffi::c_void) {
    let Some(at) = ENDING.iter().position(|ending| *ending == number) else { return };
    let Some(previous) = PREVIOUS[at].get() else { return };
    let handler = previous.sa_sigaction;
    if handler == libc::SIG_DFL || handler == libc::SIG_IGN || handler == on_signal as *const () as usize {
        return;
    }
    if previous.sa_flags & libc::SA_SIGINFO != 0 {
        type Full = extern "C" fn(c_int, *mut libc::siginfo_t, *mut core::ffi::c_void);
        // SAFETY: with SA_SIGINFO the number that was registered is a function of this type.
        let handler = unsafe { core::mem::transmute::<usize, Full>(handler) };
        handler(number, info, context);
    } else {
        // SAFETY: without SA_SIGINFO it is a function of the number alone.
        let handler = unsafe { core::mem::transmute::<usize, extern "C" fn(c_int)>(handler) };
        handler(number);
    }
}

/// The code that interrupted thread may be about to read.
struct Errno(c_int);

impl Errno {
    fn keep() -> Self {
        Self(io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }

    fn restore(&self) {
        #[cfg(target_os = "linux")]
        // SAFETY: the kernel's and libc's place for this thread's error code.
        let place = unsafe { libc::__errno_location() };
        #[cfg(target_os = "linux")]
        // SAFETY: the place is this thread's own and always valid.
        unsafe {
            place.write(self.0);
        };
    }
}

/// `SIGTERM from pid 4711 (systemctl), uid 0`
pub(super) fn describe(signal: Signal) -> String {
    let name = match signal.number {
        libc::SIGINT => "SIGINT".to_owned(),
        libc::SIGTERM => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    };
    if signal.pid <= 0 {
        return format!("{name} from the terminal or the kernel");
    }
    let who = std::fs::read_to_string(format!("/proc/{}/comm", signal.pid));
    let who = who.map_or_else(|_| String::new(), |name| format!(" ({})", name.trim()));
    format!("{name} from pid {}{who}, uid {}", signal.pid, signal.uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_passes_the_wire_whole() {
        let signal = Signal { number: libc::SIGTERM, pid: 4711, uid: 1000 };
        assert_eq!(decode(&encode(signal)), Some(signal));
        let wire = Wire::new().unwrap();
        wire.wake();
        assert_eq!(wire.next(Some(Duration::from_secs(5))), None);
        wire.send.send(&encode(signal)).unwrap();
        assert_eq!(wire.next(Some(Duration::from_secs(5))), Some(signal));
        assert_eq!(decode(&[1, 2, 3]), None);
    }

    #[test]
    fn a_sender_is_named() {
        let own = std::process::id();
        let text = describe(Signal { number: libc::SIGINT, pid: own as i32, uid: 0 });
        assert!(text.starts_with(&format!("SIGINT from pid {own} (")), "{text}");
        assert_eq!(
            describe(Signal { number: libc::SIGTERM, pid: 0, uid: 0 }),
            "SIGTERM from the terminal or the kernel"
        );
    }
}
