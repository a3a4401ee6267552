//! Whether the first row names the columns or is a row like the others.

use super::super::columns::{is_known_name, words};

/// Compares the first row with the rows below it.
///
/// A cell that recurs below, is a number, is long or reads like a sentence is data, unless the other cells are names above numbers or dates, or
/// it asks or numbers a question and none below does: the header of a survey. A well-known name, or a word above a column of numbers or of
/// much longer texts, is a name.
pub(in crate::formats) fn is_header(first: &[String], rows: &[Vec<String>]) -> bool {
    // Files that were joined have their header again further down.
    let known = first.len() > 1 && first.iter().any(|cell| is_known_name(cell));
    let rows: Vec<&Vec<String>> = rows.iter().filter(|row| !(known && is_same(row, first))).collect();
    let below = |i: usize| rows.iter().filter_map(move |row| row.get(i)).map(|cell| cell.trim());
    let recurs =
        |(i, cell): (usize, &String)| !cell.trim().is_empty() && below(i).any(|other| other == cell.trim());
    if first.iter().enumerate().any(recurs) {
        return false;
    }
    if first.iter().any(|cell| reads_like_text(cell)) {
        let is_name = |cell: &String| !cell.trim().is_empty() && !is_quantity(cell.trim());
        return first.len() > 1
            && first.iter().all(is_name)
            && (0..first.len()).any(|i| {
                let cell = first[i].trim();
                let over_quantities = !reads_like_text(cell) && is_over_quantities(below(i));
                over_quantities || is_question(cell) && rows.len() > 1 && !below(i).any(is_question)
            });
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

fn is_same(row: &[String], first: &[String]) -> bool {
    let plain = |cell: &String| cell.trim_start_matches('\u{feff}').trim().to_owned();
    row.len() == first.len() && row.iter().map(plain).eq(first.iter().map(plain))
}

/// There are cells below, at least two, and all are numbers or dates.
fn is_over_quantities<'a>(below: impl Iterator<Item = &'a str>) -> bool {
    let (mut count, mut quantities) = (0, 0);
    for cell in below.filter(|cell| !cell.is_empty()) {
        count += 1;
        quantities += usize::from(is_quantity(cell));
    }
    count > 1 && quantities == count
}

/// A number, or a date or a time in digits.
fn is_quantity(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let dated = |c: char| c.is_ascii_digit() || matches!(c, '-' | '/' | '.' | ':' | ' ' | 'T' | 'Z' | '+');
    is_number(cell) || digits >= 4 && cell.chars().all(dated)
}

/// It ends with a question mark, or has a number before it as the questions of a form do.
fn is_question(cell: &str) -> bool {
    let digits = cell.chars().take_while(char::is_ascii_digit).count();
    let numbered = (1..=3).contains(&digits)
        && cell[digits..].starts_with([')', '.'])
        && cell[digits + 1..].starts_with(' ');
    cell.ends_with(['?', '？', '؟']) || numbered
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
    fn the_questions_of_a_form_are_its_header() {
        let question = "In your own words, what went wrong with your last order?";
        assert!(header(&[
            &["Timestamp", "How old are you?", question],
            &["2026-03-01 10:02", "34", "The parcel went to the neighbour"],
            &["2026-03-01 10:09", "51", "Nothing went wrong at all"],
        ]));
        assert!(header(&[
            &[
                "ID",
                "created_at",
                "1. Please tell us in a sentence or two what we should change about the library"
            ],
            &["1", "2026-01-02", "Longer hours on Sundays would help"],
            &["2", "2026-01-03", "More chairs by the window please"],
        ]));
        assert!(header(&[
            &["Name", "What would you tell a friend about us and why?"],
            &["Ann", "They are kind to everybody"],
            &["Bo", "Nothing, I would not tell"],
        ]));
        assert!(!header(&[
            &["ham", "Are you coming with us to the lake tonight?"],
            &["ham", "Ok lar"],
            &["spam", "Win a car now"],
        ]));
        assert!(!header(&[&["7", "What a day it was with all of you."], &["3", "Yes"], &["4", "No"]]));
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
