//! Names that a person takes for one: they differ in case, in characters that nobody sees, or in letters of another script that look the same.

use unicode_security::confusable_detection::skeleton;

/// Whether two different names look alike.
pub fn look_alike(one: &str, other: &str) -> bool {
    one != other && appearance(one) == appearance(other)
}

/// What is seen of a name: its skeleton by Unicode Technical Standard 39, without case and invisible characters.
fn appearance(name: &str) -> String {
    let visible: String = name.chars().filter(|c| !is_invisible(*c)).collect();
    let lower = visible.to_lowercase();
    let seen: String = skeleton(&lower).collect();
    seen.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that take no room and change nothing to be seen: joiners, marks of direction, variants, tags.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_tells_apart_look_alike_and_others_do_not() {
        for (one, other) in [
            ("Ada", "ada"),
            ("ada", "\u{430}da"),
            ("ada", "a\u{200b}da"),
            ("ada", "ada\u{fe0f}"),
            ("Jos\u{e9}", "Jose\u{301}"),
            ("scope", "\u{455}\u{441}\u{43e}\u{440}\u{435}"),
            ("ada l", "ada  l"),
        ] {
            assert!(look_alike(one, other), "{one:?} {other:?}");
        }
        for (one, other) in [
            ("ada", "ada"),
            ("ada", "adam"),
            ("Jos\u{e9}", "Jose"),
            ("\u{434}\u{430}\u{448}\u{430}", "dasha"),
            ("ada1", "ada2"),
        ] {
            assert!(!look_alike(one, other), "{one:?} {other:?}");
        }
    }
}
