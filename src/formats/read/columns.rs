//! Which column is meant: by name, by number, or, for the text, by its contents.

use std::collections::HashSet;

use crate::domain::fault::{Fault, Result};

use super::excerpt::{MOST_LISTED, excerpt, list_columns};

/// Usual names of a text column, the surest first.
const TEXT_NAMES: &[&str] = &[
    "text",
    "tweet",
    "sms",
    "sentence",
    "message",
    "body",
    "content",
    "comment",
    "review",
    "utterance",
    "post",
    "headline",
    "question",
    "query",
    "ad",
    "title",
    "document",
    "description",
    "abstract",
    "prompt",
    "passage",
];

/// Usual names of other columns, by which a header can be recognised.
const OTHER_NAMES: &[&str] =
    &["id", "label", "class", "category", "target", "gold", "date", "timestamp", "url"];

/// Usual names of a column with the file's own ids.
const ID_NAMES: &[&str] = &["id", "_id", "uuid", "guid"];

/// Whether a cell is a usual name of a column.
pub(in crate::formats) fn is_known_name(cell: &str) -> bool {
    let cell = cell.trim().to_lowercase();
    [TEXT_NAMES, OTHER_NAMES, ID_NAMES].iter().any(|names| names.contains(&cell.as_str()))
}

/// Whether this is a usual name of a text column.
pub(in crate::formats) fn is_text_name(name: &str) -> bool {
    TEXT_NAMES.contains(&name.to_lowercase().as_str())
}

/// Only as many rows as are needed to judge so many columns: reading every cell of a table that is both wide and long takes hours.
pub(in crate::formats) fn enough<T>(rows: &[T], columns: usize) -> &[T] {
    const CELLS: usize = 2_000_000;
    &rows[..rows.len().min((CELLS / columns.max(1)).max(20))]
}

/// The number of words, by white space.
pub(in crate::formats) fn words(cell: &str) -> usize {
    cell.split_whitespace().count()
}

/// The names of `width` columns: those of the header if there is one, and numbers from 1 for columns without a name. No two are the same.
pub(in crate::formats) fn names(header: Option<&[String]>, width: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(width);
    let mut taken: HashSet<String> = HashSet::with_capacity(width);
    for i in 0..width {
        let number = (i + 1).to_string();
        let given = header.and_then(|h| h.get(i)).map_or("", |cell| cell.trim());
        let mut name = if given.is_empty() { number.clone() } else { given.to_owned() };
        while !taken.insert(name.clone()) {
            name = format!("{name}_{number}");
        }
        names.push(name);
    }
    names
}

/// The column that a person means by a name or by a number from 1. If it could be either, it is a name.
///
/// # Errors
/// A usage fault that lists the columns there are.
pub(in crate::formats) fn find(columns: &[String], given: &str, file: &str) -> Result<usize> {
    let by_number = || given.parse::<usize>().ok().filter(|n| (1..=columns.len()).contains(n)).map(|n| n - 1);
    columns
        .iter()
        .position(|name| name == given)
        .or_else(|| columns.iter().position(|name| name.to_lowercase() == given.to_lowercase()))
        .or_else(by_number)
        .ok_or_else(|| {
            Fault::usage(format!("read {file}"), format!("it has no column '{}'", excerpt(given)))
                .hint(format!("The columns are {}", list_columns(columns)))
        })
}

/// The column with the file's own ids, by its name.
pub(in crate::formats) fn id(columns: &[String]) -> Option<usize> {
    ID_NAMES.iter().find_map(|known| columns.iter().position(|name| name.to_lowercase() == *known))
}

/// The text column: the one with a usual name, else the one whose cells are clearly the longest and have words. `taken` are columns that are
/// used for something else.
///
/// # Errors
/// A usage fault that asks for `--text` where no column qualifies, or several do.
pub(in crate::formats) fn text(
    columns: &[String],
    rows: &[Vec<String>],
    taken: &[usize],
    file: &str,
) -> Result<usize> {
    let free: Vec<usize> = (0..columns.len()).filter(|i| !taken.contains(i)).collect();
    let worded = |i: usize| rows.is_empty() || has_words(rows, i);
    for known in TEXT_NAMES {
        if let Some(i) = free.iter().find(|i| columns[**i].to_lowercase() == *known && worded(**i)) {
            return Ok(*i);
        }
    }
    for known in TEXT_NAMES {
        let named: Vec<usize> =
            free.iter().copied().filter(|i| last_word(&columns[*i]) == *known && worded(*i)).collect();
        match named.as_slice() {
            [] => {}
            [only] => return Ok(*only),
            several => return Err(ask(columns, several, file)),
        }
    }
    if let ([only], [_]) = (free.as_slice(), columns) {
        return Ok(*only);
    }
    let longest = free.iter().map(|i| mean_length(rows, *i)).fold(0.0, f64::max);
    let plausible: Vec<usize> = free
        .iter()
        .copied()
        .filter(|i| mean_length(rows, *i) >= 0.25 * longest && has_words(rows, *i) && has_spaces(rows, *i))
        .collect();
    match plausible.as_slice() {
        [only] => Ok(*only),
        several => Err(ask(columns, several, file)),
    }
}

fn ask(columns: &[String], plausible: &[usize], file: &str) -> Fault {
    let why = if plausible.is_empty() {
        "no column looks like text".to_owned()
    } else {
        let named = |i: &usize| format!("'{}'", excerpt(&columns[*i]));
        let mut names: Vec<String> = plausible.iter().take(MOST_LISTED).map(named).collect();
        if plausible.len() > MOST_LISTED {
            names.push(format!("and {} more", plausible.len() - MOST_LISTED));
        }
        format!("several columns could be the text: {}", names.join(", "))
    };
    Fault::usage(format!("read {file}"), why)
        .hint(format!("Name one with --text, by name or number; the columns are {}", list_columns(columns)))
}

fn last_word(name: &str) -> String {
    name.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase()
}

fn filled(rows: &[Vec<String>], column: usize) -> impl Iterator<Item = &str> {
    rows.iter().filter_map(move |row| row.get(column)).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
}

/// Most of its cells contain a letter.
fn has_words(rows: &[Vec<String>], column: usize) -> bool {
    let lettered = filled(rows, column).filter(|cell| cell.chars().any(char::is_alphabetic)).count();
    lettered > 0 && lettered * 2 >= filled(rows, column).count()
}

/// At least a fifth of its cells have several words. In scripts without spaces the length counts.
fn has_spaces(rows: &[Vec<String>], column: usize) -> bool {
    let unspaced = |cell: &str| cell.chars().filter(|c| *c as u32 >= 0x2E80).count() >= 4;
    let several = filled(rows, column).filter(|cell| words(cell) > 1 || unspaced(cell)).count();
    several > 0 && several * 5 >= filled(rows, column).count()
}

fn mean_length(rows: &[Vec<String>], column: usize) -> f64 {
    let characters: usize = filled(rows, column).map(|cell| cell.chars().count()).sum();
    characters as f64 / rows.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|c| (*c).to_owned()).collect()
    }

    #[test]
    fn a_column_is_named_by_name_or_number_and_a_wrong_one_lists_those_there_are() {
        let columns = strings(&["id", "Tweet", "3x"]);
        assert_eq!(find(&columns, "tweet", "f").unwrap(), 1);
        assert_eq!(find(&columns, "2", "f").unwrap(), 1);
        let fault = find(&columns, "body", "f.csv").unwrap_err();
        let want = "cannot read f.csv: it has no column 'body'. The columns are 1 'id', 2 'Tweet', 3 '3x'";
        assert_eq!((fault.to_string().as_str(), fault.exit_code()), (want, 2));
        assert!(find(&columns, "4", "f").is_err() && find(&columns, "0", "f").is_err());
    }

    #[test]
    fn columns_without_a_name_are_called_by_their_number_and_doubles_are_told_apart() {
        assert_eq!(names(Some(&strings(&["", "a", "a", "1"])), 4), ["1", "a", "a_3", "1_4"]);
        assert_eq!(names(None, 2), ["1", "2"]);
    }

    #[test]
    fn a_header_of_a_hundred_thousand_columns_is_named_and_judged_by_the_first_rows() {
        let header = vec![String::new(); 100_000];
        let columns = names(Some(&header), header.len());
        assert_eq!((columns[0].as_str(), columns[99_999].as_str()), ("1", "100000"));
        let rows = vec![strings(&["a word"]); 30_000];
        assert_eq!(enough(&rows, columns.len()).len(), 20);
        assert_eq!(enough(&rows, 3).len(), 30_000);
        assert_eq!(text(&columns, enough(&rows, columns.len()), &[], "f").unwrap(), 0);
        let many = vec![vec!["a word or two".to_owned(); 500]];
        let why = text(&columns[..500], &many, &[], "f").unwrap_err().to_string();
        assert!(why.contains("and 475 more") && why.len() < 2_000, "{why}");
    }

    #[test]
    fn the_text_is_found_by_name_before_length() {
        let rows = [strings(&["a very long note of somebody about it", "hi"])];
        assert_eq!(text(&strings(&["note", "Text"]), &rows, &[], "f").unwrap(), 1);
        assert_eq!(text(&strings(&["note", "tweet_text"]), &rows, &[], "f").unwrap(), 1);
        assert_eq!(text(&strings(&["note", "text"]), &rows, &[1], "f").unwrap(), 0);
        let numbers = [strings(&["a very long note of somebody about it", "17"])];
        assert_eq!(text(&strings(&["note", "text"]), &numbers, &[], "f").unwrap(), 0);
    }

    #[test]
    fn two_columns_that_could_be_the_text_and_none_are_asked_for() {
        let rows = [strings(&["what do you think", "I do not know", "4"])];
        let why = text(&strings(&["agent", "user", "n"]), &rows, &[], "f").unwrap_err().to_string();
        assert!(
            why.contains("several columns could be the text: 'agent', 'user'") && why.contains("--text"),
            "{why}"
        );
        let rows = [strings(&["A19IBSKBTABMR3", "1"])];
        let why = text(&strings(&["worker", "n"]), &rows, &[], "f").unwrap_err().to_string();
        assert!(why.contains("no column looks like text"), "{why}");
    }

    #[test]
    fn texts_without_spaces_between_words_are_texts() {
        let rows = [strings(&["正面", "这家餐厅的服务非常好"]), strings(&["负面", "等了一个小时才上菜"])];
        assert_eq!(text(&strings(&["1", "2"]), &rows, &[], "f").unwrap(), 1);
    }
}
