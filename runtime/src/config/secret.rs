//! `Secret<T>`: a value that the program can use and nobody can print.
//!
//! Invariant: the only ways to the value are [`Secret::expose`] and [`Secret::into_inner`]. There is no `Display`, no
//! `Deref`, no `Value`; `Debug` and every foreign serializer get the fixed mark. Memory is not wiped on drop.

use std::cell::Cell;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::MARK;

/// The name by which our own serializer knows a secret.
pub(super) const SECRET: &str = "$tapelog::Secret";

/// A configuration value that never reaches a log, a file, an error or a panic message.
///
/// `Debug` prints `[redacted]`, and so does `Serialize` into any format. Only the audit sees more, and keeps a keyed
/// fingerprint, so that a rotated secret shows as drift.
///
/// Equality compares the values, and not in constant time: do not answer strangers by it.
///
/// # Examples
///
/// ```
/// use tapelog::config::Secret;
///
/// #[derive(Debug, serde::Serialize, serde::Deserialize)]
/// struct Venue {
///     name: String,
///     api_key: Secret<String>,
/// }
///
/// let venue: Venue = serde_json::from_str(r#"{"name":"kraken","api_key":"hunter2"}"#).unwrap();
/// assert_eq!(format!("{venue:?}"), r#"Venue { name: "kraken", api_key: [redacted] }"#);
/// assert_eq!(serde_json::to_string(&venue).unwrap(), r#"{"name":"kraken","api_key":"[redacted]"}"#);
/// assert_eq!(venue.api_key.expose(), "hunter2");
/// ```
///
/// It cannot be printed by mistake:
///
/// ```compile_fail
/// println!("{}", tapelog::config::Secret::new("hunter2"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to use it. What happens to it from here on is the caller's care.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, taken out.
    ///
    /// ```
    /// let token = tapelog::config::Secret::new("hunter2".to_owned());
    /// assert_eq!(token.into_inner(), "hunter2");
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// With the feature `secrecy`: a `SecretString` is a configuration's secret. As it has no value, an event that names one
/// does not compile:
///
/// ```compile_fail,E0277
/// # use tapelog::{event, events::ERROR};
/// let api_key = secrecy::SecretString::from("hunter2");
/// event!(ERROR, api_key, "cannot log in");
/// ```
#[cfg(feature = "secrecy")]
impl From<secrecy::SecretString> for Secret<String> {
    fn from(secret: secrecy::SecretString) -> Self {
        Self(secrecy::ExposeSecret::expose_secret(&secret).to_owned())
    }
}

/// The same of any other value that `secrecy` keeps.
#[cfg(feature = "secrecy")]
impl<T: Clone + secrecy::zeroize::Zeroize> From<secrecy::SecretBox<T>> for Secret<T> {
    fn from(secret: secrecy::SecretBox<T>) -> Self {
        Self(secrecy::ExposeSecret::expose_secret(&secret).clone())
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARK)
    }
}

impl<T: Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(SECRET, &Hidden(&self.0))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What the format says may quote the value ("invalid type: string \"hunter2\""), so it is not repeated.
        let value = T::deserialize(deserializer).map_err(|_| {
            let wanted = std::any::type_name::<T>();
            de::Error::custom(format_args!(
                "a secret could not be read as `{wanted}`; its value is not shown"
            ))
        })?;
        Ok(Self(value))
    }
}

thread_local! {
    /// Set by our serializer right before it asks a secret for its value, and cleared by the secret that answers.
    /// A serializer that does not know of it gets the mark. Serde has no other way to tell serializers apart.
    static OPENED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `serialize` so that the first [`Secret`] it meets gives its value.
pub(super) fn opened<R>(serialize: impl FnOnce() -> R) -> R {
    struct Close;
    impl Drop for Close {
        fn drop(&mut self) {
            OPENED.set(false);
        }
    }
    let _close = Close;
    OPENED.set(true);
    serialize()
}

struct Hidden<'a, T>(&'a T);

impl<T: Serialize> Serialize for Hidden<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Closed before the value runs: a serializer started inside it finds nothing open.
        if OPENED.replace(false) { self.0.serialize(serializer) } else { serializer.serialize_str(MARK) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::node::Node;

    #[test]
    fn a_secret_shows_its_mark_to_everyone_but_the_audit() {
        // Issue 5.4: by type.
        let secret = Secret::new("canary-0451".to_owned());
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""[redacted]""#);
        assert_eq!(serde_json::to_value(Some(vec![&secret])).unwrap(), serde_json::json!(["[redacted]"]));
        assert_eq!(Node::of(&secret).unwrap().canonical(), r#""[redacted]""#);
        assert!(
            matches!(Node::of(&secret).unwrap(), Node::Secret(inner) if *inner == Node::Text("canary-0451".into()))
        );
    }

    #[test]
    fn a_serializer_inside_a_secret_still_gets_the_mark() {
        struct Nosy(Secret<&'static str>);
        impl Serialize for Nosy {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&serde_json::to_string(&self.0).unwrap())
            }
        }
        let node = Node::of(&Secret::new(Nosy(Secret::new("canary-0451")))).unwrap();
        assert!(matches!(node, Node::Secret(inner) if *inner == Node::Text("\"[redacted]\"".into())));
        assert_eq!(serde_json::to_string(&Secret::new("canary-0451")).unwrap(), r#""[redacted]""#);
    }

    #[test]
    fn a_secret_that_cannot_be_read_or_written_is_not_quoted() {
        let error = serde_json::from_str::<Secret<u64>>("\"canary-0451\"").unwrap_err().to_string();
        assert!(error.contains("a secret could not be read as `u64`") && !error.contains("0451"), "{error}");

        struct Fails;
        impl Serialize for Fails {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("bad value canary-0451"))
            }
        }
        let error = crate::config::canonical(&Secret::new(Fails)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("0451"), "{error}");
        let error =
            crate::config::canonical(&std::collections::BTreeMap::from([("api_key", Fails)])).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("0451") && error.to_string().contains("`/api_key`"),
            "{error}"
        );
    }
}
