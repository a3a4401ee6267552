//! Escapes text for a line of Markdown. Names, reasons, texts and guidelines are untrusted: none of it may become a heading, a cell, a link, HTML, or a
//! control sequence of a terminal.

use crate::domain::figure::Figure;
use crate::domain::sanitize::sanitize;

/// Characters with a meaning inside a line: emphasis, code, links, cells, headings, mentions, formulas.
const SPECIAL: &[char] = &['\\', '`', '*', '_', '[', ']', '|', '~', '#', '$', '@', '^'];

/// A piece of a line that is safe anywhere except at the beginning of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inline(String);

impl Inline {
    pub fn none() -> Self {
        Self(String::new())
    }

    /// Untrusted text, on one line.
    pub fn text(text: &str) -> Self {
        let one_line = sanitize(&text.replace("\r\n", "\n")).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut out = String::with_capacity(one_line.len());
        for c in one_line.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                c if SPECIAL.contains(&c) => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        // A bare address would become a link.
        Self(out.replace("://", ":\\//").replace("www.", "www\\."))
    }

    /// The pattern with each `{}` replaced by the next part.
    pub fn sentence(pattern: &'static str, parts: &[Self]) -> Self {
        let mut pieces = pattern.split("{}");
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for (i, piece) in pieces.enumerate() {
            out.push_str(parts.get(i).map_or("", |part| &part.0));
            out.push_str(piece);
        }
        Self(out)
    }

    pub fn list(parts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect::<Vec<_>>().join(between))
    }

    pub fn or(part: Option<Self>, instead: &'static str) -> Self {
        part.unwrap_or_else(|| instead.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Words of the program itself, which need no escaping.
impl From<&'static str> for Inline {
    fn from(words: &'static str) -> Self {
        Self(words.to_owned())
    }
}

impl From<&String> for Inline {
    fn from(text: &String) -> Self {
        Self::text(text)
    }
}

impl From<&Figure> for Inline {
    fn from(figure: &Figure) -> Self {
        Self::text(&figure.to_string())
    }
}

macro_rules! numbers {
    ($($kind:ty),+) => {$(
        impl From<$kind> for Inline {
            fn from(number: $kind) -> Self {
                Self(number.to_string())
            }
        }
    )+};
}
numbers!(usize, i64, u64);

/// Untrusted text as a block quotation, line by line.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    // Only a line feed separates lines here; any other control character is sanitized within its line.
    for line in text.replace("\r\n", "\n").trim().split('\n') {
        let line = at_beginning(Inline::text(line).0);
        match line.as_str() {
            "" => out.push_str(">\n"),
            line => out.extend(["> ", line, "\\\n"]),
        }
    }
    // After the last line of a paragraph, a hard break would show as a backslash.
    out.replace("\\\n>\n", "\n>\n").trim_end_matches("\\\n").trim_end_matches('\n').to_owned() + "\n"
}

/// Escapes what has a meaning at the beginning of a line: a list, a rule, an underline.
fn at_beginning(line: String) -> String {
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    match line.chars().nth(digits) {
        Some('-' | '+' | '=') if digits == 0 => format!("\\{line}"),
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &line[..digits], &line[digits..]),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_special_survives_in_a_line() {
        let hostile = "| a | `b` *c* _d_ [e](f) <script>&amp; # ! $x$ @all\r\nnext\u{1b}[31m\u{202e}";
        let line = Inline::text(hostile).0;
        assert!(!line.chars().any(|c| c.is_control()) && !line.contains(['<', '>', '\u{202e}']), "{line}");
        for c in SPECIAL.iter().filter(|c| **c != '\\') {
            let free = line.match_indices(*c).any(|(at, _)| !line[..at].ends_with('\\'));
            assert!(!free, "{c} in {line}");
        }
        assert!(line.contains("&amp;amp;") && line.ends_with("next\u{fffd}\\[31m\u{fffd}"), "{line}");
        assert_eq!(Inline::text("see http://x.y or www.z").0, "see http:\\//x.y or www\\.z");
    }

    #[test]
    fn a_backslash_of_the_text_does_not_free_what_follows_it() {
        assert_eq!(Inline::text("a\\|b").0, "a\\\\\\|b");
    }

    #[test]
    fn a_quotation_keeps_its_lines_and_has_no_list_heading_or_rule() {
        let text = "First.\n# no heading\n- no list\n1. nor this\n---\n\n    no code\n<b>\n";
        assert_eq!(
            quoted(text),
            "> First.\\\n> \\# no heading\\\n> \\- no list\\\n> 1\\. nor this\\\n> \\---\n>\n> no code\\\n> &lt;b&gt;\n"
        );
        assert_eq!(quoted(""), ">\n");
        assert_eq!(quoted("ends with a backslash \\"), "> ends with a backslash \\\\\n");
    }

    #[test]
    fn a_sentence_takes_its_parts_in_order() {
        let parts = [Inline::from(3usize), Inline::text("a|b")];
        assert_eq!(Inline::sentence("{} of {}.", &parts).0, "3 of a\\|b.");
    }
}
