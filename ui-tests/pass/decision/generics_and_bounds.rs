use std::fmt::{Debug, Display};

use tapelog::decision;

#[decision(fields(value = %value))]
fn generic<T: Display>(value: T) -> T {
    value
}

#[decision]
fn with_where<T, E>(value: Result<T, E>) -> Result<T, E>
where
    T: Debug,
    E: Debug,
{
    value
}

#[decision]
fn unbounded<T, E>(value: Result<T, E>) -> Result<T, E> {
    value
}

#[decision(fields(count = N))]
fn with_const<const N: usize>(items: [u8; N]) -> Result<[u8; N], String> {
    Ok(items)
}

#[decision]
fn with_impl_argument(show: impl Display, also: &dyn Display) -> Result<String, String> {
    Ok(format!("{show}{also}"))
}

#[decision]
fn higher_ranked<F>(f: F) -> Result<usize, String>
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    Ok(f("abc").len())
}

struct Of<T>(T);

impl<T: Clone> Of<T> {
    #[decision]
    fn get(&self) -> T {
        self.0.clone()
    }
    #[decision]
    fn with<U: Into<T>>(&mut self, value: U) -> Result<&T, String> {
        self.0 = value.into();
        Ok(&self.0)
    }
}

fn main() {
    assert_eq!(generic(1), 1);
    assert_eq!(with_where::<u8, u8>(Ok(1)), Ok(1));
    assert_eq!(unbounded::<u8, u8>(Err(1)), Err(1));
    assert_eq!(with_const([1, 2]), Ok([1, 2]));
    assert_eq!(with_impl_argument(1, &2).unwrap(), "12");
    assert_eq!(higher_ranked(|text| &text[1..]), Ok(2));
    let mut of = Of(1_u64);
    assert_eq!(of.get(), 1);
    assert_eq!(of.with(2_u8), Ok(&2));
}
