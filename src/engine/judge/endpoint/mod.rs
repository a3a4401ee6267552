//! The judge as an OpenAI-compatible server that a person names: the same instruction, the same question, and the probabilities of the labels
//! from the tokens that the server lists as the likeliest.
//!
//! No answer is sampled and none is parsed as prose. Only `connection` opens a socket. Whatever a server says is data of a stranger: read up
//! to a limit, and shown only after what could harm a terminal is taken out of it.

mod address;
mod answer;
mod connection;
mod refusal;
mod server;
mod walk;

pub use address::is_url;
pub use server::{Endpoint, EndpointOptions};
