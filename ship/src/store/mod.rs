//! Object stores: S3, Google Cloud Storage, Azure, or a local folder.
//!
//! Invariant: no object is ever overwritten, and none is missing. A key is made of what it holds, so that a batch that is
//! sent again meets its own object; whatever else stands under that key stays, and the batch goes beside it.

mod address;
mod client;
mod error;
mod key;
#[cfg(feature = "parquet")]
mod parquet;
mod put;

use std::fmt;
use std::path::Path;

use tokio::runtime::Runtime;

use crate::batch::{Batch, RunKey};
use crate::destination::{Destination, Limits, Receipt, SendError, Unit};
use address::Address;
use put::Put;

pub use address::{Form, Pack};

/// A store that takes events or files.
///
/// ```
/// use tapelog_ship::store::ObjectStore;
///
/// let store = ObjectStore::parse("s3://tape/engine?pack=zstd&region=eu-central-1")?;
/// assert!(ObjectStore::parse("s3://tape/engine?pack=rar").is_err());
/// # drop(store);
/// # Ok::<(), tapelog_ship::AddressError>(())
/// ```
pub struct ObjectStore {
    address: Address,
    /// Made when the first batch is there.
    put: Option<Put>,
    runtime: Option<Runtime>,
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStore").field("address", &self.address.shown).finish_non_exhaustive()
    }
}

impl ObjectStore {
    /// The store at `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or `file:///folder`, with these in
    /// the query:
    ///
    /// | key | means |
    /// |---|---|
    /// | `as` | `jsonl` (batches of lines; unless said), `segments` (the files of a run as they stand), `parquet` |
    /// | `pack` | of `jsonl`: `none` (unless said), `gzip`, `zstd` |
    /// | `endpoint` | a server that speaks as the store does: `http://127.0.0.1:8333`; of Azure with the account: `http://127.0.0.1:10000/devstoreaccount1` |
    /// | `region` | of S3; unless said `AWS_REGION`, then `us-east-1` |
    /// | `tls` | `off` allows an endpoint without encryption that is not loopback |
    /// | `ca` | a PEM file with the authority of the endpoint's certificate |
    ///
    /// Credentials come from the environment as the store's own tools read them (`AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_KEY`, …), of S3 also from
    /// `~/.aws/credentials`, or from the machine's role.
    ///
    /// # Errors
    /// When it is no such address, or when it holds credentials.
    pub fn parse(text: &str) -> Result<Self, crate::AddressError> {
        Ok(Self { address: Address::parse(text)?, put: None, runtime: None })
    }

    /// Runs `of` with the store, which is made first if need be.
    fn with<T>(
        &mut self,
        of: impl AsyncFnOnce(&Address, &Put) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        let (runtime, put) = match (&self.runtime, &self.put) {
            (Some(runtime), Some(put)) => (runtime, put),
            _ => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime =
                    runtime.map_err(|error| SendError::unavailable(format!("no runtime: {error}")))?;
                let put = Put::new(client::connect(&self.address)?, &self.address);
                (&*self.runtime.insert(runtime), &*self.put.insert(put))
            }
        };
        runtime.block_on(of(&self.address, put))
    }
}

impl Destination for ObjectStore {
    fn name(&self) -> String {
        self.address.shown.clone()
    }

    fn limits(&self) -> Limits {
        match self.address.form {
            Form::Parquet => Limits::PARQUET,
            Form::Jsonl | Form::Segments => Limits::OBJECT_STORE,
        }
    }

    fn unit(&self) -> Unit {
        match self.address.form {
            Form::Segments => Unit::Files,
            Form::Jsonl | Form::Parquet => Unit::Events,
        }
    }

    fn send(&mut self, batch: &Batch) -> Result<Receipt, SendError> {
        match self.address.form {
            #[cfg(feature = "parquet")]
            Form::Parquet => {
                let files = parquet::files(batch)?;
                self.with(async |_, put| {
                    for file in files.files {
                        put.bytes(&file.key, batch, "application/vnd.apache.parquet", file.bytes).await?;
                    }
                    Ok(Receipt { refused: files.refused })
                })
            }
            _ => {
                let pack = self.address.pack;
                let bytes = pack.pack(&lines(batch))?;
                let key = key::lines(batch, pack);
                self.with(async |_, put| put.bytes(&key, batch, pack.content_type(), bytes).await)?;
                Ok(Receipt::default())
            }
        }
    }

    fn send_file(&mut self, run: &RunKey, name: &str, path: &Path) -> Result<(), SendError> {
        let key = key::file(run, name);
        self.with(async |_, put| put.file(&key, path).await)
    }
}

/// Records joined by newline (S0-055), and one behind the last, so that objects may be joined.
fn lines(batch: &Batch) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(batch.bytes());
    for event in &batch.events {
        bytes.extend_from_slice(event.line.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}
