//! Columns whose text is one of a few words, or JSON of one form. No seal covers them, because their rows may change or no label rests on them;
//! but a text that is none of these could not be read any more.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use crate::domain::case::Reason;
use crate::domain::overlap::Overlap;

/// A column whose values have a form.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct EnumColumn {
    /// Its table, which has an `id`.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// What is wrong with rows whose value has another.
    pub wrong: &'static str,
    pub is_valid: fn(&str) -> bool,
}

/// All of them.
pub(in crate::store) const ALL: [EnumColumn; 4] = [
    EnumColumn {
        table: "label_case",
        column: "reason",
        wrong: "cases give a reason that this program does not know",
        is_valid: |text| text.parse::<Reason>().is_ok(),
    },
    EnumColumn {
        table: "round",
        column: "overlap",
        wrong: "rounds do not say by how many a case is labelled",
        is_valid: is_json::<Overlap>,
    },
    EnumColumn {
        table: "adapter",
        column: "labels",
        wrong: "adapters do not say for which labels they are",
        is_valid: is_json::<Vec<String>>,
    },
    EnumColumn {
        table: "predictor",
        column: "labels",
        wrong: "ways of predicting do not say which labels they give",
        is_valid: is_json::<Vec<String>>,
    },
];

fn is_json<T: serde::de::DeserializeOwned>(text: &str) -> bool {
    serde_json::from_str::<T>(text).is_ok()
}

/// Gives a connection the function `is_valid(table, value)`; NULL is valid.
pub(in crate::store) fn install(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("is_valid", 2, flags, |context| {
        let table: String = context.get(0)?;
        let column = ALL.iter().find(|column| column.table == table);
        Ok(match context.get_raw(1) {
            ValueRef::Null => true,
            ValueRef::Text(text) => std::str::from_utf8(text)
                .is_ok_and(|text| column.is_some_and(|column| (column.is_valid)(text))),
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_writes_is_valid_and_a_byte_less_is_not() {
        let [reason, overlap, labels, _] = ALL;
        assert!((reason.is_valid)("near-boundary") && !(reason.is_valid)("near,boundary"));
        let json = serde_json::to_string(&Overlap::default()).unwrap();
        assert!((overlap.is_valid)(&json) && !(overlap.is_valid)("{"));
        assert!((labels.is_valid)(r#"["spam"]"#) && !(labels.is_valid)(r#"["spam""#));
    }
}
