//! The process that the whole-system tests kill, starve and end in every way. `victim SCENARIO ROOT [ARG…]`.

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
        "fork" => fork(root),
        "second" => second(root),
        "odd-text" => odd_text(root),
        "seccomp" => seccomp(root),
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
                        progress.write_all_at(&(n + 1).to_le_bytes(), thread * 8).expect("the file can be written");
                    }
                }
            });
        }
        std::thread::sleep(std::time::Duration::from_micros(micros));
        raise(libc::SIGKILL);
    });
}

/// The child of a fork records nothing and does not end its parent's run.
fn fork(root: &Path) {
    let tape = start(root);
    records(3);
    // SAFETY: the child only records, which must be harmless, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        event!(ERROR, "the child speaks");
        assert!(!tapelog::recording());
        // SAFETY: leaves without running the parent's handlers.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: `child` is our own; the status is not wanted.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    records(2);
    tape.finish().expect("the run ends");
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

/// After a thread's first record of each site, recording makes no system call: a thread in strict seccomp mode would
/// be killed by one.
fn seccomp(root: &Path) {
    use std::sync::atomic::{AtomicBool, Ordering};

    static DONE: AtomicBool = AtomicBool::new(false);
    let tape = start(root);
    std::thread::spawn(|| {
        let one = |n: u64| event!(ORDER_CONTEXT, n, symbol = "BTC/USDT", qty = 0.5, "order {n}");
        one(0);
        // SAFETY: limits this thread alone; what it does after this needs no system call.
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_STRICT) };
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
