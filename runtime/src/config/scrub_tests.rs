//! What the scrubber hides, and what it leaves.

use std::borrow::Cow;

use super::scrub_text;

#[track_caller]
fn check(text: &str, expected: &str) {
    let scrubbed = scrub_text(text);
    assert_eq!(scrubbed, expected);
    assert_eq!(scrub_text(&scrubbed), expected, "scrubbing twice changes nothing more");
}

#[track_caller]
fn unchanged(text: &str) {
    assert!(matches!(scrub_text(text), Cow::Borrowed(same) if same == text), "{}", scrub_text(text));
}

#[test]
fn values_behind_secret_names_are_hidden_in_every_notation() {
    // Issue 5.4: by key pattern.
    check("password=hunter2", "password=[redacted]");
    check("password = hunter2, user = bot", "password = [redacted], user = bot");
    check("login failed, passphrase: correct horse battery", "login failed, passphrase: [redacted]");
    check(r#"{"apiKey":"abc","qty":1}"#, r#"{"apiKey":"[redacted]","qty":1}"#);
    check(r#"body "{\"apiKey\":\"a\\\"bc\",\"qty\":1}""#, r#"body "{\"apiKey\":\"[redacted]\",\"qty\":1}""#);
    check(r#"Venue { api_key: Some("abc"), qty: 1 }"#, "Venue { api_key: [redacted], qty: 1 }");
    check(
        r#"C { credentials: Credentials { user: "u", pw: "}" }, n: 1 }"#,
        "C { credentials: [redacted], n: 1 }",
    );
    check(r#"tokens: ["a", "b"] end"#, "tokens: [redacted] end");
    check(r#"secret: b"\x01\"2", n: 1"#, r#"secret: b"[redacted]", n: 1"#);
    check("Server=db;Password=a,b;c&d;Pooling=true", "Server=db;Password=[redacted];Pooling=true");
    check("X-MBX-APIKEY: abcdef\r\nHost: x", "X-MBX-APIKEY: [redacted]\r\nHost: x");
    check("Authorization: Digest user=a, response=b", "Authorization: [redacted]");
    check(
        r#"[("Host", "x"), ("X-MBX-APIKEY", "a\"bc")]"#,
        r#"[("Host", "x"), ("X-MBX-APIKEY", "[redacted]")]"#,
    );
    check("run --api-token abc --root logs", "run --api-token [redacted] --root logs");
    check("run --api-token=abc --root logs", "run --api-token=[redacted] --root logs");
    check("password: 'it", "password: '[redacted]");
    check("clé secrète; PASSWORD=été", "clé secrète; PASSWORD=[redacted]");
}

#[test]
fn secrets_are_known_by_their_shape() {
    // Issue 5.4: by value shape.
    check("sent eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln now", "sent [redacted] now");
    check("id AKIAIOSFODNN7EXAMPLE.", "id [redacted]");
    check("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a [redacted] b");
    check("cut -----BEGIN PRIVATE KEY-----\nMIIE", "cut [redacted]");
    check("got Bearer abc.def-123", "got Bearer [redacted]");
    check("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[redacted]");
    check(
        "POST https://api.telegram.org/bot123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc/send",
        "POST https://api.telegram.org/bot[redacted]/send",
    );
    check(
        "https://hooks.slack.com/services/T0/B0/xyz failed",
        "https://hooks.slack.com/services/[redacted] failed",
    );
}

#[test]
fn user_info_of_addresses_is_hidden() {
    check("postgres://bot:p@ss@db:5432/t?x=1", "postgres://[redacted]@db:5432/t?x=1");
    check("postgres://bot:p/s#s@db/t", "postgres://[redacted]@db/t");
    check("(\"redis://:pw@cache\")", "(\"redis://[redacted]@cache\")");
    check("https://x-token@host/a, https://host/@user", "https://[redacted]@host/a, https://host/@user");
    check("wss://s.example/ws?listenKey=abc&x=1", "wss://s.example/ws?listenKey=[redacted]&x=1");
}

#[test]
fn random_text_is_hidden_only_under_key_like_names() {
    check("key=9f86d081884c7d659a2feaa0c55ad015", "key=[redacted]");
    unchanged("sha256=9f86d081884c7d659a2feaa0c55ad015");
    unchanged("key=BTC/USDT");
}

#[test]
fn ordinary_messages_are_borrowed() {
    for text in [
        "",
        "order ord_17 rejected: insufficient balance (needed 12.5, have 3.0)",
        "2026-01-05T09:30:00.123456789Z core::fmt error at router.rs:491: timed out",
        "unexpected token: foo at line 3",
        "missing field `api_key` at line 3 column 1",
        "https://api.exchange.com/v1/orders?symbol=BTCUSDT&side=buy",
        "password: [redacted]",
        "password=null, token: None, secret=\"\"",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "basic authentication failed; bearer authentication too",
        "naïve 😀: café=crème",
    ] {
        unchanged(text);
    }
}

#[test]
fn any_text_is_survived_and_scrubbed_the_same_twice() {
    // Pieces that open something and never close it, glued at random: no panic, no cut inside a character.
    const PIECES: &[&str] = &[
        "password",
        "=",
        ":",
        "\"",
        "\\",
        "'",
        "{",
        "}",
        "[",
        "(",
        ")",
        " ",
        "é",
        "😀",
        "://",
        "@",
        "-----BEGIN ",
        "--token ",
        "eyJ",
        "Bearer ",
        "AKIA",
        ",",
        ";",
        "&",
        "key",
        "hunter2",
        "\n",
        "x.y",
        "Some",
        "[redacted]",
    ];
    let mut seed = 7_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[(seed >> 33) as usize % PIECES.len()]);
        }
        let _ = scrub_text(&text);
    }
}

#[test]
fn scrubbing_a_long_text_takes_linear_time() {
    for piece in ["password", "=", "a:", "\"", "://", "password=(", "-----BEGIN ", "eyJ", "key: "] {
        let text = piece.repeat(50_000 / piece.len());
        let begun = std::time::Instant::now();
        let _ = scrub_text(&text);
        assert!(begun.elapsed().as_secs() < 5, "{piece}");
    }
}
