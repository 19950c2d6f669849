//! stub
use crate::Value;

/// What has not ended yet.
#[derive(Clone, Debug, Value, serde::Serialize)]
pub(crate) struct Progress {
    pub(crate) reason: String,
    pub(crate) since_s: f64,
    pub(crate) waiting_for: Vec<String>,
}

pub(crate) fn progress() -> Option<Progress> {
    None
}
