use serde::Serialize;
use tapelog::config::ConfigSnapshot;

#[derive(Serialize, ConfigSnapshot)]
#[config(env_prefx = "ENGINE_")]
struct Engine {
    #[config(secrt)]
    login: String,
    #[config(env = GLOBAL_TRADING)]
    live: bool,
    #[config(env = "max-qty")]
    max_qty: f64,
    #[config(env = "ENGINE_LIMIT", secret, public)]
    limit: f64,
    #[config(env = "ENGINE_LIMIT")]
    other_limit: f64,
    #[config(default = 5)]
    orders: u32,
    #[config(env = "ENGINE_SYMBOLS", default = vec!["BTC"])]
    symbols: Vec<String>,
    #[config(secret)]
    #[serde(skip)]
    cache: String,
    #[config()]
    nothing: u32,
    #[config(secret = true)]
    token: String,
}

#[derive(Serialize, ConfigSnapshot)]
enum Mode {
    #[config(secret)]
    Paper,
    Live,
}

fn main() {}
