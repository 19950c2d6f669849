//! `seals.jsonl`, read a line at a time: of a million seals what stays in memory is where each stands.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tapelog::read::Seal;

use super::chain::{Link, hash};

/// The seals of a run, by segment.
pub(super) struct Seals {
    path: PathBuf,
    /// By stream, segment and sealed bytes.
    places: Vec<Place>,
    streams: BTreeMap<String, u32>,
    covers: u64,
}

/// Where a seal stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    stream: u32,
    segment: u32,
    bytes: u64,
    at: u64,
    len: u32,
}

impl Seals {
    /// Reads the seals in `path`, and shows `each` every whole line as a link, with the seal it is.
    pub(super) fn read(path: PathBuf, mut each: impl FnMut(Link, Option<&Seal>)) -> io::Result<Self> {
        let mut seals = Self { path: path.clone(), places: Vec::new(), streams: BTreeMap::new(), covers: 0 };
        lines(&path, |at, line| {
            let seal: Option<Seal> = serde_json::from_slice(line).ok();
            each(link(line, seal.as_ref()), seal.as_ref());
            let Some(seal) = seal else { return };
            let next = seals.streams.len() as u32;
            let stream = match seals.streams.get(&seal.stream) {
                Some(known) => *known,
                None => *seals.streams.entry(seal.stream).or_insert(next),
            };
            seals.covers = seals.covers.max(seal.covers);
            let (segment, bytes, len) = (seal.segment, seal.bytes, line.len() as u32);
            seals.places.push(Place { stream, segment, bytes, at, len });
        })?;
        seals.places.sort_unstable();
        Ok(seals)
    }

    /// All lines as links.
    pub(super) fn links(&self) -> io::Result<Vec<Link>> {
        let mut links = Vec::new();
        lines(&self.path, |_, line| links.push(link(line, serde_json::from_slice(line).ok().as_ref())))?;
        Ok(links)
    }

    /// The seals of a segment, the shortest first.
    pub(super) fn of_segment(&self, stream: &str, segment: u32) -> io::Result<Vec<Seal>> {
        let of_stream = self.of_stream(stream);
        let from = of_stream.partition_point(|place| place.segment < segment);
        let to = of_stream.partition_point(|place| place.segment <= segment);
        let places = of_stream.get(from..to).unwrap_or_default();
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let file = File::open(&self.path)?;
        let mut seals = Vec::new();
        for place in places {
            let mut line = vec![0; place.len as usize];
            file.read_exact_at(&mut line, place.at)?;
            seals.push(serde_json::from_slice(&line)?);
        }
        Ok(seals)
    }

    /// The streams that have seals.
    pub(super) fn streams(&self) -> impl Iterator<Item = &String> {
        self.streams.keys()
    }

    /// The segments of a stream that have seals, rising, and some more than once.
    pub(super) fn segments(&self, stream: &str) -> impl Iterator<Item = u32> {
        self.of_stream(stream).iter().map(|place| place.segment)
    }

    /// The highest segment of a stream that has a seal.
    pub(super) fn last_segment(&self, stream: &str) -> u32 {
        self.of_stream(stream).last().map_or(0, |place| place.segment)
    }

    pub(super) fn covers(&self) -> u64 {
        self.covers
    }

    /// How far the seal with this hash, or with one that begins so, proves everything.
    pub(super) fn covers_of(&self, head: &str) -> io::Result<Option<u64>> {
        let mut found = None;
        lines(&self.path, |_, line| {
            if found.is_none() && tapelog::read::SealLine::hash_of(line).starts_with(head) {
                found = Some(serde_json::from_slice::<Seal>(line).ok().map(|seal| seal.covers));
            }
        })?;
        Ok(found.flatten())
    }

    fn of_stream(&self, stream: &str) -> &[Place] {
        let Some(stream) = self.streams.get(stream) else { return &[] };
        let from = self.places.partition_point(|place| place.stream < *stream);
        let to = self.places.partition_point(|place| place.stream <= *stream);
        self.places.get(from..to).unwrap_or_default()
    }
}

fn link(line: &[u8], seal: Option<&Seal>) -> Link {
    Link {
        hash: Sha256::digest(line).into(),
        previous: seal.map(|seal| hash(&seal.previous)),
        number: seal.map(|seal| seal.seal),
    }
}

/// The whole lines of a file, with where each begins. None when there is no such file.
fn lines(path: &Path, mut each: impl FnMut(u64, &[u8])) -> io::Result<()> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let (mut reader, mut at, mut line) = (BufReader::with_capacity(256 << 10, file), 0, Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 && line.pop_if(|byte| *byte == b'\n').is_some() {
        each(at, &line);
        at += line.len() as u64 + 1;
        line.clear();
    }
    Ok(())
}
