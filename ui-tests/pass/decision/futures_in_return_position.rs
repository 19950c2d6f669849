use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tapelog::decision;

#[decision(kind = "buy", fields(a))]
fn returned(a: u32) -> impl Future<Output = Result<u32, Box<dyn std::error::Error>>> + Send {
    async move {
        "1".parse::<u32>()?;
        Ok(a)
    }
}

#[decision(verdict = |result: &Result<u32, String>| result.is_ok())]
fn boxed<'a>(a: &'a u32) -> Pin<Box<dyn Future<Output = Result<u32, String>> + Send + 'a>> {
    if *a == 0 {
        return Box::pin(std::future::ready(Err(String::new())));
    }
    Box::pin(async move { Ok(*a) })
}

#[decision]
fn local(a: std::rc::Rc<u32>) -> Pin<Box<dyn Future<Output = u32>>> {
    Box::pin(async move { *a })
}

#[decision]
fn unpin() -> impl Future<Output = u32> + Unpin {
    std::future::ready(1)
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[decision]
fn alias(a: &u32) -> BoxFuture<'_, u32> {
    Box::pin(async move { *a })
}

fn now<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!(),
    }
}

fn main() {
    assert_eq!(now(returned(1)).unwrap(), 1);
    assert_eq!(now(boxed(&2)), Ok(2));
    assert!(now(boxed(&0)).is_err());
    assert_eq!(now(local(std::rc::Rc::new(3))), 3);
    assert_eq!(now(unpin()), 1);
    assert_eq!(now(alias(&4)), 4);
}
