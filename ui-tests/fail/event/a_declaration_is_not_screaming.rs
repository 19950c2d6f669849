tapelog::events! {
    hedge_placed: orders, info, execution;
    HedgePlaced: orders, info, execution;
}

fn main() {}
