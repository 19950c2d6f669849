//! `GET /metrics`, on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tiny_http::{Header, Method, Response, Server};

use super::metrics::Metrics;
use crate::destination::SendError;

/// What Prometheus asks for: its text format.
const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A server; ends when dropped.
pub(super) struct Served {
    server: Arc<Server>,
    ready: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(super) fn start(at: &(String, u16), metrics: &Arc<Mutex<Metrics>>) -> Result<Self, SendError> {
        let server = Server::http((at.0.as_str(), at.1)).map_err(|error| {
            SendError::misconfigured(format!("cannot serve at {}:{}: {error}; name another port", at.0, at.1))
        })?;
        let server = Arc::new(server);
        let ready = Arc::new(AtomicBool::new(false));
        let (serving, is_ready, metrics) = (Arc::clone(&server), Arc::clone(&ready), Arc::clone(metrics));
        let thread = std::thread::Builder::new()
            .name("tape-metrics".to_owned())
            .spawn(move || {
                for request in serving.incoming_requests() {
                    let path = request.url().split('?').next().unwrap_or_default();
                    let (status, text) = match (request.method(), path) {
                        (Method::Get | Method::Head, "/metrics") if is_ready.load(Ordering::Acquire) => {
                            (200, metrics.lock().unwrap_or_else(PoisonError::into_inner).text())
                        }
                        // Half-read files would look like a burst of events.
                        (Method::Get | Method::Head, "/metrics") => {
                            (503, "what is there is still being counted\n".to_owned())
                        }
                        (Method::Get | Method::Head, _) => (404, "only /metrics is served\n".to_owned()),
                        _ => (405, "only GET is served\n".to_owned()),
                    };
                    let mut response = Response::from_string(text).with_status_code(status);
                    if let Ok(header) = Header::from_bytes("content-type", KIND) {
                        response.add_header(header);
                    }
                    // Whoever asked is gone: nothing to do.
                    let _ = request.respond(response);
                }
            })
            .map_err(|error| SendError::unavailable(format!("no thread: {error}")))?;
        Ok(Self { server, ready, thread: Some(thread) })
    }

    /// From here on it answers.
    pub(super) fn ready(&self) {
        self.ready.store(true, Ordering::Release);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            // It panicked: whoever drops us has nothing to do about it.
            let _ = thread.join();
        }
    }
}
