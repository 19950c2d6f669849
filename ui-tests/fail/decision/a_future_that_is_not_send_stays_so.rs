use std::rc::Rc;

use tapelog::decision;

#[decision]
async fn with_rc() -> u32 {
    let rc = Rc::new(1);
    std::future::ready(()).await;
    *rc
}

fn spawn(_future: impl Future + Send) {}

fn main() {
    spawn(with_rc());
}
