//! A program that panics. A test builds it anew with `-C panic=abort`: then nothing unwinds. `aborting panic ROOT`.

use tapelog::Recorder;
use tapelog::events::ORDER_CONTEXT;

fn main() {
    let root = std::env::args().nth(2).expect("a root");
    let _tape = Recorder::builder("aborting").root(root).heartbeat(None).start().expect("it starts");
    for n in 0..50_u64 {
        tapelog::event!(ORDER_CONTEXT, n, "order {n}");
    }
    panic!("the engine is gone");
}
