//! `real-code CRATE[@VERSION]… [--with decision,log_performance] [--keep DIR]`
//!
//! Downloads each crate from the registry, runs its own tests as it is, annotates every function that is neither
//! `const` nor a test, builds it, and runs the tests again. Prints one line for each crate; exits 1 unless every
//! function compiled and the same tests passed.

mod annotate;
mod crates;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!(
                "real-code: {wrong}\nusage: real-code CRATE[@VERSION]… [--with decision,log_performance] [--keep DIR]"
            );
            return ExitCode::from(2);
        }
    };
    let mut all_well = true;
    for name in &options.crates {
        match crates::try_crate(name, &options) {
            Ok(report) => {
                println!("{report}");
                all_well &= report.is_well();
            }
            Err(error) => {
                println!("{name}: could not be tried: {error}");
                all_well = false;
            }
        }
    }
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    crates: Vec<String>,
    /// The attributes, outermost first.
    attributes: Vec<String>,
    keep: Option<PathBuf>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            crates: Vec::new(),
            attributes: vec!["decision".to_owned(), "log_performance".to_owned()],
            keep: None,
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--with" => {
                    let list = args.next().ok_or("`--with` wants attributes, for example `decision`")?;
                    options.attributes = list.split(',').map(str::to_owned).collect();
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
