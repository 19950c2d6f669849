#![deny(warnings)]

use tapelog::decision;

struct Node {
    value: u32,
    next: Option<Box<Node>>,
}

#[decision]
fn last<'a>(mut node: &'a mut Node) -> Result<&'a mut u32, String> {
    while node.next.is_some() {
        node = node.next.as_mut().ok_or("none")?;
    }
    Ok(&mut node.value)
}

#[decision]
fn rest<'a>(mut text: &'a str, mut skip: usize) -> Result<&'a str, String> {
    while skip > 0 {
        text = &text[1..];
        skip -= 1;
    }
    Ok(text)
}

#[decision]
async fn asynchronous(mut text: &str, mut skip: usize) -> Result<&str, String> {
    while skip > 0 {
        text = &text[1..];
        skip -= 1;
    }
    Ok(text)
}

#[decision]
fn in_place(mut items: Vec<u32>) -> usize {
    items.push(1);
    items.len()
}

fn main() {
    let mut node = Node { value: 1, next: Some(Box::new(Node { value: 2, next: None })) };
    *last(&mut node).unwrap() += 1;
    assert_eq!(node.next.unwrap().value, 3);
    assert_eq!(rest("abc", 2).unwrap(), "c");
    drop(asynchronous("abc", 2));
    assert_eq!(in_place(vec![]), 1);
}
