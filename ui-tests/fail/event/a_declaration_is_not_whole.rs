tapelog::events! {
    ONE;
    TWO: orders;
    THREE: orders, info;
    FOUR: orders, info, execution, more;
    const FIVE: orders, info, execution;
    "SIX": orders, info, execution;
}

fn main() {}
