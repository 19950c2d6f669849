//! What the destinations that speak HTTP share: one blocking client, TLS unless the other side is loopback, and what a
//! status means.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::destination::SendError;
use crate::net::is_loopback;
use crate::tls;
use crate::to::AddressError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The whole of one request: a destination that takes longer is away.
const TIMEOUT: Duration = Duration::from_secs(60);
/// More of an answer is not read.
const LONGEST_ANSWER: u64 = 16 << 20;

/// A client, and where it sends.
#[derive(Debug)]
pub(crate) struct Http {
    agent: ureq::Agent,
    /// `https://host:port`, without a slash at the end.
    base: String,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// When it asked to be tried again.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// A client for `scheme://host:port/path`: encrypted unless the host is loopback or the query says `tls=off`; `tls=on`
    /// encrypts to loopback too, `ca=FILE` names the authority. The rest of the query is the caller's.
    ///
    /// # Errors
    /// When the address holds a password or no host, or the authority's file cannot be read.
    pub(crate) fn new(url: &Url, port: u16) -> Result<Self, AddressError> {
        if url.password().is_some() {
            return Err(AddressError::new(
                "a password in the address can be read by everyone in the list of processes; put it in a file or the environment",
            ));
        }
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| AddressError::new("no host"))?;
        let asked =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let encrypted = match asked("tls").as_deref() {
            None => !is_loopback(host),
            Some("on") => true,
            Some("off") => false,
            Some(other) => return Err(AddressError::new(format!("`tls={other}` is not one of `on`, `off`"))),
        };
        let authority = asked("ca");
        let roots = tls::roots_of(authority.as_deref().map(Path::new));
        let roots = roots.map_err(|error| AddressError::new(error.to_string()))?;
        let provider = ureq::tls::TlsConfig::builder()
            .provider(ureq::tls::TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(roots)
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(provider)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            // A status is an answer, not an error; a redirect would carry credentials elsewhere.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("tape-ship")
            .build()
            .new_agent();
        let scheme = if encrypted { "https" } else { "http" };
        let port = url.port().unwrap_or(port);
        let path = url.path().trim_end_matches('/');
        Ok(Self { agent, base: format!("{scheme}://{host}:{port}{path}"), headers: Vec::new() })
    }

    /// A header that every request carries; its value never shows in an error.
    pub(crate) fn header(&mut self, name: &str, value: String) {
        self.headers.push((name.to_owned(), value));
    }

    /// The address without credentials.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Sends `body` to `path` below the base.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub(crate) fn post(
        &self,
        path: &str,
        kind: &str,
        body: &[u8],
        packed: bool,
    ) -> Result<Answer, SendError> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).header("content-type", kind);
        if packed {
            request = request.header("content-encoding", "gzip");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.send(body))
    }

    /// Puts `body` at `path` below the base.
    ///
    /// # Errors
    /// When there is no answer at all.
    #[cfg(feature = "elastic")]
    pub(crate) fn put(&self, path: &str, kind: &str, body: &[u8]) -> Result<Answer, SendError> {
        let mut request = self.agent.put(format!("{}{path}", self.base)).header("content-type", kind);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.send(body))
    }

    /// Asks for `path` below the base.
    ///
    /// # Errors
    /// When there is no answer at all.
    #[allow(dead_code, reason = "only some destinations ask anything")]
    pub(crate) fn get(&self, path: &str) -> Result<Answer, SendError> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        answer(request.call())
    }
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, SendError> {
    let mut response = result.map_err(|error| {
        let reason = format!("no answer: {error}");
        // Certificates do not mend themselves.
        if reason.contains("invalid peer certificate") {
            SendError::misconfigured(format!(
                "{reason}; name the authority with `ca=FILE`, and the host as its certificate does"
            ))
        } else {
            SendError::unavailable(reason)
        }
    })?;
    let retry_after =
        response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
    Ok(Answer {
        status: response.status().as_u16(),
        retry_after: retry_after.map(Duration::from_secs),
        body: body.map_err(|error| SendError::unavailable(format!("the answer broke off: {error}")))?,
    })
}

impl Answer {
    /// What a status that is no success means. Statuses that blame the request itself (400, 413, 422) are the caller's to
    /// judge first: here they mean a wrong address.
    pub(crate) fn failure(&self) -> SendError {
        let words: String =
            String::from_utf8_lossy(&self.body).chars().filter(|c| !c.is_control()).take(300).collect();
        let reason = format!("it answered {} {words}", self.status);
        match self.status {
            401 | 403 => SendError::misconfigured(format!("{reason}; check the credentials")),
            408 | 429 | 500..=599 => {
                SendError::Unavailable { reason: reason.trim_end().to_owned(), retry_after: self.retry_after }
            }
            _ => SendError::misconfigured(format!("{reason}; check the address")),
        }
    }
}
