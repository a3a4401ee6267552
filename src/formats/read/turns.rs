//! Texts of several parts: a list of turns in one value (JSONL), and several text columns. Each part follows the name of who speaks or of its
//! column; an imported row gives its parts back.

use serde_json::Value;

use super::detected::{Detected, Layout};
use super::row::unpack;
use crate::domain::fault::Result;
use crate::domain::item::normalise;
use crate::domain::turn::{Turn, joined};
use crate::formats::write::cell::Cell;

/// Keys under which a turn has its text, and who speaks; the first that is there counts.
const TEXTS: &[&str] = &["content", "text", "value", "message", "utterance"];
const SPEAKERS: &[&str] = &["role", "speaker", "from", "author", "name"];

/// A conversation: a list of strings, or of objects each with a text and perhaps who speaks. An empty list has no turns.
///
/// # Errors
/// A clause, if the JSON is anything else.
pub(super) fn turns_of(json: &str) -> std::result::Result<Vec<Turn>, &'static str> {
    let value = serde_json::from_str::<Value>(json).map_err(|_| "is not a valid list")?;
    let Value::Array(turns) = value else { return Err("is an object") };
    turns.iter().map(turn).collect::<Option<Vec<Turn>>>().ok_or(
        "is a list of something else than texts or turns; a turn is {\"role\": \"…\", \"content\": \"…\"}, {\"speaker\", \"text\"} or \
         {\"from\", \"value\"}",
    )
}

fn turn(value: &Value) -> Option<Turn> {
    let object = match value {
        Value::String(text) => return Some(Turn { speaker: None, text: text.clone() }),
        Value::Object(object) => object,
        _ => return None,
    };
    let text = match TEXTS.iter().find_map(|key| object.get(*key))? {
        Value::String(text) => text.clone(),
        // A turn that only calls a tool says nothing.
        Value::Null => String::new(),
        // Pieces, of which some may be images.
        Value::Array(pieces) => {
            let of_piece =
                |piece: &Value| piece.as_str().or_else(|| piece.get("text")?.as_str()).map(str::to_owned);
            pieces.iter().filter_map(of_piece).collect::<Vec<_>>().join("\n")
        }
        _ => return None,
    };
    let speaker = SPEAKERS.iter().find_map(|key| object.get(*key)?.as_str());
    let speaker = speaker.map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
    Some(Turn { speaker: speaker.filter(|name| !name.is_empty()), text })
}

/// The parts of a text from the cells of its text columns, each with its column's name.
pub(super) fn parts<'a>(cells: impl Iterator<Item = (&'a str, Part)>, detected: &Detected) -> Vec<Turn> {
    let is_named = detected.text.len() > 1 && (detected.header || detected.layout == Layout::Keys);
    let mut turns = Vec::new();
    for (column, part) in cells {
        match part {
            Part::Text(text) => {
                turns.push(Turn { speaker: is_named.then(|| column.trim().to_owned()), text });
            }
            Part::Turns(more) => turns.extend(more),
        }
    }
    turns.retain(|turn| !turn.text.trim().is_empty());
    turns
}

/// What a text column's cell is.
pub(super) enum Part {
    Text(String),
    Turns(Vec<Turn>),
}

/// The parts of an imported row's text, as a case shows them: none where it is one part without a name, or where the text is another row's.
///
/// # Errors
/// Those of [`unpack`].
pub fn turns(packed: &str, detected: &Detected, text: &str) -> Result<Vec<Turn>> {
    if detected.layout == Layout::Text || detected.layout == Layout::Cells && detected.text.len() < 2 {
        return Ok(Vec::new());
    }
    let cells = unpack(packed, detected, text)?;
    let cell = |i: &usize| {
        let name = detected.columns.get(*i)?;
        let (name, cell) = cells.iter().rev().find(|(column, _)| column == name)?;
        let part = match cell {
            Cell::Null => return None,
            Cell::Json(json) if json.trim_start().starts_with('[') => Part::Turns(turns_of(json).ok()?),
            Cell::Absent => return None,
            cell => Part::Text(cell.plain().into_owned()),
        };
        Some((name.as_str(), part))
    };
    let turns = parts(detected.text.iter().filter_map(cell), detected);
    let has_names = turns.len() > 1 || turns.iter().any(|turn| turn.speaker.is_some());
    let is_this_text = normalise(&joined(&turns)) == normalise(text);
    Ok(if has_names && is_this_text { turns } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> String {
        turns_of(json).map_or_else(str::to_owned, |turns| joined(&turns))
    }

    #[test]
    fn a_list_of_turns_or_of_texts_is_a_conversation() {
        for json in [
            r#"[{"role":"user","content":"Hi."},{"role":"assistant","content":"So?"}]"#,
            r#"[{"speaker":"user","text":"Hi."},{"speaker":"assistant","text":"So?"}]"#,
            r#"[{"from":"user","value":"Hi."},{"from":" ","value":" "},{"from":"assistant","value":"So?"}]"#,
            r#"[{"role":"user","content":[{"type":"text","text":"Hi."},{"type":"image"}]},{"role":"tool","content":null},{"role":"assistant","content":"So?"}]"#,
        ] {
            assert_eq!(read(json), "user: Hi.\n\nassistant: So?", "{json}");
        }
        assert_eq!(read(r#"["Hi.", "So?"]"#), "Hi.\n\nSo?");
        assert_eq!(read("[]"), "");
        for json in ["[1]", r#"[{"a":"b"}]"#, r#"["a", 2]"#, r#"[{"text":3}]"#] {
            assert!(read(json).starts_with("is a list of something else"), "{json}");
        }
    }
}
