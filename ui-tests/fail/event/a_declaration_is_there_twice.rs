tapelog::events! {
    ONE: orders, info, execution;
    ONE: risk, info, risk;
}

fn main() {
    let _ = ONE;
}
