//! The store's client: its credentials, its TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::address::Address;
use super::error;
use crate::destination::SendError;
use crate::tls;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One request: a part of a large file is 8 MiB.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The store, whatever it is.
pub(super) fn connect(address: &Address) -> Result<Arc<dyn ObjectStore>, SendError> {
    let made = match address.url.scheme() {
        "s3" | "s3a" => s3(address)?.map(|store| Arc::new(store) as Arc<dyn ObjectStore>),
        "gs" => google(address)?.map(|store| Arc::new(store) as Arc<dyn ObjectStore>),
        "az" | "azure" | "abfs" | "abfss" => {
            azure(address)?.map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }
        _ => {
            let folder = folder(address)?;
            std::fs::create_dir_all(&folder)
                .map_err(|error| SendError::unavailable(format!("`{}`: {error}", folder.display())))?;
            LocalFileSystem::new_with_prefix(&folder)
                .map(|store| Arc::new(store.with_fsync(true)) as Arc<dyn ObjectStore>)
        }
    };
    made.map_err(|error| error::classify(&error))
}

/// The folder of `file:///…`.
fn folder(address: &Address) -> Result<PathBuf, SendError> {
    address.url.to_file_path().map_err(|()| {
        SendError::misconfigured(format!("`{}` is no folder; write `file:///folder`", address.shown))
    })
}

fn s3(address: &Address) -> Result<Result<object_store::aws::AmazonS3, object_store::Error>, SendError> {
    let mut builder = AmazonS3Builder::from_env()
        .with_url(address.url.as_str())
        .with_retry(retry())
        .with_allow_http(address.plain)
        .with_http_connector(Connector::new(address)?);
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    match &address.region {
        Some(region) => builder = builder.with_region(region),
        None if builder.get_config_value(&AmazonS3ConfigKey::Region).is_none() => {
            builder = builder.with_region("us-east-1");
        }
        None => {}
    }
    let known = builder.get_config_value(&AmazonS3ConfigKey::AccessKeyId).is_some();
    if let (false, Some(profile)) = (known, Profile::read()) {
        builder = builder.with_access_key_id(profile.id).with_secret_access_key(profile.secret);
        if let Some(token) = profile.token {
            builder = builder.with_token(token);
        }
    }
    Ok(builder.build())
}

fn google(
    address: &Address,
) -> Result<Result<object_store::gcp::GoogleCloudStorage, object_store::Error>, SendError> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_url(address.url.as_str())
        .with_retry(retry())
        .with_http_connector(Connector::new(address)?);
    if let Some(endpoint) = &address.endpoint {
        builder = builder.with_base_url(endpoint.as_str().trim_end_matches('/'));
    }
    Ok(builder.build())
}

fn azure(
    address: &Address,
) -> Result<Result<object_store::azure::MicrosoftAzure, object_store::Error>, SendError> {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_url(address.url.as_str())
        .with_retry(retry())
        .with_allow_http(address.plain)
        .with_http_connector(Connector::new(address)?);
    if let Some(endpoint) = &address.endpoint {
        // What the environment says of an emulator would have its own.
        let endpoint = endpoint.as_str().trim_end_matches('/').to_owned();
        builder = builder.with_use_emulator(false).with_endpoint(endpoint);
    }
    Ok(builder.build())
}

/// The credentials of a profile in `~/.aws/credentials`.
#[derive(Default)]
struct Profile {
    id: String,
    secret: String,
    token: Option<String>,
}

impl Profile {
    fn read() -> Option<Self> {
        let file = std::env::var_os("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
        let file = file.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".aws/credentials")))?;
        let name = std::env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned());
        Self::of(&std::fs::read_to_string(file).ok()?, &name)
    }

    fn of(text: &str, name: &str) -> Option<Self> {
        let mut profile = Self::default();
        let mut inside = false;
        for line in text.lines().map(str::trim) {
            if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                inside = section.trim() == name;
            } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
                let value = value.trim().to_owned();
                match key.trim() {
                    "aws_access_key_id" => profile.id = value,
                    "aws_secret_access_key" => profile.secret = value,
                    "aws_session_token" => profile.token = Some(value),
                    _ => {}
                }
            }
        }
        (!profile.id.is_empty() && !profile.secret.is_empty()).then_some(profile)
    }
}

/// Every secret that may be known here, to keep it out of what a server says.
pub(super) fn secrets() -> Vec<String> {
    let mut secrets: Vec<String> = std::env::vars()
        .filter(|(name, _)| {
            ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|prefix| name.starts_with(prefix))
                && ["KEY", "SECRET", "TOKEN", "PASSWORD", "SAS"].iter().any(|part| name.contains(part))
        })
        .map(|(_, value)| value)
        .collect();
    if let Some(profile) = Profile::read() {
        secrets.extend([profile.id, profile.secret]);
        secrets.extend(profile.token);
    }
    secrets.retain(|secret| secret.len() >= 4);
    secrets
}

/// Two quick tries; the long pauses are the shipper's.
fn retry() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: 2, retry_timeout: Duration::from_secs(20) }
}

/// Makes the HTTP client with our TLS.
#[derive(Debug)]
struct Connector {
    client: reqwest::Client,
}

impl Connector {
    fn new(address: &Address) -> Result<Self, SendError> {
        let config = tls::config(address.authority.as_deref())
            .map_err(|error| SendError::misconfigured(format!("`ca`: {error}")))?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .https_only(!address.plain)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .user_agent("tape-ship")
            .build();
        client
            .map(|client| Self { client })
            .map_err(|error| SendError::misconfigured(format!("no HTTP client: {error}")))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.client.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_its_tools_do() {
        let text =
            "[other]\naws_access_key_id=no\n[default]\naws_access_key_id = AK\naws_secret_access_key = s=1\n";
        let profile = Profile::of(text, "default").unwrap();
        assert_eq!((profile.id.as_str(), profile.secret.as_str()), ("AK", "s=1"));
        assert!(Profile::of(text, "other").is_none(), "half a profile is none");
    }
}
