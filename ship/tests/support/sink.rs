//! The far end of a collector: takes OTLP over HTTP, keeps what came, answers as told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// Unpacked.
    pub body: Vec<u8>,
}

/// An answer: status, headers, body.
pub type Answer = (u16, &'static str, Vec<u8>);

type Say = Box<dyn FnMut(&Request) -> Option<Answer> + Send>;

/// The server; its thread ends with the process.
pub struct Sink {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Sink {
    /// Answers 200 and nothing else, unless `say` says otherwise.
    pub fn start(say: impl FnMut(&Request) -> Option<Answer> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let say: Arc<Mutex<Say>> = Arc::new(Mutex::new(Box::new(say)));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, say) = (Arc::clone(&kept), Arc::clone(&say));
                std::thread::spawn(move || while serve(&stream, &kept, &say).is_some() {});
            }
        });
        Self { port, requests }
    }

    /// Answers these, one after the other, then 200.
    pub fn scripted(answers: Vec<Answer>) -> Self {
        let mut answers: VecDeque<Answer> = answers.into();
        Self::start(move |_| answers.pop_front())
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, kept: &Mutex<Vec<Request>>, say: &Mutex<Say>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    if header("expect").is_some() {
        (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = Vec::new();
    if let Some(length) = header("content-length") {
        body.resize(length.parse().ok()?, 0);
        reader.read_exact(&mut body).ok()?;
    } else if header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    if header("content-encoding").as_deref() == Some("gzip") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).ok()?;
        body = plain;
    }
    let request = Request { path, headers, body };
    let answer = (say.lock().unwrap())(&request);
    let (status, more, answer) =
        answer.unwrap_or((200, "content-type: application/x-protobuf\r\n", Vec::new()));
    kept.lock().unwrap().push(request);
    let head = format!("HTTP/1.1 {status} x\r\n{more}content-length: {}\r\n\r\n", answer.len());
    (&*stream).write_all(head.as_bytes()).ok()?;
    (&*stream).write_all(&answer).ok()
}
