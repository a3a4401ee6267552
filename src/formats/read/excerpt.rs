//! Words from a file as a message may quote them: no control characters, no reordering of the line, not too long.

/// The most characters of a foreign word that a message quotes.
const LONGEST: usize = 40;
/// The most columns that a message lists.
pub(in crate::formats) const MOST_LISTED: usize = 25;

/// A file's name, safe for a terminal.
pub(in crate::formats) fn escape(name: &str) -> String {
    let escaped = |c: char| {
        if c.is_control() || reorders(c) { c.escape_unicode().to_string() } else { c.into() }
    };
    name.chars().map(escaped).collect()
}

/// A column name or a cell, safe for a terminal, cut to a length that a message can hold.
pub(in crate::formats) fn excerpt(word: &str) -> String {
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => escape(&word[..end]) + "…",
        None => escape(word),
    }
}

/// The bidirectional embeddings, overrides and isolates, and the marks: UAX #9, section 2.
fn reorders(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The columns there are, for a message: `1 'id', 2 'tweet'`.
pub(in crate::formats) fn list_columns(columns: &[String]) -> String {
    let mut words: Vec<String> = columns
        .iter()
        .take(MOST_LISTED)
        .enumerate()
        .map(|(i, name)| {
            let number = (i + 1).to_string();
            if *name == number { number } else { format!("{number} '{}'", excerpt(name)) }
        })
        .collect();
    if columns.len() > MOST_LISTED {
        words.push(format!("and {} more", columns.len() - MOST_LISTED));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_never_reach_a_message() {
        let word = excerpt("a\u{1b}[31m\u{202e}b");
        assert_eq!(word, "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(excerpt(&"x".repeat(90)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn columns_are_listed_with_the_numbers_that_name_them() {
        let columns = ["id".to_owned(), "2".to_owned()];
        assert_eq!(list_columns(&columns), "1 'id', 2");
    }
}
