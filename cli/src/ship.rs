//! `tape ship DIR --to URL`: events to a database, a store or a collector, beside the engine.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use tapelog::read::ReadError;
use tapelog_ship::postgres::{Address, Daily, Partitions, Postgres, Retention};
use tapelog_ship::{Destination, Limits, ShipError, Shipper, Summary};

use crate::args::Place;
use crate::failure::{Failure, Outcome};
use crate::render::{plural, safe};
use crate::root;

/// Send events to PostgreSQL, an object store or a collector, and go on as they come
///
/// The files are the queue: what the destination has not confirmed is sent again, and the engine never notices. Where it
/// stands is kept in `<root>/ship/`, with `rejected.jsonl` for what the destination refused and `status.json` for watchers.
///
/// Exit codes: 0 all sent; 1 some events were refused, or with --once there are no runs; 2 the destination took not everything.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape ship logs --to postgresql://tape@db.example/trading          until Ctrl-C
  tape ship logs --to postgresql://tape@localhost/trading --once    what is there, then end
  tape ship --to postgresql://tape@localhost/trading --cleanup      archive and delete what is old
  tape ship logs --to 's3://bucket/prefix?as=segments'              the files as they stand, as they are closed
  tape ship logs --to 's3://bucket/prefix?as=parquet'               tables by day and type; also gs://, az://, file:///
  tape ship logs --to otlp://collector.example                      logs, traces and metrics to an OpenTelemetry collector
  tape ship logs --to elasticsearch://es.example/tapelog            documents of the Elastic Common Schema; also opensearch://
  tape ship logs --to prometheus://127.0.0.1:9464                   serve /metrics there
  tape ship logs --to prometheus:///run/metrics/tape.prom --once    a textfile for the node exporter

Credentials never stand in the address: PostgreSQL's in PGPASSWORD, PGPASSFILE or ~/.pgpass, a store's in its own variables
(AWS_ACCESS_KEY_ID, …) and files, a collector's in OTEL_EXPORTER_OTLP_HEADERS, Elasticsearch's in ELASTIC_API_KEY or
ELASTIC_PASSWORD (or a file, in ELASTIC_PASSWORD_FILE). Whatever is not loopback is encrypted.")]
pub(crate) struct Ship {
    /// A root or a run directory [default: the root]
    pub(crate) dir: Option<PathBuf>,
    /// Where to: `postgresql://user@host/database`, `s3://bucket/prefix`, `file:///folder`, `otlp://host`, …
    #[arg(long, value_name = "URL", env = "TAPE_SHIP_TO", hide_env_values = true)]
    pub(crate) to: String,
    /// Send what is there by now, then end, also while engines write on
    #[arg(long)]
    pub(crate) once: bool,
    /// How much is sent at once [default: the destination's own; PostgreSQL with --once: bulk]
    #[arg(long, value_enum)]
    pub(crate) preset: Option<Preset>,
    /// At most so many events at once
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch: Option<u32>,
    /// The longest that an event waits for others, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) wait: Option<u32>,
    /// With --once: how long a destination that is away is tried again, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) patience: u32,
    /// Only events of this level and above become rows: debug, info, warning, error, critical [default: every event]
    #[arg(long, value_parser = level)]
    pub(crate) level: Option<tapelog::Level>,
    /// Divide new tables by month
    #[arg(long)]
    pub(crate) monthly: bool,
    /// Archive and delete what is old in the database, and nothing else
    #[arg(long, conflicts_with_all = ["dir", "once"])]
    pub(crate) cleanup: bool,
    /// Archive and delete what is old in the database every day at this time, UTC, while shipping goes on
    #[arg(long, value_name = "HH:MM", num_args = 0..=1, default_missing_value = "02:00", value_parser = time_of_day,
        conflicts_with_all = ["cleanup", "once"])]
    pub(crate) cleanup_daily: Option<(u32, u32)>,
    /// With --cleanup and --cleanup-daily: how long rows stay
    #[arg(long, value_enum, default_value_t)]
    pub(crate) retention: Keep,
}

/// How much is sent at once.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Preset {
    /// 100 events or 10 s.
    Database,
    /// 100 events or 60 s.
    ObjectStore,
    /// 10,000 events or 1 s.
    Bulk,
}

/// How long rows stay.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Keep {
    /// Archived after 30 days, deleted after 90.
    #[default]
    Long,
    /// Archived after 7 days; system rows deleted after 30, trading and errors after 90.
    Short,
}

/// See the module.
pub(crate) fn ship(
    args: &Ship,
    place: &Place,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let is_database = args.to.starts_with("postgres");
    let for_a_database = args.cleanup || args.monthly || args.cleanup_daily.is_some() || args.level.is_some();
    if for_a_database && !is_database {
        let why = "`--cleanup`, `--cleanup-daily`, `--level` and `--monthly` are for PostgreSQL";
        return Err(Failure::Unusable(why.to_owned()));
    }
    if args.once && args.to.starts_with("prometheus://") && !args.to.starts_with("prometheus:///") {
        let why = "a page that is served ends with `--once`; leave it out, or write a textfile: `--to prometheus:///folder/tapelog.prom`";
        return Err(Failure::Unusable(why.to_owned()));
    }
    let wrong = |error: &dyn std::fmt::Display| Failure::Unusable(format!("`--to`: {error}"));
    let destination: Box<dyn Destination> = if is_database {
        let address = Address::parse(&args.to).map_err(|error| wrong(&error))?;
        let layout = if args.monthly { Partitions::Monthly } else { Partitions::None };
        let mut database = Postgres::new(address).partitions(layout);
        if let Some(level) = args.level {
            database = database.level(level);
        }
        if args.cleanup {
            return cleanup(args, &mut database, out);
        }
        if let Some((hour, minute)) = args.cleanup_daily {
            database = database.clean_daily(Daily::new(retention(args)).at(hour, minute));
        }
        Box::new(database)
    } else {
        tapelog_ship::destination(&args.to).map_err(|error| wrong(&error))?
    };
    let limits = limits(args, is_database, destination.limits());
    let name = destination.name();
    let dir = args.dir.as_ref().unwrap_or(&place.root);
    let unusable = |error: ShipError| match error {
        ShipError::Read(error) => Failure::Read(error),
        error => Failure::Unusable(error.to_string()),
    };
    if args.once && root::at(dir)?.is_empty() {
        return Err(Failure::Read(ReadError::NoRuns { root: dir.clone() }));
    }
    let shipper = Shipper::new(dir, destination).map_err(unusable)?;
    let mut shipper = shipper.limits(limits);
    let started = Instant::now();
    let sent = if args.once {
        shipper.once(Duration::from_secs(args.patience.into()))
    } else {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // Without it, the signal ends the process at once: the next start sends the rest.
            let _ = signal_hook::flag::register(signal, Arc::clone(&stop));
        }
        let _ = writeln!(err, "sending to {} until Ctrl-C", safe(&name));
        shipper.follow(&stop)
    };
    let failed = sent.map(drop).err();
    let folder = shipper.folder().display().to_string();
    tell(shipper.summary(), started.elapsed(), &folder, out)?;
    match failed {
        Some(error) => Err(unusable(error)),
        None if shipper.summary().rejected > 0 => Ok(Outcome::Finding),
        None => Ok(Outcome::Fine),
    }
}

fn limits(args: &Ship, is_database: bool, own: Limits) -> Limits {
    let mut limits = match args.preset {
        Some(Preset::Database) => Limits::DATABASE,
        Some(Preset::ObjectStore) => Limits::OBJECT_STORE,
        Some(Preset::Bulk) => Limits::BULK,
        None if is_database && args.once => Limits::BULK,
        None => own,
    };
    if let Some(batch) = args.batch {
        limits.events = batch as usize;
    }
    if let Some(wait) = args.wait {
        limits.wait = Duration::from_secs(wait.into());
    }
    limits
}

fn tell(summary: &Summary, took: Duration, folder: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let rate = summary.events as f64 / took.as_secs_f64().max(0.001);
    let seconds = took.as_secs_f64();
    if summary.files > 0 && summary.events == 0 {
        writeln!(out, "{} sent as they stand in {seconds:.1} s", plural(summary.files, "file"))?;
    } else {
        writeln!(out, "{} sent in {seconds:.1} s ({rate:.0} a second)", plural(summary.events, "event"))?;
    }
    if summary.missed > 0 {
        writeln!(
            out,
            "{} were removed from the files before they were sent; ship more often, or keep files longer",
            plural(summary.missed, "event")
        )?;
    }
    if summary.rejected > 0 {
        writeln!(out, "{} refused; see {}/rejected.jsonl", plural(summary.rejected, "event"), safe(folder))?;
    }
    if summary.foreign_lines > 0 {
        writeln!(out, "{} no events, and left where they are", plural(summary.foreign_lines, "line"))?;
    }
    Ok(())
}

fn retention(args: &Ship) -> Retention {
    match args.retention {
        Keep::Long => Retention::default(),
        Keep::Short => Retention::SHORT,
    }
}

fn level(text: &str) -> Result<tapelog::Level, String> {
    let levels = tapelog::Level::ALL;
    levels
        .into_iter()
        .find(|level| level.as_str() == text)
        .ok_or_else(|| format!("no level; write one of {}", levels.map(tapelog::Level::as_str).join(", ")))
}

fn time_of_day(text: &str) -> Result<(u32, u32), String> {
    let parsed =
        text.split_once(':').and_then(|(hour, minute)| Some((hour.parse().ok()?, minute.parse().ok()?)));
    parsed
        .filter(|(hour, minute)| *hour < 24 && *minute < 60)
        .ok_or_else(|| "no time of the day; write for example `02:00`".to_owned())
}

fn cleanup(args: &Ship, database: &mut Postgres, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let name = database.name();
    let cleaned =
        database.clean(&retention(args)).map_err(|error| Failure::Unusable(format!("{name}: {error}")))?;
    writeln!(
        out,
        "{} archived, {} deleted, {} of performance deleted; noted in logging.cleanup_runs",
        plural(cleaned.archived, "row"),
        plural(cleaned.deleted, "row"),
        plural(cleaned.performance_deleted, "row")
    )?;
    Ok(Outcome::Fine)
}
