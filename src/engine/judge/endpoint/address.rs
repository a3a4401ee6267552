//! The address of a server, normalised, and which of its two interfaces is used. It contains no credentials, so it can be stored and shown.

use crate::domain::fault::{Fault, Result};

/// Which interface is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Completions: the text is continued as it is.
    Completions,
    /// Chat: the text is the user's turn, and the answer cannot be started for the model.
    Chat,
}

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Up to the version, without a trailing slash.
    base: String,
    pub form: Form,
}

/// Whether a path is really a server's address.
pub fn is_url(text: &str) -> bool {
    scheme(text).is_some()
}

/// The scheme in lower case, and the rest.
fn scheme(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known)).map(|known| (known, rest))
}

impl Address {
    /// Parses an address as a person writes it: `http://host:8000`, with or without `/v1` and what follows.
    ///
    /// # Errors
    /// It is not an address, or contains something that must not be stored: a name, a password, a query.
    pub fn read(text: &str) -> Result<Self> {
        let refuse = |why: &str, hint: &str| Fault::usage("judge through a server", why).hint(hint);
        let text = text.trim();
        let usual = "Name it like this: --endpoint http://localhost:8000";
        let Some((scheme, rest)) = scheme(text) else {
            return Err(refuse("its address begins with neither http:// nor https://", usual));
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.contains('@') || rest.contains(['?', '#']) {
            let why = "an address with a name, a password or a query in it is not taken: the project keeps the address";
            return Err(refuse(why, "Put the server's key into the environment variable HARDCASE_API_KEY"));
        }
        let of_a_host = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        let of_a_path = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
        if host.is_empty() || !host.chars().all(of_a_host) || !path.chars().all(of_a_path) {
            return Err(refuse("its address is none", usual));
        }
        let path = path.trim_matches('/');
        let (path, form) = if let Some(before) = ending(path, "chat/completions") {
            (before.to_owned(), Form::Chat)
        } else if let Some(before) = ending(path, "completions") {
            (before.to_owned(), Form::Completions)
        } else if ending(path, "v1").is_some() {
            (path.to_owned(), Form::Completions)
        } else {
            (format!("{path}/v1"), Form::Completions)
        };
        let base = format!("{scheme}://{}/{}", host.to_ascii_lowercase(), path.trim_matches('/'));
        Ok(Self { base: base.trim_end_matches('/').to_owned(), form })
    }

    /// The form that is stored. It parses as the same address.
    pub fn kept(&self) -> String {
        match self.form {
            Form::Completions if ending(&self.base, "v1").is_some() => self.base.clone(),
            _ => self.scoring(),
        }
    }

    /// The URL that texts are sent to.
    pub fn scoring(&self) -> String {
        match self.form {
            Form::Completions => self.completions(),
            Form::Chat => format!("{}/chat/completions", self.base),
        }
    }

    /// The URL of the completions interface.
    pub fn completions(&self) -> String {
        format!("{}/completions", self.base)
    }

    /// The URL of the list of models.
    pub fn models(&self) -> String {
        format!("{}/models", self.base)
    }
}

/// The path without `end`, if it ends in that.
fn ending<'p>(path: &'p str, end: &str) -> Option<&'p str> {
    let before = path.strip_suffix(end)?;
    (before.is_empty() || before.ends_with('/')).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_in_part_or_in_full() {
        for (written, scoring, kept) in [
            ("http://Host:8000", "http://host:8000/v1/completions", "http://host:8000/v1"),
            (" HTTP://host:8000/ ", "http://host:8000/v1/completions", "http://host:8000/v1"),
            ("http://host/v1/", "http://host/v1/completions", "http://host/v1"),
            ("http://host/v1/completions", "http://host/v1/completions", "http://host/v1"),
            ("https://host/api", "https://host/api/v1/completions", "https://host/api/v1"),
            ("https://host/Dev1", "https://host/Dev1/v1/completions", "https://host/Dev1/v1"),
            (
                "https://host/api/v1/chat/completions",
                "https://host/api/v1/chat/completions",
                "https://host/api/v1/chat/completions",
            ),
            ("http://[::1]:80/completions", "http://[::1]:80/completions", "http://[::1]:80/completions"),
        ] {
            let address = Address::read(written).unwrap();
            assert_eq!(address.scoring(), scoring, "{written}");
            assert_eq!(address.kept(), kept, "{written}");
            assert_eq!(Address::read(kept).unwrap(), address, "what is kept leads back");
        }
        assert_eq!(Address::read("http://h/v1/chat/completions").unwrap().models(), "http://h/v1/models");
    }

    #[test]
    fn secrets_and_malformed_addresses_are_refused() {
        for secret in ["http://me:sesame@host", "https://key@host/v1", "http://host/v1?key=1", "http://h#x"] {
            let said = Address::read(secret).unwrap_err().to_string();
            assert!(said.contains("HARDCASE_API_KEY") && !said.contains("sesame"), "{said}");
        }
        for wrong in
            ["", "host:8000", "ftp://host", "http://", "http:///v1", "http://a b", "http://h/\u{1b}[2J"]
        {
            let said = Address::read(wrong).unwrap_err().to_string();
            assert!(said.contains("http://localhost:8000"), "{wrong}: {said}");
        }
        assert!(is_url("https://host") && !is_url("models/http.gguf") && !is_url("C://x"));
    }
}
