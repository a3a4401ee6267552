//! Files of text that are no rows of texts: markup, settings, and labels of single words. Each is refused by name, with a way out.

use super::format::Sample;
use crate::domain::fault::Result;
use crate::domain::read_options::ReadOptions;

const EXTRACT: &str = "Extract its texts to CSV or JSONL first; --format-in lines takes each line for a text";
const SPANS: &str =
    "hardcase labels whole texts: put the words of each text together in one row of CSV or JSONL first";

/// Refuses a file that would be taken for lines or cells and is neither.
///
/// # Errors
/// A usage fault that says what the file is.
pub(in crate::formats) fn refuse_other_text(sample: &Sample<'_>, options: &ReadOptions) -> Result<()> {
    if options.format.is_some() {
        return Ok(());
    }
    match recognise(sample) {
        Some((what, hint)) => Err(sample.fault(what).hint(hint)),
        None => Ok(()),
    }
}

fn recognise(sample: &Sample<'_>) -> Option<(&'static str, &'static str)> {
    let extension = sample.extension();
    let start = sample.text.trim_ascii_start();
    let begins =
        |with: &str| start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    Some(match extension.as_str() {
        _ if begins("<!doctype html") || begins("<html") => ("it is a web page (HTML)", EXTRACT),
        _ if begins("<?xml") => ("it is XML", EXTRACT),
        "html" | "htm" | "xhtml" => ("it is a web page (HTML)", EXTRACT),
        "xml" | "tei" | "xmi" => ("it is XML", EXTRACT),
        "yaml" | "yml" => ("it is YAML", EXTRACT),
        "toml" => ("it is TOML", "A task is set with `hardcase task PROJECT --set TASK.toml`"),
        "spacy" => ("it is spaCy's binary format", "Write it as JSONL with the keys 'text' and 'cats' first"),
        "ann" => ("it has labels of words inside texts (brat)", SPANS),
        "conll" | "conllu" | "iob" | "iob2" | "bio" => ("it has a word on each line (CoNLL)", SPANS),
        _ if is_conll(sample.text) => ("it has a word with its tag on each line (CoNLL)", SPANS),
        _ => return None,
    })
}

/// Lines of a word and its tags, the last of which begins, continues or leaves a name, and blank lines between sentences.
fn is_conll(text: &[u8]) -> bool {
    const LEAST: usize = 6;
    let (mut words, mut tagged, mut names, mut gaps) = (0usize, 0usize, 0usize, 0usize);
    for line in text.split(|b| *b == b'\n').take(2_000) {
        let line = line.trim_ascii();
        if line.is_empty() {
            gaps += 1;
            continue;
        }
        words += 1;
        let mut cells = line.split(|b| matches!(b, b' ' | b'\t')).filter(|cell| !cell.is_empty());
        let (several, last) = (cells.clone().nth(1).is_some(), cells.next_back().unwrap_or_default());
        let name = matches!(last, [b'B' | b'I' | b'E' | b'S' | b'L' | b'U', b'-', _, ..]);
        names += usize::from(several && name);
        tagged += usize::from(several && (name || last == b"O"));
    }
    words >= LEAST && names > 0 && gaps > 0 && tagged * 20 >= words * 19
}

#[cfg(test)]
mod tests {
    use encoding_rs::UTF_8;

    use super::super::encoding::Choice;
    use super::*;

    fn refusal(name: &str, text: &str) -> String {
        let encoding = Choice { encoding: UTF_8, mark: 0 };
        let sample = Sample { text: text.as_bytes(), whole: true, name, encoding };
        refuse_other_text(&sample, &ReadOptions::default()).err().map(|f| f.to_string()).unwrap_or_default()
    }

    #[test]
    fn markup_and_files_of_words_are_named() {
        let conll = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\nGerman JJ B-MISC\ncall NN O\n. . O\n\nPeter NNP B-PER\n";
        for (name, text, what) in [
            ("a.html", "<p>hi", "HTML"),
            ("-", "<!DOCTYPE html>\n<p>", "HTML"),
            ("a.txt", "<?xml version='1.0'?>\n<a/>", "XML"),
            ("a.yaml", "- a\n- b\n", "YAML"),
            ("a.ann", "T1\tPerson 0 4\tAnna\n", "brat"),
            ("a.txt", conll, "CoNLL"),
            ("a.tsv", &conll.replace(' ', "\t"), "CoNLL"),
        ] {
            assert!(refusal(name, text).contains(what), "{name}: {}", refusal(name, text));
        }
        for (name, text) in [
            ("a.txt", "<3 you all\nso much\n"),
            ("-", "one word O\nor two\n\nmore\n"),
            ("a.csv", "id,text\n1,B-52 is great\n"),
        ] {
            assert_eq!(refusal(name, text), "", "{name}");
        }
    }
}
