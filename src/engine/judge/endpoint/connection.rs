//! The only code of the program that opens a socket, and only to the server that a person names on the command line: no redirect is followed, no
//! proxy of the environment used, and the key goes nowhere but into the request. It never prints and never keeps.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use ureq::http::{HeaderMap, HeaderValue, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Timeout};

use crate::domain::fault::{Fault, Result, io_reason};

/// Where the server's key is.
pub(super) const KEY: &str = "HARDCASE_API_KEY";
/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read.
const LONGEST: u64 = 1 << 20;
/// How often one thing is asked while the server fails, does not answer in time, or says that it is asked too much.
const TRIES: u32 = 5;
const TRIES_TOO_SLOW: u32 = 2;
const TRIES_TOO_MANY: u32 = 10;
/// The first pause between two tries; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The longest pause that a server may ask for.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(60);

/// Whether what may pass is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// A person waits to hear whether the address is right.
    None,
    /// Work is under way.
    Usual,
}

/// What a server said.
pub(super) struct Reply {
    /// The status of HTTP.
    pub status: u16,
    /// At most [`LONGEST`] bytes.
    pub body: Vec<u8>,
    /// How long it asks to be left alone.
    pause: Option<Duration>,
}

impl Reply {
    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// How often such an answer is worth asking for again.
    fn tries(&self) -> u32 {
        match self.status {
            429 => TRIES_TOO_MANY,
            408 | 500 | 502..=504 => TRIES,
            _ => 1,
        }
    }
}

/// The way to a server.
pub(super) struct Connection {
    agent: Agent,
    key: Option<HeaderValue>,
    timeout: Duration,
    stopped: Mutex<bool>,
    stopping: Condvar,
    /// Why something is asked again, as long as it is.
    trouble: Mutex<Option<String>>,
}

impl Connection {
    /// Prepares it; nothing is opened yet. An answer may take `timeout`, and `most` requests are under way at a time.
    ///
    /// # Errors
    /// A key that cannot be one.
    pub fn new(timeout: Duration, most: usize) -> Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            // The system's certificates: such a server often stands in-house.
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .user_agent(concat!("hardcase/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(timeout))
            .max_idle_connections(most)
            .max_idle_connections_per_host(most)
            .build();
        Ok(Self {
            agent: config.new_agent(),
            key: key()?,
            timeout,
            stopped: Mutex::new(false),
            stopping: Condvar::new(),
            trouble: Mutex::default(),
        })
    }

    /// Asks for what is at `url`; with `body`, JSON, as a question. What may pass is asked again.
    ///
    /// # Errors
    /// Where no answer comes. One that refuses is an answer.
    pub fn ask(&self, url: &str, body: Option<&[u8]>, patience: Patience) -> Result<Reply> {
        let mut tried = 0;
        loop {
            tried += 1;
            let asked = self.once(url, body);
            let tries = match &asked {
                Ok(reply) => reply.tries(),
                Err(error) => worth(error),
            };
            let pause = asked.as_ref().ok().and_then(|reply| reply.pause);
            let last = tried >= tries || patience == Patience::None;
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = match &asked {
                _ if last => None,
                Ok(reply) => Some(format!("the server answers with status {}", reply.status)),
                Err(_) => Some("the server does not answer".to_owned()),
            };
            if last || !self.wait(pause.unwrap_or_else(|| backoff(tried, body))) {
                return asked.map_err(|error| self.fault(url, error));
            }
        }
    }

    /// Why something is asked again now.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends whatever is under way, also what waits for its next try.
    pub fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopping.notify_all();
        self.agent.clone().shutdown();
    }

    fn once(&self, url: &str, body: Option<&[u8]>) -> Result<Reply, ureq::Error> {
        let mut answer = match body {
            None => {
                let request = self.agent.get(url);
                match &self.key {
                    Some(key) => request.header(header::AUTHORIZATION, key).call()?,
                    None => request.call()?,
                }
            }
            Some(body) => {
                let request = self.agent.post(url).content_type("application/json");
                match &self.key {
                    Some(key) => request.header(header::AUTHORIZATION, key).send(body)?,
                    None => request.send(body)?,
                }
            }
        };
        let pause = pause(answer.headers());
        let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec()?;
        Ok(Reply { status: answer.status().as_u16(), body, pause })
    }

    /// Waits before the next try. False where it was stopped meanwhile.
    fn wait(&self, pause: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stopping.wait_timeout_while(stopped, pause, |stopped| !*stopped);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Why no answer came.
    fn fault(&self, url: &str, error: ureq::Error) -> Fault {
        let seconds = |time: Duration| time.as_secs_f64();
        let (why, hint) = match &error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                (format!("it is not to be reached within {} s", seconds(CONNECT)), ADDRESS)
            }
            ureq::Error::Timeout(_) => {
                (format!("it did not answer within {} s", seconds(self.timeout)), SLOW)
            }
            ureq::Error::HostNotFound => ("no host has that name".to_owned(), ADDRESS),
            ureq::Error::BodyExceedsLimit(most) => {
                (format!("its answer is longer than {} KiB", most >> 10), ANOTHER)
            }
            ureq::Error::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => ("nothing answers there".to_owned(), ADDRESS),
                // What rustls does not accept comes so.
                io::ErrorKind::InvalidData if url.starts_with("https:") => (encryption(error), TLS),
                io::ErrorKind::UnexpectedEof => {
                    ("it broke off in the middle of its answer".to_owned(), AGAIN)
                }
                _ => (io_reason(error), AGAIN),
            },
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => (encryption(&error), TLS),
            ureq::Error::BadUri(_) => ("that is not the address of a server".to_owned(), ADDRESS),
            ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
                ("it does not speak HTTP as it should".to_owned(), ANOTHER)
            }
            other => (other.to_string(), AGAIN),
        };
        Fault::new(format!("ask the server {url}"), why).hint(hint).because(error)
    }
}

const ADDRESS: &str = "Start the server, or name the right address with --endpoint";
const AGAIN: &str = "What was read is kept: run the same command again";
const ANOTHER: &str = "Name the address of an OpenAI-compatible server with --endpoint";
const SLOW: &str =
    "What was read is kept: run the same command again, with --concurrency 1, or with a longer --timeout";
const TLS: &str = "Write http:// where the server has no encryption; a certificate of your own authority has to be known to this system";

fn encryption(why: &impl std::fmt::Display) -> String {
    format!("no encrypted connection comes about ({why})")
}

/// How often an error is worth asking again.
fn worth(error: &ureq::Error) -> u32 {
    match error {
        ureq::Error::Timeout(_) => TRIES_TOO_SLOW,
        ureq::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => TRIES,
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => TRIES,
        _ => 1,
    }
}

/// A pause that doubles from try to try, between a half and one and a half of that, so that those who failed together do not come back
/// together: where it lies follows from what is asked.
fn backoff(tried: u32, body: Option<&[u8]>) -> Duration {
    let mut hash = DefaultHasher::new();
    (tried, body).hash(&mut hash);
    let part = f64::from((hash.finish() >> 48) as u16) / f64::from(u16::MAX);
    PAUSE.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(LONGEST_PAUSE).mul_f64(0.5 + part)
}

/// How long a server asks to be left alone, where it says so in seconds.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_ASKED_PAUSE))
}

/// The key as a header that is never shown.
fn key() -> Result<Option<HeaderValue>> {
    let Some(key) = std::env::var_os(KEY).filter(|key| !key.is_empty()) else { return Ok(None) };
    let value = key.to_str().and_then(|key| HeaderValue::from_str(&format!("Bearer {}", key.trim())).ok());
    let mut value = value.ok_or_else(|| {
        Fault::usage("judge through a server", format!("what {KEY} holds cannot be a key"))
            .hint("Set it to the server's key, or unset it")
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ_from_question_to_question() {
        for tried in 1..8 {
            let whole = PAUSE * (1 << (tried - 1));
            for body in [&b"a"[..], b"b", b"c"] {
                let pause = backoff(tried, Some(body));
                assert!(pause >= whole.min(LONGEST_PAUSE) / 2 && pause <= whole * 3 / 2, "{pause:?}");
            }
        }
        assert!(backoff(60, None) <= LONGEST_PAUSE * 3 / 2);
        assert_ne!(backoff(1, Some(b"a")), backoff(1, Some(b"b")));
    }

    #[test]
    fn a_pause_that_a_server_asks_for_is_kept_within_bounds() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(value).unwrap());
            pause(&headers)
        };
        assert_eq!(asked("3"), Some(Duration::from_secs(3)));
        assert_eq!(asked("99999"), Some(LONGEST_ASKED_PAUSE));
        assert_eq!(asked("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(pause(&HeaderMap::new()), None);
    }
}
