use tapelog::log_performance;

#[log_performance]
struct One;

#[log_performance]
trait Two {}

#[log_performance]
mod three;

fn main() {
    let _ = One;
}
