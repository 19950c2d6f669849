//! What a file says: the shape of S1-059…065, and what else there is to say: targets and samplings.

use super::tree::{Node, Value};
use super::{Logging, LoggingError, Sampling, storage, words};

/// The keys at the top (S1-059…065).
const TOP: [&str; 11] = [
    "level",
    "root_level",
    "targets",
    "services",
    "performance",
    "rotation",
    "files",
    "database",
    "structured",
    "json_format",
    "logging",
];
const OF_TARGET: [&str; 5] = ["level", "every", "first", "per_second", "file"];
/// S1-064.
const OF_PERFORMANCE: [&str; 4] =
    ["enabled", "log_execution_time", "log_memory_usage", "log_database_queries"];

pub(super) fn of_tree(tree: &Node) -> Result<Logging, LoggingError> {
    let mut logging = Logging::new();
    // The requirements' files have everything below `logging:`.
    let tree = match &tree.value {
        Value::Table(keys) => keys.iter().find(|(key, _)| key == "logging").map_or(tree, |(_, inner)| inner),
        _ => tree,
    };
    for (key, node) in table(tree, "")? {
        match key.as_str() {
            "level" => logging.rules.level = level(node, key)?,
            // Where other libraries have a root logger. It counts where `level` is not said.
            "root_level" => {
                let level = level(node, key)?;
                if !table(tree, "")?.iter().any(|(key, _)| key == "level") {
                    logging.rules.level = level;
                }
            }
            "targets" | "services" => {
                for (name, node) in table(node, key)? {
                    target(&mut logging, name, node, &format!("{key}.{name}"))?;
                }
            }
            "performance" => {
                for (name, node) in table(node, key)? {
                    let path = format!("{key}.{name}");
                    known(name, &OF_PERFORMANCE, node.line, &path)?;
                    if !truth(node, &path)? && name == "enabled" {
                        logging.rule("performance").level = Some(None);
                    }
                    logging.settings.push((path, text(node, name)?.to_owned()));
                }
            }
            "rotation" | "files" | "database" => settings(&mut logging, key, node)?,
            "structured" => {
                let truth = truth(node, key)?;
                logging.settings.push((key.clone(), truth.to_string()));
            }
            "json_format" => {
                if truth(node, key)? {
                    logging.settings.push((key.clone(), "true".to_owned()));
                } else {
                    set(&mut logging, key.clone(), node, "false")?;
                }
            }
            _ if storage::is_known(key) => set(&mut logging, key.clone(), node, text(node, key)?)?,
            _ => known(key, &TOP, node.line, key)?,
        }
    }
    Ok(logging)
}

fn target(logging: &mut Logging, name: &str, node: &Node, path: &str) -> Result<(), LoggingError> {
    let wrong = |line, key: &str, wrong: String| LoggingError::at(line, key, wrong);
    if let Value::Scalar(word) = &node.value {
        let level = words::level(word).map_err(|text| wrong(node.line, path, text))?;
        if level.is_none() {
            words::refuse_audit(name, "switched off").map_err(|text| wrong(node.line, path, text))?;
        }
        logging.rule(name).level = Some(level);
        return Ok(());
    }
    let mut sampling: Option<Sampling> = None;
    for (key, node) in table(node, path)? {
        let path = format!("{path}.{key}");
        match key.as_str() {
            "level" => {
                let level = level(node, &path)?;
                if level.is_none() {
                    words::refuse_audit(name, "switched off")
                        .map_err(|text| wrong(node.line, &path, text))?;
                }
                logging.rule(name).level = Some(level);
            }
            "every" | "first" | "per_second" => {
                words::refuse_audit(name, "sampled").map_err(|text| wrong(node.line, &path, text))?;
                let number = number(node, &path)?;
                let mut now = sampling.unwrap_or(Sampling::every(1));
                match key.as_str() {
                    "every" if number == 0 => {
                        return Err(wrong(node.line, &path, "0 of none; write how many make one".to_owned()));
                    }
                    "every" => now.every = number,
                    "first" => now.first = number,
                    _ => now.per_second = number,
                }
                sampling = Some(now);
            }
            "file" => {
                let text = text(node, key)?;
                logging.storage.service(name, text).map_err(|text| wrong(node.line, &path, text))?;
                logging.settings.push((path, text.to_owned()));
            }
            _ => known(key, &OF_TARGET, node.line, &path)?,
        }
    }
    if sampling.is_some() {
        logging.rule(name).sampling = sampling;
    }
    Ok(())
}

fn settings(logging: &mut Logging, path: &str, node: &Node) -> Result<(), LoggingError> {
    for (key, node) in table(node, path)? {
        let path = format!("{path}.{key}");
        match &node.value {
            Value::Scalar(text) => {
                if path.starts_with("rotation.") {
                    known(key, &storage::ROTATION, node.line, &path)?;
                }
                set(logging, path, node, text)?;
            }
            Value::Table(_) => settings(logging, &path, node)?,
            Value::List(_) => return Err(LoggingError::at(node.line, &path, "a list; write one value")),
        }
    }
    Ok(())
}

/// Keeps a setting, and has the recorder do it, if it is the recorder's.
fn set(logging: &mut Logging, path: String, node: &Node, text: &str) -> Result<(), LoggingError> {
    logging.storage.set(&path, text).map_err(|wrong| LoggingError::at(node.line, &path, wrong))?;
    logging.settings.push((path, text.to_owned()));
    Ok(())
}

fn table<'a>(node: &'a Node, path: &str) -> Result<&'a [(String, Node)], LoggingError> {
    match &node.value {
        Value::Table(keys) => Ok(keys),
        _ => Err(LoggingError::at(node.line, path, format!("{} where a table is expected", node.kind()))),
    }
}

fn text<'a>(node: &'a Node, path: &str) -> Result<&'a str, LoggingError> {
    match &node.value {
        Value::Scalar(text) => Ok(text),
        _ => Err(LoggingError::at(node.line, path, format!("{} where one value is expected", node.kind()))),
    }
}

fn level(node: &Node, path: &str) -> Result<Option<crate::Level>, LoggingError> {
    words::level(text(node, path)?).map_err(|wrong| LoggingError::at(node.line, path, wrong))
}

fn truth(node: &Node, path: &str) -> Result<bool, LoggingError> {
    match text(node, path)?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Ok(true),
        "false" | "no" | "off" => Ok(false),
        other => {
            Err(LoggingError::at(node.line, path, format!("`{other}` is no truth; write `true` or `false`")))
        }
    }
}

fn number(node: &Node, path: &str) -> Result<u64, LoggingError> {
    let text = text(node, path)?;
    text.replace('_', "").parse().map_err(|_| {
        LoggingError::at(node.line, path, format!("`{text}` is no whole number; write one, such as `100`"))
    })
}

fn known(key: &str, keys: &[&str], line: usize, path: &str) -> Result<(), LoggingError> {
    if keys.contains(&key) {
        return Ok(());
    }
    let choices: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    Err(LoggingError::at(line, path, format!("an unknown key; here can stand {}", choices.join(", "))))
}

#[cfg(all(test, feature = "toml", feature = "yaml"))]
mod tests {
    use super::*;
    use crate::Level;
    use crate::hot::rules::Rule;

    const YAML: &str = "\
logging:
  level: INFO
  root_level: INFO
  rotation:
    size: 10 MB
    time: daily
    retention: 30 days
    compression: false
  files:
    trading: logs/trading.log
    errors: logs/errors.log
  services:
    data_ingestion: {level: INFO, file: logs/data_ingestion.log}
    strategy_engine:
      level: DEBUG
    risk_management: warning
  targets:
    market: off
    QUOTE_FRESHNESS: {every: 100, first: 10, per_second: 50}
  structured: true
  json_format: false
  performance:
    enabled: false
    log_memory_usage: true
  database:
    enabled: true
    active_table: system_logs
    async_logging: true
";

    fn yaml(text: &str) -> Result<Logging, LoggingError> {
        super::super::yaml::parse(text).and_then(|tree| of_tree(&tree))
    }

    fn toml(text: &str) -> Result<Logging, LoggingError> {
        super::super::toml::parse(text).and_then(|tree| of_tree(&tree))
    }

    #[test]
    fn the_shape_of_the_requirements_is_read() {
        // S1-059…065
        let logging = yaml(YAML).unwrap();
        assert_eq!(logging.rules.level, Some(Level::Info));
        let of = |name: &str| logging.rules.targets.iter().find(|(known, _)| known == name).unwrap().1;
        let level = |level| Rule { level: Some(level), sampling: None };
        assert_eq!(of("strategy_engine"), level(Some(Level::Debug)));
        assert_eq!(of("risk_management"), level(Some(Level::Warning)));
        assert_eq!(of("market"), level(None));
        assert_eq!(of("performance"), level(None));
        let sampling = Sampling { first: 10, every: 100, per_second: 50 };
        assert_eq!(of("QUOTE_FRESHNESS"), Rule { level: None, sampling: Some(sampling) });
        assert_eq!(logging.setting("rotation.size"), Some("10 MB"));
        assert_eq!(logging.setting("database.active_table"), Some("system_logs"));
        assert_eq!(logging.setting("services.data_ingestion.file"), Some("logs/data_ingestion.log"));
        // S1-060, S1-061, S1-065: what is the recorder's it does, what is not it names.
        let mut plan = crate::cold::segments::Plan::default();
        logging.storage.apply(&mut plan);
        assert_eq!(plan.log, crate::Rotation::daily());
        let names = [("trading.log", "orders.jsonl"), ("errors.log", "error.jsonl")];
        assert_eq!(logging.storage.names, names.map(|(name, file)| (name.to_owned(), file.to_owned())));
        let left: Vec<_> = logging.storage.left.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            left,
            ["json_format", "database.enabled", "database.active_table", "database.async_logging"]
        );
    }

    #[test]
    fn toml_says_the_same_as_yaml() {
        let of_toml = toml(
            "level = \"INFO\"\n[targets]\nmarket = \"off\"\napi = { level = \"warning\", every = 10 }\n\
             [services.risk_management]\nlevel = \"WARNING\"\n",
        );
        let of_yaml = yaml(
            "level: INFO\ntargets:\n  api: {level: warning, every: 10}\n  market: off\nservices:\n  risk_management:\n    level: WARNING\n",
        );
        let sorted = |logging: Result<Logging, LoggingError>| {
            let mut rules = logging.unwrap().rules;
            rules.targets.sort_by(|a, b| a.0.cmp(&b.0));
            rules
        };
        assert_eq!(sorted(of_toml), sorted(of_yaml));
    }

    #[track_caller]
    fn refused(result: Result<Logging, LoggingError>, says: &str) {
        assert_eq!(result.expect_err("it is refused").to_string(), says);
    }

    #[test]
    fn wrong_values_name_line_key_and_choices() {
        refused(
            toml("level = \"INFO\"\n\n[targets]\napi = \"inof\"\n"),
            "line 4: `targets.api`: `inof` is no level; levels are `debug`, `info`, `warning`, `error`, `critical` and `off`",
        );
        refused(
            yaml("level: INFO\ntargets:\n  api:\n    evry: 10\n"),
            "line 4: `targets.api.evry`: an unknown key; here can stand `level`, `every`, `first`, `per_second`, `file`",
        );
        refused(
            yaml("targets:\n  orders: {every: 10}\n"),
            "line 2: `targets.orders.every`: `orders` cannot be sampled: it is of class audit, of which everything is \
             recorded; remove it",
        );
        refused(
            yaml("performance:\n  enabled: maybe\n"),
            "line 2: `performance.enabled`: `maybe` is no truth; write `true` or `false`",
        );
        refused(
            yaml("rotation:\n  size: large\n"),
            "line 2: `rotation.size`: `large` is no size; write one such as `10 MB` or `50 MiB`",
        );
        refused(
            yaml("rotation:\n  sise: 10 MB\n"),
            "line 2: `rotation.sise`: an unknown key; here can stand `size`, `time`, `retention`, `compression`, `count`",
        );
        refused(
            yaml("files:\n  trade: logs/trades.log\n"),
            "line 2: `files.trade`: no stream of that name; write `trading`, `errors`, `system`, `trades`, `performance`, or a stream's own name",
        );
        refused(
            yaml("error_logs_retention: long\n"),
            "line 1: `error_logs_retention`: `long` is no number of days; write one such as `30 days`",
        );
        refused(toml("targets = 3\n"), "line 1: `targets`: a value where a table is expected");
        assert!(toml("level = \n").unwrap_err().to_string().starts_with("line 1: no TOML: "));
        assert!(yaml("a: [1\n").unwrap_err().to_string().contains("no YAML: "));
    }
}
