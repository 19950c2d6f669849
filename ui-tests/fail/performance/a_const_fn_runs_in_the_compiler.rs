use tapelog::log_performance;

#[log_performance]
pub const fn one() {}

fn main() {
    one();
}
