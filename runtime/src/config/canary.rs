//! Known secrets are put everywhere a configuration can hold one, and looked for everywhere an audit puts text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::files::tests::TempDir;
use super::*;

/// Part of every secret below. No part of it may come out anywhere.
const CANARY: &str = "KANARIENVOGEL";

#[derive(Serialize, Debug, Clone, Default)]
struct Engine {
    symbol: String,
    max_qty: f64,
    wrapped: Secret<String>,
    wrapped_map: Secret<BTreeMap<String, String>>,
    maybe: Option<Secret<String>>,
    api_key: Text,
    #[serde(rename = "clientSecret")]
    client_secret: Text,
    declared: Text,
    credentials: BTreeMap<String, String>,
    database: Text,
    note: Text,
    header: Text,
    keys: Vec<Text>,
    tenants: BTreeMap<String, u32>,
    nested: Vec<Option<Inner>>,
}

#[derive(Serialize, Debug, Clone, Default)]
struct Inner {
    name: String,
    passphrase: (Text, u32),
}

/// `Debug` of the test's own type hides it, so that only what the audit prints is looked at.
#[derive(Serialize, Clone, Default)]
struct Text(String);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text")
    }
}

impl ConfigSnapshot for Engine {
    const TABLE: ConfigTable = ConfigTable {
        secrets: &["declared"],
        env: &[
            EnvBinding::new("BOT_WRAPPED", "wrapped"),
            EnvBinding::new("BOT_DECLARED", "declared"),
            EnvBinding::new("BOT_DATABASE", "database"),
            EnvBinding::new("BOT_MAX_QTY", "max_qty"),
            EnvBinding::new("BOT_API_KEY", "symbol"),
        ],
        ..ConfigTable::EMPTY
    };
}

fn engine(turn: u32) -> Engine {
    let secret = |kind: &str| format!("{CANARY}-{kind}-{turn}");
    let text = |kind: &str| Text(secret(kind));
    Engine {
        symbol: "BTC/USDT".to_owned(),
        max_qty: f64::from(turn),
        wrapped: secret("wrapped").into(),
        wrapped_map: BTreeMap::from([(secret("key"), secret("value"))]).into(),
        maybe: Some(secret("maybe").into()),
        api_key: text("named"),
        client_secret: text("camel"),
        declared: text("declared"),
        credentials: BTreeMap::from([(secret("user"), secret("password"))]),
        database: Text(format!(
            "postgres://bot:{}@db/trades?password={}&x=1",
            secret("url"),
            secret("query")
        )),
        note: Text(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", secret("pem"))),
        header: Text(format!("Authorization: Bearer {}", secret("bearer"))),
        keys: vec![Text(format!("9f86d081884c7d65{CANARY}9a2feaa0c55ad015{turn}"))],
        tenants: BTreeMap::from([(format!("ghp_{CANARY}abcdefghijklmnop{turn}"), 1)]),
        nested: vec![None, Some(Inner { name: "okx".to_owned(), passphrase: (text("tuple"), 451) })],
    }
}

fn environment(turn: u32) -> Environment {
    let secret = |kind: &str| format!("{CANARY}-{kind}-{turn}");
    Environment::from_iter([
        ("BOT_WRAPPED", secret("wrapped")),
        ("BOT_DECLARED", secret("declared")),
        ("BOT_DATABASE", format!("postgres://bot:{}@db", secret("url"))),
        ("BOT_MAX_QTY", format!("password={}", secret("unparsable"))),
        ("BOT_API_KEY", secret("env")),
        ("BOT_WARPPED", secret("typo")),
    ])
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    assert!(!text.to_uppercase().contains(CANARY), "{what}: {text}");
}

fn assert_clean_files(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_clean_files(&path);
        } else {
            assert_clean(&path.display().to_string(), &String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn no_secret_leaves_an_audit_by_any_way() {
    // Issue 5.4: canary secrets are searched for in all output.
    let root = TempDir::new("canary");
    for turn in 1..=3 {
        let session = format!("session_20260105_09300{turn}");
        let audit = Audit::new(root.path(), "execution", &session)
            .run_dir(root.path().join(&session).join("7"))
            .environment(environment(turn))
            .env_prefix("BOT_")
            .defaults(&engine(0))
            .trigger(format!("operator with token={CANARY}"))
            .source(format!("/nowhere/{CANARY}").replace(CANARY, "x"));
        assert_clean("the audit", &format!("{audit:?}"));
        let report = audit.run_snapshot(&engine(turn)).unwrap();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert_clean("the report", &format!("{report:?} {report:#?}"));
        assert_clean(
            "the messages",
            &format!("{} {:?} {}", report.hash_message(), report.drift_message(), report.overrides.message()),
        );
        assert_clean("the overrides", &serde_json::to_string(&report.overrides).unwrap());
        assert_clean("the snapshot", &serde_json::to_string(&report.current).unwrap());
        if let Some(diff) = &report.diff {
            assert_clean("the diff", &serde_json::to_string(diff).unwrap());
            let rotated: Vec<&str> = diff
                .changes
                .iter()
                .filter(|change| change.secret)
                .map(|change| change.path.as_str())
                .collect();
            assert_eq!(
                rotated,
                [
                    "/api_key",
                    "/clientSecret",
                    "/credentials",
                    "/database",
                    "/declared",
                    "/header",
                    "/keys/0",
                    "/maybe",
                    "/nested/1/passphrase",
                    "/note",
                    "/tenants/[redacted]",
                    "/wrapped",
                    "/wrapped_map",
                ],
                "every rotated secret shows"
            );
        }
        assert_eq!(report.current.config["nested"][1]["name"], "okx", "what is not secret stays readable");
        assert_eq!(
            report.current.config["database"],
            "postgres://[redacted]@db/trades?password=[redacted]&x=1"
        );
    }
    assert_clean_files(root.path());
}

#[test]
fn no_secret_is_in_an_error() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom(format!("cannot use `password={CANARY}` at wss://u:{CANARY}@x")))
        }
    }
    let root = TempDir::new("canary-error");
    let configs: [BTreeMap<String, Vec<Fails>>; 3] = [
        BTreeMap::from([("plain".to_owned(), vec![Fails])]),
        BTreeMap::from([(format!("ghp_{CANARY}abcdefghijklmnop"), vec![Fails])]),
        BTreeMap::from([("passwords".to_owned(), vec![Fails])]),
    ];
    for config in configs {
        let error = Audit::new(root.path(), "execution", "session_20260105_093000").run(&config).unwrap_err();
        assert_clean("the error", &format!("{error} {error:?}"));
    }
    // A snapshot that somebody replaced by other JSON is not quoted either.
    let path = root.path().join("config.json");
    for text in [
        format!("{{\"format\":1,\"service\":{CANARY}"),
        format!("{{\"format\":1,\"config_hash\":[\"{CANARY}\"]}}"),
    ] {
        fs::write(&path, text).unwrap();
        let error = StoredConfig::read(&path).unwrap_err();
        assert_clean("the error", &format!("{error} {error:?}"));
    }
}

#[test]
fn the_hash_does_not_depend_on_any_secret() {
    // Otherwise a short secret could be guessed from the hash.
    let hash = |turn: u32| {
        let root = TempDir::new("canary-hash");
        let config = Engine { max_qty: 1.0, ..engine(turn) };
        Audit::new(root.path(), "execution", "session_20260105_093000")
            .run_snapshot(&config)
            .unwrap()
            .current
            .config_sha256
    };
    assert_eq!(hash(1), hash(2));
}
