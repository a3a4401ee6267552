//! The settings: theme and keys, in a commented file. The default file is generated from the lists of actions and screens, so it always matches the
//! code. A theme that is chosen in the program is written into the person's own file, of which nothing else changes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::keys::{Action, Keymap, Stroke};
use super::screens;
use super::terminal::Mouse;
use super::theme::ThemeName;
use crate::domain::fault::{Fault, Result, io_reason};

/// Largest settings file that is read, in bytes.
const LONGEST: u64 = 1_000_000;

/// What the settings file opens with.
const PREFACE: &str = r#"# Settings of hardcase. Lines that begin with `#:` are the defaults: remove the `#:` to change one.

# dark, light, high-contrast or none; the environment variable NO_COLOR means none
#: theme = "dark"

# true: clicks choose labels, rows and screens, and the wheel scrolls; most terminals then select text only while shift is held
#: mouse = false

# Keys: a character, ctrl- and a character, or one of backspace delete insert enter tab shift-tab esc space left right up down home end
# pageup pagedown. On the Case screen a label's own key takes precedence.
[keys]
"#;

/// Checked settings.
#[derive(Clone, Debug)]
pub struct Settings {
    pub theme: ThemeName,
    pub(super) keys: Keymap,
    /// Whether clicks and the wheel do something.
    pub(super) mouse: Mouse,
    /// Where they are, whether or not there is such a file yet.
    pub(super) file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeName::default(),
            keys: Keymap::with(screens::actions()),
            mouse: Mouse::Left,
            file: None,
        }
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
    mouse: bool,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// Reads the settings at `path`; the defaults where there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or says what cannot be: names line and key.
    pub fn read(path: &Path) -> Result<Self> {
        let settings = Self::from_toml(&text_of(path)?).map_err(|why| {
            Fault::usage(reading(path), why)
                .hint("Correct it, or move the file away: without one the defaults hold")
        })?;
        Ok(Self { file: Some(path.to_owned()), ..settings })
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
        let mouse = if raw.mouse { Mouse::Used } else { Mouse::Left };
        Ok(Self { theme: raw.theme, keys, mouse, file: None })
    }
}

fn reading(path: &Path) -> String {
    format!("read the settings {}", path.display())
}

/// What the file says; nothing where there is none.
fn text_of(path: &Path) -> Result<String> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text)) {
        Ok(_) if text.len() as u64 <= LONGEST => Ok(text),
        Ok(_) => Err(Fault::usage(reading(path), "it is larger than 1 MB")
            .hint("Move it away: without one the defaults hold")),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(e) => Err(Fault::new(reading(path), io_reason(&e)).because(e)),
    }
}

/// Writes a theme that was chosen into the settings file. Returns what to tell the person.
///
/// # Errors
/// The file cannot be read or written, or says something by now that cannot be; it stays as it was.
pub(super) fn keep_theme(file: Option<&Path>, theme: ThemeName) -> Result<String> {
    let name = theme.name();
    let Some(file) = file else { return Ok(format!("Theme: {name}, until you quit.")) };
    let attempted = || format!("keep the theme in {}", file.display());
    let failed = |e: io::Error| Fault::new(attempted(), io_reason(&e)).because(e);
    let text = with_theme(&text_of(file)?, theme).map_err(|why| {
        Fault::new(attempted(), why).hint("It is used until you quit. Correct the file to keep it")
    })?;
    // A link stays a link: what it leads to is replaced.
    let place = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let folder = place.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut whole = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    whole.write_all(text.as_bytes()).map_err(failed)?;
    if let Ok(before) = std::fs::metadata(&place) {
        whole.as_file().set_permissions(before.permissions()).map_err(failed)?;
    }
    whole.persist(&place).map_err(|e| failed(e.error))?;
    Ok(format!("Theme: {name}, from now on."))
}

/// The settings with this theme and nothing else changed: its value, where one is given, else a line below the one that names the default.
fn with_theme(text: &str, theme: ThemeName) -> std::result::Result<String, String> {
    #[derive(Deserialize)]
    struct Given {
        theme: Option<toml::Spanned<String>>,
    }
    let before = Settings::from_toml(text)?;
    let given: Given = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let line = format!("theme = \"{}\"\n", theme.name());
    let mut after = text.to_owned();
    match given.theme {
        Some(value) => after.replace_range(value.span(), &format!("\"{}\"", theme.name())),
        None => {
            // Below a table's name it would belong to the table.
            let top = text.split_inclusive('\n').take_while(|line| !line.trim_start().starts_with('['));
            let mut end = 0;
            let ends = top.map(|line| {
                end += line.len();
                (line.starts_with("#: theme"), end)
            });
            let at = ends.filter(|(is_default, _)| *is_default).map(|(_, end)| end).next().unwrap_or(0);
            after.insert_str(at, &line);
        }
    }
    match Settings::from_toml(&after) {
        Ok(read) if read.theme == theme && read.keys == before.keys && read.mouse == before.mouse => {
            Ok(after)
        }
        _ => Err("its lines are written in a way that the program cannot change".into()),
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
        assert_eq!(settings.mouse, Mouse::Left);
        assert_eq!(Settings::from_toml("mouse = true").unwrap().mouse, Mouse::Used);
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

    #[test]
    fn a_chosen_theme_changes_its_line_alone() {
        let changed = |text: &str, theme| with_theme(text, theme).unwrap();
        let light = ThemeName::Light;
        assert_eq!(changed("", light), "theme = \"light\"\n");
        assert_eq!(
            changed("# mine\ntheme = 'dark'  # at night\n[keys]\nskip = ['x']\n", light),
            "# mine\ntheme = \"light\"  # at night\n[keys]\nskip = ['x']\n"
        );
        assert_eq!(
            changed("[keys]\n# theme\nskip = ['x']", light),
            "theme = \"light\"\n[keys]\n# theme\nskip = ['x']"
        );
        let from_defaults = changed(&defaults(), ThemeName::HighContrast);
        assert!(
            from_defaults.contains("#: theme = \"dark\"\ntheme = \"high-contrast\"\n"),
            "{from_defaults}"
        );
        assert_eq!(from_defaults.replace("theme = \"high-contrast\"\n", ""), defaults());
        for theme in ThemeName::ALL {
            assert_eq!(Settings::from_toml(&changed(&defaults(), theme)).unwrap().theme, theme);
        }
        assert!(with_theme("theme = 3", light).is_err());
        assert!(with_theme("[keys]\nskipp = ['x']", light).is_err());
    }

    #[test]
    fn a_theme_is_kept_through_a_link_and_a_file_that_cannot_be_read_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a/settings.toml");
        assert!(keep_theme(None, ThemeName::Light).unwrap().contains("until you quit"));
        keep_theme(Some(&file), ThemeName::Light).unwrap();
        assert_eq!(Settings::read(&file).unwrap().theme, ThemeName::Light);
        #[cfg(unix)]
        {
            let link = dir.path().join("link.toml");
            std::os::unix::fs::symlink(&file, &link).unwrap();
            keep_theme(Some(&link), ThemeName::None).unwrap();
            assert!(link.is_symlink());
            assert_eq!(Settings::read(&file).unwrap().theme, ThemeName::None);
        }
        std::fs::write(&file, "theme = \"pink\"").unwrap();
        assert!(keep_theme(Some(&file), ThemeName::Dark).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "theme = \"pink\"");
    }
}
