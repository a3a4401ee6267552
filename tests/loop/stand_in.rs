//! A stand-in for a server that judges: it answers requests on this machine as each test wants, well or badly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::project::{Project, Ran};

/// A request as the stand-in got it.
#[derive(Clone)]
pub struct Asked {
    pub path: String,
    pub key: Option<String>,
    pub body: Value,
    /// Number of texts that were sent before.
    pub before: usize,
}

impl Asked {
    /// The prompt that the model is to continue.
    pub fn prompt(&self) -> &str {
        self.body["prompt"]
            .as_str()
            .or_else(|| self.body["messages"][0]["content"].as_str())
            .unwrap_or_default()
    }

    /// The text in question, and the answer so far.
    pub fn text(&self) -> (&str, &str) {
        let (_, last) = self.prompt().rsplit_once("\nText: ").unwrap();
        last.rsplit_once("\nLabel:").unwrap()
    }
}

/// The stand-in's response.
pub enum Said {
    Status(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Announces so many bytes, sends these, and breaks off.
    Broken(usize, Vec<u8>),
    /// It keeps the connection open without answering, until the other side closes it.
    Silence,
    BreakOff,
}

pub fn good(body: &Value) -> Said {
    Said::Status(200, Vec::new(), body.to_string().into_bytes())
}

pub fn failed(status: u16, why: &str) -> Said {
    Said::Status(status, Vec::new(), json!({ "error": { "message": why } }).to_string().into_bytes())
}

/// The likeliest tokens in the form of a text that is continued.
pub fn tokens(list: &[(&str, f64)]) -> Said {
    let top: serde_json::Map<String, Value> =
        list.iter().map(|(token, p)| ((*token).to_owned(), p.ln().into())).collect();
    good(
        &json!({ "choices": [{ "text": "", "logprobs": { "tokens": [list[0].0], "top_logprobs": [top] } }] }),
    )
}

/// Its probability that an advertisement is clickbait.
pub fn opinion(text: &str) -> f64 {
    if text.contains('!') { 0.6 } else { 0.1 }
}

/// The answer of a good server.
pub fn able(asked: &Asked) -> Said {
    let p = opinion(asked.text().0);
    tokens(&[(" click", p), (" fine", 0.8 - p), (" the", 0.1), ("\n", 0.05)])
}

/// A listening server, and the requests it got.
pub struct StandIn {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    /// Lists one model, and answers for texts as `answer` says.
    pub fn new(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        Self::whole(move |asked| match asked.path.as_str() {
            "/v1/models" => good(&json!({ "data": [{ "id": "tiny", "max_model_len": 100_000 }] })),
            _ => answer(asked),
        })
    }

    pub fn whole(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        Self { address, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until it has got so many requests.
    pub fn wait_for(&self, requests: usize) {
        while self.asked().len() < requests {
            std::thread::yield_now();
        }
    }

    /// Judges through it.
    #[track_caller]
    pub fn judge(&self, project: &Project, arguments: &[&str]) -> Ran {
        project.run("judge", &[&["--endpoint", &self.url()], arguments].concat())
    }

    #[track_caller]
    pub fn report(&self, project: &Project, arguments: &[&str]) -> Value {
        self.judge(project, &[&["--json"], arguments].concat()).json()
    }
}

/// Serves one connection until it is closed.
fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Said) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    // A TLS handshake, which it does not support.
    if reader.fill_buf().is_ok_and(|bytes| bytes.first() == Some(&0x16)) {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        return;
    }
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head).map_or(0, |n| n) == 0 {
                return;
            }
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            let of = |line: &str| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            };
            head.lines().find_map(of)
        };
        let mut body = vec![0; header("content-length").map_or(0, |n| n.parse().unwrap())];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let asked = {
            let mut seen = seen.lock().unwrap();
            let asked = Asked {
                path: head.split(' ').nth(1).unwrap().to_owned(),
                key: header("authorization"),
                body: serde_json::from_slice(&body).unwrap_or_default(),
                before: seen.iter().filter(|a| a.path != "/v1/models").count(),
            };
            seen.push(asked.clone());
            asked
        };
        let (length, body, extra, status) = match answer(&asked) {
            Said::Status(status, extra, body) => (body.len(), body, extra, status),
            Said::Broken(length, body) => (length, body, Vec::new(), 200),
            Said::Silence => {
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Said::BreakOff => return,
        };
        let extra: String = extra.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{extra}\r\n");
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err() {
            return;
        }
        if body.len() < length {
            return;
        }
    }
}
