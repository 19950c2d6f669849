use tapelog::decision;

#[decision]
fn never() -> ! {
    panic!("never")
}

#[decision]
fn diverges() -> Result<u32, String> {
    loop {
        if true {
            break Ok(1);
        }
    }
}

#[decision]
fn panics() -> Result<u32, String> {
    panic!("the payload")
}

#[decision]
fn unreachable_tail(a: u32) -> Result<u32, String> {
    match a {
        0 => return Ok(1),
        1 => Err("one".to_owned()),
        _ => unreachable!(),
    }
}

#[decision]
async fn never_async() -> ! {
    panic!("never")
}

#[decision]
async fn diverges_async() {
    loop {
        std::future::ready(()).await;
        if true {
            return;
        }
    }
}

#[decision]
async fn todo() -> Result<Vec<u32>, Box<dyn std::error::Error>> {
    todo!()
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    assert!(std::panic::catch_unwind(|| never()).is_err());
    let payload = std::panic::catch_unwind(panics).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"the payload"));
    assert_eq!(diverges(), Ok(1));
    assert_eq!(unreachable_tail(0), Ok(1));
    drop(never_async());
    drop(diverges_async());
    drop(todo());
}
