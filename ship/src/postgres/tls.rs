//! What a connection to the database is encrypted with.

use std::path::Path;

use tokio_postgres_rustls::MakeRustlsConnect;

use crate::destination::SendError;
use crate::tls;

pub(super) fn connector(authority: Option<&Path>) -> Result<MakeRustlsConnect, SendError> {
    let config = tls::config(authority)
        .map_err(|error| SendError::misconfigured(format!("`sslrootcert`: {error}")))?;
    Ok(MakeRustlsConnect::new(config))
}
