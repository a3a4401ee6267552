//! Conditions on texts: `lang=de and source!=old.csv and length>200 and re:refund`. All must hold.
//!
//! A condition is a name, one of `=`, `!=`, `<`, `<=`, `>`, `>=`, and a value, in quotation marks where it has spaces or the word `and` in it.
//! Names are `source`, `language` (or `lang`), `length` in characters, and every column that is shown with the texts, as `meta:COLUMN` or by its
//! name alone. `re:` takes a pattern that the text must have, `!re:` one that it may not have.

use regex::{Regex, RegexBuilder};

use super::slices::{SliceBy, TextFacts, column_of};

/// The largest compiled pattern, in bytes: a pattern may not take the machine's memory.
const LARGEST: usize = 1 << 20;

/// Conditions that must all hold.
#[derive(Clone, Debug)]
pub struct Conditions {
    all: Vec<Condition>,
    said: String,
}

#[derive(Clone, Debug)]
enum Condition {
    /// A column or another fact is, or is not, this, whatever the case of its letters.
    Is { by: SliceBy, value: String, holds: bool },
    /// The length in characters, or a number in a column.
    Compared { by: SliceBy, order: Order, value: f64 },
    /// A pattern is in the text, or is not.
    Matches { pattern: Regex, holds: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Conditions {
    /// Parses what a person typed.
    ///
    /// # Errors
    /// A clause that says which part is wrong and why.
    pub fn parse(said: &str) -> Result<Self, String> {
        let parts = parts(said)?;
        if parts.is_empty() {
            return Err("there is no condition".into());
        }
        let all = parts.iter().map(|part| condition(part)).collect::<Result<_, _>>()?;
        Ok(Self { all, said: said.trim().to_owned() })
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.said
    }

    /// The columns that are asked about.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter_map(|condition| match condition {
            Condition::Is { by: SliceBy::Meta(column), .. }
            | Condition::Compared { by: SliceBy::Meta(column), .. } => Some(column.as_str()),
            _ => None,
        })
    }

    /// Whether all hold of a text.
    pub fn hold(&self, facts: &TextFacts<'_>) -> bool {
        self.all.iter().all(|condition| condition.holds(facts))
    }
}

impl Condition {
    fn holds(&self, facts: &TextFacts<'_>) -> bool {
        match self {
            Self::Is { by, value, holds } => {
                let is = match by {
                    SliceBy::Meta(column) => column_of(facts, column).unwrap_or_default(),
                    SliceBy::Length => facts.text.chars().count().to_string(),
                    SliceBy::Source | SliceBy::Language => by.slice_of(facts),
                };
                (is.to_lowercase() == value.to_lowercase()) == *holds
            }
            Self::Compared { by, order, value } => {
                let number = match by {
                    SliceBy::Meta(column) => column_of(facts, column).and_then(|cell| cell.parse().ok()),
                    _ => Some(facts.text.chars().count() as f64),
                };
                // What is no number is neither more nor less.
                number.is_some_and(|number: f64| match order {
                    Order::Less => number < *value,
                    Order::AtMost => number <= *value,
                    Order::More => number > *value,
                    Order::AtLeast => number >= *value,
                })
            }
            Self::Matches { pattern, holds } => pattern.is_match(facts.text) == *holds,
        }
    }
}

/// Operators, the longer ones first.
const OPERATORS: [(&str, Option<Order>); 6] = [
    ("!=", None),
    ("<=", Some(Order::AtMost)),
    (">=", Some(Order::AtLeast)),
    ("=", None),
    ("<", Some(Order::Less)),
    (">", Some(Order::More)),
];

fn condition(part: &str) -> Result<Condition, String> {
    for (start, holds) in [("re:", true), ("!re:", false)] {
        if let Some(pattern) = part.strip_prefix(start) {
            let pattern = unquoted(pattern);
            if pattern.is_empty() {
                return Err(format!("'{part}' has no pattern"));
            }
            let compiled = RegexBuilder::new(pattern).case_insensitive(true).size_limit(LARGEST).build();
            return match compiled {
                Ok(pattern) => Ok(Condition::Matches { pattern, holds }),
                Err(regex::Error::CompiledTooBig(_)) => Err(format!("the pattern '{pattern}' is too large")),
                Err(_) => Err(format!("'{pattern}' is not a pattern")),
            };
        }
    }
    let found = OPERATORS
        .iter()
        .filter_map(|(sign, order)| Some((outside_quotes(part, sign)?, *sign, *order)))
        .min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len())));
    let Some((at, sign, order)) = found else {
        return Err(format!("'{part}' is no condition: it has none of =, !=, <, <=, > and >="));
    };
    let (name, value) = (unquoted(part[..at].trim()), unquoted(part[at + sign.len()..].trim()));
    if name.is_empty() {
        return Err(format!("'{part}' does not say what is compared"));
    }
    // A column has the name of one of these only with `meta:` before it.
    let by = SliceBy::parse(name)
        .unwrap_or_else(|_| SliceBy::Meta(unquoted(name.trim_start_matches("meta:")).to_owned()));
    let Some(order) = order else {
        return Ok(Condition::Is { by, value: value.to_owned(), holds: sign == "=" });
    };
    if matches!(by, SliceBy::Source | SliceBy::Language) {
        return Err(format!("'{name}' is no number, so it is not compared with {sign}"));
    }
    let number = value.parse().map_err(|_| format!("'{value}' in '{part}' is not a number"))?;
    Ok(Condition::Compared { by, order, value: number })
}

/// Where a sign stands first that is not between quotation marks.
fn outside_quotes(part: &str, sign: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in part.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if part[at..].starts_with(sign) => return Some(at),
            None if is_quote(c) => quote = Some(c),
            None => {}
        }
    }
    None
}

fn is_quote(c: char) -> bool {
    c == '"' || c == '\''
}

/// Without the quotation marks around it.
fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// The parts between the words `and`, which count in any case, outside quotation marks. A mark inside a word, as in `don't`, opens nothing.
fn parts(said: &str) -> Result<Vec<String>, String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut quote, mut before) = (None, ' ');
    let mut rest = said.char_indices();
    while let Some((at, c)) = rest.next() {
        let opens = |before: char| before.is_whitespace() || "=<>:".contains(before);
        match quote {
            Some(open) if c == open => quote = None,
            None if is_quote(c) && opens(before) => quote = Some(c),
            None if before.is_whitespace() && is_word_and(&said[at..]) => {
                parts.push(std::mem::take(&mut part));
                rest.nth(1);
                before = ' ';
                continue;
            }
            _ => {}
        }
        part.push(c);
        before = c;
    }
    if let Some(open) = quote {
        return Err(format!("a quotation mark {open} is not closed"));
    }
    parts.push(part);
    let parts: Vec<String> = parts.iter().map(|part| part.trim().to_owned()).collect();
    match parts.as_slice() {
        [only] if only.is_empty() => Ok(Vec::new()),
        all if all.iter().any(String::is_empty) => Err("there is an 'and' with nothing on one side".into()),
        _ => Ok(parts),
    }
}

/// Whether a text begins with the word `and`.
fn is_word_and(text: &str) -> bool {
    let word = text.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("and"));
    word && text[3..].chars().next().is_none_or(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GERMAN: &str =
        "Ich möchte mein Geld zurück, denn das Paket ist nie bei mir angekommen: refund please";

    fn hold(said: &str) -> bool {
        let meta =
            Some("{\"placement\":\"Search\",\"score\":\"7.5\",\"user name\":\"Ann and Bob\",\"a=b\":\"c\"}");
        let facts = TextFacts { text: GERMAN, meta, source: "ads.csv" };
        Conditions::parse(said).unwrap_or_else(|why| panic!("{said}: {why}")).hold(&facts)
    }

    #[test]
    fn all_conditions_must_hold() {
        assert!(hold("lang=de and source!=x and re:refund"));
        for (said, is) in [
            ("placement=search", true),
            ("meta:placement = search", true),
            ("placement!=search", false),
            ("placement=\"search\" AND lang!=en", true),
            ("'user name'='Ann and Bob'", true),
            ("meta:user name = \"ann and bob\" and length>10", true),
            ("length<10", false),
            ("length>=10 and length<=1000", true),
            ("score>7 and score<8", true),
            ("placement>1", false),
            ("gone=x", false),
            ("gone=", true),
            ("gone!=x", true),
            ("re:REFUND", true),
            ("!re:refund", false),
            ("re:\"money and more\"", false),
            ("re:^Ich", true),
            ("re:a=b", false),
            ("\"a=b\"=c", true),
            ("source=ads.csv and lang=en", false),
        ] {
            assert_eq!(hold(said), is, "{said}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_reason() {
        for (said, why) in [
            ("", "there is no condition"),
            ("  ", "there is no condition"),
            ("german", "'german' is no condition"),
            ("lang=de and", "nothing on one side"),
            ("and lang=de", "nothing on one side"),
            ("lang=de and and length>3", "nothing on one side"),
            ("=de", "does not say what is compared"),
            ("length>many", "'many' in 'length>many' is not a number"),
            ("lang>de", "is no number"),
            ("re:(", "'(' is not a pattern"),
            ("re:", "has no pattern"),
            ("re:(a{1000}){1000}", "is too large"),
            ("placement='search", "is not closed"),
        ] {
            let said_why = Conditions::parse(said).unwrap_err();
            assert!(said_why.contains(why), "{said}: {said_why}");
        }
        let columns = Conditions::parse("placement=x and meta:shown>3 and lang=de").unwrap();
        assert_eq!(columns.columns().collect::<Vec<_>>(), ["placement", "shown"]);
        assert!(hold("placement=search and re:don't|refund"), "a mark inside a word opens nothing");
    }

    proptest! {
        #[test]
        fn anything_typed_is_conditions_or_one_sentence(said in "[a-z =!<>:'\"()\\[\\]*äé]{0,40}|.{0,30}") {
            if let Ok(conditions) = Conditions::parse(&said) {
                let _ = conditions.hold(&TextFacts { text: GERMAN, meta: None, source: "x" });
            }
        }
    }
}
