use tapelog::log_performance;

#[log_performance(slower_than = "5")]
fn one() {}

#[log_performance(slower_than = 5)]
fn two() {}

#[log_performance(slower_than = "0ms")]
fn three() {}

fn main() {
    one();
    two();
    three();
}
