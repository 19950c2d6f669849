#[derive(tapelog::Event)]
struct HedgePlaced {
    qty: f64,
}

fn main() {
    tapelog::event!(HedgePlaced { qty: 1.0 });
}
