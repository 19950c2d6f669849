use std::fmt::Display;

use tapelog::decision;

#[decision]
fn iterator<'a, T: Clone>(items: &'a [T]) -> impl Iterator<Item = T> + use<'a, T> {
    items.iter().cloned()
}

#[decision]
fn closure() -> impl Fn(i32) -> i32 {
    // The argument's type is known from the signature alone.
    |x| x.pow(2)
}

#[decision]
fn inside_a_result(fail: bool) -> Result<impl Iterator<Item = u32>, Box<dyn std::error::Error>> {
    if fail {
        "x".parse::<u32>()?;
    }
    Ok((0..3).map(|x| x + 1))
}

#[decision]
fn nested() -> Option<impl Fn() -> Box<dyn Display>> {
    Some(|| Box::new(1) as Box<dyn Display>)
}

#[decision]
async fn in_async() -> impl Display {
    1
}

#[decision]
async fn in_async_result() -> Result<impl Display, Box<dyn std::error::Error>> {
    Ok("1".parse::<u32>()?)
}

fn main() {
    assert_eq!(iterator(&[1, 2]).count(), 2);
    assert_eq!(closure()(3), 9);
    assert_eq!(inside_a_result(false).unwrap().sum::<u32>(), 6);
    assert!(inside_a_result(true).is_err());
    assert_eq!(nested().unwrap()().to_string(), "1");
    drop(in_async());
    drop(in_async_result());
}
