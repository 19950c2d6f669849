//! Objects made, never overwritten.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, WriteMultipart,
};

use super::address::Address;
use super::error::classify;
use crate::batch::Batch;
use crate::destination::SendError;

/// What is larger goes in parts.
const LARGE: u64 = 16 << 20;
/// The size of a part: S3 takes no smaller one than 5 MiB, and 10,000 of them.
const PART: usize = 8 << 20;
/// So many parts are under way at once.
const PARTS_AT_ONCE: usize = 3;
/// So many other objects may stand where ours should.
const MOST_BESIDE: u32 = 100;

pub(super) struct Put {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Local folders have no attributes.
    attributes: bool,
}

/// What stands under a key.
enum There {
    Ours,
    Other,
}

impl Put {
    pub(super) fn new(store: Arc<dyn ObjectStore>, address: &Address) -> Self {
        let is_folder = address.url.scheme() == "file";
        let prefix = if is_folder { Path::default() } else { Path::from(address.url.path()) };
        Self { store, prefix, attributes: !is_folder }
    }

    fn path(&self, key: &str, beside: u32) -> Result<Path, SendError> {
        let key = match (beside, key.rsplit_once('/')) {
            (0, _) => key.to_owned(),
            (_, Some((folder, name))) => {
                let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
                format!("{folder}/{stem}-{}.{ending}", beside + 1)
            }
            (_, None) => format!("{key}-{}", beside + 1),
        };
        let whole = format!("{}/{key}", self.prefix);
        Path::parse(whole.trim_start_matches('/'))
            .map_err(|error| SendError::misconfigured(format!("`{whole}` is no key: {error}")))
    }

    fn attributes(&self, kind: &'static str, batch: Option<&Batch>) -> Attributes {
        let mut attributes = Attributes::new();
        if !self.attributes {
            return attributes;
        }
        attributes.insert(Attribute::ContentType, kind.into());
        // S0-055.
        attributes.insert(Attribute::Metadata("category".into()), "monitoring_data".into());
        if let Some(batch) = batch {
            attributes.insert(Attribute::Metadata("events".into()), batch.events.len().to_string().into());
        }
        attributes
    }

    /// Makes the object, unless it is there already as it should be.
    pub(super) async fn bytes(
        &self,
        key: &str,
        batch: &Batch,
        kind: &'static str,
        bytes: Vec<u8>,
    ) -> Result<(), SendError> {
        let payload = PutPayload::from(bytes.clone());
        for beside in 0..MOST_BESIDE {
            let path = self.path(key, beside)?;
            let options = PutOptions {
                mode: PutMode::Create,
                attributes: self.attributes(kind, Some(batch)),
                ..PutOptions::default()
            };
            match self.store.put_opts(&path, payload.clone(), options).await {
                Ok(_) => return Ok(()),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                Err(error) => return Err(classify(&error)),
            }
            let there = self.store.get(&path).await.map_err(|error| classify(&error))?;
            let there = there.bytes().await.map_err(|error| classify(&error))?;
            if there == bytes {
                return Ok(());
            }
        }
        Err(too_many(key))
    }

    /// Makes an object of a file, in parts when it is large.
    pub(super) async fn file(&self, key: &str, path: &FilePath) -> Result<(), SendError> {
        let read = |error: std::io::Error| SendError::unavailable(format!("`{}`: {error}", path.display()));
        let mut file = File::open(path).map_err(read)?;
        let size = file.metadata().map_err(read)?.len();
        for beside in 0..MOST_BESIDE {
            let key = self.path(key, beside)?;
            if size <= LARGE {
                let mut bytes = Vec::new();
                file.rewind().map_err(read)?;
                file.read_to_end(&mut bytes).map_err(read)?;
                let options = PutOptions {
                    mode: PutMode::Create,
                    attributes: self.attributes("application/octet-stream", None),
                    ..PutOptions::default()
                };
                match self.store.put_opts(&key, bytes.into(), options).await {
                    Ok(_) => return Ok(()),
                    Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                    Err(error) => return Err(classify(&error)),
                }
            }
            match self.there(&key, &mut file, size).await? {
                Some(There::Ours) => return Ok(()),
                Some(There::Other) => {}
                // Parts cannot be put conditionally everywhere; no other shipper of this root writes this key.
                None => return self.parts(&key, &mut file, path).await,
            }
        }
        Err(too_many(key))
    }

    async fn parts(&self, key: &Path, file: &mut File, path: &FilePath) -> Result<(), SendError> {
        let read = |error: std::io::Error| SendError::unavailable(format!("`{}`: {error}", path.display()));
        let options = PutMultipartOptions {
            attributes: self.attributes("application/octet-stream", None),
            ..PutMultipartOptions::default()
        };
        let upload = self.store.put_multipart_opts(key, options).await.map_err(|error| classify(&error))?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
        file.rewind().map_err(read)?;
        let mut part = vec![0; PART];
        let sent = loop {
            if let Err(error) = writer.wait_for_capacity(PARTS_AT_ONCE).await {
                break Err(classify(&error));
            }
            match file.read(&mut part) {
                Ok(0) => break Ok(()),
                Ok(read) => writer.write(&part[..read]),
                Err(error) => break Err(read(error)),
            }
        };
        match sent {
            Ok(()) => writer.finish().await.map(drop).map_err(|error| classify(&error)),
            Err(error) => {
                // Parts that stay behind cost money; a store that is away keeps them until its own rule removes them.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    /// What stands under a key: compared byte by byte, as it comes.
    async fn there(&self, key: &Path, file: &mut File, size: u64) -> Result<Option<There>, SendError> {
        let there = match self.store.head(key).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            there => there.map_err(|error| classify(&error))?,
        };
        if there.size != size {
            return Ok(Some(There::Other));
        }
        let mut at = 0;
        let mut ours = Vec::new();
        file.rewind().map_err(|error| SendError::unavailable(error.to_string()))?;
        while at < size {
            let end = size.min(at + PART as u64);
            let theirs = self.store.get_range(key, at..end).await.map_err(|error| classify(&error))?;
            ours.resize(theirs.len(), 0);
            file.read_exact(&mut ours).map_err(|error| SendError::unavailable(error.to_string()))?;
            if ours != theirs || theirs.is_empty() {
                return Ok(Some(There::Other));
            }
            at += theirs.len() as u64;
        }
        Ok(Some(There::Ours))
    }
}

fn too_many(key: &str) -> SendError {
    SendError::misconfigured(format!(
        "{MOST_BESIDE} other objects stand under `{key}`; give each engine a bucket or prefix of its own"
    ))
}
