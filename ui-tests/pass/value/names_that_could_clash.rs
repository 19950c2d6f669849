#![deny(warnings)]

use tapelog::{Value, event, events::*};

#[derive(Value)]
struct Out {
    out: u32,
    size: u32,
    encode: u32,
    field_0: u32,
}

#[derive(Value)]
enum Value2 {
    Out(Out),
    End,
}

fn main() {
    event!(BUY_BLOCKED, a = Value2::Out(Out { out: 1, size: 1, encode: 1, field_0: 1 }), b = Value2::End);
}
