//! Another build of a program: other sites, in another order, under other numbers. It recovers what the victim left.
//! `other start ROOT`.

use tapelog::Recorder;
use tapelog::events::{DASH_EVENT, ERROR, SELL_FILLED};

fn main() {
    let root = std::env::args().nth(2).expect("a root");
    let tape = Recorder::builder("other").root(root).heartbeat(None).start().expect("it starts");
    tapelog::event!(SELL_FILLED, client = "c", "another first site");
    tapelog::event!(DASH_EVENT, "another second site");
    tapelog::event!(ERROR, "another third site");
    tape.finish().expect("the run ends");
}
