//! OpenTelemetry collectors: OTLP over HTTP, protobuf. Every event is a log record; a decision is a trace whose spans are its
//! functions and attempts; histograms and counters are metrics.
//!
//! Invariant: the ids of spans are made of what they stand for, so that an event that is sent again is the same span, and a
//! log record names the span it belongs to without having seen it.

mod answer;
mod encoder;
mod logs;
mod metrics;
mod spans;
mod value;

use std::fmt;

use url::Url;

use crate::AddressError;
use crate::batch::{Batch, RunKey};
use crate::destination::{Destination, Limits, Receipt, Refusal, SendError};
use crate::http::Http;
use answer::Taken;

pub use encoder::{Encoded, Encoder};

/// The port of OTLP over HTTP.
const PORT: u16 = 4318;

/// A collector that takes events.
///
/// ```
/// use tapelog_ship::otlp::Otlp;
///
/// let collector = Otlp::parse("otlp://127.0.0.1:4318")?;
/// assert!(Otlp::parse("otlp://user:hunter2@collector").is_err(), "no password in an address");
/// # drop(collector);
/// # Ok::<(), tapelog_ship::AddressError>(())
/// ```
pub struct Otlp {
    http: Http,
    signals: Vec<Signal>,
    packed: bool,
    shown: String,
    encoder: Encoder,
    /// What of the batch that is being sent has arrived: it is not sent again because the rest has to be.
    arrived: Arrived,
}

/// How far a batch has come.
#[derive(Debug, Default)]
struct Arrived {
    batch: String,
    signals: Vec<Signal>,
    refused: Vec<Refusal>,
}

/// The three kinds of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Logs,
    Traces,
    Metrics,
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp").field("address", &self.shown).finish_non_exhaustive()
    }
}

impl Otlp {
    /// The collector at `otlp://host:port/path`, with these in the query:
    ///
    /// | key | means |
    /// |---|---|
    /// | `signals` | `logs,traces,metrics` (unless said), or some of them |
    /// | `pack` | `gzip` (unless said) or `none` |
    /// | `tls` | `on`, `off`; unless said, on for all but loopback |
    /// | `ca` | a PEM file with the authority of the collector's certificate |
    ///
    /// Headers, for example a key, stand in `OTEL_EXPORTER_OTLP_HEADERS` as every exporter reads it (`name=value,…`), or in
    /// the file that `OTEL_EXPORTER_OTLP_HEADERS_FILE` names.
    ///
    /// # Errors
    /// When it is no such address, or when it holds a password.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|error| AddressError::new(format!("no address: {error}")))?;
        let mut http = Http::new(&url, PORT)?;
        let mut signals = vec![Signal::Logs, Signal::Traces, Signal::Metrics];
        let mut packed = true;
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("signals", list) => {
                    signals = list.split(',').map(Signal::parse).collect::<Result<_, _>>()?;
                }
                ("pack", "gzip") => packed = true,
                ("pack", "none") => packed = false,
                ("pack", other) => {
                    return Err(AddressError::new(format!("`pack={other}` is not one of `gzip`, `none`")));
                }
                ("tls" | "ca", _) => {}
                (other, _) => {
                    return Err(AddressError::new(format!(
                        "unknown `{other}`; write one of `signals`, `pack`, `tls`, `ca`"
                    )));
                }
            }
        }
        for (name, value) in headers()? {
            http.header(&name, value);
        }
        let mut shown = http.base().replacen("https://", "otlp://", 1).replacen("http://", "otlp://", 1);
        if signals.len() < 3 {
            let names: Vec<&str> = signals.iter().map(|signal| signal.name()).collect();
            shown = format!("{shown}?signals={}", names.join(","));
        }
        Ok(Self { http, signals, packed, shown, encoder: Encoder::new(), arrived: Arrived::default() })
    }

    /// Sends some of a batch's events as one kind; what is refused is found by halves.
    fn post(
        &self,
        run: &RunKey,
        signal: Signal,
        events: &[(usize, &Encoded)],
        refused: &mut Vec<Refusal>,
    ) -> Result<(), SendError> {
        let Some(body) = self.encoder.request(run, signal, events.iter().map(|(_, encoded)| *encoded)) else {
            return Ok(());
        };
        let body = if self.packed { gzip(&body)? } else { body };
        let answer = self.http.post(signal.path(), "application/x-protobuf", &body, self.packed)?;
        match answer::judge(signal, &answer)? {
            Taken::All => Ok(()),
            Taken::Some { count, reason } => {
                let of = events.len();
                let reason = if count as usize >= of {
                    reason
                } else {
                    format!("the collector refused {count} of these {of} and does not say which: {reason}")
                };
                refused.extend(
                    events.iter().map(|(index, _)| Refusal { index: *index, reason: reason.clone() }),
                );
                Ok(())
            }
            Taken::None { reason } => {
                if let [(index, _)] = events {
                    refused.push(Refusal { index: *index, reason });
                    return Ok(());
                }
                let (first, second) = events.split_at(events.len() / 2);
                self.post(run, signal, first, refused)?;
                self.post(run, signal, second, refused)
            }
        }
    }
}

impl Destination for Otlp {
    fn name(&self) -> String {
        self.shown.clone()
    }

    fn limits(&self) -> Limits {
        Limits::COLLECTOR
    }

    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
        if self.arrived.batch != batch.id() {
            self.arrived = Arrived { batch: batch.id(), ..Arrived::default() };
        }
        let mut refused = Vec::new();
        let mut encoded = Vec::with_capacity(batch.events.len());
        for (index, event) in batch.events.iter().enumerate() {
            match self.encoder.encode(&batch.run, event) {
                Ok(one) => encoded.push((index, one)),
                Err(reason) => refused.push(Refusal { index, reason }),
            }
        }
        for signal in self.signals.clone() {
            if self.arrived.signals.contains(&signal) {
                continue;
            }
            let events: Vec<(usize, &Encoded)> = encoded
                .iter()
                .filter(|(_, one)| one.is_of(signal))
                .map(|(index, one)| (*index, one))
                .collect();
            let mut refused = Vec::new();
            self.post(&batch.run, signal, &events, &mut refused)?;
            self.arrived.signals.push(signal);
            self.arrived.refused.append(&mut refused);
        }
        refused.append(&mut self.arrived.refused.clone());
        // An event that two kinds refuse is one event.
        refused.sort_by_key(|refusal| refusal.index);
        refused.dedup_by_key(|refusal| refusal.index);
        Ok(Receipt { refused })
    }
}

impl Signal {
    fn parse(text: &str) -> Result<Self, AddressError> {
        [Self::Logs, Self::Traces, Self::Metrics].into_iter().find(|signal| signal.name() == text).ok_or_else(
            || {
                AddressError::new(format!(
                    "`signals={text}` is not one of `logs`, `traces`, `metrics`, with commas"
                ))
            },
        )
    }

    fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Logs => "/v1/logs",
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
        }
    }
}

/// What the environment says every request should carry.
fn headers() -> Result<Vec<(String, String)>, AddressError> {
    let text = match std::env::var_os("OTEL_EXPORTER_OTLP_HEADERS_FILE") {
        Some(path) => std::fs::read_to_string(&path)
            .map_err(|error| AddressError::new(format!("`OTEL_EXPORTER_OTLP_HEADERS_FILE`: {error}")))?,
        None => std::env::var("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default(),
    };
    parse_headers(&text)
}

fn parse_headers(text: &str) -> Result<Vec<(String, String)>, AddressError> {
    let mut headers = Vec::new();
    for part in text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        // Never repeated: it may be a key.
        let (name, value) = part.split_once('=').ok_or_else(|| {
            AddressError::new("`OTEL_EXPORTER_OTLP_HEADERS` has a part that is not `name=value`".to_owned())
        })?;
        let decoded =
            url::form_urlencoded::parse(format!("v={}", value.trim().replace('+', "%2B")).as_bytes())
                .next()
                .map(|(_, value)| value.into_owned());
        headers.push((name.trim().to_ascii_lowercase(), decoded.unwrap_or_default()));
    }
    Ok(headers)
}

fn gzip(body: &[u8]) -> Result<Vec<u8>, SendError> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(body)
        .and_then(|()| encoder.finish())
        .map_err(|error| SendError::unavailable(format!("cannot pack: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_asked_encrypted_unless_it_is_loopback() {
        assert_eq!(Otlp::parse("otlp://127.0.0.1").unwrap().http.base(), "http://127.0.0.1:4318");
        assert_eq!(Otlp::parse("otlp://c.example/x/").unwrap().http.base(), "https://c.example:4318/x");
        assert_eq!(Otlp::parse("otlp://c.example:9?tls=off").unwrap().http.base(), "http://c.example:9");
        let error = Otlp::parse("otlp://u:canary-7@c.example").unwrap_err().to_string();
        assert!(error.contains("list of processes") && !error.contains("canary"), "{error}");
        assert!(Otlp::parse("otlp://h?signals=log").unwrap_err().to_string().contains("`logs`"));
    }

    #[test]
    fn headers_are_read_as_every_exporter_reads_them() {
        let headers = parse_headers("Api-Key=a%20b, x = 1+2\n").unwrap();
        assert_eq!(headers, [("api-key".into(), "a b".into()), ("x".into(), "1+2".into())]);
        let error = parse_headers("canary-7").unwrap_err().to_string();
        assert!(error.contains("name=value") && !error.contains("canary"), "{error}");
    }
}
