//! What a store's refusal means, in its words and without secrets.

use std::error::Error as _;

use object_store::Error;

use super::client::secrets;
use crate::destination::SendError;

/// Where the stores' own tools find credentials.
pub(super) const VARIABLES: &str =
    "`AWS_ACCESS_KEY_ID`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_KEY`, …";
/// Longer words say nothing more.
const LONGEST: usize = 600;

/// Whether trying again may help, or somebody has to act.
pub(super) fn classify(error: &Error) -> SendError {
    let reason = describe(error);
    if reason.contains("RequestTimeTooSkewed") {
        return SendError::misconfigured(format!("{reason}; this machine's clock is wrong: set it"));
    }
    if reason.contains("invalid peer certificate") {
        return SendError::misconfigured(format!(
            "{reason}; name the authority with `ca=FILE`, and the endpoint as its certificate does"
        ));
    }
    match error {
        Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => SendError::misconfigured(format!(
            "{reason}; check the credentials ({VARIABLES}), and that they may write there"
        )),
        Error::NotFound { .. } => {
            SendError::misconfigured(format!("{reason}; make the bucket, or container, first"))
        }
        Error::InvalidPath { .. } | Error::NotSupported { .. } | Error::NotImplemented { .. } => {
            SendError::misconfigured(format!("{reason}; the store cannot do what is asked"))
        }
        Error::UnknownConfigurationKey { .. } => SendError::misconfigured(reason),
        // Credentials that cannot be had at all come as generic errors.
        _ if [
            "NoSuchBucket",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "MissingAccessKey",
            "MissingSecret",
        ]
        .iter()
        .any(|word| reason.contains(word)) =>
        {
            SendError::misconfigured(format!("{reason}; check bucket and credentials"))
        }
        _ => SendError::unavailable(reason),
    }
}

fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    without_secrets(&text, &secrets())
}

/// A server may repeat the key id that it does not know, or a client what it signed with.
fn without_secrets(text: &str, secrets: &[String]) -> String {
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for secret in secrets {
        text = text.replace(secret.as_str(), "[redacted]");
    }
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_a_server_repeats_is_not_said() {
        let said = without_secrets("<AWSAccessKeyId>canary-7</AWSAccessKeyId>\n", &["canary-7".to_owned()]);
        assert_eq!(said, "<AWSAccessKeyId>[redacted]</AWSAccessKeyId> ");
    }
}
