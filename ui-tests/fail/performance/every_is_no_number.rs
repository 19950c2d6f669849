use tapelog::log_performance;

#[log_performance(every = 0)]
fn one() {}

#[log_performance(every = "100")]
fn two() {}

fn main() {
    one();
    two();
}
