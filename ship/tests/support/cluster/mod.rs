//! A fake of a cluster, faithful in what a client of `_bulk` sees: statuses, words and order of the documented answers. What it
//! knows: who may come in, how large a request may be, the types of the index template that it was given, ids that are there
//! already, and faults that a test asks for. What it cannot show stands in `deploy/elastic/README.md`.

mod bulk;

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

/// What the next requests of `_bulk` meet; each is used once.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The whole request is answered so, for example 429 or 503.
    Status(u16),
    /// Every event but the first `usize` is answered 429.
    BusyAfter(usize),
    /// Everything is taken, and the answer never arrives.
    AnswerLost,
    /// Events are answered with this status and error type, whatever they are.
    Items(u16, &'static str, &'static str),
}

/// What there is.
#[derive(Debug, Default)]
pub struct State {
    /// Documents by index and id.
    pub documents: BTreeMap<(String, String), Value>,
    /// How often each id was offered.
    pub offered: BTreeMap<String, u32>,
    pub faults: VecDeque<Fault>,
    pub templates: BTreeMap<String, Value>,
    pub policies: BTreeMap<String, Value>,
    /// Requests: method and address.
    pub asked: Vec<String>,
    /// The largest request, in bytes as sent.
    pub most_bytes: usize,
    /// The value of the header `authorization` that lets one in.
    pub password: Option<String>,
    /// Whether templates may be made.
    pub manages: bool,
    pub opensearch: bool,
    pub version: &'static str,
    pub pipelines: Vec<String>,
    /// Documents that were written over: an event is only ever created.
    pub overwritten: u32,
    /// Of Kibana: rules by id, what was imported, and the password of its user.
    pub rules: BTreeMap<String, Value>,
    pub imported: String,
    pub kibana_password: Option<String>,
    /// Of the requests to `_bulk`: how many events each had.
    pub sizes: Vec<usize>,
}

/// A server on loopback; ends with its owner.
pub struct Cluster {
    pub state: Arc<Mutex<State>>,
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
    pub port: u16,
}

impl Cluster {
    pub fn start() -> Self {
        Self::on(0)
    }

    pub fn on(port: u16) -> Self {
        let server = Arc::new(Server::http(("127.0.0.1", port)).unwrap());
        let port = server.server_addr().to_ip().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            most_bytes: 100 << 20,
            manages: true,
            version: "8.19.4",
            ..State::default()
        }));
        let (ours, theirs) = (Arc::clone(&server), Arc::clone(&state));
        let thread = std::thread::spawn(move || {
            for request in ours.incoming_requests() {
                serve(request, &theirs);
            }
        });
        Self { state, server, thread: Some(thread), port }
    }

    pub fn address(&self) -> String {
        format!("elasticsearch://127.0.0.1:{}/tapelog", self.port)
    }

    pub fn with<R>(&self, of: impl FnOnce(&mut State) -> R) -> R {
        of(&mut self.state.lock().unwrap())
    }

    pub fn fails(&self, faults: impl IntoIterator<Item = Fault>) {
        self.with(|state| state.faults.extend(faults));
    }

    pub fn documents(&self) -> Vec<Value> {
        self.with(|state| state.documents.values().cloned().collect())
    }

    pub fn ids(&self) -> Vec<String> {
        self.with(|state| state.documents.keys().map(|(_, id)| id.clone()).collect())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn error(status: u16, kind: &str, reason: &str) -> (u16, Value) {
    let error = json!({"type": kind, "reason": reason});
    let root = json!([error]);
    (status, json!({"error": {"root_cause": root, "type": kind, "reason": reason}, "status": status}))
}

fn serve(mut request: Request, state: &Mutex<State>) {
    let mut bytes = Vec::new();
    if request.as_reader().read_to_end(&mut bytes).is_err() {
        return;
    }
    let mut state = state.lock().unwrap();
    let url = request.url().to_owned();
    state.asked.push(format!("{} {url}", request.method()));
    let header = |name: &'static str| {
        request
            .headers()
            .iter()
            .find(|header| header.field.equiv(name))
            .map(|header| header.value.to_string())
    };
    let packed = header("content-encoding").is_some_and(|how| how == "gzip");
    let (status, body) = if state.password.is_some() && state.password != header("authorization") {
        error(401, "security_exception", "unable to authenticate user [ship] for REST request [/_bulk]")
    } else if bytes.len() > state.most_bytes {
        // The HTTP layer refuses before anything reads it: no JSON.
        (413, Value::Null)
    } else {
        let mut plain = Vec::new();
        if packed {
            flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut plain).unwrap();
        } else {
            plain = bytes;
        }
        let path = url.split('?').next().unwrap().to_owned();
        match (request.method(), path.split('/').skip(1).collect::<Vec<_>>().as_slice()) {
            (Method::Get, [""]) => (200, about(&state)),
            (Method::Get, ["_license"]) => {
                (200, json!({"license": {"status": "active", "uid": "x", "type": "basic", "mode": "basic"}}))
            }
            (Method::Get, ["_xpack"]) => (200, json!({"features": {}})),
            (Method::Get, ["_index_template", name]) => match state.templates.get(*name) {
                Some(template) => {
                    (200, json!({"index_templates": [{"name": name, "index_template": template}]}))
                }
                None => error(404, "resource_not_found_exception", "index template matching not found"),
            },
            (Method::Get, ["_ilm", "policy", name]) => match state.policies.get(*name) {
                Some(policy) => (200, json!({*name: policy})),
                None => error(404, "resource_not_found_exception", "Lifecycle policy not found"),
            },
            (Method::Put, [..]) if !state.manages => {
                error(403, "security_exception", "action [indices:admin] is unauthorized for user [ship]")
            }
            (Method::Put, ["_index_template", name]) => {
                state.templates.insert((*name).to_owned(), serde_json::from_slice(&plain).unwrap());
                (200, json!({"acknowledged": true}))
            }
            (Method::Put, ["_ilm", "policy", name]) => {
                state.policies.insert((*name).to_owned(), serde_json::from_slice(&plain).unwrap());
                (200, json!({"acknowledged": true}))
            }
            (Method::Put, ["_ingest", "pipeline", name]) => {
                serde_json::from_slice::<Value>(&plain).unwrap();
                state.pipelines.retain(|known| known != name);
                state.pipelines.push((*name).to_owned());
                (200, json!({"acknowledged": true}))
            }
            (Method::Post, ["_security", "user", "kibana_system", "_password"]) => {
                let body: Value = serde_json::from_slice(&plain).unwrap();
                state.kibana_password = body["password"].as_str().map(str::to_owned);
                (200, json!({}))
            }
            (Method::Get, ["api", "status"]) => (200, json!({"status": {"overall": {"level": "available"}}})),
            (Method::Post, ["api", ..]) if header("kbn-xsrf").is_none() => (
                400,
                json!({"statusCode": 400, "error": "Bad Request", "message": "Request must contain a kbn-xsrf header."}),
            ),
            (Method::Post, ["api", "saved_objects", "_import"]) => {
                state.imported = String::from_utf8(plain).unwrap();
                (200, json!({"success": true, "successCount": 8}))
            }
            (Method::Get, ["api", "alerting", "rule", id]) => match state.rules.get(*id) {
                Some(rule) => (200, rule.clone()),
                None => (
                    404,
                    json!({"statusCode": 404, "error": "Not Found", "message": "Saved object not found"}),
                ),
            },
            (Method::Post, ["api", "alerting", "rule", id]) => {
                let rule: Value = serde_json::from_slice(&plain).unwrap();
                // An unknown key is refused, as Kibana does.
                let known = [
                    "name",
                    "tags",
                    "rule_type_id",
                    "consumer",
                    "schedule",
                    "params",
                    "actions",
                    "enabled",
                    "notify_when",
                    "throttle",
                ];
                match rule.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str())) {
                    Some(key) => (
                        400,
                        json!({"statusCode": 400, "message": format!("[request body.{key}]: definition for this key is missing")}),
                    ),
                    None => {
                        state.rules.insert((*id).to_owned(), rule);
                        (200, json!({}))
                    }
                }
            }
            (Method::Post | Method::Put, ["_bulk"]) => match bulk::answer(&mut state, &plain, &url) {
                Some(answer) => answer,
                None => {
                    drop(state);
                    // What arrives is no answer: the connection broke.
                    let mut writer = request.into_writer();
                    let _ = writer.write_all(b"\x15\x03 broken\r\n\r\n");
                    let _ = writer.flush();
                    return;
                }
            },
            _ => error(400, "illegal_argument_exception", &format!("no handler found for uri [{url}]")),
        }
    };
    drop(state);
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let mut response = Response::from_string(text).with_status_code(status);
    let mut add = |name: &str, value: &str| {
        response.add_header(Header::from_bytes(name.as_bytes(), value.as_bytes()).unwrap());
    };
    add("X-elastic-product", "Elasticsearch");
    add("content-type", "application/json");
    if status == 429 {
        add("retry-after", "1");
    }
    let _ = request.respond(response);
}

fn about(state: &State) -> Value {
    let mut version = json!({"number": state.version, "build_flavor": "default", "lucene_version": "9.12.2",
        "minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0"});
    if state.opensearch {
        version = json!({"number": "2.19.1", "distribution": "opensearch"});
    }
    json!({"name": "fake", "cluster_name": "fake", "cluster_uuid": "fake", "version": version,
        "tagline": "You Know, for Search"})
}
