//! Text that is data on its way to a terminal.

/// Text from files and models on its way to a terminal: control characters, bidirectional overrides and letters that cannot be seen
/// become visible signs.
pub fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            c if c.is_control() => '\u{fffd}',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => {
                '\u{fffd}'
            }
            '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}' => '\u{fffd}',
            '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_do_not_reach_the_terminal() {
        let hostile = "a\u{1b}]52;c;x\u{7}b\u{202e}c\u{9b}31m\r\n";
        let shown = harmless(hostile);
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(!shown.contains('\u{202e}'));
        assert_eq!(harmless("a\u{2028}b\u{e0041}"), "a\u{fffd}b\u{fffd}");
    }
}
