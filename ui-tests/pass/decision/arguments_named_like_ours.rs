#![deny(warnings)]

use tapelog::{decision, log_performance};

#[decision(fields(decision, result, ended, scope, timer, attempt, future, error, from, defaults))]
#[log_performance(args(decision, result))]
#[allow(clippy::too_many_arguments)]
fn all(
    decision: u32,
    result: u32,
    ended: u32,
    scope: u32,
    timer: u32,
    attempt: u32,
    future: u32,
    error: u32,
    from: u32,
    defaults: u32,
) -> Result<u32, u32> {
    Ok(decision + result + ended + scope + timer + attempt + future + error + from + defaults)
}

#[decision]
async fn asynchronous(decision: u32, result: u32, ended: u32) -> Result<u32, u32> {
    Ok(decision + result + ended)
}

fn call() -> u32 {
    1
}

#[decision]
fn calls_its_own(never: u32) -> Result<u32, u32> {
    Ok(call() + never)
}

fn main() {
    assert_eq!(all(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), Ok(10));
    drop(asynchronous(1, 2, 3));
    assert_eq!(calls_its_own(1), Ok(2));
}
