//! `tracestate` (W3C Trace Context, level 1, §3.3): what tracing systems say to themselves, passed on as it came.

use core::fmt;

/// So many members at the most; more, and none of them counts.
const MOST: usize = 32;

/// The members of `tracestate`, in their order. Ours is not among them: what we say is in `baggage`.
///
/// ```
/// use tapelog::w3c::TraceState;
///
/// let state = TraceState::parse(["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"]).unwrap();
/// assert_eq!(state.get("congo"), Some("t61rcWkgMzE"));
/// assert_eq!(state.to_string(), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
/// assert!(TraceState::default().is_empty());
/// assert_eq!(TraceState::parse(["rojo=1,rojo=2"]), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceState(Vec<(String, String)>);

impl TraceState {
    /// The members of all headers of this name, in order. None when one of them is wrong, or stands there twice: then
    /// the specification discards them all.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut members: Vec<(String, String)> = Vec::new();
        for member in headers.into_iter().flat_map(|header| header.split(',')) {
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            if !is_key(key) || !is_value(value) || members.iter().any(|(known, _)| known == key) {
                return None;
            }
            members.push((key.to_owned(), value.to_owned()));
        }
        (members.len() <= MOST).then_some(Self(members))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Whether there are no members; then the header is not sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (key, value)) in self.0.iter().enumerate() {
            write!(f, "{}{key}={value}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// A simple key, or `tenant@system`.
fn is_key(key: &str) -> bool {
    let rest = |text: &str| {
        text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    let letter = |text: &str| text.starts_with(|c: char| c.is_ascii_lowercase());
    match key.split_once('@') {
        None => letter(key) && key.len() <= 256 && rest(key),
        Some((tenant, system)) => {
            tenant.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && tenant.len() <= 241
                && rest(tenant)
                && letter(system)
                && system.len() <= 14
                && rest(system)
        }
    }
}

/// 1 to 256 printable characters but `,` and `=`; the last is no space.
fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=')
        && !value.ends_with(' ')
}
