use tapelog::config::Secret;
use tapelog::event;
use tapelog::events::*;

fn main() {
    let api_key = Secret::new(String::from("abc"));
    event!(BUY_BLOCKED, api_key);
    event!(BUY_BLOCKED, api_key = %api_key);
}
