//! Ships runs to engines that already exist: a database, an object store, a collector.
//!
//! One mechanism serves every [`Destination`]: a [`Shipper`] follows a run directory from a checkpoint, sends batches, and
//! moves the checkpoint only after the destination has confirmed. The files are the queue: a destination that is down, slow
//! or wrong costs delay, never memory, never the engine.
//!
//! Delivery is at least once. A batch that was sent but not confirmed is sent again with exactly the same events, and each
//! event has a key (session, pid, `seq`), so that a destination that can tell, takes it once.
//!
//! Nothing here writes into a run directory; what a shipper keeps stands in `<root>/ship/<destination>/`.
//!
//! | feature | destination |
//! |---|---|
//! | `postgres` (default) | PostgreSQL 15 and newer |
//! | `object-store`, `parquet` | S3, Google Cloud Storage, Azure, folders; Parquet there |
//! | `otlp` | OpenTelemetry collectors |
//! | `elastic` | Elasticsearch and OpenSearch |
//! | `prometheus` | Prometheus: served, or a textfile |
//! | `http` | the client that two of them use; of no use alone |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod batch;
pub mod checkpoint;
pub mod destination;
#[cfg(feature = "elastic")]
pub mod elastic;
pub mod events;
mod files;
pub mod follow;
#[cfg(feature = "http")]
#[allow(dead_code, reason = "the destinations that use it are features of their own")]
mod http;
mod journal;
#[cfg(any(feature = "http", feature = "object-store"))]
mod net;
#[cfg(any(feature = "parquet", feature = "otlp"))]
mod number;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod rejected;
pub mod shipper;
#[cfg(feature = "object-store")]
pub mod store;
mod time;
#[cfg(any(feature = "postgres", feature = "http", feature = "object-store"))]
mod tls;
mod to;

pub use batch::{Batch, Event, RunKey};
pub use destination::{Destination, Limits, Receipt, Refusal, SendError, Unit};
pub use shipper::{ShipError, Shipper, Shipping, Summary};
pub use to::{AddressError, destination};
