use tapelog::decision;

#[decision]
enum Side {
    Buy,
}

#[decision]
trait Strategy {}

#[decision]
mod inner {}

#[decision]
const A: u8 = 1;

#[decision]
static B: u8 = 1;

#[decision]
type C = u8;

#[decision]
use std::fmt as _;

#[decision]
macro_rules! d {
    () => {};
}

fn main() {
    let _: (Side, C) = (Side::Buy, A + B);
    d!();
}
