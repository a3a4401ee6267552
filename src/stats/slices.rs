//! Slices of the texts: by a column, where they came from, their language, their length. What a slice is called, and how far model and experts
//! agree in each.
//!
//! Many slices are looked at together, and the worst of many is bad by chance. So each interval is Wilson's at a confidence that is divided among
//! the slices (Bonferroni's correction): in 95 % of samples all of them hold at once.
//! Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", *JASA* 22 (1927), 209–212; O. J. Dunn, "Multiple
//! comparisons among means", *JASA* 56 (1961), 52–64.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use super::languages::language_of;
use crate::domain::figure::Figure;

/// Slices with fewer cases are counted together.
pub const HANDFUL: usize = 5;
/// What the cases of small slices are called together.
pub const OTHERS: &str = "others";
/// What a text without that column is called.
const NONE: &str = "(none)";
/// What a text is called whose language is not clear.
const UNCLEAR: &str = "(unclear)";
/// Both tails together.
const ALPHA: f64 = 0.05;
/// The largest number of characters of each length slice but the last.
const LENGTHS: [usize; 5] = [50, 100, 200, 500, 1_000];

/// What is known of a text besides its label.
#[derive(Clone, Copy, Debug)]
pub struct TextFacts<'t> {
    pub text: &'t str,
    /// Columns that are shown with it, a JSON object.
    pub meta: Option<&'t str>,
    /// The name of the file that it came from.
    pub source: &'t str,
}

/// What texts are sliced by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SliceBy {
    /// A column that is shown with the texts.
    Meta(String),
    Source,
    Language,
    Length,
}

impl SliceBy {
    /// Parses `meta:COL`, `source`, `language` or `length`.
    ///
    /// # Errors
    /// A clause that says what there is.
    pub fn parse(said: &str) -> Result<Self, String> {
        match said.trim() {
            "source" => Ok(Self::Source),
            "language" | "lang" => Ok(Self::Language),
            "length" => Ok(Self::Length),
            other => match other.strip_prefix("meta:").map(str::trim) {
                Some(column) if !column.is_empty() => Ok(Self::Meta(column.to_owned())),
                _ => Err(format!("'{other}' is none of source, language, length and meta:COLUMN")),
            },
        }
    }

    /// The slice that a text is in.
    pub fn slice_of(&self, facts: &TextFacts<'_>) -> String {
        match self {
            Self::Meta(column) => column_of(facts, column).unwrap_or_else(|| NONE.to_owned()),
            Self::Source => facts.source.to_owned(),
            Self::Language => language_of(facts.text).unwrap_or(UNCLEAR).to_owned(),
            Self::Length => length_slice(facts.text.chars().count()),
        }
    }
}

/// The name that a person reads: a column's is its own.
impl std::fmt::Display for SliceBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Meta(column) => column,
            Self::Source => "source",
            Self::Language => "language",
            Self::Length => "length",
        })
    }
}

/// The columns that are shown with a text.
pub fn columns_of(facts: &TextFacts<'_>) -> Vec<String> {
    match facts.meta.map(serde_json::from_str::<serde_json::Value>) {
        Some(Ok(serde_json::Value::Object(columns))) => columns.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}

/// What a column says of a text, as a person reads it; `None` where it says nothing.
pub fn column_of(facts: &TextFacts<'_>, column: &str) -> Option<String> {
    let meta: serde_json::Value = serde_json::from_str(facts.meta?).ok()?;
    match meta.get(column)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

fn length_slice(characters: usize) -> String {
    let mut from = 0;
    for to in LENGTHS {
        if characters <= to {
            return if from == 0 {
                format!("up to {to} characters")
            } else {
                format!("{from} to {to} characters")
            };
        }
        from = to + 1;
    }
    format!("{from} characters or more")
}

/// How far model and experts agree in a slice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    pub slice: String,
    /// The share of the cases on which they agree; the interval is wider for many slices.
    pub agreement: Figure,
}

/// Agreement by slice, the worst first and what was too small to stand alone last. Each case has its slice and how far the model agrees with its
/// experts, 0 to 1.
pub fn by_slice(cases: &[(String, f64)]) -> Vec<Slice> {
    let (mut counted, others) = sums(cases);
    if others.1 > 0 {
        counted.push((OTHERS, others.0, others.1));
    }
    let many = counted.len();
    counted
        .into_iter()
        .map(|(slice, agree, n)| Slice { slice: slice.to_owned(), agreement: share(agree, n, many) })
        .collect()
}

/// The slices of several ways of slicing the same cases, the worst first; small ones are left out, and so is a way that makes only one slice. All
/// intervals hold at once. Each way has its name, and the slice of each case with how far model and experts agree on it.
pub fn by_slices(ways: &[(String, Vec<(String, f64)>)]) -> Vec<(String, Slice)> {
    let mut counted: Vec<(&str, Sum<'_>)> = Vec::new();
    for (by, cases) in ways {
        let (of_way, others) = sums(cases);
        if of_way.len() + usize::from(others.1 > 0) > 1 {
            counted.extend(of_way.into_iter().map(|sum| (by.as_str(), sum)));
        }
    }
    counted.sort_by(|(_, a), (_, b)| worst_first(a, b));
    let many = counted.len();
    counted
        .into_iter()
        .map(|(by, (slice, agree, n))| {
            (by.to_owned(), Slice { slice: slice.to_owned(), agreement: share(agree, n, many) })
        })
        .collect()
}

/// A slice, on how many of its cases model and experts agree, and how many it has.
type Sum<'c> = (&'c str, f64, usize);

/// The smaller share first, and of two that are the same the one with more cases.
fn worst_first((_, a, m): &Sum<'_>, (_, b, n): &Sum<'_>) -> Ordering {
    (a / *m as f64).total_cmp(&(b / *n as f64)).then(n.cmp(m))
}

/// The sum and the number of the cases of each slice, the worst first, and of all cases in slices that are too small.
fn sums(cases: &[(String, f64)]) -> (Vec<Sum<'_>>, (f64, usize)) {
    let mut sums: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for (slice, agrees) in cases {
        let sum = sums.entry(slice).or_default();
        *sum = (sum.0 + agrees, sum.1 + 1);
    }
    let mut others = (0.0, 0);
    sums.retain(|_, (agree, n)| {
        if *n < HANDFUL {
            others = (others.0 + *agree, others.1 + *n);
        }
        *n >= HANDFUL
    });
    let mut counted: Vec<Sum<'_>> = sums.into_iter().map(|(slice, (agree, n))| (slice, agree, n)).collect();
    counted.sort_by(worst_first);
    (counted, others)
}

/// A share with Wilson's interval, one of `many` that are looked at together; undefined below a handful. A case on which only some experts agree
/// with the model counts as that share, which varies less than Wilson assumes.
pub fn share(agree: f64, n: usize, many: usize) -> Figure {
    if n < HANDFUL {
        return Figure::undefined(format!("{n} of the {HANDFUL} cases needed"));
    }
    let (count, value) = (n as f64, agree / n as f64);
    let z = normal_quantile(1.0 - ALPHA / (2.0 * many.max(1) as f64));
    let squared = z * z / count;
    let centre = (value + squared / 2.0) / (1.0 + squared);
    let half =
        z / (1.0 + squared) * (value * (1.0 - value) / count + squared / (4.0 * count)).max(0.0).sqrt();
    Figure::Known { value, lo: (centre - half).clamp(0.0, value), hi: (centre + half).clamp(value, 1.0), n }
}

/// The standard normal quantile of `p` above one half, to 4.5e-4: formula 26.2.23 of Abramowitz and Stegun, *Handbook of Mathematical Functions*
/// (1964).
fn normal_quantile(p: f64) -> f64 {
    let t = (-2.0 * (1.0 - p).max(f64::MIN_POSITIVE).ln()).sqrt();
    let above = 0.010_328f64.mul_add(t, 0.802_853).mul_add(t, 2.515_517);
    let below = 0.001_308f64.mul_add(t, 0.189_269).mul_add(t, 1.432_788).mul_add(t, 1.0);
    t - above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'t>(text: &'t str, meta: Option<&'t str>) -> TextFacts<'t> {
        TextFacts { text, meta, source: "ads.csv" }
    }

    fn known(figure: &Figure) -> (f64, f64, f64, usize) {
        match figure {
            Figure::Known { value, lo, hi, n } => (*value, *lo, *hi, *n),
            Figure::Undefined { undefined } => panic!("{undefined}"),
        }
    }

    #[test]
    fn a_text_is_in_the_slice_of_its_column_source_language_and_length() {
        let meta = Some("{\"placement\":\" search \",\"shown\":12,\"none\":null,\"empty\":\"\"}");
        let of = |said: &str, text: &str| SliceBy::parse(said).unwrap().slice_of(&facts(text, meta));
        assert_eq!(of("meta:placement", "x"), "search");
        assert_eq!(of("meta:shown", "x"), "12");
        assert_eq!(["meta:none", "meta:empty", "meta:gone"].map(|by| of(by, "x")), [NONE; 3]);
        assert_eq!(of("source", "x"), "ads.csv");
        assert_eq!(
            of("lang", "Das ist ein deutscher Satz, und zwar einer mit vielen Wörtern, damit es klar ist."),
            "de"
        );
        assert_eq!(of("language", "x"), UNCLEAR);
        assert_eq!(
            [0, 50, 51, 1_000, 1_001].map(|n| of("length", &"ä".repeat(n))),
            [
                "up to 50 characters",
                "up to 50 characters",
                "51 to 100 characters",
                "501 to 1000 characters",
                "1001 characters or more"
            ]
        );
        assert_eq!(SliceBy::Meta("a".into()).slice_of(&facts("x", Some("no object"))), NONE);
        for wrong in ["", "meta:", "colour"] {
            assert!(SliceBy::parse(wrong).unwrap_err().contains("source, language, length and meta:COLUMN"));
        }
    }

    #[test]
    fn intervals_are_wilsons_and_wider_for_many_slices() {
        // Newcombe (1998), table I: 81 of 263, Wilson: 0.2553 to 0.3662.
        let (value, lo, hi, n) = known(&share(81.0, 263, 1));
        assert!(
            (value - 0.3080).abs() < 1e-4
                && (lo - 0.2553).abs() < 1e-3
                && (hi - 0.3662).abs() < 1e-3
                && n == 263
        );
        let (_, wide, ..) = known(&share(81.0, 263, 20));
        assert!(wide < lo - 0.02, "{wide}");
        // 2.5758 is the quantile of 0.995, which ten slices take.
        assert!(
            (normal_quantile(0.975) - 1.96).abs() < 1e-3 && (normal_quantile(0.9975) - 2.807).abs() < 1e-3
        );
        let (value, lo, hi, _) = known(&share(10.0, 10, 1));
        assert!(value == 1.0 && hi == 1.0 && lo < 0.75, "no share is certain: {lo}");
        assert!(matches!(share(4.0, 4, 1), Figure::Undefined { .. }));
    }

    #[test]
    fn the_worst_slice_comes_first_and_small_ones_are_counted_together() {
        let mut cases = Vec::new();
        let mut add = |slice: &str, agree: usize, n: usize| {
            cases.extend((0..n).map(|i| (slice.to_owned(), if i < agree { 1.0 } else { 0.0 })));
        };
        add("good", 9, 10);
        add("bad", 2, 10);
        add("few", 0, 3);
        add("fewer", 0, 2);
        let slices = by_slice(&cases);
        let names: Vec<&str> = slices.iter().map(|one| one.slice.as_str()).collect();
        assert_eq!(names, ["bad", "good", OTHERS]);
        assert_eq!((known(&slices[0].agreement).0, known(&slices[2].agreement).3), (0.2, 5));
        let fewer = by_slice(&cases[..13]);
        assert!(
            known(&fewer[0].agreement).1 > known(&slices[1].agreement).1,
            "fewer slices, a narrower interval"
        );
        assert!(matches!(fewer[1].agreement, Figure::Undefined { .. }), "three cases in all are too few");
        assert_eq!(by_slice(&[]), []);
    }

    #[test]
    fn slices_of_several_ways_stand_in_one_list_whose_intervals_hold_together() {
        let cases = |slices: &[(&str, usize, usize)]| {
            let of_one = |(slice, agree, n): &(&str, usize, usize)| {
                let (slice, agree) = ((*slice).to_owned(), *agree);
                (0..*n).map(move |i| (slice.clone(), if i < agree { 1.0 } else { 0.0 })).collect::<Vec<_>>()
            };
            slices.iter().flat_map(of_one).collect::<Vec<_>>()
        };
        let ways = [
            ("placement".to_owned(), cases(&[("feed", 18, 20), ("search", 4, 20)])),
            ("language".to_owned(), cases(&[("de", 6, 10), ("en", 16, 27), ("pl", 0, 3)])),
            ("source".to_owned(), cases(&[("ads.csv", 22, 40)])),
        ];
        let found = by_slices(&ways);
        let names: Vec<(&str, &str)> =
            found.iter().map(|(by, one)| (by.as_str(), one.slice.as_str())).collect();
        let worst_first =
            [("placement", "search"), ("language", "en"), ("language", "de"), ("placement", "feed")];
        assert_eq!(names, worst_first, "one source is no slice, and three Polish texts are too few");
        let (_, alone, ..) = known(&by_slice(&ways[0].1)[0].agreement);
        let (value, together, ..) = known(&found[0].1.agreement);
        assert!(value == 0.2 && together < alone, "four intervals are wider than two: {together} {alone}");
        assert_eq!(by_slices(&[]), []);
    }
}
