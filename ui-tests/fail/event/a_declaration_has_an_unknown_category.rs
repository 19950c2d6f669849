tapelog::events! {
    ONE: orders, info, orders;
    TWO: orders, info, executon;
}

fn main() {}
