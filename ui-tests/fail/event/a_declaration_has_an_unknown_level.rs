tapelog::events! {
    ONE: orders, warn, execution;
    TWO: orders, fatal, execution;
}

fn main() {}
