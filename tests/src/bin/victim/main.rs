//! The process that the whole-system tests kill, starve and end in every way. `victim SCENARIO ROOT [ARG…]`.

mod forks;
mod orders;
mod places;
mod steps;

use std::path::Path;
use std::process::exit;

use tapelog::events::{BUY_BLOCKED, ERROR, ORDER_CONTEXT};
use tapelog::{Context, Recorder, dash_event, event};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, scenario, root, rest @ ..] = &args[..] else {
        eprintln!("usage: victim SCENARIO ROOT [ARG…]");
        exit(2);
    };
    let root = Path::new(root);
    let number = |at: usize| rest.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    match scenario.as_str() {
        "start" => start(root).finish().expect("the run ends"),
        "records" => {
            let tape = start(root);
            records(number(0));
            tape.finish().expect("the run ends");
        }
        "drop" => {
            let _tape = start(root);
            records(number(0));
        }
        "exit" => {
            let _tape = start(root);
            records(number(0));
            exit(7);
        }
        "kill" => {
            let _tape = start(root);
            records(number(0));
            raise(libc::SIGKILL);
        }
        "abort" => {
            let _tape = start(root);
            records(number(0));
            std::process::abort();
        }
        "kill-many" => kill_many(root, number(0), number(1)),
        "panic" => {
            let _tape = start(root);
            records(number(0));
            panic!("the engine is gone");
        }
        "fork" => forks::fork(root, &rest[0]),
        "fork-survivor" => forks::survivor(root),
        "steps" => steps::steps(root),
        "hang" => steps::hang(root, number(0)),
        "synced" => steps::synced(root),
        "synced-on-interval" => steps::synced_on_interval(root),
        "second" => second(root),
        "odd-text" => odd_text(root),
        "seccomp" => seccomp(root),
        "fill" => fill(root, Path::new(&rest[0]), number(1)),
        "cut" => cut(root),
        "removed" => removed(root),
        "durable" => durable(root),
        "place-order" => orders::place_order(start(root)),
        "fill-order" => orders::fill_order(start(root)),
        "close-orders" => orders::close_orders(start(root)),
        "close-the-rest" => orders::close_the_rest(start(root)),
        "soak" => soak(root, number(0)),
        "odd-places" => places::odd_places(root),
        "signals" => places::signals(root, number(0)),
        "wide" => places::wide(root),
        "deep" => places::deep(root),
        "too-large" => too_large(root),
        "log-flood" => flood(root, true),
        "lost-twice" => lost_twice(root),
        "audit-flood" => flood(root, false),
        "segv" => {
            let _tape = start(root);
            records(number(0));
            // SAFETY: none; the process is to die of it.
            unsafe { std::hint::black_box(std::ptr::null_mut::<u8>()).write_volatile(1) };
        }
        "overflow" => {
            let _tape = start(root);
            records(number(0));
            println!("{}", overflow(1));
        }
        "unwritable" => match Recorder::builder("victim").root(root).start() {
            Ok(_) => exit(1),
            Err(error) => println!("{error}"),
        },
        other => {
            eprintln!("no scenario `{other}`");
            exit(2);
        }
    }
}

fn start(root: &Path) -> Recorder {
    Recorder::builder("victim").root(root).heartbeat(None).start().expect("the recorder starts")
}

#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn overflow(depth: u64) -> u64 {
    std::hint::black_box([depth; 64]);
    overflow(depth + 1) + 1
}

/// Records for three seconds into a root that is full for the first half, then says how often the halt hook was called.
fn fill(root: &Path, fallback: &Path, per_ms: u64) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let halts = Arc::new(AtomicU64::new(0));
    let called = Arc::clone(&halts);
    let tape = Recorder::builder("victim")
        .root(root)
        .fallback(fallback)
        .heartbeat(None)
        .ring_bytes(1 << 16)
        .on_halt(move |_| {
            called.fetch_add(1, Ordering::Relaxed);
        })
        .start()
        .expect("the recorder starts");
    println!("started");
    let start = std::time::Instant::now();
    let mut n = 0_u64;
    while start.elapsed().as_millis() < 3_000 {
        for _ in 0..per_ms {
            event!(ORDER_CONTEXT, n, symbol = "BTC/USDT", qty = 0.5, "order {n}");
            n += 1;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    if let Err(error) = tape.finish() {
        eprintln!("the run did not end: {error}");
    }
    println!("{n} {}", halts.load(Ordering::Relaxed));
}

/// Three seconds of orders in segments of 64 KiB.
fn cut(root: &Path) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .rotation(tapelog::Rotation::never().max_bytes(64 << 10))
        .start()
        .expect("the recorder starts");
    println!("started {}", tape.dir().display());
    let start = std::time::Instant::now();
    let mut n = 0_u64;
    while start.elapsed().as_millis() < 3_000 {
        event!(ORDER_CONTEXT, n, symbol = "BTC/USDT", qty = 0.5, "order {n}");
        n += 1;
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    tape.finish().expect("the run ends");
    println!("{n}");
}

/// Somebody removes the run directory under the recorder.
fn removed(root: &Path) {
    let tape = start(root);
    records(100);
    tape.flush().expect("the records are written");
    std::fs::remove_dir_all(tape.dir()).expect("the directory can be removed");
    records(50);
    std::thread::sleep(std::time::Duration::from_millis(500));
    records(50);
    tape.finish().expect("the run ends");
}

/// With durability 2, a record stands in its file when its call returns.
fn durable(root: &Path) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .durability(tapelog::Durability::Call)
        .start()
        .expect("the recorder starts");
    let file = tape.dir().join("orders.jsonl");
    for n in 0..50_u64 {
        event!(ORDER_CONTEXT, n, "order {n}");
        let text = std::fs::read_to_string(&file).expect("the file can be read");
        assert_eq!(text.lines().count() as u64, n + 1, "the call returned before its line was there");
    }
    tape.finish().expect("the run ends");
}

/// Threads come and go, contexts too, for so many seconds; then says how the process's own memory grew after the first
/// third, in KiB, and how many rings there were: what is shared is rings and tables, and these have a limit.
fn soak(root: &Path, seconds: u64) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .ring_bytes(1 << 16)
        .start()
        .expect("it starts");
    let start = std::time::Instant::now();
    let mut after_a_third = None;
    let mut round = 0_u64;
    while start.elapsed().as_secs() < seconds {
        round += 1;
        let context = Context::current().with("round", round).with("strategy_id", "soak");
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let context = context.clone();
                std::thread::spawn(move || {
                    let _attached = context.attach();
                    records(50);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("the thread ends"));
        if after_a_third.is_none() && start.elapsed().as_secs() * 3 >= seconds {
            after_a_third = Some(resident_kib());
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let grown = resident_kib() - after_a_third.unwrap_or_default();
    let shared = tapelog_tests::shared_left(tape.dir());
    let rings = std::fs::read_dir(&shared[0])
        .expect("the shared folder can be listed")
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("ring-"))
        .count();
    tape.finish().expect("the run ends");
    println!("{round} {grown} {rings}");
}

fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).expect("the line is there");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("it is a number")
}

fn too_large(root: &Path) {
    let tape = start(root);
    let text = "x".repeat(17 << 20);
    event!(ERROR, text = &text, "more than 16 MiB");
    let text = "y".repeat((16 << 20) - 4096);
    event!(ERROR, text = &text, "not quite 16 MiB");
    tape.finish().expect("the run ends");
}

/// One thread records far more than its small ring holds, as fast as it can.
fn flood(root: &Path, log: bool) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .ring_bytes(1 << 14)
        .start()
        .expect("the recorder starts");
    for n in 0..200_000_u64 {
        if log {
            event!(ERROR, n);
        } else if n < 20_000 {
            event!(ORDER_CONTEXT, n);
        }
    }
    tape.finish().expect("the run ends");
}

/// Loses records of one stream for one reason, then, when that has been told, one more for another.
fn lost_twice(root: &Path) {
    let tape = Recorder::builder("victim")
        .root(root)
        .heartbeat(None)
        .ring_bytes(1 << 14)
        .start()
        .expect("the recorder starts");
    (0..20_000_u64).for_each(|n| event!(ERROR, n));
    // The drain tells ten times a second.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let text = "x".repeat(17 << 20);
    event!(ERROR, text = &text, "more than 16 MiB");
    tape.finish().expect("the run ends");
}

fn records(count: u64) {
    for n in 0..count {
        event!(ORDER_CONTEXT, n, symbol = "BTC/USDT", qty = 0.5, "order {n}");
    }
}

fn raise(signal: i32) -> ! {
    // SAFETY: no memory is involved.
    unsafe { libc::raise(signal) };
    exit(3);
}

/// Threads record numbers as fast as they can, and keep in a file how many of their calls have returned.
fn kill_many(root: &Path, threads: u64, micros: u64) {
    use std::os::unix::fs::FileExt as _;

    let _tape = start(root);
    // Each thread has its own place.
    let progress = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(root.join("progress"))
        .expect("the file can be made");
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let progress = &progress;
            scope.spawn(move || {
                for n in 0_u64.. {
                    if n % 2 == 0 {
                        event!(ORDER_CONTEXT, thread_number = thread, n, "order {n}");
                    } else {
                        event!(BUY_BLOCKED, thread_number = thread, n, "blocked {n}");
                    }
                    if n % 64 == 63 {
                        progress
                            .write_all_at(&(n + 1).to_le_bytes(), thread * 8)
                            .expect("the file can be written");
                    }
                }
            });
        }
        std::thread::sleep(std::time::Duration::from_micros(micros));
        raise(libc::SIGKILL);
    });
}

fn second(root: &Path) {
    let tape = start(root);
    match Recorder::builder("victim").root(root).start() {
        Ok(_) => exit(1),
        Err(error) => println!("{error}"),
    }
    records(1);
    tape.finish().expect("the run ends");
    // One after the other is fine, and goes to a run of its own.
    let again = start(root);
    records(2);
    again.finish().expect("the run ends");
}

fn odd_text(root: &Path) {
    let tape = start(root);
    let control: String = (0..0x20_u8).chain([0x7F]).map(char::from).collect();
    let long = "é".repeat(512 * 1024);
    let _context = Context::current().with("strategy_id", "quo\"te\\ \u{1F600}").attach();
    event!(ERROR, text = &control, quotes = "\"'\\", emoji = "🦀", empty = "", "{text}{quotes}{emoji}");
    event!(ERROR, nan = f64::NAN, infinite = f64::INFINITY, fine = 1.5, "not finite: {nan}");
    event!(ERROR, text = &long, "one MiB");
    dash_event!(BUY_BLOCKED, "{control}");
    tape.finish().expect("the run ends");
}

/// After a thread's first record of each site, recording makes no system call: a thread under a filter that kills the
/// process at any would end it.
fn seccomp(root: &Path) {
    use std::sync::atomic::{AtomicBool, Ordering};

    static DONE: AtomicBool = AtomicBool::new(false);
    let tape = start(root);
    std::thread::spawn(|| {
        let one = |n: u64| event!(ORDER_CONTEXT, n, symbol = "BTC/USDT", qty = 0.5, "order {n}");
        one(0);
        no_more_system_calls();
        (1..1000).for_each(one);
        DONE.store(true, Ordering::Release);
        loop {
            std::hint::spin_loop();
        }
    });
    let start = std::time::Instant::now();
    while !DONE.load(Ordering::Acquire) && start.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    tape.finish().expect("the run ends");
    // `exit_group` from this thread, which is not limited.
    exit(if DONE.load(Ordering::Acquire) { 0 } else { 1 });
}

/// From here on any system call of this thread kills the process. (Strict mode would forbid `rdtsc` too.)
fn no_more_system_calls() {
    let kill = libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: libc::SECCOMP_RET_KILL_PROCESS,
    };
    let mut filter = [kill];
    let program = libc::sock_fprog { len: 1, filter: filter.as_mut_ptr() };
    // SAFETY: limits this thread alone.
    let allowed = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(allowed, 0);
    // SAFETY: `program` names a filter of one instruction that lives for the call.
    unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
}
