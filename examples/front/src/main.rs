//! The engine's second front: orders that come over HTTP. A strategy in one process decides, an axum service in another
//! guards and places, and one decision id goes through both.
//!
//! `cargo run -p tapelog-front` starts both and says what to look at; `-- serve` and `-- trade URL` start one each.

mod orders;
mod service;
mod strategy;

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

use tapelog::Recorder;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

const USAGE: &str = "usage: tapelog-front [--root DIR] [serve | trade URL]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tapelog-front: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<_> = std::env::args().skip(1).collect();
    let mut root = PathBuf::from("logs");
    if args.first().is_some_and(|arg| arg == "--root") {
        root = args.get(1).ok_or(USAGE)?.into();
        args.drain(..2);
    }
    let words: Vec<_> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => record("orders", root, service::serve()),
        ["trade", url] => record("strategy", root, strategy::trade(url)),
        [] => both(&root),
        _ => Err(USAGE.into()),
    }
}

/// Runs `work` in a run of its own.
fn record(
    service: &str,
    root: PathBuf,
    work: impl Future<Output = Result<(), Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>> {
    let tape = Recorder::builder(service).root(root).start()?;
    // What hyper and others say comes into the run, as component logs beside ours.
    let libraries = tapelog::bridge::Layer::new().with_filter(EnvFilter::new("info"));
    tracing_subscriber::registry().with(libraries).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(work)?;
    tape.finish()?;
    Ok(())
}

/// The service and the strategy, each a process with a run of its own, under one root.
fn both(root: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let exe = std::env::current_exe()?;
    let start = |args: &[&str]| {
        Command::new(&exe)
            .arg("--root")
            .arg(root)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
    };
    let mut service = start(&["serve"])?;
    let url = first_line(&mut service)?;
    println!("service    {url} (pid {})", service.id());
    let strategy = start(&["trade", &url])?.wait_with_output()?;
    print!("{}", String::from_utf8_lossy(&strategy.stdout));
    // The service ends with its standard input.
    drop(service.stdin.take());
    if !service.wait()?.success() || !strategy.status.success() {
        return Err("one of the two processes failed; its own words are above".into());
    }
    Ok(())
}

fn first_line(child: &mut Child) -> Result<String, Box<dyn Error>> {
    let out = child.stdout.take().ok_or("the service has no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
