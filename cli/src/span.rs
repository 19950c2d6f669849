//! `--since` and `--until`: what part of a run is asked about.

use crate::failure::Failure;
use crate::source::Corpus;
use crate::time;

/// A stretch of time, as it can be typed.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Span {
    /// From then on: `15m`, `2h`, `1d` before now (before the last event of a run that is over), `12:34`, or RFC 3339
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Until then; as `--since`
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    /// The same as the text of a timestamp with nine digits.
    texts: (String, String),
}

impl Span {
    /// # Errors
    /// When a time cannot be read.
    pub(crate) fn window(&self, corpus: &Corpus) -> Result<Window, Failure> {
        if self.since.is_none() && self.until.is_none() {
            return Ok(Window::new(None, None));
        }
        let alive = corpus.runs.iter().any(tapelog::read::Run::is_alive);
        let last = (0..corpus.runs.len()).filter_map(|run| corpus.last_at(run)).max();
        let now = if alive { time::now() } else { last.unwrap_or_else(time::now) };
        let at = |text: &Option<String>| text.as_ref().map(|text| instant(text, now)).transpose();
        Ok(Window::new(at(&self.since)?, at(&self.until)?))
    }
}

fn instant(text: &str, now: i64) -> Result<i64, Failure> {
    let day = time::date(now);
    let of_today = || {
        let padded = if text.len() == 5 { format!("{day}T{text}:00Z") } else { format!("{day}T{text}Z") };
        text.contains(':').then(|| time::parse(&padded))?
    };
    let date = || time::parse(&format!("{text}T00:00:00Z"));
    let spaced = || time::parse(&text.replacen(' ', "T", 1));
    time::duration(text).map(|span| now - span).or_else(spaced).or_else(of_today).or_else(date).ok_or_else(
        || {
            Failure::Unusable(format!(
                "`{text}` is no time; write `15m`, `2h`, `12:34`, `2025-10-26` or `2025-10-26T12:34:56Z`"
            ))
        },
    )
}

impl Window {
    pub(crate) fn new(from: Option<i64>, to: Option<i64>) -> Self {
        let texts =
            (from.map_or_else(String::new, time::rfc3339), to.map_or_else(String::new, time::rfc3339));
        Self { from, to, texts }
    }

    pub(crate) fn is_all(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether a line belongs; one without a time does not, unless all do.
    pub(crate) fn has(&self, line: &str) -> bool {
        if self.is_all() {
            return true;
        }
        let at = crate::scan::timestamp(line);
        let Some(at) = at.or_else(|| crate::json::get(line, "timestamp").map(|json| json.trim_matches('"')))
        else {
            return false;
        };
        // Timestamps of one form are in order as text; others are read.
        if at.len() == 30 && at.ends_with('Z') {
            return (self.from.is_none() || at >= self.texts.0.as_str())
                && (self.to.is_none() || at <= self.texts.1.as_str());
        }
        time::parse(at)
            .is_some_and(|at| self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at <= to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = time::parse("2025-10-26T12:34:56Z").unwrap_or_default();
        for (text, expected) in [
            ("15m", "2025-10-26T12:19:56.000000000Z"),
            ("1d", "2025-10-25T12:34:56.000000000Z"),
            ("11:00", "2025-10-26T11:00:00.000000000Z"),
            ("11:00:01.5", "2025-10-26T11:00:01.500000000Z"),
            ("2025-10-01", "2025-10-01T00:00:00.000000000Z"),
            ("2025-10-01 10:00:00", "2025-10-01T10:00:00.000000000Z"),
            ("2025-10-01T10:00:00+01:00", "2025-10-01T09:00:00.000000000Z"),
        ] {
            assert_eq!(instant(text, now).map(time::rfc3339).ok().as_deref(), Some(expected), "{text}");
        }
        assert!(instant("yesterday", now).is_err());
    }

    #[test]
    fn a_line_is_within_by_its_time_whatever_its_form() {
        let at = |text: &str| time::parse(text);
        let window = Window::new(at("2025-10-26T12:00:00Z"), at("2025-10-26T13:00:00Z"));
        let has = |time: &str| window.has(&format!("{{\"timestamp\":\"{time}\",\"seq\":1}}"));
        assert!(has("2025-10-26T12:00:00.000000000Z") && has("2025-10-26T12:30:00Z"));
        assert!(has("2025-10-26T14:30:00+02:00"));
        assert!(!has("2025-10-26T11:59:59.999999999Z") && !has("2025-10-26T13:00:00.000000001Z"));
        assert!(!window.has("{}") && Window::new(None, None).has("{}"));
    }
}
