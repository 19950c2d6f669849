//! From an address to the destination it names.

use std::fmt;

use url::Url;

use crate::destination::Destination;

/// The destination that an address names, by its scheme.
///
/// | address | feature |
/// |---|---|
/// | `postgresql://user@host/database` | `postgres` |
/// | `elasticsearch://host:9200/index`, `opensearch://…` | `elastic` |
/// | `prometheus://127.0.0.1:9464`, `prometheus:///folder/tapelog.prom` | `prometheus` |
/// | `s3://bucket/prefix`, `gs://…`, `az://…`, `file:///folder` | `object-store`; `?as=parquet` with `parquet` |
/// | `otlp://host:4318` | `otlp` |
///
/// Whatever is not loopback is encrypted unless the address says otherwise; credentials stand in files or the environment.
///
/// # Errors
/// When no destination of this build has such an address, or when it is wrong or holds a password.
pub fn destination(text: &str) -> Result<Box<dyn Destination>, AddressError> {
    // What does not parse is not repeated: it may hold a password.
    let url = Url::parse(text).map_err(|error| {
        AddressError::new(format!("no address: {error}; write for example `postgresql://user@host/database`"))
    })?;
    match url.scheme() {
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => {
            use crate::postgres::{Address, Postgres};
            let address = Address::parse(text).map_err(|error| AddressError::new(error.to_string()))?;
            Ok(Box::new(Postgres::new(address)))
        }
        #[cfg(feature = "object-store")]
        "s3" | "s3a" | "gs" | "az" | "azure" | "abfs" | "abfss" | "file" => {
            Ok(Box::new(crate::store::ObjectStore::parse(text)?))
        }
        #[cfg(feature = "otlp")]
        "otlp" => Ok(Box::new(crate::otlp::Otlp::parse(text)?)),
        #[cfg(feature = "elastic")]
        "elasticsearch" | "opensearch" => Ok(Box::new(crate::elastic::Elastic::parse(text)?)),
        #[cfg(feature = "prometheus")]
        "prometheus" => Ok(Box::new(crate::prometheus::Prometheus::parse(text)?)),
        scheme => Err(AddressError::new(format!(
            "nothing is sent to `{scheme}:`; write one of {}",
            KNOWN.join(", ")
        ))),
    }
}

/// The schemes of this build.
const KNOWN: &[&str] = &[
    #[cfg(feature = "postgres")]
    "`postgresql://`",
    #[cfg(feature = "object-store")]
    "`s3://`, `gs://`, `az://`, `file:///`",
    #[cfg(feature = "otlp")]
    "`otlp://`",
    #[cfg(feature = "elastic")]
    "`elasticsearch://`, `opensearch://`",
    #[cfg(feature = "prometheus")]
    "`prometheus://`",
];

/// Why a text is not the address of a destination. Never holds the text itself: it may have a password in it.
///
/// ```
/// let error = tapelog_ship::destination("ftp://host/folder").err().expect("nobody speaks that");
/// assert!(error.to_string().contains("ftp"), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl AddressError {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_scheme_is_told_which_there_are_and_a_password_is_not_repeated() {
        let error = destination("ftp://u:canary-7@h/x").err().expect("no such destination").to_string();
        assert!(error.contains("`postgresql://`") && !error.contains("canary"), "{error}");
        let error = destination("u:canary-7@h").err().expect("no address").to_string();
        assert!(!error.contains("canary"), "{error}");
    }
}
