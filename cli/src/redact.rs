//! What leaves the house: lines and manifests without secrets, harmless for a terminal.

use serde_json::Value;
use tapelog::config::{MARK, scrub_text};

/// Names of keys whose values are nobody's business.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "private_key",
    "authorization",
    "cookie",
    "credential",
    "signature",
    "mnemonic",
    "seed_phrase",
    "account",
    "account_id",
    "email",
    "e_mail",
    "phone",
];

/// JSON without secrets; what is no JSON, scrubbed as text.
pub(crate) fn line(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(mut value) => {
            hide(&mut value);
            crate::render::safe_json(&value.to_string()).into_owned()
        }
        Err(_) => crate::render::safe(&scrub_text(line)).into_owned(),
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if is_secret(key) && !value.is_null() {
                    *value = Value::from(MARK);
                } else {
                    hide(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::String(text) => {
            if let std::borrow::Cow::Owned(scrubbed) = scrub_text(text) {
                *text = scrubbed;
            }
        }
        _ => {}
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    // A word of the name, not a part of one: `tokens_left` is harmless, `access_token` is not.
    SECRET
        .iter()
        .any(|name| key == *name || key.ends_with(&format!("_{name}")) || key.ends_with(&format!("-{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_marked_at_every_depth_and_prices_stay() {
        let shown = line(
            r#"{"a":{"api_key":"k","list":[{"password":1}]},"access_token":"t","px":45000.50,"tokens_left":3,"account":null}"#,
        );
        assert_eq!(
            shown,
            format!(
                r#"{{"a":{{"api_key":"{MARK}","list":[{{"password":"{MARK}"}}]}},"access_token":"{MARK}","account":null,"px":45000.5,"tokens_left":3}}"#
            )
        );
        assert!(!line("not json password=hunter2").contains("hunter2"));
    }
}
