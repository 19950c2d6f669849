use tapelog::decision;

#[decision]
struct Order {
    px: f64,
}

fn main() {
    let _ = Order { px: 1.0 }.px;
}
