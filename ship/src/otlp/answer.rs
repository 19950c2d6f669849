//! What a collector's answer means for the events.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::Signal;
use crate::destination::SendError;
use crate::http::Answer;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Every one.
    All,
    /// All but so many, which it will never take and does not name.
    Some { count: i64, reason: String },
    /// None, because of some.
    None { reason: String },
}

/// As OTLP has it: 2xx with what was refused for good, 400 for what cannot be decoded, the rest is for later.
pub(super) fn judge(signal: Signal, answer: &Answer) -> Result<Taken, SendError> {
    match answer.status {
        200..=299 => Ok(partial(signal, &answer.body)),
        400 | 413 | 422 => {
            let words: String =
                String::from_utf8_lossy(&answer.body).chars().filter(|c| !c.is_control()).take(300).collect();
            Ok(Taken::None {
                reason: format!("the collector answered {} {words}", answer.status).trim_end().to_owned(),
            })
        }
        404 if signal == Signal::Metrics => Err(SendError::misconfigured(
            "the collector takes no metrics (404); add `signals=logs,traces` to the address",
        )),
        _ => Err(answer.failure()),
    }
}

/// An answer that is no protobuf is no refusal: some collectors answer `{}`.
fn partial(signal: Signal, body: &[u8]) -> Taken {
    let (count, reason) = match signal {
        Signal::Logs => ExportLogsServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| (partial.rejected_log_records, partial.error_message)),
        Signal::Traces => ExportTraceServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| (partial.rejected_spans, partial.error_message)),
        Signal::Metrics => ExportMetricsServiceResponse::decode(body)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| (partial.rejected_data_points, partial.error_message)),
    }
    .unwrap_or_default();
    // None refused, but a message: a warning, by the specification.
    if count > 0 { Taken::Some { count, reason } } else { Taken::All }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &[u8]) -> Answer {
        Answer { status, retry_after: None, body: body.to_vec() }
    }

    #[test]
    fn what_was_refused_for_good_is_told_from_what_is_for_later() {
        assert_eq!(judge(Signal::Logs, &answer(200, b"")).unwrap(), Taken::All);
        assert_eq!(judge(Signal::Logs, &answer(200, b"{}")).unwrap(), Taken::All);
        assert!(matches!(judge(Signal::Logs, &answer(400, b"bad")).unwrap(), Taken::None { .. }));
        assert!(matches!(judge(Signal::Logs, &answer(503, b"")), Err(SendError::Unavailable { .. })));
        assert!(matches!(judge(Signal::Logs, &answer(401, b"")), Err(SendError::Misconfigured { .. })));
        let error = judge(Signal::Metrics, &answer(404, b"")).unwrap_err().to_string();
        assert!(error.contains("signals=logs,traces"), "{error}");
    }
}
