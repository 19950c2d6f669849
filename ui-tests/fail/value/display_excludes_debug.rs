use tapelog::Value;

#[derive(Value)]
struct Quote {
    #[value(display, debug)]
    px: f64,
}

fn main() {
    let _ = Quote { px: 1.0 };
}
