//! Which cluster and which index, and how to get in.

use std::fs;

use url::Url;

use crate::destination::SendError;
use crate::http::Http;
use crate::to::AddressError;

/// What an index is called unless said.
const INDEX: &str = "tapelog";
const PORT: u16 = 9200;

/// A cluster's address.
#[derive(Clone, Debug)]
pub(super) struct Address {
    url: Url,
    /// The beginning of the names of the indices.
    pub(super) index: String,
    pipeline: Option<String>,
    /// Whether the template is ours to make.
    pub(super) setup: bool,
    /// For people: without credentials and query.
    pub(super) shown: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text).map_err(|error| AddressError::new(format!("no address: {error}")))?;
        let scheme = url.scheme().to_owned();
        let mut path: Vec<String> =
            url.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let index = path.pop().unwrap_or_else(|| INDEX.to_owned());
        // What Elasticsearch takes as an index name, and nothing that a pattern could hide in.
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if !index.chars().all(fits) || index.starts_with(['-', '_', '.']) {
            return Err(AddressError::new(format!(
                "`{index}` is no name of an index; write lower-case letters, digits, `-` and `_`, for example `{scheme}://host/{INDEX}`"
            )));
        }
        let mut pipeline = None;
        let mut setup = true;
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("tls" | "ca", _) => {}
                ("pipeline", name) if !name.is_empty() && name.chars().all(fits) => {
                    pipeline = Some(name.to_owned())
                }
                ("setup", "off") => setup = false,
                ("setup", "on") => {}
                (key, value) => {
                    return Err(AddressError::new(format!(
                        "`{key}={value}` means nothing here; write `tls`, `ca`, `pipeline=NAME` or `setup=off`"
                    )));
                }
            }
        }
        url.set_path(&path.join("/"));
        let shown = {
            let host = url.host_str().unwrap_or_default();
            let port = url.port().unwrap_or(PORT);
            let before = if path.is_empty() { String::new() } else { format!("/{}", path.join("/")) };
            format!("{scheme}://{host}:{port}{before}/{index}")
        };
        let address = Self { url, index, pipeline, setup, shown };
        // What is wrong with it is said at once, not when the first batch is there.
        Http::new(&address.url, PORT)?;
        Ok(address)
    }

    /// Where events are posted.
    pub(super) fn path(&self) -> String {
        // Of the answer only what is read: without it, each event is answered with 200 bytes.
        let mut path = "/_bulk?filter_path=errors,items.*.status,items.*.error".to_owned();
        if let Some(pipeline) = &self.pipeline {
            path.push_str("&pipeline=");
            path.push_str(pipeline);
        }
        path
    }

    /// Credentials are read anew each time, so that they may be changed while the shipper runs.
    pub(super) fn connect(&self) -> Result<Http, SendError> {
        let mut http =
            Http::new(&self.url, PORT).map_err(|error| SendError::misconfigured(error.to_string()))?;
        let user = match self.url.username() {
            "" => secret("ELASTIC_USERNAME")?.unwrap_or_else(|| "elastic".to_owned()),
            user => user.to_owned(),
        };
        if let Some(key) = secret("ELASTIC_API_KEY")? {
            http.header("authorization", format!("ApiKey {key}"));
        } else if let Some(password) = secret("ELASTIC_PASSWORD")? {
            http.header(
                "authorization",
                format!("Basic {}", base64(format!("{user}:{password}").as_bytes())),
            );
        }
        Ok(http)
    }
}

/// A variable, or the file that the variable of this name and `_FILE` names.
fn secret(name: &str) -> Result<Option<String>, SendError> {
    if let Ok(text) = std::env::var(name)
        && !text.is_empty()
    {
        return Ok(Some(text));
    }
    let Some(file) = std::env::var_os(format!("{name}_FILE")) else { return Ok(None) };
    let text = fs::read_to_string(&file).map_err(|error| {
        SendError::misconfigured(format!("the file that `{name}_FILE` names, `{}`: {error}", file.display()))
    })?;
    Ok(Some(text.trim_end().to_owned()))
}

/// RFC 4648, for one header.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let number =
            three.iter().fold(0_u32, |of, byte| of << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_cluster_and_index() {
        let address = Address::parse("elasticsearch://ship@es.example/tapelog?pipeline=p&setup=off").unwrap();
        assert_eq!(address.shown, "elasticsearch://es.example:9200/tapelog");
        assert!(address.path().ends_with("&pipeline=p") && !address.setup);
        assert_eq!(
            Address::parse("opensearch://h:1/proxy/es/eng").unwrap().shown,
            "opensearch://h:1/proxy/es/eng"
        );
        assert_eq!(Address::parse("elasticsearch://h").unwrap().index, "tapelog");
    }

    #[test]
    fn a_wrong_address_is_told_what_to_write_and_a_password_is_not_repeated() {
        for (text, says) in [
            ("elasticsearch://h/Tape", "lower-case"),
            ("elasticsearch://h/tape*", "no name of an index"),
            ("elasticsearch://h/t?index=x", "means nothing here"),
            ("elasticsearch://h/t?tls=maybe", "not one of"),
            ("elasticsearch://u:canary-7@h/t", "list of processes"),
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("canary"), "{text}: {error}");
        }
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }
}
