//! Elasticsearch 8 and newer, and OpenSearch: `_bulk`, in the shape of the Elastic Common Schema.
//!
//! Invariant: an event has one id, `session-pid-seq`, and one index, that of the day it was recorded, and is only ever
//! created. So it is there once, however often it is sent: what is there already answers 409, and counts as taken. (In a data
//! stream this would not hold: an id is known in the newest backing index alone.)

mod address;
mod answer;
mod bulk;
mod setup;

use std::fmt;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

use crate::batch::Batch;
use crate::destination::{Destination, Limits, Receipt, Refusal, SendError};
use crate::http::Http;
use crate::to::AddressError;

use address::Address;
use answer::Verdict;

/// Elastic advises requests of 5 to 15 MB, and no more events than it answers in a moment.
const LIMITS: Limits = Limits { events: 2_000, bytes: 8 << 20, wait: Duration::from_secs(5) };
/// What a busy cluster did not take is offered so often before the shipper waits longer.
const ROUNDS: u32 = 3;
/// Between two of them; doubled each time.
const PAUSE: Duration = Duration::from_millis(100);

/// A cluster that takes events.
///
/// ```no_run
/// use tapelog_ship::elastic::Elastic;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut cluster = Elastic::parse("elasticsearch://127.0.0.1:9200/tapelog")?;
/// // Says at once whether the cluster is there and lets us in.
/// cluster.prepare()?;
/// # Ok(()) }
/// ```
pub struct Elastic {
    address: Address,
    http: Option<Http>,
    /// The batch that the cluster took in part.
    begun: Option<Begun>,
}

/// How far one batch is: what was taken or refused is not sent again while this shipper lives.
#[derive(Debug)]
struct Begun {
    id: String,
    waiting: Vec<usize>,
    refused: Vec<Refusal>,
}

impl fmt::Debug for Elastic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elastic").field("address", &self.address.shown).finish_non_exhaustive()
    }
}

impl Elastic {
    /// The cluster at `elasticsearch://host:9200/tapelog` or `opensearch://…`: events go to the indices `tapelog-2026.11.28`, a
    /// day each. With these in the query:
    ///
    /// | key | means |
    /// |---|---|
    /// | `tls` | `off` allows a host that is not loopback without encryption; `on` encrypts to loopback too |
    /// | `ca` | a PEM file with the authority of the cluster's certificate |
    /// | `pipeline` | an ingest pipeline that each event passes |
    /// | `setup` | `off`: the index template and the retention are somebody else's business |
    ///
    /// Credentials stand in `ELASTIC_API_KEY`, or in `ELASTIC_USERNAME` (unless said `elastic`, or the user of the address) and
    /// `ELASTIC_PASSWORD`; each also as `…_FILE`, the name of a file with it.
    ///
    /// ```
    /// let elastic = tapelog_ship::elastic::Elastic::parse("elasticsearch://ship@es.example:9200/tapelog?ca=/dev/null");
    /// assert!(elastic.is_err(), "there is no certificate in that file");
    /// let elastic = tapelog_ship::elastic::Elastic::parse("elasticsearch://127.0.0.1:9200/tapelog")?;
    /// let shipper = |root: &str| tapelog_ship::Shipper::new(root, elastic);
    /// # Ok::<(), tapelog_ship::AddressError>(())
    /// ```
    ///
    /// # Errors
    /// When it is no such address, or when it holds a password.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Ok(Self { address: Address::parse(text)?, http: None, begun: None })
    }

    /// Connects, and makes the index template and the retention policy where they are missing. Only needed by those who want
    /// to know before anything is sent.
    ///
    /// # Errors
    /// When the cluster is away, refuses, or lets nobody make them.
    pub fn prepare(&mut self) -> Result<(), SendError> {
        self.connected().map(drop)
    }

    fn connected(&mut self) -> Result<&Http, SendError> {
        if self.http.is_none() {
            let http = self.address.connect()?;
            if self.address.setup {
                setup::ensure(&http, &self.address.index)?;
            }
            self.http = Some(http);
        }
        self.http.as_ref().ok_or_else(|| SendError::unavailable("no connection"))
    }

    /// Offers what waits, in as many requests as the cluster wants, and sorts what it says of each event.
    fn offer(&mut self, batch: &Batch, begun: &mut Begun) -> Result<(), SendError> {
        let mut later = Vec::new();
        let mut reason = None;
        let mut parts = vec![std::mem::take(&mut begun.waiting)];
        while let Some(mut part) = parts.pop() {
            let body = bulk::body(batch, &part, &self.address.index);
            let path = self.address.path();
            let answer = self.connected().and_then(|http| post(http, &path, &body));
            // Whatever was not answered waits, in its order.
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    later.extend(part);
                    later.extend(parts.into_iter().flatten());
                    later.sort_unstable();
                    begun.waiting = later;
                    return Err(error);
                }
            };
            match answer::read(&answer, part.len()) {
                Verdict::Items(items) => {
                    for (index, item) in part.into_iter().zip(items) {
                        match item {
                            answer::Item::Taken => {}
                            answer::Item::Refused(why) => begun.refused.push(Refusal { index, reason: why }),
                            answer::Item::Later(error) => {
                                later.push(index);
                                reason = Some(error);
                            }
                        }
                    }
                }
                Verdict::TooLarge if part.len() > 1 => {
                    let half = part.split_off(part.len() / 2);
                    parts.extend([half, part]);
                }
                Verdict::TooLarge => {
                    let why = format!("the cluster takes no request of {} bytes (413)", body.len());
                    begun
                        .refused
                        .extend(part.into_iter().map(|index| Refusal { index, reason: why.clone() }));
                }
                Verdict::Failed(error) => {
                    later.extend(part);
                    later.extend(parts.into_iter().flatten());
                    later.sort_unstable();
                    begun.waiting = later;
                    return Err(error);
                }
            }
        }
        later.sort_unstable();
        begun.waiting = later;
        reason.map_or(Ok(()), Err)
    }
}

impl Destination for Elastic {
    fn name(&self) -> String {
        self.address.shown.clone()
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
        let id = batch.id();
        let same = |begun: &Begun| begun.id == id && begun.waiting.iter().all(|at| *at < batch.events.len());
        let mut begun = self.begun.take().filter(same).unwrap_or_else(|| Begun {
            id,
            waiting: (0..batch.events.len()).collect(),
            refused: Vec::new(),
        });
        let mut pause = PAUSE;
        for round in 1.. {
            let before = begun.waiting.len();
            let Err(error) = self.offer(batch, &mut begun) else { break };
            // A cluster that takes some of it is worth asking again at once; one that takes none needs the shipper's patience.
            let some = begun.waiting.len() < before;
            if round == ROUNDS || !some || matches!(error, SendError::Misconfigured { .. }) {
                if matches!(error, SendError::Misconfigured { .. }) {
                    // Credentials and templates are looked at anew.
                    self.http = None;
                }
                self.begun = Some(begun);
                return Err(error);
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        begun.refused.sort_by_key(|refusal| refusal.index);
        Ok(Receipt { refused: begun.refused })
    }
}

fn post(http: &Http, path: &str, body: &[u8]) -> Result<crate::http::Answer, SendError> {
    let mut packed = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    let packed = packed.write_all(body).and_then(|()| packed.finish());
    let packed = packed.map_err(|error| SendError::unavailable(format!("cannot pack a request: {error}")))?;
    http.post(path, "application/x-ndjson", &packed, true)
}
