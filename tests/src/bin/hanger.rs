//! The process that really hangs, in every way, and that is stopped and shut down. `hanger SCENARIO ROOT [ARG…]`.
//!
//! Each hang is in an annotated function, within a decision, on a thread with a name; the process ends itself after a
//! while, so that a test that fails leaves nothing behind.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::exit;
use std::sync::Mutex;
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

use tapelog::shutdown::Shutdown;
use tapelog::{DecisionId, FutureExt as _, Recorder, decision, heartbeat, log_performance, order_context};

/// No scenario takes longer.
const AT_MOST: Duration = Duration::from_secs(40);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, scenario, root, rest @ ..] = &args[..] else {
        eprintln!("usage: hanger SCENARIO ROOT [ARG…]");
        exit(2);
    };
    std::thread::spawn(|| {
        sleep(AT_MOST);
        exit(99);
    });
    let root = Path::new(root);
    if scenario.starts_with("shutdown") {
        shut_down(scenario, root);
    }
    let seconds = rest.first().and_then(|text| text.parse::<f64>().ok()).unwrap_or(4.0);
    let tape = Recorder::builder("hanger")
        .root(root)
        .heartbeat(Duration::from_secs(1))
        .stall_after(Duration::from_millis(800), Duration::from_millis(1_500))
        .start()
        .expect("the recorder starts");
    match scenario.as_str() {
        "mutex" => drop(hang("router", || decide(Hang::Mutex))),
        "stuck-drain" => {
            stop_the_drain();
            drop(hang("router", || decide(Hang::Sleep)));
        }
        "sleep" => drop(hang("router", || decide(Hang::Sleep))),
        "deadlock" => {
            drop(hang("router", || takes_both(&ORDERS, &POSITIONS)));
            drop(hang("strategy", || takes_both(&POSITIONS, &ORDERS)));
        }
        "reads-and-writes" => {
            drop(hang("writer", || reads_then_writes(&BOOK)));
        }
        "tracked" => {
            drop(hang("holder", || holds(&ORDERS)));
            drop(hang("router", || waits(&ORDERS)));
        }
        "socket" => drop(hang("router", || decide(Hang::Socket))),
        "busy" => drop(hang("router", || decide(Hang::Busy))),
        "attempt" => drop(hang("router", || drop(place_order("BTC/USDT", "int_1")))),
        "measured" => drop(hang("router", measured)),
        "deadline" => drop(hang("router", || assert_eq!(decides_by_a_deadline(), 0))),
        "deadline-async" => runtime(async {
            tokio::spawn(decides_and_places_by_a_deadline());
        }),
        "measured-async" => runtime(async {
            tokio::spawn(measured_outside(true));
        }),
        "measured-async-blocks" => runtime(async {
            tokio::spawn(measured_outside(false));
        }),
        "measured-async-resumed" => runtime(async {
            tokio::spawn(measured_of(ended_decision()));
        }),
        "measured-async-joined" => runtime(async {
            starts_and_ends();
        }),
        "recovers" => drop(hang("router", || {
            brief(Duration::from_secs(3));
            loop {
                brief(Duration::from_millis(50));
            }
        })),
        "idle" => drop(hang("feed", || decide(Hang::Declared))),
        "outside" => drop(hang("worker", || sleep(AT_MOST))),
        "critical" => drop(hang("router", || {
            let _critical = heartbeat::critical_thread(Duration::from_secs(2));
            sleep(AT_MOST);
        })),
        "critical-beats" => drop(hang("router", || {
            let critical = heartbeat::critical_thread(Duration::from_secs(1));
            loop {
                sleep(Duration::from_millis(100));
                critical.beat();
            }
        })),
        "exits" => {
            drop(hang("registered", heartbeat::register_thread));
            drop(hang("panics", || decide(Hang::Panic)));
        }
        "worker" => runtime(async {
            tokio::spawn(blocks_its_worker());
        }),
        "unpolled" => runtime(async {
            tokio::spawn(never_answered());
        }),
        "unpolled-attempt" => runtime(async {
            tokio::spawn(decides_and_places());
        }),
        "idle-async" => runtime(async {
            tokio::spawn(waits_for_fills());
        }),
        "slow" => runtime(async {
            drop(heartbeat::tokio::probe("orders", Duration::from_millis(100)));
            // Both workers: then the probe cannot run either.
            for _ in 0..2 {
                tokio::spawn(polls_slowly());
            }
        }),
        other => {
            eprintln!("no scenario `{other}`");
            exit(2);
        }
    }
    heartbeat::ready();
    println!("running");
    sleep(Duration::from_secs_f64(seconds));
    let code = i32::from(tape.finish().is_err());
    // Not by return: a thread that hangs is not waited for.
    exit(code);
}

/// Three components, in two orders; the scenario says which of them does not stop, and what begins it.
fn shut_down(scenario: &str, root: &Path) -> ! {
    let tape = Recorder::builder("hanger")
        .root(root)
        .build(tapelog::build_info!())
        .heartbeat(Duration::from_secs(30))
        .start()
        .expect("the recorder starts");
    let deadline = if scenario.ends_with("-deadline") { 1_500 } else { 20_000 };
    let code = if scenario.ends_with("-deadline") || scenario.ends_with("-code") { Some(42) } else { None };
    let builder = Shutdown::builder().deadline(Duration::from_millis(deadline));
    let builder = code.into_iter().fold(builder, tapelog::shutdown::Builder::exit_code);
    let shutdown = builder.start().expect("the coordinator starts");
    let stuck = scenario.contains("stuck");
    let panics = scenario.contains("panics");
    let takes = move |name: &'static str, time: Duration| {
        move || {
            if stuck && name == "router" {
                sleep(AT_MOST);
            }
            assert!(!panics || name != "router", "the router does not stop");
            sleep(time);
            println!("{name} stopped");
        }
    };
    shutdown
        .component("router")
        .order(2)
        .deadline(Duration::from_secs(if scenario.ends_with("-component") { 1 } else { 30 }))
        .stop(takes("router", Duration::from_millis(200)));
    shutdown.component("feed").order(1).stop(takes("feed", Duration::from_millis(100)));
    let runtime = scenario.contains("tokio").then(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("it starts")
    });
    if let Some(runtime) = &runtime {
        // Its timers work in a stop that was registered inside of it.
        let _entered = runtime.enter();
        shutdown.component("journal").order(3).stop_async(|| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            println!("journal stopped");
        });
    } else {
        shutdown.component("journal").order(3).stop_async(|| async {
            tokio_like_wait(Duration::from_millis(50)).await;
            println!("journal stopped");
        });
    }
    if scenario.contains("drain") {
        stop_the_drain();
    }

    if scenario.contains("critical") {
        drop(hang("strategy", || {
            let _critical = heartbeat::critical_thread(Duration::from_secs(30));
            panic!("no such position");
        }));
    }
    println!("running");
    if scenario.contains("fork") {
        fork_and_kill();
    }
    if scenario.contains("call") {
        shutdown.begin("the market has closed");
    }
    let outcome = shutdown.wait();
    println!("{} {:?}", outcome.reason, outcome.timed_out);
    let code = outcome.exit_code();
    let failed = tape.finish().is_err();
    exit(if failed { 98 } else { i32::from(code) });
}

/// A child of this process has its handlers, and must die of SIGTERM as if it had none.
fn fork_and_kill() {
    // SAFETY: the child does nothing but sleep, which is safe after a fork of a process with threads.
    let child = unsafe { libc::fork() };
    if child == 0 {
        loop {
            // SAFETY: `pause` waits for a signal.
            unsafe { libc::pause() };
        }
    }
    sleep(Duration::from_millis(200));
    // SAFETY: the child is this process's own, and has not been waited for.
    unsafe { libc::kill(child, libc::SIGTERM) };
    let mut status = 0;
    // SAFETY: `status` is a place for the result.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    println!("child died of {}", if libc::WIFSIGNALED(status) { libc::WTERMSIG(status) } else { 0 });
}

/// Wakes its task from another thread.
async fn tokio_like_wait(time: Duration) {
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut started = false;
    std::future::poll_fn(|task| {
        if done.load(std::sync::atomic::Ordering::Acquire) {
            return std::task::Poll::Ready(());
        }
        if !std::mem::replace(&mut started, true) {
            let (waker, done) = (task.waker().clone(), std::sync::Arc::clone(&done));
            std::thread::spawn(move || {
                sleep(time);
                done.store(true, std::sync::atomic::Ordering::Release);
                waker.wake();
            });
        }
        std::task::Poll::Pending
    })
    .await;
}

fn hang(name: &str, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    Builder::new().name(name.to_owned()).spawn(body).expect("a thread starts")
}

/// Stops the thread that writes: a signal handler that sleeps, run on that thread alone. Of the signals that a handler may
/// be had for, the drain takes only those that an instruction brings on.
fn stop_the_drain() {
    extern "C" fn for_ever(_signal: libc::c_int) {
        loop {
            sleep(AT_MOST);
        }
    }
    let name = |id: i32| std::fs::read_to_string(format!("/proc/self/task/{id}/comm")).unwrap_or_default();
    let find = || {
        let tasks = std::fs::read_dir("/proc/self/task").expect("threads can be listed");
        let mut ids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse::<i32>().ok());
        ids.find(|id| name(*id).trim() == "tapelog-drain")
    };
    // A thread gives itself its name, some time after it was started.
    let drain = loop {
        match find() {
            Some(id) => break id,
            None => sleep(Duration::from_millis(10)),
        }
    };
    let handler: extern "C" fn(libc::c_int) = for_ever;
    // While it sleeps between two looks: stopped elsewhere it might hold the allocator's lock, and everything would hang.
    let sleeps = || {
        let state = std::fs::read_to_string(format!("/proc/self/task/{drain}/stat")).unwrap_or_default();
        state.rsplit(") ").next().is_some_and(|state| state.starts_with('S'))
    };
    while !sleeps() {
        std::hint::spin_loop();
    }
    // SAFETY: the handler only sleeps, on a thread that is to hang.
    unsafe { libc::signal(libc::SIGTRAP, handler as libc::sighandler_t) };
    // SAFETY: a signal to a thread of this process.
    unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), drain, libc::SIGTRAP) };
}

/// Runs `main` on two workers, and leaves what it spawned alone.
fn runtime(main: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("executor")
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(main);
    std::mem::forget(runtime);
}

static ORDERS: tapelog::sync::Mutex<u32> = tapelog::sync::Mutex::named("orders", 0);
static POSITIONS: tapelog::sync::Mutex<u32> = tapelog::sync::Mutex::named("positions", 0);
static BOOK: tapelog::sync::RwLock<u32> = tapelog::sync::RwLock::named("book", 0);

/// In the order that the other thread has not.
#[decision(kind = "buy")]
fn takes_both(first: &tapelog::sync::Mutex<u32>, second: &tapelog::sync::Mutex<u32>) {
    let held = first.lock().expect("nobody panics with it");
    sleep(Duration::from_millis(300));
    let never = second.lock().expect("nobody panics with it");
    drop((held, never));
}

#[decision(kind = "buy")]
fn reads_then_writes(book: &tapelog::sync::RwLock<u32>) {
    let read = book.read().expect("nobody panics with it");
    let never = book.write().expect("nobody panics with it");
    drop((read, never));
}

#[log_performance(every = 1000)]
fn holds(lock: &tapelog::sync::Mutex<u32>) {
    let _held = lock.lock().expect("nobody panics with it");
    let _declared = heartbeat::waiting("a test");
    sleep(AT_MOST);
}

#[decision(kind = "buy")]
fn waits(lock: &tapelog::sync::Mutex<u32>) {
    sleep(Duration::from_millis(200));
    *lock.lock().expect("nobody panics with it") += 1;
}

#[derive(Clone, Copy)]
enum Hang {
    Mutex,
    Sleep,
    Socket,
    Busy,
    Declared,
    Panic,
}

#[decision(kind = "buy")]
fn decide(how: Hang) {
    match how {
        Hang::Mutex => on_a_mutex(),
        Hang::Sleep => on_a_sleep(),
        Hang::Socket => on_a_socket(),
        Hang::Busy => on_nothing(),
        Hang::Declared => {
            let _waiting = heartbeat::waiting("market data");
            sleep(AT_MOST);
        }
        Hang::Panic => panic!("no route to the venue"),
    }
}

#[log_performance(every = 1000)]
fn on_a_mutex() {
    static HELD: Mutex<()> = Mutex::new(());
    let held = HELD.lock().expect("nobody panics with it");
    let other = hang("waits_for_it", || ());
    other.join().expect("it ends");
    // The same thread, a second time: never.
    let again = HELD.lock();
    drop((held, again));
}

#[log_performance(every = 1000)]
fn on_a_sleep() {
    sleep(AT_MOST);
}

#[log_performance(every = 1000)]
fn on_a_socket() {
    let (mut here, _there) = UnixStream::pair().expect("a pair of sockets");
    let _never = here.read(&mut [0; 8]);
}

#[log_performance(every = 1000)]
fn on_nothing() {
    let start = Instant::now();
    while start.elapsed() < AT_MOST {
        std::hint::spin_loop();
    }
}

#[log_performance(every = 1000)]
fn measured() {
    sleep(AT_MOST);
}

/// It makes progress inside, and is late all the same.
#[decision(kind = "buy", deadline = "1s")]
fn decides_by_a_deadline() -> u32 {
    loop {
        brief(Duration::from_millis(50));
    }
}

#[decision(kind = "buy")]
async fn decides_and_places_by_a_deadline() {
    drop(place_by_a_deadline("BTC/USDT", "int_3").await);
}

#[order_context(
    intent_id = intent, side = "buy", qty = 0.5, limit_px = 45_000.0, quote_budget = 1_000.0, notional = 500.0, tif = "IOC",
    slippage_bps = 5.0, min_notional = 10.0, max_retries = 3, retry_backoff_ms = 250, deadline = "700ms"
)]
async fn place_by_a_deadline(symbol: &str, intent: &str) -> Result<u32, std::num::ParseIntError> {
    // The attempt is polled all the time, so that only its own deadline says that it is late.
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if symbol.is_empty() {
            return "7".parse();
        }
    }
}

/// Measured, and in no decision.
#[log_performance(every = 1000)]
async fn measured_outside(forgotten: bool) {
    measured_inside(forgotten).await;
}

#[log_performance(every = 1000)]
async fn measured_inside(forgotten: bool) {
    tokio::task::yield_now().await;
    if forgotten {
        std::future::pending::<()>().await;
    } else {
        sleep(AT_MOST);
    }
}

#[decision]
fn ended_decision() -> Option<DecisionId> {
    tapelog::decision_id()
}

/// On a task of its own, long after the decision: a fill that is waited for.
#[decision(resume = id)]
#[log_performance(every = 1000)]
async fn measured_of(id: Option<DecisionId>) {
    std::future::pending::<()>().await;
}

#[decision]
fn starts_and_ends() {
    tokio::spawn(measured_and_joined().in_current_context());
}

#[log_performance(every = 1000)]
#[decision(inherit)]
async fn measured_and_joined() {
    std::future::pending::<()>().await;
}

#[log_performance(every = 1000)]
fn brief(time: Duration) {
    sleep(time);
}

#[order_context(
    intent_id = intent, side = "buy", qty = 0.5, limit_px = 45_000.0, quote_budget = 1_000.0, notional = 500.0, tif = "IOC",
    slippage_bps = 5.0, min_notional = 10.0, max_retries = 3, retry_backoff_ms = 250
)]
fn place_order(symbol: &str, intent: &str) -> Result<u32, std::num::ParseIntError> {
    sleep(AT_MOST);
    "7".parse()
}

#[decision]
async fn blocks_its_worker() {
    tokio::task::yield_now().await;
    // The mistake that is made most often: a call that blocks, in async code.
    sleep(AT_MOST);
}

#[decision]
async fn waits_for_fills() {
    awaits_one_fill().await;
}

#[decision]
async fn awaits_one_fill() {
    heartbeat::idle(std::future::pending::<()>()).await;
}

#[decision(kind = "buy")]
async fn polls_slowly() {
    tokio::time::sleep(Duration::from_millis(300)).await;
    sleep(Duration::from_millis(600));
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[decision(kind = "buy")]
async fn never_answered() {
    // Whoever would answer is gone, but the channel is open.
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let kept = Box::leak(Box::new(send));
    let _never = receive.await;
    std::hint::black_box(kept);
}

#[decision(kind = "buy")]
async fn decides_and_places() {
    drop(place_async("BTC/USDT", "int_2").await);
}

#[order_context(
    intent_id = intent, side = "buy", qty = 0.5, limit_px = 45_000.0, quote_budget = 1_000.0, notional = 500.0, tif = "IOC",
    slippage_bps = 5.0, min_notional = 10.0, max_retries = 3, retry_backoff_ms = 250
)]
async fn place_async(symbol: &str, intent: &str) -> Result<u32, std::num::ParseIntError> {
    std::future::pending::<()>().await;
    "7".parse()
}
