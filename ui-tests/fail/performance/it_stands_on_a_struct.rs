use tapelog::log_performance;

#[log_performance]
struct One;

#[log_performance]
trait Two {}

fn main() {
    let _ = One;
}
