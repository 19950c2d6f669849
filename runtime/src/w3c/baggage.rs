//! `baggage` (W3C Baggage): names and values that travel with a request.

use core::fmt::{self, Write as _};

/// So many members, and so many bytes, are kept and passed on (§3.3.2: at least these); what comes after is left out.
const MOST: usize = 64;
const MOST_BYTES: usize = 8192;

/// One member: a name, a value that was percent-decoded, and its properties as they came.
///
/// ```
/// use tapelog::w3c::Baggage;
///
/// let baggage = Baggage::parse(["serverNode=DF%2028;priority=1"]);
/// let member = &baggage.members()[0];
/// assert_eq!((member.key.as_str(), member.value.as_str(), member.properties.as_str()), ("serverNode", "DF 28", "priority=1"));
/// assert!(Baggage::parse(["no member"]).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// A token (RFC 9110).
    pub key: String,
    /// Any text.
    pub value: String,
    /// Everything behind the first `;`, or empty.
    pub properties: String,
}

/// The members of `baggage`, in their order.
///
/// ```
/// use tapelog::w3c::Baggage;
///
/// let baggage = Baggage::parse(["userId=Am%C3%A9lie , serverNode=DF%2028;priority=1"]);
/// assert_eq!(baggage.get("userId"), Some("Amélie"));
/// assert_eq!(baggage.with("strategy", "a b").to_string(), "userId=Am%C3%A9lie,serverNode=DF%2028;priority=1,strategy=a%20b");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage(Vec<Member>);

impl Baggage {
    /// The members of all headers of this name. One that is no member is left out; the others stay.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut bytes = 0;
        let members = headers
            .into_iter()
            .flat_map(|header| header.split(','))
            .take_while(|member| {
                bytes += member.len() + 1;
                bytes <= MOST_BYTES + 1
            })
            .filter_map(member)
            .take(MOST)
            .collect();
        Self(members)
    }

    /// The value of a name; of several, the first.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|member| member.key == key).map(|member| member.value.as_str())
    }

    /// The members, in order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// Whether there are none; then the header is not sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This baggage, with one more member; an equal name is replaced. A name that is no token, and a member that has no
    /// room any more, is left out.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        let member = Member { key: key.to_owned(), value: value.to_owned(), properties: String::new() };
        if let Some(known) = self.0.iter_mut().find(|known| known.key == key) {
            *known = member;
        } else if is_token(key) && self.0.len() < MOST {
            self.0.push(member);
            if self.to_string().len() > MOST_BYTES {
                self.0.pop();
            }
        }
        self
    }

    /// This baggage with members of ours behind it, for which others make room, the last ones first: without the decision
    /// id the called service's events would be nobody's. Which members go where not all can stay is left open by the
    /// specification (§3.3.2). One of ours that is too long by itself is left out.
    #[must_use]
    pub(super) fn with_ours(mut self, ours: &[(&str, &str)]) -> Self {
        self.0.retain(|member| ours.iter().all(|(key, _)| member.key != *key));
        let own = ours.iter().fold(Self::default(), |own, (key, value)| own.with(key, value));
        self.0.truncate(MOST - own.0.len());
        let room = MOST_BYTES - own.to_string().len();
        // Also what came percent-encoded in its own way may be longer in ours.
        while !self.0.is_empty() && self.to_string().len() + usize::from(!own.is_empty()) > room {
            self.0.pop();
        }
        self.0.extend(own.0);
        self
    }

    /// This baggage without a name.
    #[must_use]
    pub(crate) fn without(mut self, key: &str) -> Self {
        self.0.retain(|member| member.key != key);
        self
    }
}

fn member(text: &str) -> Option<Member> {
    let (pair, properties) = text.split_once(';').unwrap_or((text, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (trim(key), trim(value));
    let properties: Vec<_> =
        properties.split(';').map(trim).filter(|property| is_property(property)).collect();
    (is_token(key) && value.bytes().all(is_octet)).then(|| Member {
        key: key.to_owned(),
        value: decode(value),
        properties: properties.join(";"),
    })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_property(text: &str) -> bool {
    match text.split_once('=') {
        None => is_token(text),
        Some((key, value)) => is_token(trim(key)) && trim(value).bytes().all(is_octet),
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// What may stand in a value as it is.
const fn is_octet(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'+' | b'-'..=b':' | b'<'..=b'[' | b']'..=b'~')
}

/// Percent-decoded; bytes that are no UTF-8 become U+FFFD, as the specification says.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| core::str::from_utf8(digits).ok());
        match digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, member) in self.0.iter().enumerate() {
            write!(f, "{}{}=", if at == 0 { "" } else { "," }, member.key)?;
            for byte in member.value.bytes() {
                if is_octet(byte) && byte != b'%' {
                    f.write_char(char::from(byte))?;
                } else {
                    write!(f, "%{byte:02X}")?;
                }
            }
            if !member.properties.is_empty() {
                write!(f, ";{}", member.properties)?;
            }
        }
        Ok(())
    }
}
