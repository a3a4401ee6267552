//! The report as one JSON document, with the same contents as the Markdown.

use serde_json::Value;

use super::contents::Report;
use crate::domain::fault::{Fault, Result};

/// The report as JSON. Fractions are rounded to six decimals: the last digits of a sum depend on the order in which experts joined the file.
pub fn document(report: &Report) -> Result<Value> {
    let value = serde_json::to_value(report).map_err(|e| Fault::new("write the report", e.to_string()))?;
    Ok(rounded(value))
}

fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or(Value::Null, |number| Value::from((number * 1e6).round() / 1e6))
        }
        Value::Array(all) => all.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_six_decimals_and_whole_numbers_stay_whole() {
        let value: Value =
            serde_json::from_str(r#"{"a":[0.12345678901,3,18446744073709551615],"b":"0.12345678"}"#).unwrap();
        assert_eq!(rounded(value).to_string(), r#"{"a":[0.123457,3,18446744073709551615],"b":"0.12345678"}"#);
    }
}
