use tapelog::{decision, log_performance};

macro_rules! chain {
    ($name:ident $next:ident $($rest:ident)*) => {
        #[decision(kind = "buy", fields(a))]
        #[log_performance]
        async fn $name(a: u32) -> Result<u32, String> {
            Ok($next(a).await? + 1)
        }
        chain!($next $($rest)*);
    };
    ($name:ident) => {
        #[decision]
        async fn $name(a: u32) -> Result<u32, String> {
            Ok(a)
        }
    };
}

chain!(f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12);

fn is_send<T: Send>(_: &T) {}

fn main() {
    is_send(&f1(1));
}
