//! `real-code CRATE[@VERSION]… [--with decision,log_performance] [--features A,B | --all-features] [--limit SECONDS]
//! [--keep DIR]`
//!
//! Downloads each crate from the registry, runs its own tests as it is, annotates every function that is neither
//! `const` nor a test in the files that were compiled, builds it, and runs the tests again. Prints a verdict for each
//! crate; exits 1 unless every function compiled and the same tests passed.
//!
//! Left alone, and counted: `const fn`, tests and benchmarks, what the compiler itself calls (a procedural macro's entry
//! point, a panic handler, a naked function), and text inside of macros, which is not yet a function.

mod annotate;
mod cargo;
mod crates;
mod fetch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: real-code CRATE[@VERSION]… [--with decision,log_performance] \
    [--features A,B | --all-features] [--limit SECONDS] [--keep DIR]";

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("real-code: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut well = 0;
    for name in &options.crates {
        match crates::try_crate(name, &options) {
            Ok(report) => {
                println!("{report}");
                well += usize::from(report.is_well());
            }
            Err(error) => println!("{name}: could not be tried: {error}"),
        }
    }
    println!("{well} of {} crates are well", options.crates.len());
    if well == options.crates.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    crates: Vec<String>,
    /// The attributes, outermost first.
    attributes: Vec<String>,
    /// Cargo's arguments that choose features.
    features: Vec<String>,
    /// How long one call of cargo may take.
    limit: Duration,
    keep: Option<PathBuf>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            crates: Vec::new(),
            attributes: vec!["decision".to_owned(), "log_performance".to_owned()],
            features: Vec::new(),
            limit: Duration::from_secs(900),
            keep: None,
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--with" => {
                    let list = args.next().ok_or("`--with` wants attributes, for example `decision`")?;
                    options.attributes = list.split(',').map(str::to_owned).collect();
                }
                "--all-features" => options.features = vec![arg],
                "--features" => {
                    let list = args.next().ok_or("`--features` wants names, for example `serde`")?;
                    options.features = vec![arg, list];
                }
                "--limit" => {
                    let limit = args.next().and_then(|text| text.parse().ok());
                    options.limit = Duration::from_secs(limit.ok_or("`--limit` wants seconds")?);
                }
                "--keep" => options.keep = Some(args.next().ok_or("`--keep` wants a folder")?.into()),
                flag if flag.starts_with('-') => return Err(format!("no option `{flag}`")),
                name => options.crates.push(name.to_owned()),
            }
        }
        if options.crates.is_empty() {
            return Err("name at least one crate, for example `ta`".to_owned());
        }
        Ok(options)
    }
}
