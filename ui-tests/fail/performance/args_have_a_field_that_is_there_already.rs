use tapelog::log_performance;

#[log_performance(args(operation, outcome = 1, thread = 2))]
fn one(operation: &str) -> usize {
    operation.len()
}

fn main() {
    one("x");
}
