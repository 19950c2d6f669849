#![allow(non_camel_case_types)]

use tapelog::decision;

struct Order {
    symbol: String,
    qty: f64,
}

#[decision(fields(symbol, qty, first, a, b, r#type))]
fn destructured(
    Order { symbol, qty }: Order,
    (a, mut b): (u32, u32),
    [first, ..]: [u8; 3],
    &copied: &u32,
    _: String,
    r#type: &str,
    ref by_ref: String,
    _unused: u32,
) -> Result<u32, String> {
    b += 1;
    let _ = (symbol, qty, first, r#type, by_ref);
    Ok(a + b + copied)
}

#[decision(fields(symbol))]
async fn asynchronous(Order { symbol, .. }: Order, (a, mut b): (u32, u32), _: String, r#fn: u8) -> Result<u32, String> {
    b += u32::from(r#fn);
    Ok(a + b + symbol.len() as u32)
}

#[decision]
fn r#match(#[allow(unused_variables)] a: u32, #[cfg(any())] b: u32) {}

fn main() {
    let order = || Order { symbol: "BTC".into(), qty: 1.0 };
    assert_eq!(destructured(order(), (1, 2), [1, 2, 3], &4, String::new(), "x", String::new(), 0), Ok(8));
    drop(asynchronous(order(), (1, 2), String::new(), 1));
    r#match(1);
}
