//! Columns whose text is a word of the program or a list, where no seal would notice that a byte was turned: the rows may change, or nothing of
//! a label rests on them, but a text that is none of these could not be read any more.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use crate::domain::case::Reason;
use crate::domain::overlap::Overlap;

/// A column that must read as something.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Legible {
    /// Its table, which has an `id`.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// What is wrong with rows in which it does not.
    pub wrong: &'static str,
    /// Whether a text does.
    pub reads: fn(&str) -> bool,
    /// Whether no two of its values are one bit apart, so that the one bit that was turned can be told.
    pub is_word: bool,
}

/// All of them.
pub(in crate::store) const ALL: [Legible; 4] = [
    Legible {
        table: "label_case",
        column: "reason",
        wrong: "cases give a reason that is none",
        reads: |text| text.parse::<Reason>().is_ok(),
        is_word: true,
    },
    Legible {
        table: "round",
        column: "overlap",
        wrong: "rounds do not say by how many a case is labelled",
        reads: is_json::<Overlap>,
        is_word: false,
    },
    Legible {
        table: "adapter",
        column: "labels",
        wrong: "adapters do not say for which labels they are",
        reads: is_json::<Vec<String>>,
        is_word: false,
    },
    Legible {
        table: "predictor",
        column: "labels",
        wrong: "ways of predicting do not say which labels they give",
        reads: is_json::<Vec<String>>,
        is_word: false,
    },
];

fn is_json<T: serde::de::DeserializeOwned>(text: &str) -> bool {
    serde_json::from_str::<T>(text).is_ok()
}

/// Teaches a connection `is_legible(table, value)`; what is NULL has nothing to read.
pub(in crate::store) fn install(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("is_legible", 2, flags, |context| {
        let table: String = context.get(0)?;
        let column = ALL.iter().find(|legible| legible.table == table);
        Ok(match context.get_raw(1) {
            ValueRef::Null => true,
            ValueRef::Text(text) => {
                std::str::from_utf8(text).is_ok_and(|text| column.is_some_and(|column| (column.reads)(text)))
            }
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_writes_is_legible_and_one_bit_of_a_word_is_told() {
        let [reason, overlap, labels, _] = ALL;
        assert!((reason.reads)("near-boundary") && !(reason.reads)("near,boundary"));
        assert!(
            (overlap.reads)(&serde_json::to_string(&Overlap::default()).unwrap()) && !(overlap.reads)("{")
        );
        assert!((labels.reads)(r#"["spam"]"#) && !(labels.reads)(r#"["spam""#));
        let words = Reason::STORED.map(Reason::as_str);
        for (a, b) in
            words.iter().flat_map(|a| words.map(|b| (*a, b))).filter(|(a, b)| a != b && a.len() == b.len())
        {
            let apart: u32 = a.bytes().zip(b.bytes()).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert!(apart > 2, "{a} {b}");
        }
    }
}
