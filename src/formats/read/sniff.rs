//! What a file is: its shape, delimiter, header and columns, decided from its beginning and said in one line.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use crate::domain::fault::{Fault, Result};

use super::columns;
use super::encoding::Choice;
use super::found::{Found, Shape};
use super::jsonl;
use super::options::delimiter_byte;
use super::shown::{columns_shown, shown};
use super::split::Split;
use crate::domain::read_options::ReadOptions;

/// The beginning of a file, in UTF-8 as far as it is valid.
pub(in crate::formats) struct Sample<'a> {
    pub(in crate::formats) text: &'a [u8],
    /// Whether it is the whole file.
    pub(in crate::formats) whole: bool,
    /// The file's name, for its extension and for messages.
    pub(in crate::formats) name: &'a str,
    pub(in crate::formats) encoding: Choice,
}

/// A sample as a table.
struct Table {
    shape: Shape,
    header: bool,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Finds out what a file is. What the options say goes before what the file looks like.
///
/// # Errors
/// A usage fault for a file without rows, a JSON array, an unknown column, or when the text column is not
/// clear.
pub(in crate::formats) fn sniff(sample: &Sample<'_>, options: &ReadOptions) -> Result<Found> {
    let file = sample.name;
    let table = sample.table(options)?;
    let columns = table.columns;
    let find = |said: &String| columns::find(&columns, said, file);
    let gold = options.gold.as_ref().map(find).transpose()?;
    let id = match &options.id {
        Some(said) => Some(find(said)?),
        None => columns::id(&columns),
    };
    let meta = options.meta.iter().map(find).collect::<Result<Vec<_>>>()?;
    let text = if options.text.is_empty() {
        let taken: Vec<usize> = gold.iter().chain(&id).chain(&meta).copied().collect();
        vec![columns::text(&columns, columns::enough(&table.rows, columns.len()), &taken, file)?]
    } else {
        options.text.iter().map(find).collect::<Result<Vec<_>>>()?
    };
    Ok(Found {
        shape: table.shape,
        encoding: sample.encoding.encoding.name().to_owned(),
        byte_order_mark: sample.encoding.mark > 0,
        header: table.header,
        columns,
        text,
        id,
        gold,
        meta,
    })
}

/// What the name of a file says of its shape.
enum Hint {
    Delimited(&'static [u8]),
    Jsonl,
    Text,
    None,
}

impl Sample<'_> {
    fn hint(&self) -> Hint {
        let extension = self.name.rsplit_once('.').map(|(_, e)| e.to_lowercase()).unwrap_or_default();
        match extension.as_str() {
            "csv" => Hint::Delimited(b",;\t|"),
            "tsv" | "tab" => Hint::Delimited(b"\t"),
            "jsonl" | "ndjson" | "json" => Hint::Jsonl,
            "txt" | "text" => Hint::Text,
            _ => Hint::None,
        }
    }

    fn fault(&self, why: impl Into<String>) -> Fault {
        Fault::usage(format!("read {}", self.name), why)
    }

    fn table(&self, options: &ReadOptions) -> Result<Table> {
        if self.text.is_empty() {
            return Err(self.fault("it is empty").hint("It needs at least one row with a text"));
        }
        if self.text.trim_ascii().is_empty() {
            return Err(self
                .fault("it holds white space only")
                .hint("It needs at least one row with a text"));
        }
        let mut ends = self.text.iter().enumerate().filter(|(_, b)| matches!(**b, b'\n' | b'\r'));
        if let Some((at, b'\r')) = ends.next()
            && at + 1 < self.text.len()
            && ends.all(|(_, b)| *b == b'\r')
        {
            let hint = "Convert it first: tr '\\r' '\\n' < OLD > NEW";
            return Err(self.fault("its lines end in bare carriage returns").hint(hint));
        }
        let split = |delimiter: u8| Split::at(delimiter, self.text, self.whole, options);
        if let Some(delimiter) = delimiter_byte(options)? {
            return self.delimited(split(delimiter), options);
        }
        match self.hint() {
            Hint::Jsonl => self.jsonl(),
            Hint::Delimited(candidates) => {
                let mut splits: Vec<Split> = candidates.iter().map(|d| split(*d)).collect();
                let first = splits.swap_remove(0);
                // The first candidate stands unless another one splits the rows more evenly.
                let best = splits
                    .into_iter()
                    .fold(first, |best, other| if other.beats(&best) { other } else { best });
                self.delimited(best, options)
            }
            Hint::Text => match split(b'\t') {
                split if split.is_even() => self.delimited(split, options),
                _ => Ok(self.lines()),
            },
            Hint::None if self.text.trim_ascii_start().starts_with(b"{") => self.jsonl(),
            Hint::None if self.is_json_array() => Err(self.json_array()),
            Hint::None => {
                let told = !options.text.is_empty() || options.header.is_some();
                let splits = [b'\t', b',', b';', b'|'].map(split);
                // Prose has commas too: without a header only tabs are taken for delimiters.
                let clear =
                    |s: &Split| s.is_even() && (s.delimiter == b'\t' || told || s.has_header(options));
                match splits.into_iter().find(clear) {
                    Some(split) => self.delimited(split, options),
                    None => Ok(self.lines()),
                }
            }
        }
    }

    fn lines(&self) -> Table {
        Table { shape: Shape::Lines, header: false, columns: vec!["text".into()], rows: Vec::new() }
    }

    fn delimited(&self, split: Split, options: &ReadOptions) -> Result<Table> {
        let header = split.has_header(options);
        let Split { delimiter, quotes, mut records, width, .. } = split;
        let columns = if header {
            if let Some(cell) = records[0].iter().find(|cell| cell.contains(char::REPLACEMENT_CHARACTER)) {
                let why = format!(
                    "the column name '{}' on line 1 is not {}",
                    shown(cell),
                    self.encoding.encoding.name()
                );
                return Err(self.fault(why).hint("Add --encoding, for instance --encoding windows-1252"));
            }
            let columns = columns::names(Some(&records[0]), records[0].len());
            records.remove(0);
            if records.is_empty() && self.whole {
                return Err(self
                    .fault(format!("it has a header ({}) and no row", columns_shown(&columns)))
                    .hint("If that is a row, add --no-header"));
            }
            columns
        } else {
            columns::names(None, width)
        };
        Ok(Table { shape: Shape::Delimited { delimiter, quotes }, header, columns, rows: records })
    }

    fn jsonl(&self) -> Result<Table> {
        let text = String::from_utf8_lossy(self.text);
        let (mut columns, mut objects, mut first_wrong) = (Vec::<String>::new(), Vec::new(), None);
        let mut known = HashSet::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match jsonl::object(line) {
                Ok(entries) => {
                    for (name, _) in &entries {
                        if known.insert(name.clone()) {
                            columns.push(name.clone());
                        }
                    }
                    objects.push(entries);
                }
                Err(why) => first_wrong = first_wrong.or(Some(why)),
            }
        }
        if columns.is_empty() {
            if self.is_json_array() {
                return Err(self.json_array());
            }
            let why = first_wrong.map_or("its objects have no keys".into(), |why| format!("line 1: {why}"));
            return Err(self.fault(why).hint("JSONL has one object on each line; jq -c . FILE writes it so"));
        }
        // Objects that have no key in common would make a table of their number squared.
        let rows = columns::enough(&objects, columns.len())
            .iter()
            .map(|entries| {
                let cells: HashMap<&str, &RawValue> =
                    entries.iter().map(|(name, v)| (name.as_str(), &**v)).collect();
                let plain = |name: &String| jsonl::plain(cells.get(name.as_str())?).ok().flatten();
                columns.iter().map(|name| plain(name).unwrap_or_default()).collect()
            })
            .collect();
        Ok(Table { shape: Shape::Jsonl, header: false, columns, rows })
    }

    /// `[` and then something that an array can hold; `[Intro] la la la` is a text.
    fn is_json_array(&self) -> bool {
        let Some(rest) = self.text.trim_ascii_start().strip_prefix(b"[") else {
            return false;
        };
        matches!(rest.trim_ascii_start(), [b'{' | b'[' | b'"', ..])
    }

    fn json_array(&self) -> Fault {
        self.fault("it is one JSON array, and one object on each line is needed")
            .hint("Convert it: jq -c '.[]' FILE > FILE.jsonl")
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_8;

    use super::*;

    fn sniffed(name: &str, text: &str, options: &ReadOptions) -> Result<Found> {
        let encoding = Choice { encoding: UTF_8, mark: 0 };
        sniff(&Sample { text: text.as_bytes(), whole: true, name, encoding }, options)
    }

    fn said(name: &str, text: &str) -> String {
        match sniffed(name, text, &ReadOptions::default()) {
            Ok(found) => found.to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn the_delimiter_is_the_one_that_splits_evenly() {
        let semicolons = "id;text\n1;\"Well, a; b\"\n2;no, not, at, all\n";
        assert_eq!(
            said("a.csv", semicolons),
            "CSV with ';', header, UTF-8, text in 'text' (column 2 of 2), id in 'id'"
        );
        assert_eq!(
            said("-", "ham\tOk, you\nspam\tWin, now, and, here\n"),
            "TSV, no header, UTF-8, text in column 2 of 2"
        );
        assert_eq!(
            said("a.csv", "text\nHello there\nHi you\n"),
            "CSV, header, UTF-8, text in 'text' (column 1 of 1)"
        );
        assert_eq!(
            said("-", "id|text\n1|a b\n2|c d\n"),
            "CSV with '|', header, UTF-8, text in 'text' (column 2 of 2), id in 'id'"
        );
    }

    #[test]
    fn prose_with_commas_is_lines() {
        let prose = "Hello, world\nWell, then\nYes, please\n";
        assert_eq!(said("-", prose), "plain lines, UTF-8, a text on each line");
        assert_eq!(said("a.txt", "id,text\n1,a\n"), "plain lines, UTF-8, a text on each line");
        let options =
            ReadOptions { delimiter: Some(",".into()), text: vec!["2".into()], ..ReadOptions::default() };
        assert_eq!(
            sniffed("a.txt", prose, &options).unwrap().to_string(),
            "CSV, no header, UTF-8, text in column 2 of 2"
        );
    }

    #[test]
    fn a_quote_in_tsv_encloses_only_where_every_opened_one_closes() {
        let stray = "ham\t\"Gimme a few\" was a while ago\nham\t\"Hi you\nham\the said \"no\"\n";
        assert!(said("a.tsv", stray).starts_with("TSV, no header"));
        let enclosed = "id\ttext\n1\t\"a\tb\"\n2\t\"two\nlines\"\n";
        assert!(
            said("a.tsv", enclosed).starts_with("TSV with quoted cells, header"),
            "{}",
            said("a.tsv", enclosed)
        );
        let swallowing = "ham\t\"Hi you\nspam\tWin a car\nham\the said no\"\n";
        assert!(said("a.tsv", swallowing).starts_with("TSV, no header"));
        let options = ReadOptions { quotes: Some(false), ..ReadOptions::default() };
        let found = sniffed("a.tsv", "ham\t\"a b\"\n", &options).unwrap();
        assert_eq!(found.shape, Shape::Delimited { delimiter: b'\t', quotes: false });
    }

    #[test]
    fn jsonl_columns_are_the_keys_of_the_first_rows() {
        let text = "{\"id\":1,\"body\":\"hello you\"}\n\n{\"body\":\"b\",\"tags\":[\"x y\"]}\n";
        assert_eq!(said("-", text), "JSONL, UTF-8, text in 'body', id in 'id'");
        assert_eq!(
            sniffed("a.jsonl", text, &ReadOptions::default()).unwrap().columns,
            ["id", "body", "tags"]
        );
    }

    #[test]
    fn objects_without_a_key_in_common_are_judged_by_the_first_of_them() {
        let text: String = (0..20_000).map(|i| format!("{{\"k{i}\":1}}\n")).collect();
        assert!(said("a.jsonl", &text).contains("no column looks like text"));
        let text: String = (0..20_000).map(|i| format!("{{\"text\":\"a b\",\"k{i}\":1}}\n")).collect();
        assert_eq!(said("a.jsonl", &text), "JSONL, UTF-8, text in 'text'");
    }

    #[test]
    fn what_holds_no_rows_is_refused_in_one_sentence() {
        assert!(said("a.csv", "").starts_with("cannot read a.csv: it is empty."));
        assert!(said("a.csv", "\n \n").contains("white space only"));
        assert!(said("a.csv", "id,text\n").contains("a header (1 'id', 2 'text') and no row"));
        assert!(said("a.json", "[\n {\"text\":\"a\"}]").contains("jq -c '.[]'"));
        assert!(said("-", "[{\"text\":\"a\"}]").contains("jq -c '.[]'"));
        assert!(said("a.json", "{\n \"text\":\"a\"\n}").contains("line 1: it is not a JSON object"));
        assert!(said("a.jsonl", "\"a\"\n\"b\"\n").contains("it is a JSON string"));
        assert!(said("a.csv", "id,text\r1,a\r2,b\r").contains("carriage returns"));
    }

    #[test]
    fn options_go_before_guesses() {
        let text = "a,b\n1,x y\n2,z z\n";
        let options =
            ReadOptions { header: Some(false), text: vec!["2".into(), "1".into()], ..ReadOptions::default() };
        let found = sniffed("a.csv", text, &options).unwrap();
        assert_eq!(found.to_string(), "CSV, no header, UTF-8, text in column 2 + column 1 of 2");
        let options = ReadOptions { gold: Some("nope".into()), ..ReadOptions::default() };
        assert!(
            sniffed("a.csv", text, &options)
                .unwrap_err()
                .to_string()
                .contains("The columns are 1 'a', 2 'b'")
        );
    }

    #[test]
    fn what_was_found_survives_the_file_it_is_kept_in() {
        let found = sniffed("a.csv", "id,text\n1,a\n", &ReadOptions::default()).unwrap();
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Found>(&json).unwrap(), found);
    }
}
