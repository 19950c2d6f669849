// `#[derive(ConfigSnapshot)]` fills the table that could be written by hand.
use std::collections::BTreeMap;

use serde::Serialize;
use tapelog::config::{Audit, ConfigSnapshot, Environment};

#[derive(Serialize, ConfigSnapshot)]
#[config(env_prefix = "ENGINE_")]
#[serde(rename_all = "camelCase")]
struct Engine {
    #[config(env = "GLOBAL_TRADING", default = false)]
    live_trading: bool,
    #[config(env = "ENGINE_MAX_QTY", default = 1.5)]
    #[serde(rename = "max")]
    max_qty: f64,
    #[config(secret, env = "ENGINE_LOGIN")]
    venue_login: String,
    #[config(public)]
    base_token: String,
    #[config(nested)]
    risk: Risk,
    #[config(nested)]
    venues: Vec<Venue>,
    #[config(nested)]
    by_name: BTreeMap<String, Option<Venue>>,
    #[config(nested)]
    #[serde(flatten)]
    flat: Flat,
    #[config(nested)]
    kind: Kind,
    #[serde(skip)]
    #[allow(dead_code)]
    cache: Vec<u8>,
}

#[derive(Serialize, ConfigSnapshot)]
struct Risk {
    #[config(env = "RISK_MAX_NOTIONAL", default = -5, parse = |text| text.parse::<i64>().ok().map(Into::into))]
    max_notional: i64,
}

#[derive(Serialize, ConfigSnapshot)]
struct Venue {
    name: String,
    #[config(secret)]
    login: String,
}

#[derive(Serialize, ConfigSnapshot)]
struct Flat {
    #[config(env = "ENGINE_REGION", default = "eu \"west\"")]
    region: String,
}

#[derive(Serialize, ConfigSnapshot)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
enum Kind {
    Paper,
    LiveTrading {
        #[config(secret)]
        gateway: String,
    },
    Other(#[config(nested)] Venue),
}

#[derive(Serialize, ConfigSnapshot)]
struct Limit(#[config(env = "ENGINE_LIMIT")] u32);

#[derive(Serialize, ConfigSnapshot)]
struct Generic<T, U> {
    #[config(nested)]
    inner: T,
    plain: U,
}

fn main() {
    let table = Engine::TABLE;
    let names: Vec<_> = table.env.iter().map(|binding| (binding.name, binding.path, binding.default)).collect();
    assert_eq!(
        names,
        [
            ("GLOBAL_TRADING", "liveTrading", Some("false")),
            ("ENGINE_MAX_QTY", "max", Some("1.5")),
            ("ENGINE_LOGIN", "venueLogin", None),
        ]
    );
    assert_eq!((table.secrets, table.public), (&["venueLogin"][..], &["baseToken"][..]));
    let nested: Vec<_> = table.nested.iter().map(|(path, _)| *path).collect();
    assert_eq!(nested, ["risk", "venues", "byName", "", "kind"]);
    assert_eq!(table.env_prefix, Some("ENGINE_"));
    assert_eq!(Kind::TABLE.secrets, ["live_trading.gateway"]);
    assert_eq!(Kind::TABLE.nested[0].0, "other");
    assert_eq!(Limit::TABLE.env[0].path, "");
    assert_eq!(<Generic<Risk, u8>>::TABLE.nested[0].1.env[0].name, "RISK_MAX_NOTIONAL");

    let venue = || Venue { name: "a".into(), login: "SECRET-LOGIN".into() };
    let engine = Engine {
        live_trading: true,
        max_qty: 1.5,
        venue_login: "SECRET-LOGIN".into(),
        base_token: "ETH".into(),
        risk: Risk { max_notional: 7 },
        venues: vec![venue()],
        by_name: BTreeMap::from([("a".to_owned(), Some(venue()))]),
        flat: Flat { region: "us".into() },
        kind: Kind::LiveTrading { gateway: "SECRET-LOGIN".into() },
        cache: Vec::new(),
    };
    let root = std::env::temp_dir().join(format!("tapelog-ui-config-{}", std::process::id()));
    let report = Audit::new(&root, "engine", "session_20260105_093000")
        .environment(Environment::from_iter([
            ("GLOBAL_TRADING", "true"),
            ("ENGINE_MAX_QTY", "1.5"),
            ("ENGINE_REGION", "us"),
            ("RISK_MAX_NOTIONAL", "seven"),
            ("ENGINE_MAX_QYT", "2"),
        ]))
        .run_snapshot(&engine)
        .unwrap();
    let shown = format!("{report:?}");
    assert!(!shown.contains("SECRET-LOGIN"), "{shown}");
    assert_eq!(report.current.config["baseToken"], "ETH");
    let overrides = &report.overrides;
    assert_eq!(overrides.overrides["GLOBAL_TRADING"], "true (from env)");
    assert_eq!(overrides.overrides["ENGINE_REGION"], "us (from env)");
    assert_eq!(overrides.override_details.len(), 4);
    assert_eq!(overrides.unknown_variables[0].suggestion.as_deref(), Some("ENGINE_MAX_QTY"));
    std::fs::remove_dir_all(&root).unwrap();
}
