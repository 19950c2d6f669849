use tapelog::log_performance;

#[log_performance]
fn unit() {}

#[log_performance]
fn explicit_unit() -> () {}

#[log_performance]
fn never() -> ! {
    panic!("never")
}

#[log_performance]
fn borrowed(text: &mut String) -> Result<&mut String, ()> {
    Ok(text)
}

#[log_performance]
fn iterator(items: &[u32]) -> impl DoubleEndedIterator<Item = &u32> + ExactSizeIterator + Clone {
    items.iter()
}

#[log_performance]
fn dynamic(flag: bool) -> &'static dyn std::fmt::Debug {
    if flag { &1 } else { &"x" }
}

#[log_performance]
fn closure_pointer() -> fn(u32) -> u32 {
    |x| x + 1
}

#[log_performance]
fn tuple<const N: usize>() -> ([u8; N], &'static str, (u8,)) {
    ([0; N], "x", (1,))
}

#[log_performance]
fn projected<I: Iterator>(mut items: I) -> <I as Iterator>::Item {
    items.next().unwrap()
}

#[log_performance]
fn short_projected<I: Iterator>(mut items: I) -> Option<I::Item> {
    items.next()
}

macro_rules! ty {
    () => { Result<u32, String> };
}

#[log_performance]
fn macro_type() -> ty!() {
    Ok(1)
}

#[log_performance]
fn parenthesised() -> (Result<u32, String>) {
    Ok(1)
}

fn main() {
    unit();
    explicit_unit();
    borrowed(&mut String::new()).unwrap().push('a');
    assert_eq!(iterator(&[1, 2]).rev().len(), 2);
    assert_eq!(format!("{:?}", dynamic(true)), "1");
    assert_eq!(closure_pointer()(1), 2);
    assert_eq!(tuple::<2>().0.len(), 2);
    assert_eq!(projected([1].into_iter()), 1);
    assert_eq!(short_projected([1].into_iter()), Some(1));
    assert_eq!(macro_type(), parenthesised());
    let _ = never as fn() -> !;
}
