//! What the fuzzers call: any bytes as records, and a dead run any of whose bytes were changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::hot::clock::Calibration;
use crate::hot::hub::Hub;
use crate::hot::record::record as record_now;
use crate::hot::site::{Field, Place, Site};
use crate::hot::thread::THREAD;

use super::decode::{self, Next};
use super::drain::Live;
use super::encode::{Encoder, Envelope, Tables};
use super::engine::Engine;
use super::kinds::Kinds;
use super::manifest::Manifest;
use super::recover::{Recovery, leftovers};
use super::run::RunDir;
use super::sites::Sites;
use super::streams::Streams;

static SITE: Site = Site::new(
    &crate::events::ORDER_CONTEXT,
    "order {n} of {symbol}",
    &[],
    &[Field::recorded("n"), Field::recorded("symbol")],
    Place::new("a.rs", 1, 1, "m", "f"),
);

struct NoTables;

impl Tables for NoTables {
    fn context(&self, _slot: u32, _generation: u32) -> Option<Vec<u8>> {
        None
    }
    fn oversize(&self, _number: u64) -> Option<Vec<u8>> {
        None
    }
}

/// Reads `bytes` as the contents of a ring; every line that comes of it is JSON.
pub fn record(bytes: &[u8]) {
    let table = crate::hot::hub::framed(&crate::hot::describe::site(0, &SITE));
    let sites = Sites::of_table(&table);
    let mut encoder = Encoder::new(Envelope::new("s", "session", 1, 1), Kinds::new(&[], None));
    let calibration = Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 };
    let mut at = 0;
    while at < bytes.len() {
        match decode::next(&bytes[at..]) {
            Next::Record(record, len) => {
                let mut line = Vec::new();
                let site = sites.get(record.site);
                encoder.line(&mut line, &record, site, b"\"t\"", 1, &calibration, &NoTables);
                let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&line);
                assert!(parsed.is_ok() && line.iter().filter(|byte| **byte == b'\n').count() == 1);
                at += len as usize;
            }
            Next::Padding(len) => at += len as usize,
            Next::Damaged => break,
        }
    }
}

/// The files of a dead run of six records, of which three are written.
struct Template {
    root: PathBuf,
    dir: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let root = PathBuf::from(format!("/dev/shm/tapelog-fuzz-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        make(&root).expect("a run can be made in /dev/shm")
    })
}

fn make(root: &Path) -> std::io::Result<Template> {
    let run = RunDir::create(root, 1_761_482_096)?;
    let folder = run.path.join("rings");
    fs::create_dir(&folder)?;
    let hub = Hub::create(vec![folder.clone()], 1 << 14, crate::Level::Debug, false, None)?;
    let mut manifest = Manifest::new("fuzz", &run.session, String::new());
    manifest.rings = vec![folder.clone()];
    manifest.write(&run.path)?;
    SITE.set_id(0);
    hub.describe(0, &SITE);
    let encoder = Encoder::new(Envelope::new("fuzz", &run.session, 1, 0), Kinds::new(&[], None));
    let mut engine = Engine::new(Live(hub), encoder, Sites::of_table(&fs::read(folder.join("sites"))?));
    let mut streams = Streams::new(&run.path, None);
    let commits = super::commit::Commits::open(hub.state).ok_or(std::io::ErrorKind::InvalidData)?;
    let calibration = Calibration { counter: 0, wall_ns: 0, tick: 1 << 32 };
    THREAD.with(|thread| thread.set_target(Some(hub)));
    for n in 0..6_u64 {
        record_now(&SITE, &(n, "BTC/USDT"));
        if n == 2
            && let Some(mut collected) = engine.collect(u64::MAX, calibration, &mut streams, &[])
        {
            engine.write(&mut collected, &commits, &mut streams)?;
        }
    }
    THREAD.with(|thread| thread.set_target(None));
    let names = ["rings/state", "rings/ring-000", "rings/sites", "orders.jsonl"];
    let files = names.iter().map(|name| Ok((run.path.join(name), fs::read(run.path.join(name))?)));
    let files = files.collect::<std::io::Result<_>>()?;
    Ok(Template { root: root.to_owned(), dir: run.path.clone(), files })
}

/// Four bytes are one change: which file, where, and what it becomes. Then the run is read and recovered.
pub fn recover(bytes: &[u8]) {
    let template = template();
    let mut files = template.files.clone();
    for change in bytes.as_chunks::<4>().0 {
        let (_, text) = &mut files[usize::from(change[0] % 4)];
        let at = usize::from(u16::from_le_bytes([change[1], change[2]])) % text.len();
        // The interesting bytes of a ring are its header and the beginning of its data.
        text[at] = change[3];
    }
    let rings = template.dir.join("rings");
    let _ = fs::create_dir(&rings);
    for (path, text) in &files {
        fs::write(path, text).expect("/dev/shm has room");
    }
    let mut manifest = Manifest::new("fuzz", "session_20251026_123456", String::new());
    manifest.rings = vec![rings];
    manifest.write(&template.dir).expect("/dev/shm has room");
    let lines = leftovers(&template.dir, &manifest, |_| 0);
    assert!(lines.len() <= 512, "{} events out of six", lines.len());
    for leftover in &lines {
        let parsed: Result<serde_json::Value, _> = serde_json::from_slice(&leftover.line);
        assert!(parsed.is_ok());
    }
    // Errors are fine; panics are not. A run that was recovered once needs it no more.
    if let Ok(Recovery::Recovered { .. }) = super::recover::recover(&template.dir) {
        assert!(matches!(super::recover::recover(&template.dir), Ok(Recovery::NotNeeded)));
    }
    assert!(template.root.exists());
}
