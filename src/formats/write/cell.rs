//! One cell of a row that is written, typed.
//!
//! A number from an imported file is kept as it was written ([`Cell::Json`]), never parsed and printed again, so that exporting it is exact.

use std::borrow::Cow;

/// A value under a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The row has no such column: JSONL leaves the key out, CSV leaves the cell empty.
    Absent,
    /// `null` in JSONL, empty in CSV.
    Null,
    Text(String),
    Integer(i64),
    /// Text formats write the shortest decimal that reads back as the same number. Neither JSON nor CSV has infinity or NaN: they are null.
    Float(f64),
    /// A number that text formats write with exactly so many decimals.
    Decimal {
        value: f64,
        places: u8,
    },
    Boolean(bool),
    /// Any JSON value, as valid JSON on one line: an array, an object, or a number exactly as a file had it.
    Json(String),
}

impl Cell {
    /// The cell as JSON.
    pub fn json(&self) -> Cow<'_, str> {
        match self {
            Self::Absent | Self::Null => "null".into(),
            Self::Text(text) => quoted(text).into(),
            Self::Json(json) => json.into(),
            Self::Integer(_) | Self::Float(_) | Self::Decimal { .. } | Self::Boolean(_) => {
                match self.plain() {
                    Cow::Borrowed("") => "null".into(),
                    number => number,
                }
            }
        }
    }

    /// The cell as CSV has it, and as a person reads it; empty for null.
    pub fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Absent | Self::Null => "".into(),
            Self::Text(text) | Self::Json(text) => text.into(),
            Self::Integer(number) => number.to_string().into(),
            Self::Float(value) | Self::Decimal { value, .. } if !value.is_finite() => "".into(),
            Self::Float(value) => value.to_string().into(),
            Self::Decimal { value, places } => format!("{value:.*}", usize::from(*places)).into(),
            Self::Boolean(true) => "true".into(),
            Self::Boolean(false) => "false".into(),
        }
    }
}

/// A string as a JSON string.
pub(in crate::formats) fn quoted(text: &str) -> String {
    // Most cells hold nothing to escape; copying those is several times faster.
    if text.bytes().any(|b| b < b' ' || matches!(b, b'"' | b'\\')) {
        serde_json::Value::from(text).to_string()
    } else {
        ["\"", text, "\""].concat()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Cell {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or_else(|_| Self::Json(number.to_string()), Self::Integer)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Float(number) } else { Self::Null }
    }
}

impl From<f32> for Cell {
    /// Through the shortest decimal of the f32, which is also the shortest of the f64 that it becomes: 0.1 stays 0.1.
    fn from(number: f32) -> Self {
        number.to_string().parse::<f64>().map_or(Self::Null, Self::from)
    }
}

impl From<serde_json::Value> for Cell {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(truth) => Self::Boolean(truth),
            serde_json::Value::String(text) => Self::Text(text),
            other => Self::Json(other.to_string()),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_written_as_short_as_it_was_computed() {
        assert_eq!(Cell::from(0.1f32).json(), "0.1");
        assert_eq!(Cell::from(0.25f64).json(), "0.25");
        assert_eq!(Cell::from(f32::NAN), Cell::Null);
        assert_eq!(Cell::from(f64::INFINITY), Cell::Null);
    }

    #[test]
    fn what_is_no_number_is_null_even_where_a_cell_was_made_of_it() {
        for cell in [Cell::Float(f64::NAN), Cell::Decimal { value: f64::INFINITY, places: 2 }] {
            assert_eq!((cell.json().as_ref(), cell.plain().as_ref()), ("null", ""));
        }
    }

    #[test]
    fn each_type_has_its_own_json_and_its_own_plain_text() {
        let cells = [
            (Cell::Absent, "null", ""),
            (Cell::Null, "null", ""),
            (Cell::from("a \"b\""), "\"a \\\"b\\\"\"", "a \"b\""),
            (Cell::from(-7i64), "-7", "-7"),
            (Cell::from(u64::MAX), "18446744073709551615", "18446744073709551615"),
            (Cell::from(1.0), "1", "1"),
            (Cell::Decimal { value: 0.5, places: 6 }, "0.500000", "0.500000"),
            (Cell::from(true), "true", "true"),
            (Cell::Json("[1, 2]".into()), "[1, 2]", "[1, 2]"),
        ];
        for (cell, json, plain) in cells {
            assert_eq!((cell.json().as_ref(), cell.plain().as_ref()), (json, plain), "{cell:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_string_is_a_json_string_of_itself(text in ".*") {
            let json = quoted(&text);
            proptest::prop_assert_eq!(&json, &serde_json::Value::from(text.as_str()).to_string());
        }

        #[test]
        fn any_f32_is_written_like_itself(number in proptest::num::f32::NORMAL) {
            let cell = Cell::from(number);
            proptest::prop_assert_eq!(cell.plain().parse::<f32>().unwrap(), number);
            proptest::prop_assert_eq!(cell.plain().into_owned(), number.to_string());
        }
    }

    #[test]
    fn a_string_that_looks_like_a_number_stays_a_string() {
        assert_eq!(Cell::from("007").json(), "\"007\"");
        assert_eq!(Cell::from(None::<i64>).json(), "null");
    }
}
