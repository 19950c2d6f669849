use std::collections::BTreeMap;
use std::fmt::Display;

use tapelog::decision;

#[decision]
fn boxed(flag: bool) -> Result<Box<dyn Display>, String> {
    if flag {
        return Ok(Box::new(1));
    }
    Ok(Box::new("text"))
}

#[decision]
fn collected() -> Result<BTreeMap<String, u32>, String> {
    ["a", "b"].iter().map(|key| Ok((key.to_string(), 1))).collect()
}

#[decision]
fn default() -> Wrapper<Vec<u8>> {
    Default::default()
}

#[derive(Default, PartialEq, Debug)]
struct Wrapper<T>(T);

#[decision]
fn pointer() -> Callback {
    // A closure becomes a function pointer.
    |x| x + 1
}

type Callback = fn(u32) -> u32;

#[decision]
fn slice(items: &[u8; 3]) -> Slice<'_> {
    items
}

type Slice<'a> = &'a [u8];

#[decision]
fn integer() -> Result<u8, ()> {
    Ok(255)
}

#[decision]
async fn boxed_async(flag: bool) -> Result<Box<dyn Display + Send>, String> {
    if flag {
        return Ok(Box::new(1));
    }
    Ok(Box::new("text"))
}

#[decision]
async fn collected_async() -> Result<BTreeMap<String, u32>, String> {
    ["a", "b"].iter().map(|key| Ok((key.to_string(), 1))).collect()
}

fn main() {
    assert_eq!(boxed(true).unwrap().to_string(), "1");
    assert_eq!(boxed(false).unwrap().to_string(), "text");
    assert_eq!(collected().unwrap().len(), 2);
    assert_eq!(default(), Wrapper(vec![]));
    assert_eq!(pointer()(1), 2);
    assert_eq!(slice(&[1, 2, 3]).len(), 3);
    assert_eq!(integer(), Ok(255));
    drop(boxed_async(true));
    drop(collected_async());
}
