//! Text of the pool laid out in lines: sanitized, wrapped by width, with some words highlighted.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use similar::{ChangeTag, TextDiff};
use textwrap::{Options, WordSplitter};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::sanitize::sanitize;

/// Texts longer than this are not compared word by word.
const COMPARED: usize = 20_000;
/// Two texts with a smaller share of their letters in common words differ as a whole: if nearly every word is highlighted, none stands out.
const ALIKE: f64 = 0.3;

/// Sanitized text has at most this many characters in one column.
const CHARACTERS: usize = 10;

/// Whether this terminal draws a sign with a skin tone, and the two letters of a flag, as one sign.
static JOINS_SIGNS: AtomicBool = AtomicBool::new(false);

/// The terminal was asked, and draws such signs as one.
pub(in crate::tui) fn terminal_joins_signs() {
    JOINS_SIGNS.store(true, Ordering::Relaxed);
}

/// Text as it may be drawn: sanitized, and without what terminals disagree on the width of. Tabs become blanks, and joined emoji are
/// separated. Flags become the letters they are made of, and a skin tone is spelled out, unless this terminal joins them.
pub(in crate::tui) fn drawable(text: &str) -> String {
    drawn_by(text, JOINS_SIGNS.load(Ordering::Relaxed))
}

fn drawn_by(text: &str, joins_signs: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut last = ' ';
    let text = text.replace("\r\n", "\n");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1f3fb}'..='\u{1f3ff}' if joins_signs && is_sign(last) => plain.push(c),
            FIRST_LETTER..=LAST_LETTER if joins_signs && chars.peek().is_some_and(is_letter_of_flag) => {
                plain.push(c);
                plain.extend(chars.next());
            }
            '\u{2028}' | '\u{2029}' => plain.push('\n'),
            // Spelled as chats do: a terminal that cannot draw the tone into the character before it draws it over the next.
            '\u{1f3fb}'..='\u{1f3ff}' if is_sign(last) => {
                plain.push_str(&format!(":tone{}:", c as u32 - 0x1f3fa));
            }
            '\t' => plain.push_str("    "),
            FIRST_LETTER..=LAST_LETTER => plain.extend(char::from_u32(c as u32 - 0x1f1e6 + u32::from(b'A'))),
            '\u{fe0e}' | '\u{fe0f}' => continue,
            '\u{200d}' if is_sign(last) => continue,
            c => plain.push(c),
        }
        last = c;
    }
    sanitize(&plain)
}

const FIRST_LETTER: char = '\u{1f1e6}';
const LAST_LETTER: char = '\u{1f1ff}';

/// Two of these are a flag.
fn is_letter_of_flag(c: &char) -> bool {
    (FIRST_LETTER..=LAST_LETTER).contains(c)
}

/// Whether a character belongs to the blocks that hold emoji.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// The parts of two drawable texts that the other does not have, as byte ranges in order.
pub(in crate::tui) fn differences(a: &str, b: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    if a.len() + b.len() > COMPARED {
        return Default::default();
    }
    let diff = TextDiff::from_words(a, b);
    let (mut common, mut all) = (0, 0);
    let (mut in_a, mut in_b) = (Vec::new(), Vec::new());
    let (mut at_a, mut at_b) = (0, 0);
    for change in diff.iter_all_changes() {
        let length = change.value().len();
        let letters = change.value().trim().len();
        let blank = letters == 0;
        match change.tag() {
            ChangeTag::Equal => (common, all) = (common + 2 * letters, all + 2 * letters),
            ChangeTag::Delete | ChangeTag::Insert => all += letters,
        }
        if change.tag() != ChangeTag::Insert {
            if change.tag() == ChangeTag::Delete && !blank {
                in_a.push(at_a..at_a + length);
            }
            at_a += length;
        }
        if change.tag() != ChangeTag::Delete {
            if change.tag() == ChangeTag::Insert && !blank {
                in_b.push(at_b..at_b + length);
            }
            at_b += length;
        }
    }
    if (common as f64) < ALIKE * all as f64 {
        return Default::default();
    }
    (in_a, in_b)
}

/// A drawable text in lines of at most `width` columns; `ranges`, in order, are drawn in `bright`.
pub(in crate::tui) fn lay_out(
    text: &str,
    ranges: &[Range<usize>],
    width: u16,
    (plain, bright): (Style, Style),
) -> Vec<Line<'static>> {
    let ranges: Vec<(Range<usize>, Style)> = ranges.iter().map(|range| (range.clone(), bright)).collect();
    lay_out_in_styles(text, &ranges, width, plain).into_iter().map(|(_, line)| line).collect()
}

/// The same with a style for each range; each line with the byte of the text at which it begins.
pub(in crate::tui) fn lay_out_in_styles(
    text: &str,
    ranges: &[(Range<usize>, Style)],
    width: u16,
    plain: Style,
) -> Vec<(usize, Line<'static>)> {
    let options = Options::new(usize::from(width.max(1))).word_splitter(WordSplitter::NoHyphenation);
    let mut lines = Vec::new();
    let mut start = 0;
    for paragraph in text.split('\n') {
        let mut at = start;
        for piece in textwrap::wrap(paragraph, &options) {
            // Wrapping leaves out blanks at the end of a line: the piece is looked for from where the last one ended.
            let found = text[at..].find(&*piece).map_or(at, |offset| at + offset);
            lines.push((found, line(&piece, found, ranges, plain)));
            at = (found + piece.len()).min(text.len());
        }
        start += paragraph.len() + 1;
    }
    lines
}

/// A text without line ends, tabs and other controls: what stood between words is one blank.
pub(in crate::tui) fn in_one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    drawable(&plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

/// The beginning of a text that fits in one line, with an ellipsis where something is left out.
pub(in crate::tui) fn cut(text: &str, width: usize) -> String {
    // A text of a megabyte is not measured for the sake of its first columns.
    let beginning = text.char_indices().nth(width.saturating_mul(CHARACTERS).max(CHARACTERS));
    let beginning = beginning.map_or(text, |(end, _)| &text[..end]);
    if beginning.len() == text.len() && text.width() <= width {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in beginning.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        out.push(c);
    }
    out.push('…');
    out
}

fn line(piece: &str, at: usize, ranges: &[(Range<usize>, Style)], plain: Style) -> Line<'static> {
    // A text of a megabyte may be a million empty lines.
    if piece.is_empty() {
        return Line::default();
    }
    let mut spans = Vec::new();
    let mut done = 0;
    // The ranges are in order: a text of a megabyte with a thousand of them is not gone through for every line.
    let first = ranges.partition_point(|(range, _)| range.end <= at);
    let here = ranges[first..].iter().take_while(|(range, _)| range.start < at + piece.len());
    for (range, bright) in here {
        let from = range.start.saturating_sub(at).max(done);
        let to = (range.end - at).min(piece.len());
        // A piece that is not a part of the text, byte for byte, is drawn plain.
        let (Some(before), Some(within)) = (piece.get(done..from), piece.get(from..to)) else { continue };
        if !before.is_empty() {
            spans.push(Span::styled(before.to_owned(), plain));
        }
        spans.push(Span::styled(within.to_owned(), *bright));
        done = to;
    }
    if let Some(rest) = piece.get(done..) {
        spans.push(Span::styled(rest.to_owned(), plain));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    use super::*;

    fn plain(line: &Line<'_>) -> String {
        line.spans.iter().map(|s| s.content.as_ref()).collect()
    }

    #[test]
    fn the_words_that_differ_are_brought_out_on_every_line_they_reach() {
        let (a, b) = ("win a free car today", "win a cheap car today");
        let (in_a, in_b) = differences(a, b);
        assert_eq!((&a[in_a[0].clone()], &b[in_b[0].clone()]), ("free", "cheap"));
        let bright = Style::new().add_modifier(Modifier::BOLD);
        let lines = lay_out(a, &in_a, 8, (Style::new(), bright));
        let shown: Vec<String> = lines.iter().map(plain).collect();
        assert_eq!(shown, ["win a", "free car", "today"]);
        assert_eq!(lines[1].spans[0].content, "free");
        assert_eq!(lines[1].spans[0].style, bright);
    }

    #[test]
    fn what_terminals_disagree_on_is_drawn_so_that_they_agree() {
        assert_eq!(drawable("\u{1f1e9}\u{1f1ea} wins\r\n\tsoon"), "DE wins\n    soon");
        assert_eq!(drawable("\u{2764}\u{fe0f}\u{200d}\u{1f525}"), "\u{2764}\u{1f525}");
        assert_eq!(drawable("\u{1f468}\u{1f3ff}\u{200d}\u{1f680}"), "\u{1f468}:tone5:\u{1f680}");
        assert_eq!(drawable("one\u{2028}two"), "one\ntwo");
        assert_eq!(drawable("a\u{200d}b"), "a\u{fffd}b", "what joins letters hides nothing");
    }

    #[test]
    fn a_terminal_that_joins_flags_and_tones_is_sent_them_as_they_are() {
        for text in ["\u{1f1e9}\u{1f1ea} wins", "\u{1f44d}\u{1f3fd} yes"] {
            assert_eq!(drawn_by(text, true), text);
            assert_eq!(drawn_by(&drawn_by(text, true), true), text);
        }
        assert_eq!(drawn_by("\u{1f1e9} \u{1f1ea}", true), "D E", "a letter alone is no flag");
        assert_eq!("\u{1f44d}\u{1f3fd}".width(), 2, "the layout counts what such a terminal draws");
        assert_eq!("\u{1f1e9}\u{1f1ea}".width(), 2);
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_left_plain() {
        assert_eq!(differences("one two three four", "five six seven eight"), (vec![], vec![]));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_no_word_is_lost(text in "[a-zéß漢字🎉\u{5d0} \n]{0,80}", width in 2u16..40) {
            let text = drawable(&text);
            let lines = lay_out(&text, &[], width, (Style::new(), Style::new()));
            for line in &lines {
                prop_assert!(plain(line).width() <= usize::from(width), "{line:?}");
            }
            let letters = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let shown: String = lines.iter().map(plain).collect();
            prop_assert_eq!(letters(&shown), letters(&text));
        }

        #[test]
        fn ranges_never_split_what_they_do_not_own(a in "[a-c ]{0,30}", b in "[a-c ]{0,30}", width in 1u16..20) {
            let (in_a, _) = differences(&a, &b);
            for line in lay_out(&a, &in_a, width, (Style::new(), Style::new())) {
                prop_assert!(a.contains(plain(&line).trim()));
            }
        }
    }
}
