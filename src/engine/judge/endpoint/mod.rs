//! The judge on an OpenAI-compatible server: the same prompt and question, and the labels' probabilities from the tokens that the server lists as
//! the likeliest.
//!
//! No answer is sampled, and none is parsed as prose. Only `connection` opens a socket. What a server says is untrusted: it is read up to a
//! limit, and sanitized before it is shown.

mod address;
mod answer;
mod connection;
mod refusal;
mod server;
mod walk;

pub use address::is_url;
pub use server::{Endpoint, EndpointOptions};
