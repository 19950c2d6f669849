//! `traceparent` (W3C Trace Context, level 1, §3.2).

use core::fmt;
use core::str::FromStr;

/// 16 bytes that name a whole trace; never all zero.
///
/// ```
/// use tapelog::w3c::TraceId;
///
/// let id = TraceId::parse("0af7651916cd43dd8448eb211c80319c").expect("32 digits");
/// assert_eq!(TraceId::new(id.to_bytes()), Some(id));
/// assert_eq!(TraceId::new([0; 16]), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// 8 bytes that name one request within a trace, the caller's `parent-id`; never all zero.
///
/// ```
/// use tapelog::w3c::SpanId;
///
/// let id = SpanId::parse("b7ad6b7169203331").expect("16 digits");
/// assert_eq!((id.to_bytes()[0], id.to_string().as_str()), (0xB7, "b7ad6b7169203331"));
/// assert_eq!(SpanId::new([0; 8]), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

macro_rules! id {
    ($name:ident, $len:literal) => {
        impl $name {
            /// None when all bytes are zero, which the specification forbids.
            #[must_use]
            pub const fn new(bytes: [u8; $len]) -> Option<Self> {
                let mut at = 0;
                while at < $len {
                    if bytes[at] != 0 {
                        return Some(Self(bytes));
                    }
                    at += 1;
                }
                None
            }

            /// Its bytes, most significant first.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; $len] {
                self.0
            }

            /// Lower-case hexadecimal digits, as in the header; none for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::new(hex(text.as_bytes())?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

id!(TraceId, 16);
id!(SpanId, 8);

/// `traceparent`: which trace a request belongs to, and which request of it called.
///
/// ```
/// use tapelog::w3c::TraceParent;
///
/// let parent: TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// assert_eq!(parent.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert!(parent.sampled);
/// assert_eq!(parent.to_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// # Ok::<(), tapelog::w3c::ParseTraceParentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "version 00 of the header has exactly these parts")]
pub struct TraceParent {
    /// The trace.
    pub trace_id: TraceId,
    /// The request that called.
    pub parent_id: SpanId,
    /// Whether the caller may have recorded its part; the only flag of version 00.
    pub sampled: bool,
}

/// The length of version 00: `00-` 32 `-` 16 `-` 2.
const LEN: usize = 55;

impl FromStr for TraceParent {
    type Err = ParseTraceParentError;

    fn from_str(text: &str) -> Result<Self, ParseTraceParentError> {
        parse(text.as_bytes()).ok_or(ParseTraceParentError(()))
    }
}

fn parse(text: &[u8]) -> Option<TraceParent> {
    let (fixed, rest) = text.split_first_chunk::<LEN>()?;
    let [version] = hex(&fixed[..2])?;
    let dashes = [2, 35, 52].into_iter().all(|at| fixed[at] == b'-');
    // A later version may say more behind a dash; its first parts are those of version 00.
    let ends = if version == 0 { rest.is_empty() } else { matches!(rest, [] | [b'-', ..]) };
    if version == 0xFF || !dashes || !ends {
        return None;
    }
    let [flags] = hex(&fixed[53..])?;
    Some(TraceParent {
        trace_id: TraceId::new(hex(&fixed[3..35])?)?,
        parent_id: SpanId::new(hex(&fixed[36..52])?)?,
        sampled: flags & 1 == 1,
    })
}

/// Exactly `N` bytes of lower-case digits.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.parent_id, u8::from(self.sampled))
    }
}

/// A text that is no `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTraceParentError(());

impl fmt::Display for ParseTraceParentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this is no `traceparent`; write `00-`, 32 hexadecimal digits, `-`, 16 of them, `-`, two flags",
        )
    }
}

impl std::error::Error for ParseTraceParentError {}
