//! What a server's refusal means, in one sentence with what to do.

use super::address::{Address, Form};
use super::answer::{Useless, reason};
use super::connection::{Connection, KEY, Reply};
use crate::domain::fault::Fault;
use crate::domain::sanitize::sanitize_line;
use crate::domain::server_words::harmless_words;

/// Longest reason of a server that is kept, in characters.
const KEPT: usize = 200;

/// The fault for a refusal by the server at `url`. Of its answer only the status is kept, and the words of its reason that can be no part of a key.
pub(super) fn refusal(url: &str, reply: &Reply, connection: &Connection) -> Fault {
    let said =
        reason(&reply.body).map(|said| sanitize_line(&connection.without_key(&harmless_words(&said)), KEPT));
    let words = said.map_or(String::new(), |said| format!(": {said}"));
    let status = reply.status;
    let (why, hint) = match status {
        401 | 403 => (
            format!("it wants another key (status {status}){words}"),
            format!("Put its key into the environment variable {KEY}"),
        ),
        300..=399 => (
            format!("it sends on to another address (status {status}), and no such direction is followed"),
            "Name that address with --endpoint".to_owned(),
        ),
        404 | 405 => (
            format!("nothing is served at that path, or not this model (status {status}){words}"),
            "Name the address up to its version, as in http://localhost:8000/v1; --model NAME says which model".to_owned(),
        ),
        429 => (
            format!("it is asked too much (status {status}){words}"),
            "What was read is kept: run the same command again, with a smaller --concurrency".to_owned(),
        ),
        500..=599 => (
            format!("it failed (status {status}){words}"),
            "What was read is kept: see what the server itself says, and run the same command again".to_owned(),
        ),
        _ => (
            format!("it refuses (status {status}){words}"),
            "Where texts are too long for it, name a smaller --context".to_owned(),
        ),
    };
    Fault::new(format!("ask the server {url}"), why).hint(hint)
}

/// The fault for an answer that was successful in HTTP but cannot be used.
pub(super) fn useless(url: &str, useless: Useless) -> Fault {
    let (why, hint) = match useless {
        Useless::Strange => (
            "its answer is not one of an OpenAI-compatible server",
            "Name the address of such a server, as in --endpoint http://localhost:8000",
        ),
        Useless::NotProbabilities => (
            "what it lists for tokens are no log-probabilities: some are above zero, or they add up to more than 1",
            "Judging takes logarithms of probabilities, as OpenAI-compatible servers give them",
        ),
        Useless::WithoutProbabilities => (
            "its answer holds no log-probabilities of tokens",
            "Judging takes them: llama-cpp-python's server gives them with --logits_all true, vLLM's and llama.cpp's as they are",
        ),
    };
    Fault::new(format!("ask the server {url}"), why).hint(hint)
}

/// The fault for two labels that a chat cannot tell apart, because it shows only an answer's first token.
pub(super) fn alike(address: &Address, one: &str, other: &str) -> Fault {
    debug_assert_eq!(address.form, Form::Chat);
    let why =
        format!("the labels '{one}' and '{other}' begin alike, and a chat shows only how an answer begins");
    Fault::new(format!("judge through {}", address.scoring()), why).hint(format!(
        "Use --endpoint {}, where the server has that, or give the labels names that begin differently",
        address.completions()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_a_chat_cannot_tell_apart_are_named_with_what_to_do() {
        let address = Address::read("http://h/v1/chat/completions").unwrap();
        let said = alike(&address, "not spam", "not ham").to_string();
        for part in ["'not spam' and 'not ham'", "--endpoint http://h/v1/completions"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
