//! The search line of the list of texts: `label:spam round:2 the rest is searched in the text`.

use std::fmt;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::domain::sought::Sought;

/// The filters, each with its value.
const FILTERS: &str = "label:NAME, label:none, label:any, flagged, skipped, suspect, round:N, source:FILE, meta:COLUMN=VALUE, regex:PATTERN, id:YOUR-ID, prelabel:NAME";

/// A compiled regular expression has at most so many bytes.
const MOST_BYTES: usize = 1 << 20;

/// Which items to find: those that contain the text and match every filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// A part of the text, ignoring case; empty for every text.
    pub text: String,
    pub filters: Vec<Filter>,
}

/// One condition on an item. Filters on labels are about this expert's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    Label(String),
    Unlabelled,
    Labelled,
    Skipped,
    /// Flagged for a second look.
    Flagged,
    /// The answer is a label issue: it may be wrong.
    Suspect,
    /// A case of the round with this number.
    Round(i64),
    /// A row of the import with this name.
    Source(String),
    /// A row with this value in a metadata column.
    Meta {
        column: String,
        value: String,
    },
    /// A regular expression that the text matches somewhere, ignoring case.
    Pattern(String),
    /// The id that a file gave it.
    Id(String),
    /// The model's label, for items whose prelabel this expert has seen after answering.
    Prelabel(String),
}

/// A part of the line between blanks; text in double quotes is taken literally.
struct Word {
    /// What is before the first colon outside quotes.
    name: Option<String>,
    rest: String,
    /// Whether any of `rest` was in quotes.
    quoted: bool,
}

impl Query {
    /// Parses a line.
    ///
    /// # Errors
    /// One sentence about the filter that is wrong.
    pub fn parse(line: &str) -> Result<Self, String> {
        let mut query = Self::default();
        let mut texts: Vec<String> = Vec::new();
        for word in words(line) {
            let Word { name, rest, quoted } = word;
            match name {
                Some(name) => match Filter::of(&name, &rest, quoted)? {
                    Some(filter) => query.filters.push(filter),
                    None => texts.push(format!("{name}:{rest}")),
                },
                None => match Filter::of_one_word(&rest).filter(|_| !quoted) {
                    Some(filter) => query.filters.push(filter),
                    None => texts.push(rest),
                },
            }
        }
        query.text = texts.join(" ");
        Ok(query)
    }

    /// Whether it matches the whole pool.
    pub fn is_everything(&self) -> bool {
        self.text.is_empty() && self.filters.is_empty()
    }
}

impl Filter {
    /// A filter without a value.
    fn of_one_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "flagged" => Some(Self::Flagged),
            "skipped" => Some(Self::Skipped),
            "suspect" => Some(Self::Suspect),
            _ => None,
        }
    }

    /// A filter, or `None` for a word that only looks like one, such as a time or an address.
    fn of(typed: &str, value: &str, quoted: bool) -> Result<Option<Self>, String> {
        let name = typed.to_ascii_lowercase();
        let name = name.as_str();
        let known = ["label", "round", "source", "meta", "regex", "id", "prelabel"].contains(&name);
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic());
        if !known && (!is_name || value.is_empty() && !quoted || value.starts_with("//")) {
            return Ok(None);
        }
        if !known {
            return Err(format!(
                "There is no filter '{typed}'. The filters are {FILTERS}. To search for this text, put it in quotes: \"{typed}:{value}\""
            ));
        }
        if value.is_empty() {
            return Err(match name {
                "round" => "Add a number after round: as in round:2".into(),
                "source" => "Add a file name after source: as in source:sms.tsv".into(),
                "meta" => "Add a column and a value after meta: as in meta:sender=Bob".into(),
                "regex" => {
                    "Add a regular expression after regex: as in regex:colou?r; in quotes where it has blanks"
                        .into()
                }
                "id" => "Add the id that your file gives the text after id: as in id:M-0051".into(),
                "prelabel" => "Add the name of a label after prelabel:".into(),
                _ => "Add the name of a label, none, or any after label:".into(),
            });
        }
        Ok(Some(match name {
            "label" if value == "none" && !quoted => Self::Unlabelled,
            "label" if value == "any" && !quoted => Self::Labelled,
            "label" => Self::Label(value.into()),
            "prelabel" => Self::Prelabel(value.into()),
            "source" => Self::Source(value.into()),
            "id" => Self::Id(value.into()),
            "regex" => {
                pattern(value)?;
                Self::Pattern(value.into())
            }
            "round" => {
                let number = value.parse().ok().filter(|n| *n >= 0);
                Self::Round(number.ok_or_else(|| {
                    format!("round:{value} is not a round. Give its number; 0 is before the first round")
                })?)
            }
            _ => match value.split_once('=') {
                Some((column, value)) if !column.is_empty() => {
                    Self::Meta { column: column.into(), value: value.into() }
                }
                _ => {
                    return Err(format!("meta:{value} needs a column and a value, as in meta:sender=Bob"));
                }
            },
        }))
    }
}

/// A regular expression as it is searched for: in any case, and of bounded size.
///
/// # Errors
/// One sentence about what is wrong with it.
pub(in crate::desk) fn pattern(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).case_insensitive(true).size_limit(MOST_BYTES).build().map_err(|why| {
        let why = match why {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The last line says what is wrong; those before show where.
            other => {
                let said = other.to_string();
                let last = said.lines().last().unwrap_or_default();
                last.trim_start_matches("error: ").to_owned()
            }
        };
        format!("regex:{pattern} is not a regular expression: {why}")
    })
}

fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut within = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let now = word.get_or_insert_with(|| Word { name: None, rest: String::new(), quoted: false });
        match c {
            // Inside quotes, two quotes stand for one.
            '"' if within && chars.peek() == Some(&'"') => {
                chars.next();
                now.rest.push('"');
            }
            '"' => {
                within = !within;
                now.quoted = true;
            }
            c if c.is_whitespace() && !within => {
                let done = word.take();
                words.extend(done.filter(|w| w.name.is_some() || w.quoted || !w.rest.is_empty()));
            }
            ':' if !within && now.name.is_none() && !now.quoted => {
                now.name = Some(std::mem::take(&mut now.rest));
            }
            c => now.rest.push(c),
        }
    }
    words.extend(word);
    words
}

/// What a query looks for in the text itself, to show where it stands.
pub struct Searched {
    words: Sought,
    patterns: Vec<Regex>,
}

impl Searched {
    pub fn of(query: &Query) -> Self {
        let patterns = query.filters.iter().filter_map(|filter| match filter {
            Filter::Pattern(typed) => pattern(typed).ok(),
            _ => None,
        });
        Self { words: Sought::new(&query.text), patterns: patterns.collect() }
    }

    pub fn is_nothing(&self) -> bool {
        self.words.is_nothing() && self.patterns.is_empty()
    }

    /// The byte ranges of a text that it matches, in order, none in another.
    pub fn places_in(&self, text: &str) -> Vec<Range<usize>> {
        let mut places = self.words.places(text);
        for pattern in &self.patterns {
            places
                .extend(pattern.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()));
        }
        places.sort_by_key(|place| (place.start, place.end));
        let mut end = 0;
        places.retain(|place| {
            let is_new = place.start >= end;
            end = end.max(place.end);
            is_new
        });
        places
    }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(name) => write!(f, "label:{}", Quoted(name)),
            Self::Unlabelled => f.write_str("label:none"),
            Self::Labelled => f.write_str("label:any"),
            Self::Skipped => f.write_str("skipped"),
            Self::Flagged => f.write_str("flagged"),
            Self::Suspect => f.write_str("suspect"),
            Self::Round(number) => write!(f, "round:{number}"),
            Self::Source(name) => write!(f, "source:{}", Quoted(name)),
            Self::Id(id) => write!(f, "id:{}", Quoted(id)),
            Self::Pattern(pattern) => write!(f, "regex:{}", Quoted(pattern)),
            Self::Meta { column, value } => write!(f, "meta:{}", Quoted(&format!("{column}={value}"))),
            Self::Prelabel(name) => write!(f, "prelabel:{}", Quoted(name)),
        }
    }
}

/// The line that parses as this query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.filters.iter().map(Filter::to_string).collect();
        if !self.text.is_empty() {
            parts.push(Quoted(&self.text).to_string());
        }
        f.write_str(&parts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(line: &str) -> Query {
        Query::parse(line).unwrap()
    }

    #[test]
    fn plain_words_are_filters_and_the_rest_is_text() {
        let query = parsed("label:spam  round:2 win source:sms.tsv money meta:sender=Bob=x flagged");
        assert_eq!(query.text, "win money");
        let bob = Filter::Meta { column: "sender".into(), value: "Bob=x".into() };
        let source = Filter::Source("sms.tsv".into());
        assert_eq!(
            query.filters,
            [Filter::Label("spam".into()), Filter::Round(2), source, bob, Filter::Flagged]
        );
        assert_eq!(parsed("suspect").filters, [Filter::Suspect]);
        assert_eq!(parsed("a \"suspect\"").text, "a suspect");
        let loud = parsed("Suspect FLAGGED Label:Spam ROUND:2");
        let quiet = parsed("suspect flagged label:Spam round:2");
        assert_eq!((&loud, loud.filters.len()), (&quiet, 4), "names of filters in any case");
        assert_eq!(parsed("id:M-0051 M-0052").filters, [Filter::Id("M-0051".into())]);
        assert_eq!(parsed("label:none skipped").filters, [Filter::Unlabelled, Filter::Skipped]);
    }

    #[test]
    fn quoted_text_is_taken_literally() {
        assert_eq!(parsed("\"label:spam\" \"flagged\"").text, "label:spam flagged");
        assert_eq!(parsed("label:\"none\"").filters, [Filter::Label("none".into())]);
        assert_eq!(parsed("source:\"my file.csv\" \"half").filters, [Filter::Source("my file.csv".into())]);
    }

    #[test]
    fn times_and_addresses_are_text() {
        for line in ["at 12:30", "https://example.org/x", ":)", "re: hello"] {
            assert_eq!(parsed(line), Query { text: line.into(), filters: vec![] });
        }
    }

    #[test]
    fn an_invalid_filter_is_refused_with_a_sentence() {
        let says = |line: &str| Query::parse(line).unwrap_err();
        assert!(says("lable:spam").starts_with("There is no filter 'lable'. The filters are label:NAME"));
        assert!(says("round:two").contains("is not a round"));
        assert!(says("round:-1").contains("is not a round"));
        assert!(says("meta:sender").contains("meta:sender=Bob"));
        assert!(says("label:").ends_with("after label:"));
        assert_eq!(says("regex:a(b"), "regex:a(b is not a regular expression: unclosed group");
        assert_eq!(
            says("regex:\\pL{1000}{1000}"),
            "regex:\\pL{1000}{1000} is not a regular expression: it is too large"
        );
        assert!(says("regex:").contains("regex:colou?r"));
    }

    #[test]
    fn a_regular_expression_is_a_filter_and_a_subject_line_is_text() {
        assert_eq!(parsed("regex:colou?r win").filters, [Filter::Pattern("colou?r".into())]);
        assert_eq!(parsed("regex:\"two: words\"").filters, [Filter::Pattern("two: words".into())]);
        assert_eq!(parsed("regex hello").text, "regex hello");
        assert!(pattern("colou?r").unwrap().is_match("The COLOR"));
    }

    #[test]
    fn words_and_patterns_are_shown_where_they_stand() {
        let places = |line: &str| Searched::of(&parsed(line)).places_in("Die Miete, die MIETE und 12 Euro");
        assert_eq!(places("miete regex:[0-9]+"), [4..9, 15..20, 25..27]);
        assert_eq!(places("die regex:\"die miete\""), [0..3, 11..14]);
        assert!(places("flagged regex:x*").is_empty());
        assert!(Searched::of(&parsed("label:spam")).is_nothing());
    }

    fn filter() -> impl Strategy<Value = Filter> {
        let name = "[ -~é漢]{1,12}";
        prop_oneof![
            name.prop_map(Filter::Label),
            Just(Filter::Unlabelled),
            Just(Filter::Labelled),
            Just(Filter::Skipped),
            Just(Filter::Flagged),
            Just(Filter::Suspect),
            "[a-c .*+?|é]{0,3}x"
                .prop_filter("one that compiles", |p| pattern(p).is_ok())
                .prop_map(Filter::Pattern),
            (1..i64::MAX).prop_map(Filter::Round),
            name.prop_map(Filter::Source),
            name.prop_map(Filter::Id),
            ("[ -<>-~é]{1,8}", "[ -~é]{0,8}").prop_map(|(column, value)| Filter::Meta { column, value }),
            name.prop_map(Filter::Prelabel),
        ]
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,60}") {
            let _ = Query::parse(&line);
        }

        #[test]
        fn no_line_of_filter_syntax_makes_it_panic(line in "(label|meta|round|source|[:\"= a1]){0,20}") {
            let _ = Query::parse(&line);
        }

        #[test]
        fn a_query_reads_as_itself(text in "[ -~é漢\n]{0,20}", filters in prop::collection::vec(filter(), 0..4)) {
            let query = Query { text, filters };
            prop_assert_eq!(Query::parse(&query.to_string()), Ok(query));
        }
    }
}
