//! A live file that somebody cuts: said at once, and the run goes on.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use serde_json::Value;
use tapelog::events::{BUY_CANDIDATE, ORDER_CONTEXT};
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
    event!(ORDER_CONTEXT, attempt = 1);
    tape.flush().unwrap();
    let run = runs(root.path()).remove(0);
    let file = run.join("decisions.jsonl");
    let kept = fs::read_to_string(&file).unwrap().split_inclusive('\n').next().unwrap().len();
    File::options().write(true).open(&file).unwrap().set_len(kept as u64).unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    let told = || fs::read_to_string(run.join("audit.jsonl")).unwrap().matches("SEAL_FAILED").count();
    let wait_until_told = |count| {
        while told() < count {
            assert!(Instant::now() < until, "nobody was told");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    wait_until_told(1);
    let seals = || fs::read_to_string(run.join("seals.jsonl")).unwrap().matches("decisions.jsonl").count();
    let before = seals();
    event!(BUY_CANDIDATE, n = 100);
    while seals() == before {
        assert!(Instant::now() < until, "what comes later is not sealed");
        std::thread::sleep(Duration::from_millis(10));
    }
    // Another cut is another line, also of the same file.
    File::options().write(true).open(&file).unwrap().set_len(0).unwrap();
    wait_until_told(2);
    File::options().write(true).open(run.join("orders.jsonl")).unwrap().set_len(10).unwrap();
    wait_until_told(3);
    tape.finish().unwrap();
    let audit = fs::read_to_string(run.join("audit.jsonl")).unwrap();
    let audit = audit.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let failed = audit.filter(|line| line["event_type"] == "SEAL_FAILED");
    let errors: Vec<_> = failed.map(|line| line["error"].as_str().unwrap().to_owned()).collect();
    let [first, second, third] = &errors[..] else { panic!("each once: {errors:?}") };
    assert!(first.starts_with(&format!("somebody cut decisions.jsonl: {kept} of the ")), "{first}");
    assert!(second.starts_with("somebody cut decisions.jsonl: 0 of the "), "{second}");
    assert!(third.starts_with("somebody cut orders.jsonl: 10 of the "), "{third}");
}
