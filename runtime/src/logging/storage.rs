//! What a file says of files (S1-060…070): when they are closed, how long they are kept, under which names they are found.
//!
//! Invariant: what belongs to a database is for those who ship to one (`tape ship`); it is read, kept as a setting, and
//! named as such by LOGGING_CONFIGURED. Audit streams are removed only where a key names them.

use crate::cold::read::Packing;
use crate::cold::segments::{Period, Plan, Rotation};
use crate::{Class, Stream};

/// What of it the recorder does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Storage {
    size: Option<u64>,
    period: Option<Option<Period>>,
    keep_days: Option<u32>,
    keep_segments: Option<u32>,
    packing: Option<Packing>,
    pack_after_days: Option<u32>,
    /// Days by the stream's file.
    streams: Vec<(String, u32)>,
    /// Names in the root, and the streams' files to which they lead.
    pub(crate) names: Vec<(String, String)>,
    /// Keys that others act upon, and who.
    pub(crate) left: Vec<(String, &'static str)>,
}

/// S1-065…068: the shipper's, or nobody's.
#[cfg(any(feature = "toml", feature = "yaml", test))]
const OF_OTHERS: [(&str, &str); 5] = [
    ("database", "`tape ship` has the address, tables and batches of a database"),
    ("database_retention_days", "`tape ship --cleanup` removes rows"),
    ("database_archive_after_days", "`tape ship --cleanup` moves rows to the archive"),
    ("cleanup_batch_size", "`tape ship --cleanup` removes rows in batches"),
    ("json_format", "files are lines of JSON (C9); `tape export --as text` and the console give text"),
];

/// S1-069: of which streams each key speaks.
#[cfg(any(feature = "toml", feature = "yaml", test))]
const RETENTIONS: [(&str, &[Stream]); 4] = [
    ("trading_logs_retention", &[Stream::ORDERS, Stream::EXECUTION]),
    ("performance_logs_retention", &[Stream::PERFORMANCE]),
    ("system_logs_retention", &[Stream::SYSTEM]),
    ("error_logs_retention", &[Stream::ERROR]),
];

/// S1-061: the names of the requirements, and the streams that they mean.
#[cfg(any(feature = "toml", feature = "yaml", test))]
const FILES: [(&str, Stream); 5] = [
    ("trading", Stream::ORDERS),
    ("errors", Stream::ERROR),
    ("system", Stream::SYSTEM),
    ("trades", Stream::EXECUTION),
    ("performance", Stream::PERFORMANCE),
];

#[cfg(any(feature = "toml", feature = "yaml"))]
pub(super) const ROTATION: [&str; 5] = ["size", "time", "retention", "compression", "count"];

/// The keys at the top that are read here, beside `rotation` and `files`.
#[cfg(any(feature = "toml", feature = "yaml"))]
pub(super) fn is_known(key: &str) -> bool {
    matches!(key, "file_retention_days" | "file_archive_after_days")
        || RETENTIONS.iter().any(|(known, _)| *known == key)
        || OF_OTHERS.iter().any(|(known, _)| *known == key)
}

#[cfg(any(feature = "toml", feature = "yaml", test))]
impl Storage {
    /// Takes in one value, of a key such as `rotation.size`. What is wrong with it, else.
    pub(super) fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
        if let Some((_, who)) = OF_OTHERS.iter().find(|(other, _)| key.split('.').next() == Some(other)) {
            self.left.push((key.to_owned(), who));
            return Ok(());
        }
        if let Some((_, streams)) = RETENTIONS.iter().find(|(known, _)| *known == key) {
            let days = days(text)?;
            self.streams.extend(streams.iter().map(|stream| (stream.file(), days)));
            return Ok(());
        }
        match key {
            "rotation.size" => self.size = Some(bytes(text)?),
            "rotation.time" => self.period = Some(period(text)?),
            "rotation.count" => {
                self.keep_segments =
                    Some(text.parse().map_err(|_| format!("`{text}` is no count; write `10`"))?);
            }
            "rotation.compression" => self.packing = Some(packing(text)?),
            "file_archive_after_days" => self.pack_after_days = Some(archive_after(text)?),
            "rotation.retention" | "file_retention_days" => self.keep_days = Some(days(text)?),
            _ => match key.strip_prefix("files.") {
                Some(name) => self.name(name, text)?,
                None => return Err("an unknown key".to_owned()),
            },
        }
        Ok(())
    }

    /// A name of the requirements, or a stream's own, and where it shall be found.
    fn name(&mut self, name: &str, path: &str) -> Result<(), String> {
        let known = FILES.iter().find(|(known, _)| *known == name).map(|(_, stream)| stream.file());
        let own = Stream::STANDARD.iter().find(|stream| stream.name() == name).map(|stream| stream.file());
        let Some(file) = known.or(own) else {
            let names: Vec<_> = FILES.iter().map(|(name, _)| format!("`{name}`")).collect();
            return Err(format!(
                "no stream of that name; write {}, or a stream's own name",
                names.join(", ")
            ));
        };
        self.names.push((link_name(path)?, file));
        Ok(())
    }

    /// The same, of the component log of a service.
    #[cfg(any(feature = "toml", feature = "yaml"))]
    pub(super) fn service(&mut self, service: &str, path: &str) -> Result<(), String> {
        let name = link_name(path)?;
        let file = format!("{service}.log");
        if name != file {
            self.names.push((name, file));
        }
        Ok(())
    }
}

impl Storage {
    /// Changes what was planned.
    pub(crate) fn apply(&self, plan: &mut Plan) {
        plan.log = self.rotation(plan.log);
        plan.audit = self.rotation(plan.audit).keep_all();
        for (file, days) in &self.streams {
            let class =
                if Stream::STANDARD.iter().any(|one| one.file() == *file && one.class() == Class::Audit) {
                    Class::Audit
                } else {
                    Class::Log
                };
            let rotation = plan.rotation(file, class).keep_all().keep_days(*days);
            plan.streams.insert(file.clone(), rotation);
        }
    }

    fn rotation(&self, mut rotation: Rotation) -> Rotation {
        rotation.max_bytes = self.size.or(rotation.max_bytes);
        rotation.every = self.period.unwrap_or(rotation.every);
        rotation.packing = self.packing.unwrap_or(rotation.packing);
        if let Some(days) = self.pack_after_days {
            // `compression: false` is of what is closed now; what is archived is packed.
            let archive = if rotation.packing == Packing::Plain { Packing::Gzip } else { rotation.packing };
            rotation = rotation.packing(archive).pack_after_days(days);
        }
        // Days that are asked for are not cut short by a count that nobody asked for.
        if self.keep_days.is_some() || self.keep_segments.is_some() {
            rotation = rotation.keep_all();
            rotation.keep_segments = self.keep_segments;
            rotation = self.keep_days.map_or(rotation, |days| rotation.keep_days(days));
        }
        rotation
    }
}

/// The last part of a path: a name in the root.
#[cfg(any(feature = "toml", feature = "yaml", test))]
fn link_name(path: &str) -> Result<String, String> {
    let name = std::path::Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) || !name.contains('.') {
        return Err(format!("`{path}` is no name for a file; write one such as `logs/errors.log`"));
    }
    Ok(name.to_owned())
}

/// `10 MB`, `50 MiB`, `1_000_000`.
#[cfg(any(feature = "toml", feature = "yaml", test))]
fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size; write one such as `10 MB` or `50 MiB`");
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'_').count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: u64 = number.replace('_', "").parse().map_err(|_| wrong())?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

#[cfg(any(feature = "toml", feature = "yaml", test))]
fn period(text: &str) -> Result<Option<Period>, String> {
    match text.to_ascii_lowercase().as_str() {
        "daily" | "day" | "1 day" | "midnight" | "00:00" => Ok(Some(Period::Day)),
        "hourly" | "hour" | "1 hour" => Ok(Some(Period::Hour)),
        "never" | "none" | "off" | "false" => Ok(None),
        _ => Err(format!("`{text}` is no period; write `daily`, `hourly` or `never`")),
    }
}

#[cfg(any(feature = "toml", feature = "yaml", test))]
fn packing(text: &str) -> Result<Packing, String> {
    let packing = match text.to_ascii_lowercase().as_str() {
        "false" | "none" | "off" | "no" => Packing::Plain,
        "true" | "gzip" | "gz" | "yes" | "on" => Packing::Gzip,
        "zstd" | "zst" => Packing::Zstd,
        _ => return Err(format!("`{text}` is no compression; write `false`, `gzip` or `zstd`")),
    };
    if !crate::cold::segments::pack::can(packing) {
        let feature = if packing == Packing::Gzip { "gzip" } else { "zstd" };
        return Err(format!(
            "this program cannot pack so: turn on the feature `{feature}` of `tapelog`, or write `false`"
        ));
    }
    Ok(packing)
}

/// Days, in a program that can pack.
#[cfg(any(feature = "toml", feature = "yaml", test))]
fn archive_after(text: &str) -> Result<u32, String> {
    packing("gzip").map_err(|_| {
        "this program cannot pack what is archived: turn on the feature `gzip` of `tapelog`, or leave the key out".to_owned()
    })?;
    days(text)
}

/// `30 days`, `30`, `2 weeks`.
#[cfg(any(feature = "toml", feature = "yaml", test))]
fn days(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is no number of days; write one such as `30 days`");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    match unit.trim() {
        "" | "d" | "day" | "days" => Ok(number),
        "w" | "week" | "weeks" => number.checked_mul(7).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_days_periods_and_packings_are_read_as_people_write_them() {
        for (text, size) in [("10 MB", 10_000_000), ("50MiB", 52_428_800), ("1_000", 1_000)] {
            assert_eq!(bytes(text).unwrap(), size);
        }
        for text in ["", "MB", "ten MB", "10 parsecs", "0", "99999999999 GB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert_eq!((days("30 days").unwrap(), days("30").unwrap(), days("2 weeks").unwrap()), (30, 30, 14));
        assert!(days("a month").is_err() && days("30 moons").is_err());
        assert_eq!((period("Daily").unwrap(), period("never").unwrap()), (Some(Period::Day), None));
        assert!(period("sometimes").unwrap_err().ends_with("write `daily`, `hourly` or `never`"));
        assert_eq!(packing("false").unwrap(), Packing::Plain);
        assert!(packing("rar").is_err());
        for path in ["", "..", "logs/", "logs/.hidden", "logs/a b.log", "errors"] {
            assert!(link_name(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_was_planned_changes_only_where_something_is_said() {
        let mut plan = Plan::default();
        Storage::default().apply(&mut plan);
        assert_eq!(plan, Plan::default());
        // S1-060, S1-066, S1-069.
        let mut storage = Storage::default();
        for (key, text) in [
            ("rotation.size", "10 MB"),
            ("rotation.time", "daily"),
            ("rotation.retention", "30 days"),
            ("rotation.compression", "false"),
            ("trading_logs_retention", "90"),
            ("error_logs_retention", "90"),
        ] {
            storage.set(key, text).unwrap();
        }
        storage.apply(&mut plan);
        assert_eq!(plan.log, Rotation::daily());
        assert_eq!(plan.audit, Rotation::daily().keep_all(), "audit streams stay");
        let ninety = Rotation::daily().keep_days(90);
        assert_eq!(plan.rotation("error.jsonl", Class::Log), ninety);
        assert_eq!(plan.rotation("orders.jsonl", Class::Audit), ninety, "named, so told otherwise");
        assert_eq!(plan.rotation("decisions.jsonl", Class::Audit), Rotation::daily().keep_all());
        assert_eq!(plan.rotation("performance.jsonl", Class::Log), Rotation::daily());
    }

    #[test]
    #[cfg(feature = "gzip")]
    fn what_is_archived_after_days_is_packed_then_and_not_before() {
        // S1-066: `compression: false` is of what is closed now.
        let mut storage = Storage::default();
        storage.set("rotation.compression", "false").unwrap();
        storage.set("file_archive_after_days", "7").unwrap();
        let mut plan = Plan::default();
        storage.apply(&mut plan);
        assert_eq!(plan.audit, Rotation::standard().keep_all().pack_after_days(7));
        let day = std::time::Duration::from_secs(86_400);
        assert!(!plan.log.packs(6 * day) && plan.log.packs(7 * day));
        assert!(storage.set("file_archive_after_days", "soon").unwrap_err().contains("write one such as"));
    }
}
