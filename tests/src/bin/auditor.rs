//! The process that audits its configuration, full of secrets. `auditor SCENARIO ROOT [INPUT]`.
//!
//! Its variables: `ENGINE_MAX_QTY`, `GLOBAL_TRADING`, `ENGINE_PASSWORD`, `ENGINE_LIMITS__MAX_NOTIONAL`.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tapelog::config::{ConfigSnapshot, Secret};
use tapelog::events::ERROR;
use tapelog::{Recorder, decision, event};
use tapelog_tests::canary;

#[derive(Serialize, ConfigSnapshot)]
#[config(env_prefix = "ENGINE_")]
struct Engine {
    #[config(env = "ENGINE_MAX_QTY", default = 1.5)]
    max_qty: f64,
    #[config(env = "GLOBAL_TRADING", default = false)]
    live: bool,
    symbols: Vec<Symbol>,
    #[config(env = "ENGINE_PASSWORD")]
    password: String,
    #[config(secret)]
    venue_login: String,
    typed: Secret<String>,
    url: String,
    session: String,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Symbol {
    symbol: &'static str,
    spread_bps: f64,
}

fn engine() -> Engine {
    let variable = |name: &str| std::env::var(name).ok();
    Engine {
        max_qty: variable("ENGINE_MAX_QTY").and_then(|text| text.parse().ok()).unwrap_or(1.5),
        live: variable("GLOBAL_TRADING").is_some_and(|text| text == "true"),
        symbols: vec![Symbol { symbol: "BTC/USDT", spread_bps: 20.0 }],
        password: variable("ENGINE_PASSWORD").unwrap_or_else(|| canary::PASSWORD.to_owned()),
        venue_login: canary::LOGIN.to_owned(),
        typed: Secret::new(canary::TYPED.to_owned()),
        url: format!("postgres://engine:{}@db.example.org/orders", canary::IN_URL),
        session: canary::JWT.to_owned(),
        notes: vec![
            canary::AWS.to_owned(),
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", canary::PEM),
        ],
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, scenario, root, rest @ ..] = &args[..] else {
        eprintln!("usage: auditor SCENARIO ROOT [INPUT]");
        std::process::exit(2);
    };
    // The words of a panic go to stderr by std's hook, which is the application's own; here only ours is looked at.
    std::panic::set_hook(Box::new(|_| ()));
    let tape = Recorder::builder("engine")
        .root(root)
        .build(tapelog::build_info!())
        .start()
        .expect("the recorder starts");
    let mut config = engine();
    let input = rest.first().map(Path::new);
    match scenario.as_str() {
        "audit" => {
            audited(&tape, &config, input);
        }
        "reload" => {
            audited(&tape, &config, input);
            let again = |config: &Engine, by| {
                tape.config_audit().reload(by).record_snapshot(config).expect("it is a configuration")
            };
            again(&config, "SIGHUP");
            config.symbols[0].spread_bps = 34.0;
            again(&config, "operator alice");
        }
        "secrets" | "secrets-killed" => {
            audited(&tape, &config, input);
            println!("{config}");
            fails(&config);
            if scenario == "secrets-killed" {
                tape.flush().expect("it is written");
                // SAFETY: ends this process.
                unsafe { libc::kill(std::process::id() as libc::pid_t, libc::SIGKILL) };
            }
        }
        "evidence" => wait_for_the_hash(&tape),
        "figment" => loaded_by_figment(&tape, input.expect("a file is given")),
        "config" => loaded_by_config(&tape, input.expect("a file is given")),
        other => {
            eprintln!("no scenario `{other}`");
            std::process::exit(2);
        }
    }
    tape.finish().expect("all is written");
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.typed, tapelog::config::scrub_text(&self.url))
    }
}

fn audited(tape: &Recorder, config: &Engine, input: Option<&Path>) {
    let audit = tape.config_audit();
    let audit = if let Some(file) = input { audit.source(file) } else { audit };
    let report = audit.record_snapshot(config).expect("it is a configuration");
    println!("{report:?}");
}

/// An error and a panic whose words hold secrets, within a decision.
fn fails(config: &Engine) {
    event!(ERROR, error = %format!("{:?}", config.typed), "the venue refused");
    let _refused = refused(config);
    let thread = std::thread::Builder::new().name("strategy".into());
    let panics = thread.spawn({
        let words = format!("token {} of {:?}, key {}", config.session, config.typed, canary::AWS);
        move || panic!("{words}")
    });
    drop(panics.expect("a thread starts").join());
    std::thread::sleep(Duration::from_millis(300));
}

#[decision(kind = "buy")]
fn refused(config: &Engine) -> Result<(), String> {
    Err(format!(
        "the venue refused `Bearer {}` at {}",
        config.session,
        tapelog::config::scrub_text(&config.url)
    ))
}

fn wait_for_the_hash(tape: &Recorder) {
    let start = Instant::now();
    let known = || {
        let text = std::fs::read_to_string(tape.dir().join("run.json")).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text)
            .is_ok_and(|run| run["executable_sha256"].as_str().is_some_and(|hash| !hash.is_empty()))
    };
    while !known() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What both loaders read.
#[derive(Serialize, Deserialize)]
struct Loaded {
    limits: Limits,
    venue: String,
}

#[derive(Serialize, Deserialize)]
struct Limits {
    max_qty: f64,
    max_notional: f64,
}

fn loaded_by_figment(tape: &Recorder, file: &Path) {
    use figment::Figment;
    use figment::providers::{Env, Format as _, Toml};

    let figment = Figment::new().merge(Toml::file(file)).merge(Env::prefixed("ENGINE_").split("__"));
    let config: Loaded = figment.extract().expect("the file is whole");
    tape.config_audit().figment(&figment).record(&config).expect("it is a configuration");
}

fn loaded_by_config(tape: &Recorder, file: &Path) {
    let loaded = config::Config::builder()
        .add_source(config::File::from(file))
        .add_source(config::Environment::with_prefix("ENGINE").prefix_separator("_").separator("__"))
        .build()
        .expect("the file is whole");
    let config: Loaded = loaded.clone().try_deserialize().expect("the file is whole");
    tape.config_audit().loaded(&loaded).record(&config).expect("it is a configuration");
}
