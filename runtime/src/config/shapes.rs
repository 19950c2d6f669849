//! Secrets that show by their shape alone, whatever name they stand under.

/// Prefix, least number of word characters after it, and whether these must hold a digit.
///
/// Lengths are somewhat below the issuers', so that a cut-off key is still one.
const PREFIXES: &[(&str, usize, bool)] = &[
    ("AKIA", 16, false), // AWS access key ids, long-lived and temporary
    ("ASIA", 16, false),
    ("AIza", 30, false), // Google
    ("AGE-SECRET-KEY-", 30, false),
    ("SG.", 30, false), // SendGrid
    ("github_pat_", 20, false),
    ("ghp_", 20, false),
    ("gho_", 20, false),
    ("ghu_", 20, false),
    ("ghs_", 20, false),
    ("ghr_", 20, false),
    ("glpat-", 16, false),
    ("hvs.", 20, false), // Vault
    ("npm_", 30, false),
    ("pypi-", 50, false),
    ("rk_live_", 10, false), // Stripe
    ("sk_live_", 10, false),
    ("sk_test_", 10, false),
    ("sk-", 20, true), // OpenAI, Anthropic
    ("xapp-", 10, true),
    ("xoxa-", 10, true), // Slack
    ("xoxb-", 10, true),
    ("xoxp-", 10, true),
    ("xoxr-", 10, true),
    ("xoxs-", 10, true),
    ("xprv", 90, false), // an extended private key of a wallet
];

/// Addresses whose path is the secret.
const HOOKS: &[&str] =
    &["hooks.slack.com/services/", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/"];

/// PEM blocks that anyone may see.
const PUBLIC_PEM: &[&str] =
    &["CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY", "X509 CRL", "DH PARAMETERS", "EC PARAMETERS"];

/// If a secret begins at the start of a word at `text`, where it starts and ends in `text`.
pub(super) fn at_word(text: &str) -> Option<(usize, usize)> {
    match text.as_bytes().first()? {
        b'e' => jwt(text),
        b'B' | b'b' => {
            scheme(text).or_else(|| bot_token(text.strip_prefix("bot")?).map(|(from, to)| (from + 3, to + 3)))
        }
        b'0'..=b'9' => bot_token(text),
        b'd' | b'h' if HOOKS.iter().any(|hook| text.starts_with(hook)) => {
            let hook = HOOKS.iter().find(|hook| text.starts_with(*hook))?;
            let end = hook.len() + run(&text[hook.len()..], |b| is_word(b) || b == b'/');
            (end > hook.len()).then_some((hook.len(), end))
        }
        b'A' | b'S' | b'g' | b'h' | b'n' | b'p' | b'r' | b's' | b'x' => prefixed(text),
        _ => None,
    }
}

fn prefixed(text: &str) -> Option<(usize, usize)> {
    // Two letters rule out nearly every word; a test keeps this in step with the table.
    if !matches!(
        text.as_bytes(),
        [b'A', b'K' | b'S' | b'I' | b'G', ..]
            | [b'S', b'G', ..]
            | [b'g', b'i' | b'h' | b'l', ..]
            | [b'h', b'v', ..]
            | [b'n', b'p', ..]
            | [b'p', b'y', ..]
            | [b'r' | b's', b'k', ..]
            | [b'x', b'a' | b'o' | b'p', ..]
    ) {
        return None;
    }
    PREFIXES.iter().find_map(|(prefix, least, digit)| {
        let tail = text.strip_prefix(prefix)?;
        let accept = |b| is_word(b) || b == b'.';
        // Decided on the first bytes, so that text which only begins like a key is not read to its end each time.
        let head = &tail.as_bytes()[..tail.len().min(128)];
        let sure = head.iter().take_while(|b| accept(**b)).count();
        let found = sure >= *least && (!digit || head[..sure].iter().any(u8::is_ascii_digit));
        found.then(|| (0, prefix.len() + run(tail, accept)))
    })
}

/// At `-----BEGIN `: the length of a private PEM block, to the end of the text where it is cut off.
pub(super) fn pem(text: &str) -> Option<usize> {
    let label = text.strip_prefix("-----BEGIN ")?;
    if PUBLIC_PEM.iter().any(|public| label.starts_with(public)) {
        return None;
    }
    let Some(end) = text.find("-----END ") else { return Some(text.len()) };
    let after = end + "-----END ".len();
    Some(text[after..].find("-----").map_or(text.len(), |dashes| after + dashes + 5))
}

/// Three base64url parts, the first a JSON object: `eyJ….….…`.
fn jwt(text: &str) -> Option<(usize, usize)> {
    // A header names an algorithm, perhaps a key and a certificate.
    const LONGEST_HEADER: usize = 8192;
    let rest = text.strip_prefix("eyJ")?.as_bytes();
    let header = rest.iter().take(LONGEST_HEADER).take_while(|b| is_word(**b)).count() + 3;
    if header < 12 || text.as_bytes().get(header) != Some(&b'.') {
        return None;
    }
    Some((0, header + run(&text[header..], |b| is_word(b) || b == b'.' || b == b'=')))
}

/// `Bearer …` and `Basic …`, the value of an Authorization header.
fn scheme(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let from = ["bearer ", "basic "]
        .iter()
        .find(|s| bytes.len() > s.len() && bytes[..s.len()].eq_ignore_ascii_case(s.as_bytes()))?
        .len();
    let length = run(&text[from..], |b| is_word(b) || matches!(b, b'.' | b'+' | b'/' | b'=' | b'~'));
    let token = &bytes[from..from + length];
    // "bearer authentication failed" is English.
    let english = token.iter().all(u8::is_ascii_lowercase) && length < 16;
    (length >= 8 && !english).then_some((from, from + length))
}

/// Telegram: `123456789:` and 35 characters.
fn bot_token(text: &str) -> Option<(usize, usize)> {
    let digits = run(text, |b| b.is_ascii_digit());
    if !(8..=12).contains(&digits) || text.as_bytes().get(digits) != Some(&b':') {
        return None;
    }
    let length = run(&text[digits + 1..], is_word);
    (length >= 30).then_some((0, digits + 1 + length))
}

/// True for text that looks drawn at random: keys, digests, encoded bytes. Only asked under key-like names.
pub(crate) fn is_opaque(text: &str) -> bool {
    let path = text.starts_with(['/', '.', '~']) || text.contains("://");
    text.split(|c: char| c.is_whitespace() || (path && matches!(c, '/' | '?' | '&' | ':' | '='))).any(
        |part| {
            let length = part.chars().count();
            if part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && length >= 24 {
                // A hex digit carries at most 4 bits; 24 random ones show about 3.4.
                return entropy(part) >= 2.8;
            }
            let mixed =
                part.contains(|c: char| c.is_ascii_digit()) && part.contains(|c: char| c.is_alphabetic());
            length >= 20 && (mixed || length >= 32) && entropy(part) >= 3.5
        },
    )
}

/// Shannon entropy of the text's own letters, in bits per letter.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let total = text.len() as f64;
    counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / total).map(|p| -p * p.log2()).sum()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn run(text: &str, accept: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|b| !accept(b)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_the_table_is_found() {
        for (prefix, least, _) in PREFIXES {
            let key = format!("{prefix}{}", "Z9".repeat(*least));
            assert_eq!(at_word(&format!("{key} rest")), Some((0, key.len())), "{prefix}");
            assert_eq!(at_word(prefix), None, "{prefix}");
        }
    }
}
