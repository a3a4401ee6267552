//! The only code that opens a socket, and only to the server named on the command line: no redirect is followed, no proxy from the environment is
//! used, and the key goes into the request alone. It never prints and never stores anything.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use ureq::http::{HeaderMap, HeaderValue, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Timeout};

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::sanitize::sanitize_line;
use crate::domain::secret::{Secret, VARIABLE};

/// The environment variable with the server's key.
pub(super) const KEY: &str = VARIABLE;
/// Timeout for connecting.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest answer that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// Longest reason why there is no answer, in characters.
const LONGEST_REASON: usize = 400;
/// How often a request is sent while the server fails, times out, or says that there are too many requests.
const TRIES: u32 = 5;
const TRIES_TOO_SLOW: u32 = 2;
const TRIES_TOO_MANY: u32 = 10;
/// The first pause between two tries; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The longest pause that a server may ask for.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(60);

/// Whether to wait for errors that may be temporary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// No: somebody is waiting to hear whether the address is right.
    None,
    /// Yes: work is in progress.
    Usual,
}

/// A server's response.
pub(super) struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// At most [`LONGEST`] bytes.
    pub body: Vec<u8>,
    /// How long the server asks to wait before the next request.
    pause: Option<Duration>,
}

impl Reply {
    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// How often a request with this response is sent in all.
    fn tries(&self) -> u32 {
        match self.status {
            429 => TRIES_TOO_MANY,
            408 | 500 | 502..=504 => TRIES,
            _ => 1,
        }
    }
}

/// A connection to a server.
pub(super) struct Connection {
    agent: Agent,
    key: Option<HeaderValue>,
    /// The same, to take it out of what the server says.
    secret: Option<Secret>,
    timeout: Duration,
    stopped: Mutex<bool>,
    stopping: Condvar,
    /// Why a request is being repeated, while one is.
    trouble: Mutex<Option<String>>,
}

impl Connection {
    /// Prepares the connection without opening it. An answer may take `timeout`, and at most `most` requests run at a time.
    ///
    /// # Errors
    /// The key is malformed.
    pub fn new(timeout: Duration, most: usize) -> Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            // The system's certificates, because such a server is often in-house.
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .user_agent(concat!("hardcase/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(timeout))
            .max_idle_connections(most)
            .max_idle_connections_per_host(most)
            .build();
        let (key, secret) = key()?.unzip();
        Ok(Self {
            agent: config.new_agent(),
            key,
            secret: secret.flatten(),
            timeout,
            stopped: Mutex::new(false),
            stopping: Condvar::new(),
            trouble: Mutex::default(),
        })
    }

    /// Sends a request to `url`, a POST if there is a JSON `body`. Repeats it after errors that may be temporary.
    ///
    /// # Errors
    /// There is no response. A refusal is a response.
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

    /// What a server says, without the key that it was sent.
    pub fn without_key(&self, said: &str) -> String {
        self.secret.as_ref().map_or_else(|| said.to_owned(), |key| key.taken_out(said))
    }

    /// The key that the server is sent.
    pub fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// Why a request is being repeated now.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends all requests, including those that wait for their next try.
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

    /// Waits before the next try. False if it was stopped meanwhile.
    fn wait(&self, pause: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stopping.wait_timeout_while(stopped, pause, |stopped| !*stopped);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Why there is no response.
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
                // A certificate that rustls does not accept comes as this.
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
        // A certificate may say anything.
        let why = sanitize_line(&self.without_key(&why), LONGEST_REASON);
        let fault = Fault::new(format!("ask the server {url}"), why).hint(hint);
        let shown = error.to_string();
        if self.without_key(&shown) == shown { fault.because(error) } else { fault }
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

/// How often a request with this error is sent in all.
fn worth(error: &ureq::Error) -> u32 {
    match error {
        ureq::Error::Timeout(_) => TRIES_TOO_SLOW,
        ureq::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => TRIES,
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => TRIES,
        _ => 1,
    }
}

/// A pause that doubles from try to try, times a factor between 0.5 and 1.5 that follows from the request, so that requests that failed together
/// are not repeated together.
fn backoff(tried: u32, body: Option<&[u8]>) -> Duration {
    let mut hash = DefaultHasher::new();
    (tried, body).hash(&mut hash);
    let part = f64::from((hash.finish() >> 48) as u16) / f64::from(u16::MAX);
    PAUSE.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(LONGEST_PAUSE).mul_f64(0.5 + part)
}

/// How long a server asks to wait, if it says so in seconds.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_ASKED_PAUSE))
}

/// The key as a header that is never shown, and what takes it out of a text.
fn key() -> Result<Option<(HeaderValue, Option<Secret>)>> {
    let Some(key) = std::env::var_os(KEY).filter(|key| !key.is_empty()) else { return Ok(None) };
    let value = key.to_str().and_then(|key| HeaderValue::from_str(&format!("Bearer {}", key.trim())).ok());
    let mut value = value.ok_or_else(|| {
        Fault::usage("judge through a server", format!("what {KEY} holds cannot be a key"))
            .hint("Set it to the server's key, or unset it")
    })?;
    value.set_sensitive(true);
    Ok(Some((value, key.to_str().and_then(Secret::of))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ_between_requests() {
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
