//! Makes untrusted text safe for a terminal.

use unicode_width::UnicodeWidthChar;

/// Replaces a character that must not be printed.
const REPLACEMENT: char = '\u{fffd}';
/// Zero-width characters allowed on one letter: pointed and accented Hebrew has four, a Tibetan stack six. A terminal would draw ten thousand
/// as well, over everything around them.
const MOST_MARKS: usize = 8;

/// Replaces control characters, bidirectional overrides, invisible characters and excessive combining marks by a visible character. Line feeds
/// and tabs stay.
///
/// Sanitizing twice changes nothing.
pub fn sanitize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for fate in fates(text) {
        match fate {
            Fate::Keep(c) => out.push(c),
            Fate::Replace(_) => out.push(REPLACEMENT),
            Fate::Drop(_) => {}
        }
    }
    out
}

/// The same JSON document, with everything that [`sanitize`] would change written as escapes. Only strings can contain such characters, so
/// nothing else changes.
pub fn sanitize_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for fate in fates(json) {
        match fate {
            Fate::Keep(c) => out.push(c),
            Fate::Replace(c) | Fate::Drop(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

/// One line for a message, whatever it quotes: sanitized, without line ends, and cut after `most` characters.
pub fn sanitize_line(text: &str, most: usize) -> String {
    let line = sanitize(text);
    let mut line = line.lines().map(str::trim_end).collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(most) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// What happens to a character.
#[derive(Clone, Copy)]
enum Fate {
    Keep(char),
    Replace(char),
    /// Further combining marks after a replaced one.
    Drop(char),
}

fn fates(text: &str) -> impl Iterator<Item = Fate> + '_ {
    let (mut last, mut marks) = ('\n', 0);
    text.chars().map(move |c| {
        if matches!(c, ' '..='~' | '\n' | '\t') {
            (last, marks) = (c, 0);
            return Fate::Keep(c);
        }
        // One variation selector chooses the form of a character; a second one after it would be invisible.
        let hidden = is_hidden(c) || is_selector(c) && is_selector(last);
        let is_mark = c.width() == Some(0);
        // At the beginning of a line, a combining mark would attach to whatever the screen shows before it.
        let astray = is_mark && matches!(last, '\n' | '\t');
        last = c;
        if hidden || astray {
            marks = 0;
            return Fate::Replace(c);
        }
        marks = if is_mark { marks + 1 } else { 0 };
        match marks {
            0..=MOST_MARKS => Fate::Keep(c),
            n if n == MOST_MARKS + 1 => Fate::Replace(c),
            _ => Fate::Drop(c),
        }
    })
}

/// Control characters, characters that reorder a line (UAX #9, section 2), and default ignorable characters, which show nothing, except variation
/// selectors. Line and paragraph separators end lines in some terminals.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}')
}

/// The variation selectors.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::super::fuzzing::{Fuzzer, text_of, tokens};
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_do_not_reach_the_terminal() {
        let hostile = "a\u{1b}]52;c;x\u{7}b\u{202e}c\u{9b}31m\r\n";
        let shown = sanitize(hostile);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(!shown.contains('\u{202e}'));
        assert_eq!(sanitize("a\u{2028}b\u{e0041}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(sanitize("vi\u{ad}ag\u{2063}ra"), "vi\u{fffd}ag\u{fffd}ra");
    }

    #[test]
    fn a_pile_of_marks_ends_and_languages_that_need_some_keep_them() {
        let pile = format!("a{}b", "\u{301}".repeat(10_000));
        assert_eq!(sanitize(&pile), format!("a{}\u{fffd}b", "\u{301}".repeat(8)));
        for text in [
            "Việt Nam",
            "Vie\u{302}\u{323}t",
            "בְּרֵאשִׁ֖ית",
            "नमस्ते",
            "བསྒྲུབས",
            "ภาษาไทย",
            "\u{1112}\u{1161}\u{11ab}",
            "葛\u{e0100}飾",
            "❤\u{fe0f}",
        ] {
            assert_eq!(sanitize(text), text);
        }
        assert_eq!(sanitize("\u{301}a\n\u{301}\u{302}"), "\u{fffd}a\n\u{fffd}\u{302}");
        assert_eq!(sanitize("a\u{fe0f}\u{fe00}\u{fe01}"), "a\u{fe0f}\u{fffd}\u{fffd}");
    }

    #[test]
    fn json_stays_the_same_document_and_shows_no_hidden_letter() {
        let text = "a\u{1b}[2J\u{9b}31m\u{202e}\u{e0041}\u{7f}é";
        let json = serde_json::to_string(text).unwrap();
        let shown = sanitize_json(&json);
        assert_eq!(shown, "\"a\\u001b[2J\\u009b31m\\u202e\\udb40\\udc41\\u007fé\"");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

    #[test]
    fn a_message_that_quotes_lines_is_one_line() {
        assert_eq!(sanitize_line("cannot 'a\r\n\u{1b}b'\nx", 100), "cannot 'a\u{fffd} \u{fffd}b' x");
        assert_eq!(sanitize_line("abcdef", 3), "abc…");
    }

    #[test]
    fn whatever_the_bytes_what_is_shown_is_harmless_and_stays_so() {
        let seeds: Vec<Vec<u8>> = tokens().iter().map(|t| t.to_vec()).collect();
        Fuzzer::new("text made harmless", 5).over(&seeds, |bytes| {
            let text = text_of(bytes);
            let shown = sanitize(&text);
            super::super::fuzzing::is_harmless(&shown)?;
            if sanitize(&shown) != shown {
                return Err(format!("made harmless twice it is another: {shown:?}"));
            }
            let json = serde_json::to_string(text.as_ref()).map_err(|e| e.to_string())?;
            let safe = sanitize_json(&json);
            super::super::fuzzing::is_harmless(&safe)?;
            match serde_json::from_str::<String>(&safe) {
                Ok(back) if back == text => Ok(()),
                other => Err(format!("the JSON reads as {other:?}")),
            }
        });
    }
}
