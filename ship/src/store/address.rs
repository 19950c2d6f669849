//! Which store, where in it, and in which form.

use std::path::PathBuf;

use url::Url;

use super::error::VARIABLES;
use crate::AddressError;
use crate::destination::SendError;
use crate::net::is_loopback;

/// What an object holds.
///
/// ```
/// use tapelog_ship::store::{Form, Pack};
///
/// // What an address says unless it says otherwise: batches of lines, as they are.
/// assert_eq!((Form::default(), Pack::default()), (Form::Jsonl, Pack::None));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A batch of lines.
    #[default]
    Jsonl,
    /// A file of a run as it stands.
    Segments,
    /// The events of one type and day of a batch, as a table.
    Parquet,
}

/// How lines are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pack {
    /// As they are.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

/// An address that was understood.
#[derive(Clone)]
pub(super) struct Address {
    /// `s3://bucket/prefix`.
    pub(super) url: Url,
    pub(super) form: Form,
    pub(super) pack: Pack,
    pub(super) endpoint: Option<Url>,
    pub(super) region: Option<String>,
    /// An endpoint may be asked without encryption.
    pub(super) plain: bool,
    pub(super) authority: Option<PathBuf>,
    /// For people.
    pub(super) shown: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text).map_err(|error| AddressError::new(format!("no address: {error}")))?;
        let wrong = |why: String| Err(AddressError::new(why));
        if !url.username().is_empty() || url.password().is_some() {
            return wrong(format!(
                "credentials in the address can be read by everyone in the list of processes; put them in the environment \
                 ({VARIABLES}) or in the store's file"
            ));
        }
        if url.scheme() != "file" && url.host_str().is_none_or(str::is_empty) {
            return wrong(format!("no bucket; write `{}://bucket/prefix`", url.scheme()));
        }
        let mut address = Self {
            url: url.clone(),
            form: Form::Jsonl,
            pack: Pack::None,
            endpoint: None,
            region: None,
            plain: false,
            authority: None,
            shown: String::new(),
        };
        let mut shown_query = Vec::new();
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("as", "jsonl") => address.form = Form::Jsonl,
                ("as", "segments") => address.form = Form::Segments,
                #[cfg(feature = "parquet")]
                ("as", "parquet") => address.form = Form::Parquet,
                ("as", other) => {
                    return wrong(format!("`as={other}` is not one of `jsonl`, `segments`, `parquet`"));
                }
                ("pack", "none") => address.pack = Pack::None,
                ("pack", "gzip") => address.pack = Pack::Gzip,
                ("pack", "zstd") => address.pack = Pack::Zstd,
                ("pack", other) => {
                    return wrong(format!("`pack={other}` is not one of `none`, `gzip`, `zstd`"));
                }
                ("endpoint", at) => {
                    let at =
                        Url::parse(at).map_err(|error| AddressError::new(format!("`endpoint`: {error}")))?;
                    if !at.username().is_empty() || at.password().is_some() {
                        return wrong("`endpoint` holds credentials; put them in the environment".to_owned());
                    }
                    address.endpoint = Some(at);
                }
                ("region", region) => address.region = Some(region.to_owned()),
                ("tls", "off") => address.plain = true,
                ("tls", "on") => address.plain = false,
                ("tls", other) => return wrong(format!("`tls={other}` is not one of `on`, `off`")),
                ("ca", path) => address.authority = Some(path.into()),
                (other, _) => {
                    return wrong(format!(
                        "unknown `{other}`; write one of `as`, `pack`, `endpoint`, `region`, `tls`, `ca`"
                    ));
                }
            }
            // What names another destination; the rest is how to get there.
            let is_default = matches!((&*key, &*value), ("as", "jsonl") | ("pack", "none"));
            if matches!(&*key, "as" | "pack" | "endpoint") && !is_default {
                shown_query.push(format!("{key}={value}"));
            }
        }
        if let Some(endpoint) = &address.endpoint {
            let loopback = endpoint.host_str().is_some_and(is_loopback);
            match endpoint.scheme() {
                "https" => {}
                "http" if loopback || address.plain => address.plain = true,
                "http" => {
                    return wrong(
                        "the endpoint is not encrypted; write `https://`, or add `tls=off`".to_owned(),
                    );
                }
                other => return wrong(format!("`endpoint={other}:…`; write `https://host:port`")),
            }
        }
        url.set_query(None);
        address.shown = url.as_str().trim_end_matches('/').to_owned();
        shown_query.sort();
        if !shown_query.is_empty() {
            address.shown = format!("{}?{}", address.shown, shown_query.join("&"));
        }
        address.url = url;
        Ok(address)
    }
}

impl Pack {
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::None => "application/x-ndjson",
            Self::Gzip => "application/gzip",
            Self::Zstd => "application/zstd",
        }
    }

    /// Packed; the same bytes for the same lines.
    pub(super) fn pack(self, bytes: &[u8]) -> Result<Vec<u8>, SendError> {
        use std::io::Write as _;
        let packed = match self {
            Self::None => Ok(bytes.to_vec()),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).and_then(|()| encoder.finish())
            }
            Self::Zstd => zstd::encode_all(bytes, 3),
        };
        packed.map_err(|error| SendError::unavailable(format!("cannot pack: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Address::parse(text).err().expect("refused").to_string()
    }

    #[test]
    fn an_endpoint_is_encrypted_unless_it_is_loopback_or_was_told() {
        assert!(Address::parse("s3://b/p?endpoint=http://127.0.0.1:8333").unwrap().plain);
        assert!(!Address::parse("s3://b/p?endpoint=https://store.example").unwrap().plain);
        assert!(refused("s3://b/p?endpoint=http://store.example").contains("tls=off"));
        assert!(Address::parse("s3://b/p?tls=off&endpoint=http://store.example").unwrap().plain);
    }

    #[test]
    fn what_is_wrong_in_an_address_is_said_with_what_to_write_and_without_secrets() {
        let error = refused("s3://AKIA:canary-7@bucket/p");
        assert!(error.contains("AWS_ACCESS_KEY_ID") && !error.contains("canary"), "{error}");
        let error = refused("s3://b?endpoint=https://u:canary-7@h");
        assert!(!error.contains("canary"), "{error}");
        assert!(refused("s3:///p").contains("no bucket"));
        assert!(refused("s3://b?as=csv").contains("`parquet`"));
        assert!(refused("s3://b?format=csv").contains("unknown `format`"));
    }

    #[test]
    fn the_form_is_part_of_the_name_and_the_authority_is_not() {
        let shown = Address::parse("s3://b/p/?as=parquet&ca=/x.pem").unwrap().shown;
        assert_eq!(shown, "s3://b/p?as=parquet");
        let (long, short) = ("s3://b/p?pack=none&as=jsonl&region=x", "s3://b/p");
        assert_eq!(Address::parse(long).unwrap().shown, Address::parse(short).unwrap().shown);
    }
}
