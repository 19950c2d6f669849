//! The process of one contestant: it does what its parent asks, line by line, and answers with nanoseconds.
//!
//! A process each, because recorders are global: so each has its real, global set-up, its own memory and its own threads.
//! The parent asks them in turn, so that whatever disturbs the machine disturbs all.

use std::hint::black_box;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::clock::{self, Stopwatch};
use crate::contestant::Contestant;
use crate::durable::{self, TapelogDurable};
use crate::floor::{Floor, FloorFields};
use crate::ours::{Tapelog, TapelogAttribute, TapelogNotStarted, TapelogSlot, TapelogUnsealed};
use crate::peers::{emit::Emit, fastrace, slog::Slog, tracing_bare, tracing_json, tracing_layer};
use crate::w2::Nothing;
use crate::workload::{BURST, Order, SPREAD_BPS};

/// Everyone who takes part, by name.
macro_rules! contestants {
    ($($name:literal: $type:ty;)*) => {
        /// Becomes the contestant of this name; ends when the parent closes the pipe.
        pub fn run(name: &str, dir: &Path) {
            match name {
                $($name => serve::<$type>(dir),)*
                _ => panic!("no contestant is called {name}"),
            }
        }
    };
}

contestants! {
    "nothing": Nothing;
    "floor": Floor;
    "floor-fields": FloorFields;
    "tapelog": Tapelog;
    "tapelog-attribute": TapelogAttribute;
    "tapelog-unsealed": TapelogUnsealed;
    "tapelog-not-started": TapelogNotStarted;
    "tapelog-slot": TapelogSlot;
    "tapelog-durable": TapelogDurable;
    "tracing-json": tracing_json::TracingJson;
    "tracing-bare": tracing_bare::TracingBare;
    "tracing-layer": tracing_layer::TracingLayer;
    "tracing-off": tracing_bare::TracingOff;
    "fastrace": fastrace::Fastrace;
    "fastrace-bare": fastrace::FastraceBare;
    "emit": Emit;
    "slog": Slog;
}

fn serve<C: Contestant>(dir: &Path) {
    let watch = Stopwatch::calibrate();
    let order = Order::sample();
    let mut caches = Vec::new();
    let contestant = C::start(dir);
    // The first record of a thread and of a site is set-up; nobody times it.
    C::around(|| {
        C::order(&order, 0);
        C::decide(&order.symbol, SPREAD_BPS);
    });
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("the parent writes UTF-8");
        let mut words = line.split(' ');
        let what = words.next().unwrap_or_default();
        let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let answer = match what {
            "order-burst" => vec![burst::<C>(watch, |at| C::order(black_box(&order), black_box(at)))],
            "order-single" => single::<C>(watch, |at| C::order(black_box(&order), black_box(at))),
            "order-cold" => {
                // Written, so that each page is memory of its own and not the kernel's one page of zeros.
                caches.resize(64 << 20, 1);
                cold::<C>(watch, &caches, || C::order(black_box(&order), black_box(1)))
            }
            "decide-burst" => vec![burst::<C>(watch, |_| {
                black_box(C::decide(black_box(&order.symbol), black_box(SPREAD_BPS)));
            })],
            "sustained" => {
                let seconds = sustained(contestant, &order, number, dir);
                let [rss, shared] = resident_kib();
                answer(&[seconds, rss, shared]);
                return;
            }
            "threads" => threads::<C>(watch, &order, number as usize),
            "durable" => durable::serve(&contestant, &order, number as usize),
            _ => panic!("the parent asked for {line}"),
        };
        self::answer(&answer);
    }
    contestant.finish(0);
}

fn answer(numbers: &[f64]) {
    let text: Vec<_> = numbers.iter().map(f64::to_string).collect();
    println!("{}", text.join(" "));
    std::io::stdout().flush().expect("the parent listens");
}

/// The mean over one burst.
#[inline(never)]
fn burst<C: Contestant>(watch: Stopwatch, mut call: impl FnMut(u32)) -> f64 {
    let mut nanos = 0.0;
    C::around(|| {
        let from = clock::begin();
        for at in 0..BURST {
            call(at);
        }
        nanos = watch.nanos(from, clock::end());
    });
    nanos / f64::from(BURST)
}

/// Every call of one burst by itself.
#[inline(never)]
fn single<C: Contestant>(watch: Stopwatch, mut call: impl FnMut(u32)) -> Vec<f64> {
    let mut nanos = vec![0.0; BURST as usize];
    C::around(|| {
        for (at, nanos) in nanos.iter_mut().enumerate() {
            let from = clock::begin();
            call(at as u32);
            *nanos = watch.nanos(from, clock::end());
        }
    });
    nanos
}

/// The first call after every line of the caches was taken by something else.
#[inline(never)]
fn cold<C: Contestant>(watch: Stopwatch, caches: &[u8], call: impl FnOnce()) -> Vec<f64> {
    let mut nanos = 0.0;
    C::around(|| {
        black_box(caches.iter().step_by(64).map(|byte| u64::from(*byte)).sum::<u64>());
        let from = clock::begin();
        call();
        nanos = watch.nanos(from, clock::end());
    });
    vec![nanos]
}

/// So many orders as fast as they go, until all lines are in files and the disk has them. Seconds.
fn sustained<C: Contestant>(contestant: C, order: &Order, count: u64, dir: &Path) -> f64 {
    let start = Instant::now();
    let (mut recorded, mut since) = (0, 0);
    while recorded < count {
        if since + u64::from(BURST) > C::TAKES {
            contestant.catch_up(recorded);
            since = 0;
        }
        let more = u64::from(BURST).min(count - recorded);
        C::around(|| {
            for at in 0..more {
                C::order(black_box(order), black_box(at as u32));
            }
        });
        recorded += more;
        since += more;
    }
    // The order and the event that `serve` began with are in the files too.
    contestant.finish(recorded + 2);
    for file in crate::files::below(dir) {
        std::fs::File::open(file).and_then(|file| file.sync_all()).expect("the disk takes it");
    }
    start.elapsed().as_secs_f64()
}

/// The largest resident memory so far, and the shared part of what is resident now.
fn resident_kib() -> [f64; 2] {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ["VmHWM:", "RssShmem:"].map(|key| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0");
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0)
    })
}

/// So many threads, all at once, ten bursts each with pauses: the median of the mean of a burst, by the clock and by
/// the thread's processor time.
fn threads<C: Contestant>(watch: Stopwatch, order: &Order, count: usize) -> Vec<f64> {
    const ROUNDS: usize = 10;
    let barrier = Barrier::new(count);
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let one = || {
            C::around(|| C::order(order, 0));
            let mut times = Vec::with_capacity(ROUNDS);
            for _ in 0..ROUNDS {
                std::thread::sleep(Duration::from_millis(20));
                barrier.wait();
                let before = clock::thread_cpu_ns();
                let mean = burst::<C>(watch, |at| C::order(black_box(order), black_box(at)));
                times.push((mean, (clock::thread_cpu_ns() - before) as f64 / f64::from(BURST)));
            }
            times
        };
        let handles: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        for handle in handles {
            for (by_clock, by_cpu) in handle.join().expect("no contestant panics") {
                wall.push(by_clock);
                cpu.push(by_cpu);
            }
        }
    });
    vec![crate::stats::median(&mut wall), crate::stats::median(&mut cpu)]
}
