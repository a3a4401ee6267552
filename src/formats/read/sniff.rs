//! Which format and which columns a file has, judging by its beginning and by the options.

use super::columns;
use super::detected::{Detected, LABEL, Layout, PREDICTION, Tool};
use super::encoding::Source;
use super::excerpt::list_columns;
use super::format::{InputFormat, Recognised, Records, Sample};
use super::path;
use crate::domain::fault::Result;
use crate::domain::read_options::ReadOptions;

/// Begins to read a file from its start.
pub(super) type Open = Box<dyn FnOnce(Source) -> Box<dyn Records> + Send>;

/// Detects how a file is read. Options win over what the file looks like.
///
/// # Errors
/// A usage fault for a file without rows, one in a format that cannot be read, an unknown column, or a text column that is not clear.
pub(super) fn sniff(
    formats: &[&InputFormat],
    sample: &Sample<'_>,
    options: &ReadOptions,
) -> Result<(Detected, Open)> {
    let file = sample.name;
    refuse_without_rows(sample)?;
    let recognised = recognise(formats, sample, options)?;
    let Recognised { format, layout, header, mut columns, rows, tool, tool_text, nested, open } = recognised;
    let keys = columns.len();
    let known = Known { layout, tool, nested: &nested, file };
    let mut find = |given: &String| known.find(&mut columns, given);
    let gold = options.gold.as_ref().map(&mut find).transpose()?;
    let labels = options.labels.as_ref().map(&mut find).transpose()?;
    let labelled_at = options.labelled_at.as_ref().map(&mut find).transpose()?;
    let id = options.id.as_ref().map(&mut find).transpose()?;
    let meta = options.meta.iter().map(&mut find).collect::<Result<Vec<_>>>()?;
    let asked = match &tool_text {
        Some(path) if options.text.is_empty() => std::slice::from_ref(path),
        _ => options.text.as_slice(),
    };
    let mut text = asked.iter().map(&mut find).collect::<Result<Vec<_>>>()?;
    let id = id.or_else(|| {
        if options.id.is_none() && !options.has_no_id { columns::id(&columns[..keys]) } else { None }
    });
    if text.is_empty() {
        let taken: Vec<usize> =
            gold.iter().chain(&labels).chain(&labelled_at).chain(&id).chain(&meta).copied().collect();
        let found = columns::text(&columns[..keys], columns::enough(&rows, keys), &taken, file);
        text = vec![match (found, only_text(&nested)) {
            (Ok(column), _) => column,
            (Err(_), Some(path)) => known.find(&mut columns, path)?,
            (Err(fault), None) => return Err(fault),
        }];
    }
    let detected = Detected {
        format: tool.map_or(format.clone(), |tool| format!("{format} of {}", tool.name())),
        layout,
        encoding: sample.encoding.encoding.name().to_owned(),
        byte_order_mark: sample.encoding.mark > 0,
        header,
        paths: (keys..columns.len()).collect(),
        columns,
        text,
        id,
        gold,
        labels,
        labelled_at,
        meta,
        tool,
    };
    Ok((detected, open))
}

/// What is known of a file when a column of it is asked for.
struct Known<'a> {
    layout: Layout,
    tool: Option<Tool>,
    /// Paths of strings in its nested values.
    nested: &'a [String],
    file: &'a str,
}

impl Known<'_> {
    /// The column that is meant, which may be a path into nested values or what a program keeps in a form of its own.
    fn find(&self, columns: &mut Vec<String>, given: &str) -> Result<usize> {
        columns::find(columns, given, self.file).or_else(|fault| {
            let own = self.tool.is_some() && [LABEL, PREDICTION].contains(&given);
            if self.layout == Layout::Keys && (own || path::leads_below(columns, given)) {
                columns.push(given.to_owned());
                return Ok(columns.len() - 1);
            }
            Err(match self.nested {
                [] => fault,
                several => {
                    let listed = [columns.as_slice(), several].concat();
                    fault.hint(format!("The columns are {}", list_columns(&listed)))
                }
            })
        })
    }
}

/// The one nested value with a usual name of a text.
fn only_text(nested: &[String]) -> Option<&String> {
    let is_text = |path: &&String| path.rsplit('.').next().is_some_and(columns::is_text_name);
    let mut texts = nested.iter().filter(is_text);
    texts.next().filter(|_| texts.next().is_none())
}

fn refuse_without_rows(sample: &Sample<'_>) -> Result<()> {
    const NEEDS: &str = "It needs at least one row with a text";
    if sample.text.is_empty() {
        return Err(sample.fault("it is empty").hint(NEEDS));
    }
    if sample.text.trim_ascii().is_empty() {
        return Err(sample.fault("it contains only white space").hint(NEEDS));
    }
    Ok(())
}

/// The file in the format that an option or its extension chooses, else in the first format that recognises it. The last format takes what
/// the chosen one declines.
fn recognise(formats: &[&InputFormat], sample: &Sample<'_>, options: &ReadOptions) -> Result<Recognised> {
    let extension = sample.extension();
    let by_option = || formats.iter().find(|format| (format.chosen_by)(options));
    let by_extension = || formats.iter().find(|format| format.extensions.contains(&extension.as_str()));
    let by_beginning = || formats.iter().find(|format| (format.unmistakable)(sample));
    let tried = match by_option().or_else(by_beginning).or_else(by_extension) {
        Some(chosen) => vec![*chosen],
        None => formats.to_vec(),
    };
    for format in tried.iter().chain(formats.last()) {
        if let Some(recognised) = (format.recognise)(sample, options)? {
            return Ok(recognised);
        }
    }
    Err(sample.fault("it is in no format that can be read"))
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_8;

    use super::super::INPUT_FORMATS;
    use super::super::encoding::Choice;
    use super::*;

    fn sniffed(name: &str, text: &str, options: &ReadOptions) -> Result<Detected> {
        let encoding = Choice { encoding: UTF_8, mark: 0 };
        let sample = Sample { text: text.as_bytes(), whole: true, name, encoding };
        sniff(INPUT_FORMATS, &sample, options).map(|(detected, _)| detected)
    }

    fn described(name: &str, text: &str) -> String {
        match sniffed(name, text, &ReadOptions::default()) {
            Ok(detected) => detected.to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn the_delimiter_is_the_one_that_splits_evenly() {
        let semicolons = "id;text\n1;\"Well, a; b\"\n2;no, not, at, all\n";
        assert_eq!(
            described("a.csv", semicolons),
            "CSV with ';', header, UTF-8, text in 'text' (column 2 of 2), id in 'id'"
        );
        assert_eq!(
            described("-", "ham\tOk, you\nspam\tWin, now, and, here\n"),
            "TSV, no header, UTF-8, text in column 2 of 2"
        );
        assert_eq!(
            described("a.csv", "text\nHello there\nHi you\n"),
            "CSV, header, UTF-8, text in 'text' (column 1 of 1)"
        );
        assert_eq!(
            described("-", "id|text\n1|a b\n2|c d\n"),
            "CSV with '|', header, UTF-8, text in 'text' (column 2 of 2), id in 'id'"
        );
    }

    #[test]
    fn prose_with_commas_is_lines() {
        let prose = "Hello, world\nWell, then\nYes, please\n";
        assert_eq!(described("-", prose), "plain lines, UTF-8, a text on each line");
        assert_eq!(described("a.txt", "id,text\n1,a\n"), "plain lines, UTF-8, a text on each line");
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
        assert!(described("a.tsv", stray).starts_with("TSV, no header"));
        let enclosed = "id\ttext\n1\t\"a\tb\"\n2\t\"two\nlines\"\n";
        assert!(
            described("a.tsv", enclosed).starts_with("TSV with quoted cells, header"),
            "{}",
            described("a.tsv", enclosed)
        );
        let swallowing = "ham\t\"Hi you\nspam\tWin a car\nham\the said no\"\n";
        assert!(described("a.tsv", swallowing).starts_with("TSV, no header"));
        let options = ReadOptions { quotes: Some(false), ..ReadOptions::default() };
        let detected = sniffed("a.tsv", "ham\t\"a b\"\n", &options).unwrap();
        assert_eq!(detected.format, "TSV", "and not with quoted cells");
    }

    #[test]
    fn jsonl_columns_are_the_keys_of_the_first_rows() {
        let text = "{\"id\":1,\"body\":\"hello you\"}\n\n{\"body\":\"b\",\"tags\":[\"x y\"]}\n";
        assert_eq!(described("-", text), "JSONL, UTF-8, text in 'body', id in 'id'");
        assert_eq!(
            sniffed("a.jsonl", text, &ReadOptions::default()).unwrap().columns,
            ["id", "body", "tags"]
        );
    }

    #[test]
    fn objects_without_a_key_in_common_are_judged_by_the_first_of_them() {
        let text: String = (0..20_000).map(|i| format!("{{\"k{i}\":1}}\n")).collect();
        assert!(described("a.jsonl", &text).contains("no column looks like text"));
        let text: String = (0..20_000).map(|i| format!("{{\"text\":\"a b\",\"k{i}\":1}}\n")).collect();
        assert_eq!(described("a.jsonl", &text), "JSONL, UTF-8, text in 'text'");
    }

    #[test]
    fn what_holds_no_rows_is_refused_in_one_sentence() {
        assert!(described("a.csv", "").starts_with("cannot read a.csv: it is empty."));
        assert!(described("a.csv", "\n \n").contains("only white space"));
        assert!(described("a.csv", "id,text\n").contains("a header (1 'id', 2 'text') and no row"));
        assert!(described("a.jsonl", "[1]\n[2]\n").contains("it is a JSON array instead of an object"));
        assert!(described("-", "[[\"text\"],[\"a\"]]").contains("it has JSON arrays instead of objects"));
        assert!(described("a.jsonl", "{\"text\":\"a\"").contains("line 1: it is not a JSON object"));
        assert!(described("a.jsonl", "\"a\"\n\"b\"\n").contains("it is a JSON string"));
    }

    #[test]
    fn options_go_before_guesses() {
        let text = "a,b\n1,x y\n2,z z\n";
        let options =
            ReadOptions { header: Some(false), text: vec!["2".into(), "1".into()], ..ReadOptions::default() };
        let detected = sniffed("a.csv", text, &options).unwrap();
        assert_eq!(detected.to_string(), "CSV, no header, UTF-8, text in column 2 + column 1 of 2");
        let options = ReadOptions { gold: Some("nope".into()), ..ReadOptions::default() };
        assert!(
            sniffed("a.csv", text, &options)
                .unwrap_err()
                .to_string()
                .contains("The columns are 1 'a', 2 'b'")
        );
    }

    #[test]
    fn what_was_detected_survives_the_file_it_is_kept_in() {
        let detected = sniffed("a.csv", "id,text\n1,a\n", &ReadOptions::default()).unwrap();
        let json = serde_json::to_string(&detected).unwrap();
        assert_eq!(serde_json::from_str::<Detected>(&json).unwrap(), detected);
    }
}
