//! Encryption of connections: the certificate is checked, against the machine's authorities or against one that was named.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::destination::SendError;

pub(super) fn connector(authority: Option<&Path>) -> Result<MakeRustlsConnect, SendError> {
    let mut roots = RootCertStore::empty();
    match authority {
        Some(path) => {
            let wrong = |why: String| {
                SendError::misconfigured(format!(
                    "`sslrootcert={}`: {why}; name a PEM file with certificates",
                    path.display()
                ))
            };
            for certificate in
                CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?
            {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
        }
        None => {
            // A certificate of the machine that is no certificate is nobody's fault here.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SendError::misconfigured(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
