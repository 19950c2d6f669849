//! Which names promise a secret: `db_password`, `apiKey`, `X-MBX-APIKEY`, `OK-ACCESS-PASSPHRASE`.
//!
//! A name is cut into words (at `_`, `-`, `.`, digits and changes of case), and words decide. No allocation.

/// What a name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing.
    Plain,
    /// The value may be a secret, and is taken for one where it looks like one: `key`, `auth`, `seed`.
    KeyLike,
    /// The value is a secret.
    Secret,
}

/// Words that name a secret wherever they stand.
const SECRET: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "tokens",
    "credential",
    "credentials",
    "creds",
    "apikey",
    "apikeys",
    "apitoken",
    "mnemonic",
    "totp",
    "otp",
    "jwt",
    "authorization",
    "cookie",
    "cookies",
    "signature",
];

/// Ends of words written together: `pgpassword`, `clientsecret`, `listenkey`.
const SECRET_ENDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "token",
    "credential",
    "credentials",
    "privatekey",
    "secretkey",
    "accesskey",
    "signingkey",
    "listenkey",
];

/// First words of pairs with `key` or `keys`.
const SECRET_KEYS: &[&str] = &[
    "api",
    "private",
    "secret",
    "access",
    "signing",
    "encryption",
    "master",
    "ssh",
    "hmac",
    "aes",
    "rsa",
    "wallet",
    "listen",
    "session",
    "account",
    "service",
    "client",
    "auth",
];

/// Other pairs.
const SECRET_PAIRS: &[(&str, &str)] = &[
    ("seed", "phrase"),
    ("recovery", "phrase"),
    ("recovery", "code"),
    ("access", "sign"),
    ("api", "sign"),
    ("one", "time"),
];

/// Words that make a name key-like.
const KEY_LIKE: &[&str] = &[
    "key",
    "keys",
    "auth",
    "sign",
    "signing",
    "pass",
    "passkey",
    "access",
    "cert",
    "certificate",
    "salt",
    "seed",
    "dsn",
    "webhook",
    "nonce",
    "license",
    "licence",
    "bearer",
    "private",
    "hmac",
    "session",
    "login",
];

/// Last words that tell of a setting about a secret, not of the secret: `password_min_length`, `token_url`.
const ABOUT: &[&str] = &[
    "file",
    "files",
    "path",
    "paths",
    "dir",
    "directory",
    "env",
    "url",
    "uri",
    "endpoint",
    "host",
    "port",
    "name",
    "ttl",
    "seconds",
    "secs",
    "sec",
    "ms",
    "millis",
    "minutes",
    "hours",
    "days",
    "s",
    "expiry",
    "expires",
    "expiration",
    "timeout",
    "length",
    "len",
    "size",
    "count",
    "limit",
    "min",
    "max",
    "enabled",
    "disabled",
    "required",
    "rotation",
    "interval",
    "period",
    "type",
    "kind",
    "algorithm",
    "bucket",
    "rate",
    "policy",
    "provider",
    "backend",
    "symbol",
    "address",
    "decimals",
    "version",
    "attempts",
    "retries",
];

/// First words of the same kind: `max_tokens`.
const ABOUT_FIRST: &[&str] = &["max", "min", "num", "require", "requires", "use", "uses", "has", "is"];

/// Classifies one name. Its case, and how its words are joined, do not matter.
pub(crate) fn classify(name: &str) -> Class {
    let mut secret = false;
    let mut key_like = false;
    let mut first = "";
    let mut last = "";
    let mut count = 0;
    for word in words(name) {
        if is(word, "public") {
            return Class::Plain;
        }
        secret |= any(SECRET, word) || SECRET_ENDS.iter().any(|end| ends_with(word, end));
        secret |= (is(word, "key") || is(word, "keys")) && any(SECRET_KEYS, last);
        secret |= SECRET_PAIRS.iter().any(|(a, b)| is(last, a) && is(word, b));
        key_like |= any(KEY_LIKE, word);
        if count == 0 {
            first = word;
        }
        last = word;
        count += 1;
    }
    // `db_pass` is a password; `pass` alone may be the first pass.
    secret |= count > 1 && is(last, "pass");
    match (secret, key_like) {
        (true, _) if count > 1 && (any(ABOUT, last) || any(ABOUT_FIRST, first)) => Class::KeyLike,
        (true, _) => Class::Secret,
        (false, true) => Class::KeyLike,
        (false, false) => Class::Plain,
    }
}

/// True if the secret of this name is often several words of plain text.
pub(super) fn is_phrase(name: &str) -> bool {
    words(name).any(|word| ["mnemonic", "passphrase", "phrase"].iter().any(|w| is(word, w)))
}

/// True if the name holds this word.
pub(super) fn has_word(name: &str, wanted: &str) -> bool {
    words(name).any(|word| is(word, wanted))
}

fn is(word: &str, wanted: &str) -> bool {
    word.eq_ignore_ascii_case(wanted)
}

fn any(list: &[&str], word: &str) -> bool {
    list.iter().any(|item| is(word, item))
}

fn ends_with(word: &str, end: &str) -> bool {
    let (word, end) = (word.as_bytes(), end.as_bytes());
    word.len() > end.len() && word[word.len() - end.len()..].eq_ignore_ascii_case(end)
}

/// The words of a name: `kcAPIKey2` has `kc`, `API`, `Key`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let start = rest.find(|c: char| c.is_alphabetic())?;
        rest = &rest[start..];
        let end = word_end(rest);
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Where the word at the start of `text` ends.
fn word_end(text: &str) -> usize {
    let mut before: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !c.is_alphabetic() {
            return at;
        }
        if let Some(before) = before
            && c.is_uppercase()
        {
            let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
            if before.is_lowercase() || next_is_lower {
                return at;
            }
        }
        before = Some(c);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(class: Class, names: &str) {
        for name in names.split_whitespace() {
            assert_eq!(classify(name), class, "{name}");
        }
    }

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        // Issue 5.4: by key pattern, also camelCase and kebab.
        check(
            Class::Secret,
            "password dbPassword DB_PASSWORD db-password PGPASSWORD Passwd pwd passphrase secret clientSecret api_secret apiKey
             api-key APIKey apikey X-MBX-APIKEY KC-API-KEY OK-ACCESS-SIGN OK-ACCESS-PASSPHRASE API-Sign private_key privateKey
             PRIVATE_KEY_PEM token accessToken access_token bot.token tokens credential awsCredentials credentials secretKey
             aws_secret_access_key listenKey signing_key seedPhrase mnemonic db_pass api_key2 password1 Authorization signature secret_id",
        );
    }

    #[test]
    fn names_about_secrets_and_harmless_names_are_not_hidden() {
        check(
            Class::KeyLike,
            "key partition_key password_file token_url max_tokens password_min_length token_ttl_ms pass seed",
        );
        check(
            Class::Plain,
            "symbol qty limit_px public_key publicKey bypass monkey keyboard tokenizer secretary passenger compass",
        );
    }
}
