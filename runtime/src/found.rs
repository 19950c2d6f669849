//! Text that nobody chose to record: an error's `Display`, a panic's message, an address, a foreign log line.
//!
//! Invariant: it passes the secret scrubber on the thread that records it, so that no secret is in a ring, which outlives
//! its process. That may allocate; it happens on failing paths and beside calls of the network only. The drain scrubs it
//! once more: rings may be those of an older version.

use std::borrow::Cow;

use crate::hot::encoder::{Encoder, HEAD, tag};
use crate::hot::shape::{Shape, Shaped};
use crate::hot::value::{Value, by_reference};

/// A text without its secrets; borrowed where there is none.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    #[cfg(feature = "recorder")]
    return crate::config::scrub_text(text);
    // Without a recorder nobody records.
    #[cfg(not(feature = "recorder"))]
    Cow::Borrowed(text)
}

/// See the module.
#[derive(Clone, Debug)]
pub struct FoundText(String);

impl FoundText {
    /// The text without its secrets.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        match clean(&text) {
            Cow::Borrowed(_) => Self(text),
            Cow::Owned(clean) => Self(clean),
        }
    }

    /// What is recorded.
    #[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "for subscribers"))]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for FoundText {
    by_reference!();

    fn size(&self) -> usize {
        HEAD + self.0.len()
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.text(tag::FOUND_TEXT, self.0.as_bytes());
    }
}

impl Shaped for FoundText {
    fn shape(_deep: u32) -> Shape {
        Shape::Text
    }
}

#[cfg(all(test, feature = "recorder"))]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_gone_before_anything_is_encoded() {
        // Issue 5, 4: secrets never reach a ring.
        let found = FoundText::new("venue refused: api_key=canary-0451, retry".to_owned());
        let bytes = crate::hot::describe::bytes(&(found,));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("venue refused: api_key=[redacted], retry"), "{text}");
    }
}
