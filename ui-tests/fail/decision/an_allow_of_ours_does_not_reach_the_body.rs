#![deny(clippy::all, unreachable_code)]

use tapelog::decision;

#[decision]
async fn unreachable() -> u32 {
    return 1;
    2
}

fn main() {
    drop(unreachable());
}
