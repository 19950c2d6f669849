use std::panic::Location;

use tapelog::{decision, log_performance};

#[track_caller]
#[decision]
#[log_performance]
fn line() -> Result<u32, ()> {
    Ok(Location::caller().line())
}

#[decision]
#[track_caller]
fn line_of_a_number() -> u32 {
    Location::caller().line()
}

fn main() {
    assert_eq!(line(), Ok(line!()));
    assert_eq!(line_of_a_number(), line!());
}
