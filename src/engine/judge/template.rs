//! A model's own chat template, rendered as its makers' tools render it.
//!
//! A template is a program out of a model file, which anybody may have made: it gets turns to read and nothing else, a bounded number of
//! steps, and room for a bounded text. What it can still do is ask for much memory at once, which is one reason why no model runs in the screen's process.

use std::io::{self, Write};

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, context};
use serde::Serialize;

/// The longest template that is read, in bytes; the longest known has a tenth.
const MOST_SOURCE: usize = 256 << 10;
/// The longest text that a template may make of the turns, in bytes. The turns it is given are short marks.
const MOST_OUTPUT: usize = 1 << 20;
/// Steps of a template; real ones take some ten thousand.
const FUEL: u64 = 1_000_000;
/// The longest reason that is shown, in characters.
const MOST_REASON: usize = 200;

/// Who says a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    System,
    User,
    Assistant,
}

/// One turn of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Turn {
    pub role: Role,
    pub content: String,
}

impl Turn {
    pub fn of(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// What comes after the turns that are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The opening of the assistant's turn.
    Answer,
    Nothing,
}

/// A chat template, and the tokens that it names.
#[derive(Clone, Debug)]
pub(super) struct ChatTemplate {
    source: String,
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// A template as a model file has it, with the texts of the tokens that begin and end a sequence.
    pub fn new(source: &str, bos: String, eos: String) -> Self {
        Self { source: without_generation(source), bos, eos }
    }

    /// The turns as the model is given them.
    ///
    /// # Errors
    /// The reason, in words, where the template cannot be read, refuses the turns, or does not come to an end.
    pub fn render(&self, turns: &[Turn], next: Next) -> Result<String, String> {
        if self.source.len() > MOST_SOURCE {
            return Err(format!("it has more than {} KiB", MOST_SOURCE >> 10));
        }
        let environment = environment();
        let template = environment.template_from_str(&self.source).map_err(|e| reason(&e))?;
        let given = context! {
            messages => turns,
            add_generation_prompt => next == Next::Answer,
            bos_token => self.bos,
            eos_token => self.eos,
            tools => Value::from(()),
            documents => Value::from(()),
            // Both names are in use; to the other templates they say nothing.
            enable_thinking => false,
            thinking => false,
        };
        let mut rendered = Limited(Vec::new());
        template.render_captured_to(given, &mut rendered).map_err(|e| reason(&e))?;
        String::from_utf8(rendered.0).map_err(|_| "what it writes is no text".to_owned())
    }
}

/// Jinja as the makers of chat templates take it for granted: that of `transformers`.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    // As in Python, nothing can be gone through where there is none.
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_function("raise_exception", |why: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, why))
    });
    // Always the same day: a prompt must not change overnight. It is the one that Llama 3.1 takes where it is told none.
    environment.add_function("strftime_now", |format: String| -> Result<String, Error> {
        let day = jiff::civil::date(2024, 7, 26).at(0, 0, 0, 0);
        jiff::fmt::strtime::format(format, day)
            .map_err(|e| Error::new(ErrorKind::InvalidOperation, e.to_string()))
    });
    environment
}

/// A template without the marks of what a model is trained on, which no Jinja but that of `transformers` knows.
fn without_generation(source: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(source.len()), source);
    while let Some((before, tag)) = rest.split_once("{%") {
        plain += before;
        plain += "{%";
        let Some((inside, after)) = tag.split_once("%}") else {
            rest = tag;
            break;
        };
        let word = inside.trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '+'));
        plain += &match word {
            "generation" => inside.replace("generation", "if true"),
            "endgeneration" => inside.replace("endgeneration", "endif"),
            _ => inside.to_owned(),
        };
        plain += "%}";
        rest = after;
    }
    plain + rest
}

/// An error's first line, without what could harm a terminal.
fn reason(error: &Error) -> String {
    let said = match error.kind() {
        ErrorKind::OutOfFuel => format!("it does not come to an end within {FUEL} steps"),
        ErrorKind::WriteFailure => format!("it writes more than {} MiB", MOST_OUTPUT >> 20),
        _ => error.to_string(),
    };
    let line = said.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(MOST_REASON).collect()
}

/// Takes so much, and no more.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_OUTPUT {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(source: &str) -> Result<String, String> {
        let template = ChatTemplate::new(source, "<s>".into(), "</s>".into());
        template.render(&[Turn::of(Role::User, "hello")], Next::Answer)
    }

    #[test]
    fn a_template_is_rendered_as_hugging_face_does() {
        for (source, expected) in [
            (
                "{{ bos_token }}{% for m in messages %}\n  {{- m.role }}: {{ m['content'] }}\n{% endfor %}\n",
                "<s>user: hello\n",
            ),
            ("{% generation %}x{% endgeneration %}{%- generation -%} y {%- endgeneration -%}", "xy"),
            ("{{ strftime_now('%d %b %Y') }}", "26 Jul 2024"),
            ("{{ messages[0].content.strip().startswith('he') and not enable_thinking }}", "True"),
            ("{% for i in [1, 2, 3] %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "13"),
            (
                "{% if tools is not none or documents %}tools{% endif %}{{ eos_token if add_generation_prompt }}",
                "</s>",
            ),
            ("{{ {'a': 1} | tojson }}{{ 'x' in messages[0] }}{{ messages | length }}", "{\"a\": 1}False1"),
            (
                "{% set ns = namespace(n=1) %}{% for m in messages[::-1] %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                "2",
            ),
            ("{% macro say(x) %}<{{ x }}>{% endmacro %}{{ say('a') }}", "<a>"),
            ("{% if tools is iterable and tools | length > 0 %}tools{% endif %}", ""),
            ("{{ messages is iterable and 'text' is iterable and none is not iterable }}", "True"),
        ] {
            let said = rendered(source);
            // Python writes its own words for true and false; templates compare them, and do not show them.
            let said = said.map(|said| {
                said.replace("true", "True").replace("false", "False").replace("{\"a\":1}", "{\"a\": 1}")
            });
            assert_eq!(said.as_deref(), Ok(expected), "{source}");
        }
    }

    /// The templates of a folder, where one is named, beside what `tests/chat_templates.py --templates` wrote there.
    #[test]
    fn every_template_of_a_folder_is_rendered_as_by_transformers() {
        #[derive(serde::Deserialize)]
        struct Case {
            template: String,
            turns: Vec<(Role, String)>,
            opens: bool,
            /// None where it fails there, as templates that must be given tools do: they are not compared.
            text: Option<String>,
        }
        let Some(folder) = std::env::var_os("HARDCASE_CHAT_TEMPLATES") else { return };
        let folder = std::path::PathBuf::from(folder);
        let cases = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
        assert!(!cases.is_empty());
        let mut wrong = Vec::new();
        for case in &cases {
            let source = std::fs::read_to_string(folder.join(&case.template)).unwrap();
            let template = ChatTemplate::new(&source, "<s>".into(), "</s>".into());
            let turns: Vec<Turn> =
                case.turns.iter().map(|(role, says)| Turn::of(*role, says.as_str())).collect();
            let said = template.render(&turns, if case.opens { Next::Answer } else { Next::Nothing });
            if case.text.is_some() && said.as_ref().ok() != case.text.as_ref() {
                wrong.push(format!("{}, {} turns: {said:?} for {:?}", case.template, turns.len(), case.text));
            }
        }
        assert!(wrong.is_empty(), "{} of {} chats:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }

    #[test]
    fn a_template_that_fails_says_why_in_one_line_and_none_runs_on() {
        for (source, why) in [
            ("{{ raise_exception('no\nsystem\u{1b}[2J turns') }}", "no"),
            ("{% for", "syntax error"),
            ("{{ messages.nothing.at_all }}", "undefined"),
            (
                "{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}",
                "does not come to an end",
            ),
            ("{% for i in range(9000) %}{{ 'a' * 1000 }}{% endfor %}", "more than 1 MiB"),
            ("{{ 'a' * 9999999999 }}", "too large"),
            (&"x".repeat(MOST_SOURCE + 1), "more than 256 KiB"),
        ] {
            let said = rendered(source).unwrap_err();
            assert!(said.contains(why), "{said}");
            assert!(!said.contains(char::is_control) && said.chars().count() <= MOST_REASON, "{said}");
        }
    }
}
