//! What lints must speak of, on the same lines whether the function is annotated or not.
#![warn(warnings, clippy::all, clippy::pedantic, clippy::nursery, clippy::unwrap_used, clippy::print_stderr)]

use std::collections::HashMap;

#[cfg_attr(annotated, tapelog::decision)]
fn dead_code() {}

#[cfg_attr(annotated, tapelog::decision(fields(qty)))]
pub fn unused_mut(qty: u32) -> Result<u32, String> {
    let mut sum = qty;
    Ok(sum)
}

#[cfg_attr(annotated, tapelog::log_performance)]
pub fn unused_mut_argument(mut qty: u32) -> Result<u32, String> {
    Ok(qty)
}

#[cfg_attr(annotated, tapelog::decision)]
pub fn needless_return(qty: u32) -> Result<u32, String> {
    let sum = qty + 1;
    return Ok(sum);
}

#[cfg_attr(annotated, tapelog::log_performance(args(text)))]
pub fn unwrap_used(text: &str) -> Result<u32, String> {
    Ok(text.parse().unwrap())
}

#[cfg_attr(annotated, tapelog::decision)]
pub fn print_stderr() {
    eprintln!("lost");
}

#[cfg_attr(annotated, tapelog::decision)]
pub async fn unused_variable() -> Result<(), String> {
    let unused = 3;
    std::future::ready(()).await;
    Ok(())
}

#[cfg_attr(annotated, tapelog::decision)]
#[cfg_attr(annotated, tapelog::log_performance)]
pub fn needless_clone(text: String) -> Result<usize, String> {
    let copy = text.clone();
    Ok(copy.len())
}

#[cfg_attr(annotated, tapelog::decision)]
pub fn map_entry(map: &mut HashMap<u32, u32>) -> Result<(), String> {
    if !map.contains_key(&1) {
        map.insert(1, 2);
    }
    Ok(())
}

#[cfg_attr(annotated, tapelog::decision)]
pub fn unreachable_code() -> Result<u32, String> {
    return Ok(1);
    #[allow(clippy::no_effect)]
    2;
    Ok(3)
}

#[cfg_attr(annotated, tapelog::decision)]
pub fn unused_must_use() -> Result<(), String> {
    dead_result();
    Ok(())
}

#[cfg_attr(annotated, tapelog::log_performance)]
fn dead_result() -> Result<(), String> {
    Err(String::new())
}
