//! A segment that is closed gets its index at once, from the recorder itself, and loses it when it is removed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tapelog::events::BUY_CANDIDATE;
use tapelog::read::index::{Index, Term, sidecar};
use tapelog::read::{Run, Segment};
use tapelog::{Packing, Recorder, Rotation, Stream, decision, event};
use tapelog_tests::{Folder, runs};

tapelog::events! {
    MARKET_TICK: log "market", debug, strategy;
}

#[decision]
fn decides(n: u64) -> String {
    event!(BUY_CANDIDATE, n, note = "n".repeat(400));
    event!(MARKET_TICK, n, note = "n".repeat(400));
    tapelog::decision_id().unwrap().to_string()
}

/// The closed segments that are large enough for an index, with its place.
fn closed(run: &Run) -> Vec<(Segment, PathBuf)> {
    let segments = run.segments().unwrap().into_iter().filter(|one| one.number().is_some());
    segments.map(|segment| (segment.clone(), sidecar(run.dir(), &segment))).collect()
}

#[test]
fn a_closed_segment_has_an_index_by_which_an_id_is_found() {
    let folder = Folder::new("indexes");
    let rotation = Rotation::never().max_bytes(600_000);
    let tape = Recorder::builder("indexes")
        .root(folder.path())
        .rotation(rotation.keep_segments(2))
        .rotation_of(Stream::DECISIONS, rotation.packing(Packing::Gzip))
        .start()
        .unwrap();
    let mut ids = Vec::new();
    for n in 0..6_000 {
        ids.push(decides(n));
    }
    tape.flush().unwrap();
    let run = Run::open(&runs(folder.path())[0]).unwrap();
    // The keeper yields to everything else, so it may take a while. What is packed is small here.
    let start = Instant::now();
    let ready = || {
        let all = closed(&run);
        let market: Vec<_> = all.iter().filter(|(one, _)| &*one.stream == "market.jsonl").collect();
        let packed = all.iter().filter(|(one, _)| &*one.stream == "decisions.jsonl");
        market.len() == 2
            && market.iter().all(|(_, index)| index.exists())
            && packed.clone().count() > 3
            && packed.clone().all(|(one, _)| one.packing == Packing::Gzip)
    };
    while !ready() {
        assert!(start.elapsed() < Duration::from_secs(300), "{:#?}", closed(&run));
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut found = 0;
    for (segment, place) in closed(&run).iter().filter(|(one, _)| &*one.stream == "market.jsonl") {
        let index = Index::open(place).unwrap();
        assert!(index.is_of(segment));
        let text = std::fs::read_to_string(segment.path()).unwrap();
        for id in ids.iter().step_by(97) {
            let blocks = index.blocks_of(&[Term::Id(id.clone())]).unwrap();
            assert_eq!(blocks.is_empty(), !text.contains(id.as_str()), "{id}");
            for block in blocks {
                let at = index.block(block);
                assert!(text[at.start as usize..at.end as usize].contains(id.as_str()));
                found += 1;
            }
        }
    }
    assert!(found > 5, "{found}");
    // An index goes with its segment.
    let left = std::fs::read_dir(run.dir().join(".tape")).unwrap();
    let names: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for name in names.iter().filter(|name| name.starts_with("market.")) {
        assert!(run.dir().join(name.trim_end_matches(".idx")).exists(), "{name}");
    }
    tape.finish().unwrap();
}
