//! A live file that somebody cuts: said at once, and the run goes on.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use serde_json::Value;
use tapelog::events::BUY_CANDIDATE;
use tapelog::{Recorder, event};
use tapelog_tests::{Folder, runs};

// Issue 4: no loss is silent; `logrotate` with `copytruncate` cuts like this.
#[test]
fn a_file_that_somebody_cuts_is_said_while_the_run_goes_on_and_is_sealed() {
    let root = Folder::new("cut");
    let often = Duration::from_millis(50);
    let tape =
        Recorder::builder("engine").root(root.path()).heartbeat(None).seal_every(often).start().unwrap();
    (0..100).for_each(|n| event!(BUY_CANDIDATE, n));
    tape.flush().unwrap();
    let run = runs(root.path()).remove(0);
    let file = run.join("decisions.jsonl");
    let kept = fs::read_to_string(&file).unwrap().split_inclusive('\n').next().unwrap().len();
    File::options().write(true).open(&file).unwrap().set_len(kept as u64).unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    let told = || fs::read_to_string(run.join("audit.jsonl")).unwrap().matches("SEAL_FAILED").count();
    while told() == 0 {
        assert!(Instant::now() < until, "nobody was told");
        std::thread::sleep(Duration::from_millis(10));
    }
    let seals = || fs::read_to_string(run.join("seals.jsonl")).unwrap().matches("decisions.jsonl").count();
    let before = seals();
    event!(BUY_CANDIDATE, n = 100);
    while seals() == before {
        assert!(Instant::now() < until, "what comes later is not sealed");
        std::thread::sleep(Duration::from_millis(10));
    }
    tape.finish().unwrap();
    let audit = fs::read_to_string(run.join("audit.jsonl")).unwrap();
    let audit = audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let failed: Vec<_> = audit.filter(|line| line["event_type"] == "SEAL_FAILED").collect();
    let [said] = &failed[..] else { panic!("once: {failed:?}") };
    let error = said["error"].as_str().unwrap();
    assert!(error.starts_with(&format!("somebody cut decisions.jsonl: {kept} of the ")), "{error}");
}
