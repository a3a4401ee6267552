//! JSONL: one object on each line, its keys the columns.

use serde_json::value::RawValue;

use super::row::{Entries, value_of};

/// One line as its keys and values.
///
/// # Errors
/// A clause that says what is wrong and at which character.
pub(in crate::formats) fn object(line: &str) -> Result<Vec<(String, Box<RawValue>)>, String> {
    match line.trim_start().as_bytes().first() {
        Some(b'[') => return Err("it is a JSON array, and an object is needed".into()),
        Some(b'"') => return Err("it is a JSON string, and an object is needed".into()),
        _ => {}
    }
    let Entries(entries) = serde_json::from_str(line).map_err(|e| {
        let message = e.to_string();
        let what = message.split(" at line ").next().unwrap_or(&message);
        format!("it is not a JSON object: {what} (at byte {})", e.column())
    })?;
    Ok(entries)
}

/// A value as a text, an id or a label: a string as it is, a number or truth value as written; none for null.
///
/// # Errors
/// A clause, where it is an array or an object.
pub(in crate::formats) fn plain(value: &RawValue) -> Result<Option<String>, &'static str> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|_| "it is not a valid string"),
        Some(b'[') => Err("it is an array"),
        Some(b'{') => Err("it is an object"),
        Some(b'n') | None => Ok(None),
        Some(_) => Ok(Some(json.to_owned())),
    }
}

/// The value under a key as [`plain`] has it; none where the key is missing.
///
/// # Errors
/// A clause that names no key.
pub(in crate::formats) fn plain_of(
    entries: &[(String, Box<RawValue>)],
    key: &str,
) -> Result<Option<String>, &'static str> {
    value_of(entries, key).map_or(Ok(None), plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused_with_the_place() {
        assert_eq!(object("[1]").unwrap_err(), "it is a JSON array, and an object is needed");
        assert!(object("\"a\"").unwrap_err().contains("string"));
        let why = object("{\"a\": 1,}").unwrap_err();
        assert!(
            why.contains("trailing comma") && why.contains("at byte 9") && !why.contains("line"),
            "{why}"
        );
        assert!(object("{\"a\":1} x").is_err());
        assert!(object(&"[".repeat(100_000)).is_err());
        assert!(object(&format!("{{\"a\":{}", "[".repeat(100_000))).is_err(), "depth is limited");
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        let entries = object(r#"{"a":1.50,"b":null,"c":[1],"d":"é\n"}"#).unwrap();
        assert_eq!(plain_of(&entries, "a"), Ok(Some("1.50".into())));
        assert_eq!(plain_of(&entries, "b"), Ok(None));
        assert!(plain_of(&entries, "c").is_err());
        assert_eq!(plain_of(&entries, "d"), Ok(Some("é\n".into())));
        assert_eq!(plain_of(&entries, "z"), Ok(None));
    }
}
