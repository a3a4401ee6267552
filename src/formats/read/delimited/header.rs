//! Whether the first row names the columns or is a row like the others.

use super::super::columns::{is_known_name, words};

/// Compares the first row with the rows below it.
///
/// A cell that recurs below, is a number, is long or reads like a sentence is data. A well-known name, or a word above a column of numbers or of
/// much longer texts, is a name.
pub(in crate::formats) fn is_header(first: &[String], rows: &[Vec<String>]) -> bool {
    let recurs = |(i, cell): (usize, &String)| {
        let same = |row: &Vec<String>| row.get(i).is_some_and(|other| other.trim() == cell.trim());
        !cell.trim().is_empty() && rows.iter().any(same)
    };
    if first.iter().any(|cell| reads_like_text(cell)) || first.iter().enumerate().any(recurs) {
        return false;
    }
    if first.iter().any(|cell| is_known_name(cell)) {
        return true;
    }
    // A table that was written with an index has no name above it. Elsewhere an empty cell or a number is data.
    let named = usize::from(first.first().is_some_and(|cell| cell.trim().is_empty()));
    if first[named..].iter().any(|cell| cell.trim().is_empty() || is_number(cell.trim())) {
        return false;
    }
    (named..first.len()).any(|i| differs_from_below(&first[i], rows.iter().filter_map(|row| row.get(i))))
}

/// A word above a column of numbers, or of texts three times as long.
fn differs_from_below<'a>(cell: &str, below: impl Iterator<Item = &'a String>) -> bool {
    let (mut count, mut numbers, mut length) = (0, 0, 0);
    for other in below.map(|other| other.trim()).filter(|other| !other.is_empty()) {
        count += 1;
        numbers += usize::from(is_number(other));
        length += other.chars().count();
    }
    let much_longer = words(cell) <= 3 && length >= 3 * count * cell.trim().chars().count();
    count > 0 && (numbers == count || much_longer)
}

fn is_number(cell: &str) -> bool {
    cell.parse::<f64>().is_ok()
}

/// Longer than a name, of many words, or ending like a sentence.
fn reads_like_text(cell: &str) -> bool {
    let cell = cell.trim();
    cell.chars().count() > 60 || words(cell) > 5 || words(cell) > 1 && cell.ends_with(['.', '!', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(rows: &[&[&str]]) -> bool {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|r| r.iter().map(|c| (*c).to_owned()).collect()).collect();
        is_header(&rows[0], &rows[1..])
    }

    #[test]
    fn a_row_that_looks_like_those_below_it_is_data() {
        let sms: &[&[&str]] = &[
            &["ham", "Go until jurong point, crazy.. Available only"],
            &["ham", "Ok lar... Joking wif u oni..."],
            &["spam", "Free entry in 2 a wkly comp to win FA Cup"],
        ];
        assert!(!header(sms));
        assert!(!header(&[&["7", "great"], &["3", "a much longer text than the first one is"]]));
        assert!(!header(&[&["spam", "Buy now, it is free and it is good!"], &["ham", "See you"]]));
    }

    #[test]
    fn names_are_known_by_their_words_or_by_what_stands_below() {
        assert!(header(&[&["text", "category"], &["Where is my card?", "card_arrival"]]));
        assert!(header(&[&["", "class", "tweet"], &["0", "2", "RT @x: hi"]]));
        assert!(header(&[&["worker", "response"], &["A19IBSK", "1"], &["AEX5NCH", "0"]]));
        assert!(header(&[&["utt"], &["please turn the lights off in the kitchen"]]));
        assert!(header(&[&["id", "text"]]), "a header alone");
    }

    #[test]
    fn a_label_that_is_also_a_usual_name_is_data_when_it_recurs() {
        assert!(!header(&[&["ad", "Buy shoes"], &["fine", "See you"], &["ad", "Win now"]]));
    }

    #[test]
    fn a_first_text_that_begins_with_a_known_word_is_data() {
        assert!(!header(&[&["ham", "text me when you get there please."], &["spam", "win a prize"]]));
        assert!(!header(&[&["Where is my card?"], &["Why was I charged twice for one coffee?"]]));
    }
}
