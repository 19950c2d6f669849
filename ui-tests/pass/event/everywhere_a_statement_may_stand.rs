use tapelog::{event, events::*, verdict};

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        event!(BUY_BLOCKED, "dropped");
    }
}

fn expression(flag: bool) -> Option<()> {
    let _guard = Guard;
    if flag { event!(BUY_BLOCKED) } else { verdict!(passed) }
    match flag {
        true => event!(BUY_BLOCKED, a = Some(1)?),
        false => event!(BUY_BLOCKED),
    }
    let closure = |a: u32| event!(BUY_BLOCKED, a, "closure {a}");
    closure(1);
    for i in 0..2 {
        event!(BUY_BLOCKED, i);
    }
    Some(event!(BUY_BLOCKED))
}

async fn asynchronous() {
    event!(BUY_BLOCKED, a = std::future::ready(1).await);
}

macro_rules! wrapped {
    ($name:path, $value:expr) => {{
        let inner = 1;
        event!($name, value = $value, inner, "{inner}")
    }};
}

fn main() {
    expression(true);
    let outer = 2;
    wrapped!(BUY_BLOCKED, outer + 1);
    drop(asynchronous());
}
