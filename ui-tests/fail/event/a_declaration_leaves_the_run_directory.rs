tapelog::events! {
    ONE: "../orders", info, execution;
    TWO: "", info, execution;
    THREE: log "Orders", info, execution;
}

fn main() {}
