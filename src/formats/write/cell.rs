//! One cell of an exported row, in the few kinds that JSONL can tell apart and CSV cannot.
//!
//! Numbers are kept as they were written, never parsed and printed again, so that a re-export is exact.

use std::borrow::Cow;

/// A value under a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The row has no such column: left out of JSONL, empty in CSV.
    Absent,
    /// `null` in JSONL, empty in CSV.
    Null,
    /// A string.
    Text(String),
    /// A number, truth value, array or object, as valid JSON on one line.
    Json(String),
}

impl Cell {
    /// The cell as JSON text; `null` for a missing one.
    pub(in crate::formats) fn json(&self) -> Cow<'_, str> {
        match self {
            Self::Absent | Self::Null => "null".into(),
            Self::Text(text) => quoted(text).into(),
            Self::Json(json) => json.into(),
        }
    }

    /// The cell as CSV holds it, and as a person reads it.
    pub fn plain(&self) -> &str {
        match self {
            Self::Absent | Self::Null => "",
            Self::Text(text) | Self::Json(text) => text,
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

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Json(number.to_string())
    }
}

impl From<f64> for Cell {
    /// JSON has no infinity and no NaN; they become null.
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Json(number.to_string()) } else { Self::Null }
    }
}

impl From<f32> for Cell {
    /// The shortest decimal that reads back as the same f32, which is not that of its f64.
    fn from(number: f32) -> Self {
        if number.is_finite() { Self::Json(number.to_string()) } else { Self::Null }
    }
}

impl From<serde_json::Value> for Cell {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
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
        assert_eq!(Cell::from(0.1f32), Cell::Json("0.1".into()));
        assert_eq!(Cell::from(f32::NAN), Cell::Null);
        assert_eq!(Cell::from(f64::INFINITY), Cell::Null);
    }

    proptest::proptest! {
        #[test]
        fn any_string_is_a_json_string_of_itself(text in ".*") {
            let json = quoted(&text);
            proptest::prop_assert_eq!(&json, &serde_json::Value::from(text.as_str()).to_string());
        }
    }

    #[test]
    fn a_string_that_looks_like_a_number_stays_a_string() {
        assert_eq!(Cell::from("007").json(), "\"007\"");
        assert_eq!(Cell::from(None::<i64>).json(), "null");
    }
}
