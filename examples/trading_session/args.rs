//! The options of the command line.

use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Replays three minutes of real quotes and trades through a small annotated trading engine, and shows what its tape says.

usage: cargo run --release --example trading_session -- [options]

  --root DIR       where run directories are kept (default: logs)
  --seed N         the venue's dice (default: 7); same data and seed, same decisions
  --speed X        market seconds in one second; 0, the default, is as fast as it goes
  --verify         check that every promised event and id is on the tape; exit 1 on a gap
  --every-event    record one of every event that there is, at the end; what only a fault can cause is marked `drill`
  --no-recorder    run the same engine without a recorder
  --help           print this

environment: TRADING_MAX_SPREAD_BPS, TRADING_MAX_NOTIONAL, TRADING_COOL_DOWN_MS, TRADING_QUOTE_BUDGET,
             TRADING_THRESHOLD_BPS, TRADING_TAKE_PROFIT_BPS change the configuration, and stand on the tape";

/// The options, as given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Args {
    pub(crate) root: PathBuf,
    pub(crate) seed: Option<u64>,
    pub(crate) speed: f64,
    pub(crate) verify: bool,
    pub(crate) every_event: bool,
    pub(crate) recorder: bool,
    pub(crate) help: bool,
}

impl Args {
    /// Reads the options.
    ///
    /// # Errors
    /// Says what is wrong and what to write instead.
    pub(crate) fn parse(given: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            root: PathBuf::from("logs"),
            seed: None,
            speed: 0.0,
            verify: false,
            every_event: false,
            recorder: true,
            help: false,
        };
        let mut given = given.into_iter();
        while let Some(option) = given.next() {
            // `--seed=7` is `--seed 7`.
            let (name, inline) = match option.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (option, None),
            };
            let mut value = |example: &str| {
                let value = inline.clone().or_else(|| given.next()).filter(|value| !value.is_empty());
                value.ok_or_else(|| format!("`{name}` needs a value; write `{name} {example}`"))
            };
            match name.as_str() {
                "--root" => args.root = PathBuf::from(value("logs")?),
                "--seed" => {
                    let text = value("7")?;
                    let number = text.parse();
                    args.seed =
                        Some(number.map_err(|_| {
                            format!("the seed `{text}` is not a whole number; write `--seed 7`")
                        })?);
                }
                "--speed" => {
                    let text = value("60")?;
                    let number =
                        text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
                    args.speed = number.ok_or_else(|| {
                        format!("the speed `{text}` is not a number from 0; write `--speed 60`")
                    })?;
                }
                "--verify" | "--every-event" | "--no-recorder" | "--help" | "-h" if inline.is_some() => {
                    return Err(format!("`{name}` takes no value; write `{name}`"));
                }
                "--verify" => args.verify = true,
                "--every-event" => args.every_event = true,
                "--no-recorder" => args.recorder = false,
                "--help" | "-h" => args.help = true,
                _ => return Err(format!("unknown option `{name}`; `--help` lists them")),
            }
        }
        if args.verify && !args.recorder {
            return Err("`--verify` reads what `--no-recorder` does not write; remove one".to_owned());
        }
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(line: &str, says: &str) {
        let wrong = Args::parse(line.split_whitespace().map(str::to_owned)).unwrap_err();
        assert!(wrong.contains(says), "{line}: {wrong}");
    }

    #[test]
    fn options_are_read() {
        let args =
            Args::parse("--root /tmp/x --seed=9 --speed 2.5 --verify".split(' ').map(str::to_owned)).unwrap();
        assert_eq!(args.root, PathBuf::from("/tmp/x"));
        assert_eq!((args.seed, args.speed, args.verify, args.recorder), (Some(9), 2.5, true, true));
    }

    #[test]
    fn wrong_options_say_what_to_write() {
        check_refused("--seed", "write `--seed 7`");
        check_refused("--seed x", "not a whole number");
        check_refused("--seed -1", "not a whole number");
        check_refused("--speed -1", "from 0");
        check_refused("--speed NaN", "from 0");
        check_refused("--verify=yes", "takes no value");
        check_refused("--rot logs", "--help");
        check_refused("session", "--help");
        check_refused("--verify --no-recorder", "remove one");
    }
}
