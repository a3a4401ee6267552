//! The settings: theme and keys, in a commented file. The default file is generated from the lists of actions and screens, so it always matches the
//! code.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::Deserialize;

use super::keys::{Action, Keymap, Stroke};
use super::screens;
use super::theme::ThemeName;
use crate::domain::fault::{Fault, Result, io_reason};

/// Largest settings file that is read, in bytes.
const LONGEST: u64 = 1_000_000;

/// What the settings file opens with.
const PREFACE: &str = r#"# Settings of hardcase. Lines that begin with `#:` are the defaults: remove the `#:` to change one.

# dark, light, high-contrast or none; the environment variable NO_COLOR means none
#: theme = "dark"

# Keys: a character, ctrl- and a character, or one of backspace delete insert enter tab shift-tab esc space left right up down home end
# pageup pagedown. On the Case screen a label's own key takes precedence.
[keys]
"#;

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub theme: ThemeName,
    pub(super) keys: Keymap,
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: ThemeName::default(), keys: Keymap::with(screens::actions()) }
    }
}

/// The settings file for a person who has none: every default, commented.
pub fn defaults() -> String {
    let mut file = PREFACE.to_owned();
    for info in Settings::default().keys.actions() {
        let keys: Vec<String> = info.keys.iter().map(|key| format!("\"{key}\"")).collect();
        file += &format!("# {}\n#: {} = [{}]\n", info.help, info.name, keys.join(", "));
    }
    file
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
        let mut text = String::new();
        match std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)) {
            Ok(_) if text.len() as u64 <= LONGEST => {}
            Ok(_) => {
                return Err(Fault::usage(attempted(), "it is larger than 1 MB")
                    .hint("Move it away: without one the defaults hold"));
            }
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Fault::new(attempted(), io_reason(&e)).because(e)),
        }
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
        let mut keys = Self::default().keys;
        let actions = keys.actions().to_vec();
        let mut given: BTreeMap<Stroke, &str> = BTreeMap::new();
        for (name, strokes) in &raw.keys {
            let info = actions.iter().find(|info| info.name == name);
            let info = info.ok_or_else(|| format!("there is no action '{name}'"))?;
            let read = |key: &String| {
                Stroke::from_name(key).ok_or_else(|| format!("'{key}', given to {name}, is not a key"))
            };
            let strokes = strokes.iter().map(read).collect::<std::result::Result<Vec<_>, _>>()?;
            for stroke in &strokes {
                if let Some(other) = given.insert(*stroke, info.name) {
                    return Err(format!("the key '{stroke}' is given to {other} and to {name}"));
                }
            }
            keys.bind(info.action, strokes);
        }
        for (stroke, name) in &given {
            let usual = actions.iter().find(|info| {
                info.keys.iter().any(|key| Stroke::from_name(key) == Some(*stroke))
                    && !raw.keys.contains_key(info.name)
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
    use crate::domain::task::Label;

    /// The defaults with every line that is commented out put in force.
    fn in_force() -> String {
        defaults().lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_file_of_defaults_says_what_the_code_does() {
        let settings = Settings::from_toml(&in_force()).unwrap();
        assert_eq!(settings.theme, ThemeName::default());
        assert_eq!(settings.keys, Settings::default().keys);
        assert_eq!(Settings::from_toml(&defaults()).unwrap().keys, Settings::default().keys);
    }

    #[test]
    fn every_default_key_has_a_name_and_one_meaning_and_no_label_can_take_it_away() {
        let mut seen = BTreeMap::new();
        for info in Settings::default().keys.actions() {
            for key in info.keys {
                let stroke = Stroke::from_name(key).unwrap_or_else(|| panic!("{key} is not a key"));
                assert_eq!(stroke.to_string(), *key);
                let before = seen.insert(stroke, info.name);
                assert_eq!(before, None, "{key} is bound twice");
                if let Some(c) = stroke.character() {
                    assert!(!Label::may_use(c), "{c} belongs to {} and may be a label's key", info.name);
                }
            }
        }
    }

    #[test]
    fn a_key_gets_another_action_only_where_its_old_action_is_named_too() {
        let why = Settings::from_toml("[keys]\nskip = [\"n\"]\n").unwrap_err();
        assert!(why.starts_with("the key 'n' is given to skip and is also that of note"), "{why}");
        let settings = Settings::from_toml("[keys]\nskip = [\"n\"]\nnote = []\n").unwrap();
        assert_eq!(settings.keys.action(Stroke::from_name("n").unwrap()), Some(Action::Skip));
        assert_eq!(settings.keys.key_of(Action::Note), "");
        assert_eq!(settings.keys.key_or_name(Action::Note), ": note");
    }

    #[test]
    fn mistakes_are_named() {
        let why = |text| Settings::from_toml(text).unwrap_err();
        assert_eq!(why("[keys]\nskipp = [\"n\"]"), "there is no action 'skipp'");
        assert_eq!(why("[keys]\nskip = [\"hyper-n\"]"), "'hyper-n', given to skip, is not a key");
        let twice = why("[keys]\nskip = [\"x\"]\nflag = [\"x\"]");
        assert!(twice.starts_with("the key 'x' is given to"), "{twice}");
        assert!(why("theme = \"pink\"").starts_with("line 1:"));
        assert_eq!(why("[keys]\nquit = []"), "quit has no key left; give it one");
    }
}
