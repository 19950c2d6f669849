use tapelog::log_performance;

#[log_performance(arg(a), memry, sloer_than = "5ms", what)]
fn one(a: u32) -> u32 {
    a
}

fn main() {
    one(1);
}
