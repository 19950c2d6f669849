//! Records from places where nobody expects them. What is stated of each stands in ARCHITECTURE.md, "Odd places".

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tapelog::events::{BUY_BLOCKED, ERROR, ORDER_CONTEXT};
use tapelog::{Context, Recorder, decision, event};

use super::start;

/// Records from places where nobody expects them.
pub(super) fn odd_places(root: &Path) {
    use std::fmt;

    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            event!(ERROR, place = "thread-local destructor");
        }
    }
    thread_local! { static LATE: Late = const { Late }; }
    struct Unwinding;
    impl Drop for Unwinding {
        fn drop(&mut self) {
            event!(ERROR, place = "drop while unwinding");
        }
    }
    struct Speaks;
    impl fmt::Display for Speaks {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            event!(ERROR, place = "a Display that is being captured");
            f.write_str("spoken")
        }
    }
    struct Fails;
    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }

    event!(ERROR, place = "before start");
    let tape = start(root);
    std::thread::spawn(|| {
        LATE.with(|_| ());
        event!(ERROR, place = "thread");
    })
    .join()
    .expect("the thread ends");
    std::panic::set_hook(Box::new(|_| event!(ERROR, place = "panic hook")));
    let unwound = std::panic::catch_unwind(|| {
        let _unwinding = Unwinding;
        panic!("on purpose");
    });
    assert!(unwound.is_err());
    event!(ERROR, place = "after the capture", text = %Speaks);
    event!(ERROR, place = "a Display that fails", text = %Fails);
    event!(ERROR, place = "", text = "");
    let every: Vec<u8> = (0..=255).collect();
    let text = String::from_utf8_lossy(&every).into_owned();
    event!(ERROR, place = "every byte", text = &text);
    let point = Point { x: 1, y: 2, z: 3.0, name: "a point" };
    let seen = |point: &Point| event!(ERROR, point.x, point.y, point.z, point.name);
    seen(&point);
    tape.finish().expect("the run ends");
    assert_eq!(tapelog::calls_after_finish(), 0);
    event!(ERROR, place = "after finish");
    seen(&point);
    assert_eq!(tapelog::calls_after_finish(), 2);
}

struct Point {
    x: u32,
    y: u64,
    z: f64,
    name: &'static str,
}

static HANDLED: AtomicU64 = AtomicU64::new(0);

fn from_the_handler() {
    event!(ERROR, n = HANDLED.fetch_add(1, Ordering::Relaxed));
}

extern "C" fn on_alarm(_signal: libc::c_int) {
    from_the_handler();
}

/// A timer interrupts record calls `count` times, and its handler records too. Says how often each recorded.
pub(super) fn signals(root: &Path, count: u64) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .ring_bytes(64 << 20)
        .start()
        .expect("it starts");
    // The first record of a site and of a thread may allocate, which no handler may.
    from_the_handler();
    let mut action = core::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a `sigaction`: no flags, so that interrupted system calls are not taken up again.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = on_alarm as *const () as usize;
    // SAFETY: `action` is whole; the handler only records.
    unsafe { libc::sigaction(libc::SIGALRM, core::ptr::from_ref(action), core::ptr::null_mut()) };
    every(30);
    let mut n = 0_u64;
    while HANDLED.load(Ordering::Relaxed) < count {
        event!(ORDER_CONTEXT, n, symbol = "BTC/USDT", qty = 0.5, "order {n}");
        n += 1;
        if n.is_multiple_of(100_000) {
            // So that the rings never fill: only a record inside a record may be lost here.
            tape.flush().expect("the records are written");
        }
    }
    every(0);
    tape.finish().expect("the run ends");
    println!("{n} {}", HANDLED.load(Ordering::Relaxed));
}

fn every(micros: libc::suseconds_t) {
    let interval = libc::timeval { tv_sec: 0, tv_usec: micros };
    let timer = libc::itimerval { it_interval: interval, it_value: interval };
    // SAFETY: `timer` is whole.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, core::ptr::null_mut()) };
}

/// An event without fields or message, and one with as many fields as there may be.
pub(super) fn wide(root: &Path) {
    let tape = start(root);
    event!(ERROR);
    let n = 7_u64;
    event!(
        BUY_BLOCKED,
        f000 = n,
        f001 = n,
        f002 = n,
        f003 = n,
        f004 = n,
        f005 = n,
        f006 = n,
        f007 = n,
        f008 = n,
        f009 = n,
        f010 = n,
        f011 = n,
        f012 = n,
        f013 = n,
        f014 = n,
        f015 = n,
        f016 = n,
        f017 = n,
        f018 = n,
        f019 = n,
        f020 = n,
        f021 = n,
        f022 = n,
        f023 = n,
        f024 = n,
        f025 = n,
        f026 = n,
        f027 = n,
        f028 = n,
        f029 = n,
        f030 = n,
        f031 = n,
        f032 = n,
        f033 = n,
        f034 = n,
        f035 = n,
        f036 = n,
        f037 = n,
        f038 = n,
        f039 = n,
        f040 = n,
        f041 = n,
        f042 = n,
        f043 = n,
        f044 = n,
        f045 = n,
        f046 = n,
        f047 = n,
        f048 = n,
        f049 = n,
        f050 = n,
        f051 = n,
        f052 = n,
        f053 = n,
        f054 = n,
        f055 = n,
        f056 = n,
        f057 = n,
        f058 = n,
        f059 = n,
        f060 = n,
        f061 = n,
        f062 = n,
        f063 = n,
        f064 = n,
        f065 = n,
        f066 = n,
        f067 = n,
        f068 = n,
        f069 = n,
        f070 = n,
        f071 = n,
        f072 = n,
        f073 = n,
        f074 = n,
        f075 = n,
        f076 = n,
        f077 = n,
        f078 = n,
        f079 = n,
        f080 = n,
        f081 = n,
        f082 = n,
        f083 = n,
        f084 = n,
        f085 = n,
        f086 = n,
        f087 = n,
        f088 = n,
        f089 = n,
        f090 = n,
        f091 = n,
        f092 = n,
        f093 = n,
        f094 = n,
        f095 = n,
        f096 = n,
        f097 = n,
        f098 = n,
        f099 = n,
        f100 = n,
        f101 = n,
        f102 = n,
        f103 = n,
        f104 = n,
        f105 = n,
        f106 = n,
        f107 = n,
        f108 = n,
        f109 = n,
        f110 = n,
        f111 = n,
        f112 = n,
        f113 = n,
        f114 = n,
        f115 = n,
        f116 = n,
        f117 = n,
        f118 = n,
        f119 = n,
        f120 = n,
        f121 = n,
        f122 = n,
        f123 = n,
        f124 = n,
        f125 = n,
        f126 = n,
        f127 = n,
        f128 = n,
        f129 = n,
        f130 = n,
        f131 = n,
        f132 = n,
        f133 = n,
        f134 = n,
        f135 = n,
        f136 = n,
        f137 = n,
        f138 = n,
        f139 = n,
        f140 = n,
        f141 = n,
        f142 = n,
        f143 = n,
        f144 = n,
        f145 = n,
        f146 = n,
        f147 = n,
        f148 = n,
        f149 = n,
        f150 = n,
        f151 = n,
        f152 = n,
        f153 = n,
        f154 = n,
        f155 = n,
        f156 = n,
        f157 = n,
        f158 = n,
        f159 = n,
        f160 = n,
        f161 = n,
        f162 = n,
        f163 = n,
        f164 = n,
        f165 = n,
        f166 = n,
        f167 = n,
        f168 = n,
        f169 = n,
        f170 = n,
        f171 = n,
        f172 = n,
        f173 = n,
        f174 = n,
        f175 = n,
        f176 = n,
        f177 = n,
        f178 = n,
        f179 = n,
        f180 = n,
        f181 = n,
        f182 = n,
        f183 = n,
        f184 = n,
        f185 = n,
        f186 = n,
        f187 = n,
        f188 = n,
        f189 = n,
        f190 = n,
        f191 = n,
        f192 = n,
        f193 = n,
        f194 = n,
        f195 = n,
        f196 = n,
        f197 = n,
        f198 = n,
        f199 = n,
        f200 = n,
        f201 = n,
        f202 = n,
        f203 = n,
        f204 = n,
        f205 = n,
        f206 = n,
        f207 = n,
        f208 = n,
        f209 = n,
        f210 = n,
        f211 = n,
        f212 = n,
        f213 = n,
        f214 = n,
        f215 = n,
        f216 = n,
        f217 = n,
        f218 = n,
        f219 = n,
        f220 = n,
        f221 = n,
        f222 = n,
        f223 = n,
        f224 = n,
        f225 = n,
        f226 = n,
        f227 = n,
        f228 = n,
        f229 = n,
        f230 = n,
        f231 = n,
        f232 = n,
        f233 = n,
        f234 = n,
        f235 = n,
        f236 = n,
        f237 = n,
        f238 = n,
        f239 = n,
        f240 = n,
        f241 = n,
        f242 = n,
        f243 = n,
        f244 = n,
        f245 = n,
        f246 = n,
        f247 = n,
        f248 = n,
        f249 = n,
    );
    tape.finish().expect("the run ends");
}

const KEYS: [&str; 10] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"];

/// Contexts in contexts, past what a slot of the table holds, and decisions in decisions.
pub(super) fn deep(root: &Path) {
    let tape = start(root);
    let mut attached = Vec::new();
    for depth in 0..100_u64 {
        attached.push(
            Context::current()
                .with(KEYS[(depth % 10) as usize], format!("{depth} {}", "x".repeat(40)))
                .attach(),
        );
        event!(ERROR, depth);
    }
    while attached.pop().is_some() {}
    event!(ERROR, depth = 100);
    descend(200);
    tape.finish().expect("the run ends");
}

#[decision(fields(depth))]
fn descend(depth: u64) {
    if depth > 0 {
        descend(depth - 1);
    }
}
