//! Prometheus: what runs say, counted. Served at `/metrics`, or written into a textfile for the node exporter.
//!
//! Invariant: metrics are made from the files alone, from their beginning, each time: a counter goes on after a restart where it
//! was, and nothing is served before everything that is there was read. What retention removed is no longer counted.

mod metrics;
mod serve;
mod textfile;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use crate::batch::{Batch, RunKey};
use crate::checkpoint::Position;
use crate::destination::{Destination, Limits, Receipt, SendError};
use crate::to::AddressError;

use metrics::Metrics;
use serve::Served;
use textfile::Textfile;

const LIMITS: Limits = Limits { events: 10_000, bytes: 16 << 20, wait: Duration::from_secs(1) };
const PORT: u16 = 9464;

/// Counts events for Prometheus.
///
/// ```
/// use tapelog_ship::prometheus::Prometheus;
///
/// # let file = std::env::temp_dir().join(format!("tapelog-doc-prometheus-{}.prom", std::process::id()));
/// let mut prometheus = Prometheus::parse(&format!("prometheus://{}", file.display()))?;
/// prometheus.prepare()?;
/// assert!(!prometheus.text().contains("BUY_BLOCKED"), "nothing was counted yet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Prometheus {
    shown: String,
    metrics: Arc<Mutex<Metrics>>,
    out: Out,
    /// How far each run was counted, by this process.
    counted: HashMap<RunKey, Position>,
    rounds: u32,
}

enum Out {
    Http { at: (String, u16), served: Option<Served> },
    File(Textfile),
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prometheus").field("address", &self.shown).finish_non_exhaustive()
    }
}

impl Prometheus {
    /// `prometheus://127.0.0.1:9464` serves `/metrics` there; `prometheus:///var/lib/node_exporter/tapelog.prom` writes that file,
    /// as the node exporter's textfile collector wants it.
    ///
    /// ```
    /// let served = tapelog_ship::prometheus::Prometheus::parse("prometheus://127.0.0.1:9464")?;
    /// let written = tapelog_ship::prometheus::Prometheus::parse("prometheus:///run/metrics/tapelog.prom")?;
    /// # Ok::<(), tapelog_ship::AddressError>(())
    /// ```
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|error| AddressError::new(format!("no address: {error}")))?;
        let example =
            "write `prometheus://127.0.0.1:9464`, or `prometheus:///folder/tapelog.prom` for a textfile";
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(AddressError::new(format!(
                "metrics are served to whoever asks, without a user and a query; {example}"
            )));
        }
        let path = url.path().trim_end_matches('/');
        let (shown, out) = match (url.host_str().filter(|host| !host.is_empty()), path) {
            (Some(host), "" | "/metrics") => {
                let port = url.port().unwrap_or(PORT);
                let at = (host.trim_matches(['[', ']']).to_owned(), port);
                (format!("prometheus://{host}:{port}"), Out::Http { at, served: None })
            }
            (None, path) if path.ends_with(".prom") => {
                (format!("prometheus://{path}"), Out::File(Textfile::new(PathBuf::from(path))))
            }
            (Some(_), _) => return Err(AddressError::new(format!("only `/metrics` is served; {example}"))),
            (None, _) => {
                return Err(AddressError::new(format!(
                    "the node exporter reads files whose names end in `.prom`; {example}"
                )));
            }
        };
        Ok(Self {
            shown,
            metrics: Arc::new(Mutex::new(Metrics::new())),
            out,
            counted: HashMap::new(),
            rounds: 0,
        })
    }

    /// What would be served now, in Prometheus' text format.
    #[must_use]
    pub fn text(&self) -> String {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner).text()
    }

    /// Begins to serve, where it does. Only needed by those who want to know before anything is counted.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn prepare(&mut self) -> Result<(), SendError> {
        if let Out::Http { at, served } = &mut self.out
            && served.is_none()
        {
            *served = Some(Served::start(at, &self.metrics)?);
        }
        Ok(())
    }
}

impl Destination for Prometheus {
    fn name(&self) -> String {
        self.shown.clone()
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn confirmed(&mut self, run: &RunKey) -> Result<Option<Position>, SendError> {
        self.prepare()?;
        Ok(Some(self.counted.get(run).cloned().unwrap_or_default()))
    }

    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
        {
            let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
            batch.events.iter().for_each(|event| metrics.count(&batch.run, event));
        }
        self.counted.insert((*batch.run).clone(), batch.to.clone());
        Ok(Receipt::default())
    }

    fn maintain(&mut self) -> Result<Option<String>, SendError> {
        self.rounds = self.rounds.saturating_add(1);
        // It is called before the runs are read for the first time, and again after they were read to their ends.
        if self.rounds < 2 {
            return Ok(None);
        }
        match &mut self.out {
            Out::Http { served, .. } => served.iter().for_each(Served::ready),
            Out::File(file) => file.write(&self.metrics)?,
        }
        Ok(None)
    }

    fn finish(&mut self) -> Result<(), SendError> {
        if let Out::File(file) = &mut self.out {
            file.write(&self.metrics)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_port_or_a_file() {
        assert_eq!(Prometheus::parse("prometheus://127.0.0.1").unwrap().shown, "prometheus://127.0.0.1:9464");
        assert_eq!(Prometheus::parse("prometheus://[::1]:7/metrics").unwrap().shown, "prometheus://[::1]:7");
        assert_eq!(Prometheus::parse("prometheus:///a/b.prom").unwrap().shown, "prometheus:///a/b.prom");
        for (text, says) in [
            ("prometheus:///a/b", ".prom"),
            ("prometheus://h/x", "only `/metrics`"),
            ("prometheus://u:canary-7@h", "without a user"),
        ] {
            let error = Prometheus::parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("canary"), "{text}: {error}");
        }
    }
}
