//! Settings as a project file keeps them: JSON of one version, read and written here alone.
//!
//! Every type of settings says in its own `map_ids` where the ids of items and predictors stand in it. These ids are numbers of one file; in a log
//! they travel as keys and UUIDs. The types are generic over both, so an id that nobody maps does not compile.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::fault::{Fault, Result};

/// The version that this program writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// What stands where a part of a project, or a log of one person's answers, comes without settings.
pub const LEFT_OUT: &str = "{}";

/// Settings as they were found in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored<T> {
    Known(T),
    /// The file is a part of a project and came without them.
    LeftOut,
    /// Why they cannot be read.
    Unreadable(String),
}

#[derive(Deserialize)]
struct Header {
    version: u32,
}

#[derive(Serialize)]
struct Versioned<'t, T> {
    version: u32,
    #[serde(flatten)]
    settings: &'t T,
}

/// Settings as text, with their version.
pub fn write<T: Serialize>(settings: &T) -> String {
    // Maps with keys of text and finite numbers: nothing here can fail to be written.
    serde_json::to_string(&Versioned { version: VERSION, settings }).unwrap_or_else(|_| LEFT_OUT.into())
}

impl<T> Stored<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(settings) => Some(settings),
            Self::LeftOut | Self::Unreadable(_) => None,
        }
    }

    /// The settings, for something that is `attempted` and cannot do without them.
    ///
    /// # Errors
    /// They were left out, or cannot be read.
    pub fn require(&self, attempted: &str) -> Result<&T> {
        match self {
            Self::Known(settings) => Ok(settings),
            Self::LeftOut => Err(Fault::new(attempted, "its settings are not in this part of the project")
                .hint("Do it in the project that this copy comes from")),
            Self::Unreadable(why) => {
                Err(Fault::new(attempted, format!("its settings cannot be read: {why}")))
            }
        }
    }

    /// The same of other settings; none where they cannot be carried over.
    pub fn and_then<U>(self, map: impl FnOnce(T) -> Option<U>) -> Stored<U> {
        match self {
            Self::Known(settings) => map(settings).map_or(Stored::LeftOut, Stored::Known),
            Self::LeftOut => Stored::LeftOut,
            Self::Unreadable(why) => Stored::Unreadable(why),
        }
    }
}

impl<T: DeserializeOwned> Stored<T> {
    pub fn read(json: &str) -> Self {
        if json == LEFT_OUT {
            return Self::LeftOut;
        }
        match serde_json::from_str(json) {
            Ok(Header { version: VERSION }) => match serde_json::from_str(json) {
                Ok(settings) => Self::Known(settings),
                Err(e) => Self::Unreadable(e.to_string()),
            },
            Ok(Header { version }) => Self::Unreadable(format!(
                "they are of version {version}, and this hardcase reads version {VERSION}"
            )),
            Err(e) => Self::Unreadable(e.to_string()),
        }
    }
}

impl<T: Serialize> Stored<T> {
    /// As text; what could not be read is left out.
    pub fn write(&self) -> String {
        self.known().map_or_else(|| LEFT_OUT.into(), write)
    }
}

/// What items and predictors are called elsewhere; none for what is not known there.
pub struct IdMap<'m, I, J, P, Q> {
    pub item: &'m mut dyn FnMut(&I) -> Option<J>,
    pub predictor: &'m mut dyn FnMut(&P) -> Option<Q>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Probe {
        c: f64,
    }

    #[test]
    fn settings_carry_their_version_and_only_this_version_is_read() {
        let json = write(&Probe { c: 1.5 });
        assert_eq!(json, r#"{"version":1,"c":1.5}"#);
        assert_eq!(Stored::read(&json), Stored::Known(Probe { c: 1.5 }));
        assert_eq!(Stored::<Probe>::read(LEFT_OUT), Stored::LeftOut);
        for (json, why) in [
            (r#"{"version":2,"c":1.5}"#, "of version 2"),
            (r#"{"c":1.5}"#, "missing field `version`"),
            (r#"{"version":1}"#, "missing field `c`"),
            ("not JSON", "expected"),
        ] {
            let read = Stored::<Probe>::read(json);
            assert!(matches!(&read, Stored::Unreadable(says) if says.contains(why)), "{json}: {read:?}");
            assert_eq!(read.write(), LEFT_OUT);
        }
    }
}
