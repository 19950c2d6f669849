#![deny(warnings)]

use tapelog::{decision, log_performance};

struct Router<T> {
    last: Option<T>,
}

#[log_performance(slower_than = "5ms")]
impl<T: Clone> Router<T> {
    const LIMIT: u32 = 3;

    /// Not measured: it runs in the compiler.
    const fn new() -> Self {
        Self { last: None }
    }

    fn last_placed(&mut self) -> Option<&mut T> {
        self.last.as_mut()
    }

    #[tapelog(skip)]
    fn limit(&self) -> u32 {
        Self::LIMIT
    }

    #[log_performance(args(value))]
    fn already(&self, value: u32) -> u32 {
        value
    }

    #[decision(kind = "buy")]
    fn decided(&self) -> Result<(), String> {
        Ok(())
    }

    async fn asynchronous(&self) -> Option<T> {
        self.last.clone()
    }
}

#[log_performance]
impl<T> Iterator for Router<T> {
    type Item = T;

    fn next(&mut self) -> Option<Self::Item> {
        self.last.take()
    }
}

fn main() {
    let mut router = Router::<u32>::new();
    assert!(router.last_placed().is_none());
    assert_eq!(router.limit() + router.already(1), 4);
    router.decided().unwrap();
    drop(router.asynchronous());
    assert_eq!(router.count(), 0);
}
