//! What a person can set: theme and keys, in a commented file. The defaults are the file `assets/settings.toml`, which a test holds
//! equal to the code.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::keys::{ACTIONS, Action, Keymap, Stroke};
use super::theme::ThemeName;
use crate::domain::fault::{Fault, Result, io_reason};

/// The settings file as it is given to a person who has none.
pub const DEFAULTS: &str = include_str!("../../assets/settings.toml");

/// Checked settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The colours.
    pub theme: ThemeName,
    /// The keys.
    pub(super) keys: Keymap,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    theme: ThemeName,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// Reads the settings at `path`; the defaults where there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or says what cannot be: names line and key.
    pub fn read(path: &Path) -> Result<Self> {
        let attempted = || format!("read the settings {}", path.display());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Fault::new(attempted(), io_reason(&e)).because(e)),
        };
        Self::from_toml(&text).map_err(|why| {
            Fault::usage(attempted(), why)
                .hint("Correct it, or move the file away: without one the defaults hold")
        })
    }

    /// Settings without colour, whatever else they say.
    #[must_use]
    pub fn without_colour(self) -> Self {
        Self { theme: ThemeName::None, ..self }
    }

    pub(super) fn from_toml(text: &str) -> std::result::Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|s| text[..s.start].lines().count().max(1));
            line.map_or_else(|| e.message().to_owned(), |l| format!("line {l}: {}", e.message()))
        })?;
        let mut keys = Keymap::default();
        let mut given: BTreeMap<Stroke, &str> = BTreeMap::new();
        for (name, strokes) in &raw.keys {
            let about = ACTIONS.iter().find(|about| about.name == name);
            let about = about.ok_or_else(|| format!("there is no action '{name}'"))?;
            let read = |key: &String| {
                Stroke::from_name(key).ok_or_else(|| format!("'{key}', given to {name}, is no key"))
            };
            let strokes = strokes.iter().map(read).collect::<std::result::Result<Vec<_>, _>>()?;
            for stroke in &strokes {
                if let Some(other) = given.insert(*stroke, about.name) {
                    return Err(format!("the key '{stroke}' is given to {other} and to {name}"));
                }
            }
            keys.bind(about.action, strokes);
        }
        for (stroke, name) in &given {
            let usual = ACTIONS.iter().find(|about| {
                about.keys.iter().any(|key| Stroke::from_name(key) == Some(*stroke))
                    && !raw.keys.contains_key(about.name)
            });
            if let Some(usual) = usual {
                return Err(format!(
                    "the key '{stroke}' is given to {name} and is also that of {}; give {0} its keys too, or none: {0} = []",
                    usual.name
                ));
            }
        }
        if keys.key_of(Action::Quit).is_empty() {
            return Err("quit has no key left; give it one".into());
        }
        Ok(Self { theme: raw.theme, keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// The defaults with every line that is commented out put in force.
    fn in_force() -> String {
        DEFAULTS.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_file_of_defaults_says_what_the_code_does() {
        let settings = Settings::from_toml(&in_force()).unwrap();
        assert_eq!(settings.theme, ThemeName::default());
        assert_eq!(settings.keys, Keymap::default());
        for about in ACTIONS {
            let line = format!("#: {} = ", about.name);
            assert!(DEFAULTS.contains(&line), "assets/settings.toml does not name {}", about.name);
        }
        assert!(Settings::from_toml(DEFAULTS).unwrap().keys == Keymap::default());
    }

    #[test]
    fn a_key_is_given_anew_only_where_its_old_action_is_spoken_of_too() {
        let why = Settings::from_toml("[keys]\nskip = [\"n\"]\n").unwrap_err();
        assert!(why.starts_with("the key 'n' is given to skip and is also that of note"), "{why}");
        let settings = Settings::from_toml("[keys]\nskip = [\"n\"]\nnote = []\n").unwrap();
        assert_eq!(settings.keys.action(Stroke::from_name("n").unwrap()), Some(Action::Skip));
        assert_eq!(settings.keys.key_of(Action::Note), "");
    }

    #[test]
    fn mistakes_are_named() {
        let why = |text| Settings::from_toml(text).unwrap_err();
        assert_eq!(why("[keys]\nskipp = [\"n\"]"), "there is no action 'skipp'");
        assert_eq!(why("[keys]\nskip = [\"hyper-n\"]"), "'hyper-n', given to skip, is no key");
        let twice = why("[keys]\nskip = [\"x\"]\nflag = [\"x\"]");
        assert!(twice.starts_with("the key 'x' is given to"), "{twice}");
        assert!(why("theme = \"pink\"").starts_with("line 1:"));
        assert_eq!(why("[keys]\nquit = []"), "quit has no key left; give it one");
    }
}
