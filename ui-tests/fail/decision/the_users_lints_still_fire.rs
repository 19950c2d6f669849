#![deny(warnings)]

use tapelog::decision;

#[decision]
fn with_result(unused: u32) -> Result<u32, String> {
    let mut never_changed = 1;
    "1".parse::<u32>();
    return Ok(never_changed);
    never_changed = 2;
}

#[decision]
fn with_mut(mut argument: u32) -> Result<u32, String> {
    Ok(argument)
}

#[decision]
#[must_use]
fn must_use() -> u32 {
    1
}

#[decision]
async fn in_async(unused: u32) -> Result<u32, String> {
    let mut never_changed = 1;
    Ok(never_changed)
}

fn main() {
    with_result(1).ok();
    with_mut(1).ok();
    must_use();
    drop(in_async(1));
}
