tapelog::events! {
    /// A typo.
    pub ONE: order, info, execution;
    /// Nothing like it.
    pub TWO: wherever, info, execution;
    /// No such kind.
    pub THREE: stream "x", info, execution;
}

fn main() {
    let _ = (ONE, TWO, THREE);
}
