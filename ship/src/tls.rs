//! Encryption of connections: the certificate is checked, against the machine's authorities or against one that was named.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
#[cfg(any(feature = "postgres", feature = "object-store"))]
use rustls::{ClientConfig, RootCertStore};

/// Why there can be no encryption as asked.
#[derive(Debug)]
pub(crate) struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a connection is encrypted with.
#[cfg(any(feature = "postgres", feature = "object-store"))]
pub(crate) fn config(authority: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    // A certificate of the machine that is no certificate is nobody's fault here.
    roots.add_parsable_certificates(authorities(authority)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whose signature is trusted: those in the PEM file, else the machine's.
pub(crate) fn authorities(authority: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let Some(path) = authority else { return Ok(rustls_native_certs::load_native_certs().certs) };
    let wrong = |why: String| {
        TlsError(format!("the authority `{}`: {why}; name a PEM file with certificates", path.display()))
    };
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?.collect();
    let all = all.map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("there is no certificate in it".to_owned())) } else { Ok(all) }
}

/// The same for `ureq`, which has words of its own for them.
#[cfg(feature = "http")]
#[allow(dead_code, reason = "the destinations that use it are features of their own")]
pub(crate) fn roots_of(authority: Option<&Path>) -> Result<ureq::tls::RootCerts, TlsError> {
    let certificates = authorities(authority)?;
    let certificates: Vec<_> =
        certificates.iter().map(|one| ureq::tls::Certificate::from_der(one).to_owned()).collect();
    Ok(ureq::tls::RootCerts::Specific(Arc::new(certificates)))
}
