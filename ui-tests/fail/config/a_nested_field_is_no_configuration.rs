use serde::Serialize;
use tapelog::config::ConfigSnapshot;

#[derive(Serialize)]
struct Risk {
    max_notional: f64,
}

#[derive(Serialize, ConfigSnapshot)]
struct Engine {
    #[config(nested)]
    risk: Risk,
}

fn main() {}
