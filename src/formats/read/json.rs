//! JSON that is not one object on each line: an array, an array under a key, or objects over several lines. It becomes JSONL on the way, one
//! value after the other, so that memory does not grow with the file and values stay as they were written.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::columns::is_text_name;
use super::encoding::Source;
use crate::domain::read_options::ReadOptions;

/// File extensions of JSON in any shape.
pub(super) const EXTENSIONS: &[&str] = &["jsonl", "ndjson", "json"];

/// How the rows lie in a JSON file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Shape {
    /// In an array, whose bracket is at this byte.
    Array { at: usize },
    /// One after the other.
    Sequence,
}

impl Shape {
    /// As a person would call it.
    pub(in crate::formats) fn name(self) -> &'static str {
        match self {
            Self::Array { at: 0 } => "JSON array",
            Self::Array { .. } => "JSON with an array of rows",
            Self::Sequence => "JSON objects",
        }
    }
}

/// A line that stands where the file ends before its array does. No value is written like that.
pub(in crate::formats) const CUT: &[u8] = b"]";

/// Arrays under these keys are not rows: they belong to one.
const NO_ROWS: &[&str] = &[
    "annotations",
    "predictions",
    "completions",
    "messages",
    "conversations",
    "conversation",
    "turns",
    "result",
];

/// The shape of a file, by its beginning; none if it has one object on each line, or is no JSON.
pub(in crate::formats) fn shape(
    text: &[u8],
    whole: bool,
    extension: &str,
    options: &ReadOptions,
) -> Option<Shape> {
    let asked = match options.format.as_deref() {
        Some("json") => true,
        Some(_) => return None,
        None => EXTENSIONS.contains(&extension),
    };
    if !asked && (options.delimiter.is_some() || ["csv", "tsv", "tab", "txt", "text"].contains(&extension)) {
        return None;
    }
    let start = text.iter().position(|b| !b.is_ascii_whitespace())?;
    match text[start] {
        b'[' => {
            let first = text[start + 1..].trim_ascii_start().first()?;
            let ends = Scan::new(&text[start..]).end();
            let alone = ends.map_or(!whole || asked, |end| text[start + end..].trim_ascii().is_empty());
            (alone && matches!(first, b'{' | b'"')).then_some(Shape::Array { at: start })
        }
        b'{' => {
            let mut lines = text.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
            let several = lines.clone().nth(1).is_some();
            let whole_line = |line: &[u8]| is_object(line);
            if several && lines.any(whole_line) {
                return None;
            }
            let scan = Scan::new(&text[start..]);
            let second =
                scan.end().is_some_and(|end| text[start + end..].trim_ascii_start().starts_with(b"{"));
            if !second && let Some(at) = scan.array_of_rows() {
                return Some(Shape::Array { at: start + at });
            }
            let quoted_key = text[start + 1..].trim_ascii_start().starts_with(b"\"");
            // Of objects that are broken line by line, each line is reported.
            (several && (quoted_key || asked) && (second || scan.end().is_some() || !whole))
                .then_some(Shape::Sequence)
        }
        _ => None,
    }
}

fn is_object(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok() && line.trim_ascii_start().starts_with(b"{")
}

/// A piece of JSON, as far as it goes.
struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// Where the value that begins here ends; none if it does not.
    fn end(&self) -> Option<usize> {
        let mut depth = Depth::default();
        for (i, b) in self.0.iter().enumerate() {
            depth.take(*b);
            if depth.open == 0 && !depth.in_string {
                return Some(i + 1);
            }
        }
        None
    }

    /// Where, in the object that begins here, the array of its rows opens: the first array of objects that is a value of its own. None in an
    /// object that is a row itself.
    fn array_of_rows(&self) -> Option<usize> {
        let text = self.0;
        let mut depth = Depth::default();
        let (mut key, mut string_from) = (&text[..0], 0);
        let mut value_next = false;
        for (i, b) in text.iter().enumerate() {
            let (was_string, was_open) = (depth.in_string, depth.open);
            depth.take(*b);
            match b {
                b'"' if was_open == 1 && !was_string => string_from = i + 1,
                b'"' if was_open == 1 && was_string && !depth.in_string => {
                    if value_next {
                        if is_text_name(&String::from_utf8_lossy(key)) {
                            return None;
                        }
                    } else {
                        key = &text[string_from..i];
                    }
                }
                b':' if was_open == 1 && !was_string => value_next = true,
                b',' if was_open == 1 && !was_string => value_next = false,
                b'[' if was_open == 1 && !was_string && value_next => {
                    let name = String::from_utf8_lossy(key);
                    let of_objects = text[i + 1..].trim_ascii_start().starts_with(b"{");
                    if of_objects && !NO_ROWS.contains(&name.as_ref()) {
                        return Some(i);
                    }
                }
                _ => {}
            }
            if depth.open == 0 && !depth.in_string {
                return None;
            }
        }
        None
    }
}

/// How deep a byte is nested.
#[derive(Default)]
struct Depth {
    open: usize,
    in_string: bool,
    escaped: bool,
}

impl Depth {
    fn take(&mut self, b: u8) {
        if self.in_string {
            match b {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match b {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.open += 1,
            b'}' | b']' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
    }
}

/// The values of such a file as lines of JSON.
pub(in crate::formats) struct Values {
    source: Source,
    chunk: Vec<u8>,
    ready: VecDeque<u8>,
    /// Bytes to pass over.
    skip: usize,
    /// Whether the rows are in an array.
    array: bool,
    /// Whether a row has begun.
    within: Option<Row>,
    depth: Depth,
    after_line_feed: bool,
    done: bool,
}

/// What kind of value a row is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Nested,
    /// A text alone, which becomes an object with one key.
    Text,
    /// Anything else, up to the comma.
    Bare,
}

impl Values {
    const CHUNK: usize = 64 * 1024;

    pub(in crate::formats) fn new(source: Source, shape: Shape) -> Self {
        let (skip, array) = match shape {
            Shape::Array { at } => (at + 1, true),
            Shape::Sequence => (0, false),
        };
        Self {
            source,
            chunk: vec![0; Self::CHUNK],
            ready: VecDeque::with_capacity(2 * Self::CHUNK),
            skip,
            array,
            within: None,
            depth: Depth::default(),
            after_line_feed: false,
            done: false,
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let n = match self.source.read(&mut self.chunk) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        };
        if n == 0 {
            self.done = true;
            if self.within.is_some() {
                self.ready.push_back(b'\n');
            }
            if self.array {
                self.ready.extend(CUT);
                self.ready.push_back(b'\n');
            }
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.chunk);
        for &b in &chunk[..n] {
            if self.skip > 0 {
                self.skip -= 1;
            } else if !self.done {
                self.take(b);
            }
        }
        self.chunk = chunk;
        Ok(())
    }

    fn take(&mut self, b: u8) {
        match self.within {
            None => match b {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b',' if self.array => {}
                b']' if self.array => self.done = true,
                b'{' | b'[' => {
                    self.depth = Depth { open: 1, ..Depth::default() };
                    self.within = Some(Row::Nested);
                    self.ready.push_back(b);
                }
                b'"' if self.array => {
                    self.depth = Depth { in_string: true, ..Depth::default() };
                    self.within = Some(Row::Text);
                    self.ready.extend(b"{\"text\":\"");
                }
                _ => {
                    self.within = Some(Row::Bare);
                    self.ready.push_back(b);
                }
            },
            Some(Row::Bare) => match b {
                b',' | b']' if self.array => {
                    self.end_row();
                    self.done = b == b']';
                }
                b'\n' if !self.array => self.end_row(),
                b'\n' | b'\r' => {}
                _ => self.ready.push_back(b),
            },
            Some(kind) => {
                let was_string = self.depth.in_string;
                self.depth.take(b);
                match b {
                    // No string of JSON has one: the row is refused, and the next begins where it should.
                    b'\n' | b'\r' if was_string => self.ready.push_back(0x1F),
                    b'\n' | b'\r' => self.after_line_feed = true,
                    // Only what indents a line goes.
                    b' ' | b'\t' if !was_string && self.after_line_feed => {}
                    _ => {
                        self.after_line_feed = false;
                        self.ready.push_back(b);
                    }
                }
                if self.depth.open == 0 && !self.depth.in_string {
                    if kind == Row::Text {
                        self.ready.push_back(b'}');
                    }
                    self.end_row();
                }
            }
        }
    }

    fn end_row(&mut self) {
        self.within = None;
        self.after_line_feed = false;
        self.ready.push_back(b'\n');
    }
}

impl Read for Values {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !self.done && !buf.is_empty() {
            self.read_more()?;
        }
        self.ready.read(buf)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Option<Shape> {
        shape(text.as_bytes(), true, "json", &ReadOptions::default())
    }

    fn lines(text: &str) -> String {
        let source = Box::new(io::Cursor::new(text.as_bytes().to_vec()));
        let mut out = String::new();
        Values::new(source, found(text).unwrap()).read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn arrays_wrapped_arrays_and_objects_over_several_lines_are_told_apart() {
        assert_eq!(found("[{\"a\":1}]"), Some(Shape::Array { at: 0 }));
        assert_eq!(found("[\n \"a\"]"), Some(Shape::Array { at: 0 }));
        assert_eq!(found("{\"v\":[1],\"data\":[{\"a\":1}]}"), Some(Shape::Array { at: 16 }));
        assert_eq!(found("{\n \"v\":1,\n \"rows\": [\n  {\"a\":1}]\n}"), Some(Shape::Array { at: 19 }));
        assert_eq!(found("{\n\"a\":1\n}\n{\n\"a\":2\n}"), Some(Shape::Sequence));
        for lines in [
            "{\"a\":1}\n{\"a\":[{\"b\":1}]}\n",
            "{\"text\":\"a\",\"entities\":[{\"b\":1}]}",
            "{\"messages\":[{\"role\":\"user\"}]}",
            "[\"a\"]\n[\"b\"]",
            "[Intro] la la",
            "{\"a\":1,}\n{\"a\":2}\n",
        ] {
            assert_eq!(found(lines), None, "{lines}");
        }
    }

    #[test]
    fn each_value_becomes_a_line_as_it_was_written() {
        assert_eq!(
            lines("[ {\"a\": 1.50,\n   \"b\": [1, 2]} , {\"c\": \"x\\\"]\"} ]"),
            "{\"a\": 1.50,\"b\": [1, 2]}\n{\"c\": \"x\\\"]\"}\n"
        );
        assert_eq!(lines("[\"a\", \"b, c\"]"), "{\"text\":\"a\"}\n{\"text\":\"b, c\"}\n");
        assert_eq!(lines("{\"x\":[{\"a\":1},{\"a\":2}],\"y\":3}"), "{\"a\":1}\n{\"a\":2}\n");
        assert_eq!(lines("{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n"), "{\"a\": 1}\n{\"a\": 2}\n");
        assert_eq!(lines("[{\"a\":1}, 7, null]"), "{\"a\":1}\n7\nnull\n");
    }

    #[test]
    fn a_file_that_was_cut_off_says_so() {
        assert_eq!(lines("[{\"a\":1}, {\"a\":"), "{\"a\":1}\n{\"a\":\n]\n");
        assert_eq!(lines("[{\"a\":1},"), "{\"a\":1}\n]\n");
    }

    proptest! {
        #[test]
        fn any_array_of_objects_comes_out_value_by_value(
            rows in prop::collection::vec(prop::collection::btree_map(".{0,6}", ".{0,12}", 1..4), 1..6),
            pretty in any::<bool>(),
            wrapped in any::<bool>(),
        ) {
            let value = serde_json::to_value(&rows).unwrap();
            let value = if wrapped { serde_json::json!({ "n": 1, "rows": value }) } else { value };
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let out = lines(&text.unwrap());
            let back: Vec<std::collections::BTreeMap<String, String>> =
                out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            prop_assert_eq!(back, rows);
        }
    }
}
