//! The labelled data sets of the test data, read the same way by every bench that needs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A text with what is known of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The text.
    pub text: String,
    /// Its label.
    pub gold: String,
    /// How many annotators gave each label, in the order of the set's labels; empty where only one opinion is known.
    pub votes: Vec<u32>,
}

/// A data set.
#[derive(Clone, Debug)]
pub struct Set {
    /// Labels with the description and the examples that a person would write into a task.
    pub labels: Vec<(String, String, Vec<String>)>,
    /// The texts.
    pub rows: Vec<Row>,
}

/// Where the test data is: `HARDCASE_TEST_DATA`, by default the folder `shared` beside the repository.
pub fn folder() -> PathBuf {
    std::env::var_os("HARDCASE_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("data")
}

/// The data set of this name.
pub fn read(name: &str, folder: &Path) -> Result<Set> {
    let folder = folder.join(name);
    match name {
        "davidson_hate" => hate(&folder),
        "sms_spam" => sms(&folder),
        "clickbait" => clickbait(&folder),
        "trec" => trec(&folder),
        "banking77" => banking(&folder),
        "convabuse" => convabuse(&folder),
        other => bail!("there is no data set '{other}'"),
    }
}

fn label(name: &str, description: &str, examples: &[&str]) -> (String, String, Vec<String>) {
    (name.to_owned(), description.to_owned(), examples.iter().map(|e| (*e).to_owned()).collect())
}

/// Labels that nobody describes: their names say what they are.
fn named(names: impl Iterator<Item = String>) -> Vec<(String, String, Vec<String>)> {
    names.map(|name| (name.clone(), name.replace('_', " "), Vec::new())).collect()
}

/// Tweets; positive is class 0, hate speech; the counts are of those who said so, and of those who did not.
fn hate(folder: &Path) -> Result<Set> {
    let mut reader = csv::Reader::from_path(folder.join("labeled_data.csv"))?;
    let entities =
        [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#039;", "'")];
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let text = entities.iter().fold(record[6].to_owned(), |text, (name, c)| text.replace(name, c));
        let hateful: u32 = record[2].parse()?;
        let votes = vec![hateful, record[1].parse::<u32>()?.saturating_sub(hateful)];
        let gold = if &record[5] == "0" { "hate" } else { "other" }.to_owned();
        rows.push(Row { text: unescaped(&text), gold, votes });
    }
    let labels = vec![
        label(
            "hate",
            "hate speech against people for their race, religion, origin or sexuality",
            &["I hate all of those immigrants, they should go back"],
        ),
        label(
            "other",
            "a tweet that may be rude or vulgar but attacks no group",
            &["that was a crazy party lol"],
        ),
    ];
    Ok(Set { labels, rows })
}

/// `&#128514;` as the character it stands for.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("&#") {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        let digits =
            tail.find(';').filter(|end| *end < 8).and_then(|end| Some((end, tail[..end].parse().ok()?)));
        match digits.and_then(|(end, number)| Some((end, char::from_u32(number)?))) {
            Some((end, c)) => {
                out.push(c);
                rest = &tail[end + 1..];
            }
            None => {
                out.push_str("&#");
                rest = tail;
            }
        }
    }
    out + rest
}

fn sms(folder: &Path) -> Result<Set> {
    let labels = vec![
        label(
            "spam",
            "advertising, prizes, premium numbers and scams sent to many people",
            &["You have won a prize! Call now to claim", "Txt WIN to 80086 to get free ringtones"],
        ),
        label("ham", "a personal message to a friend or relative", &["ok see you at lunch"]),
    ];
    Ok(Set { labels, rows: separated(&folder.join("sms.tsv"), '\t')? })
}

fn clickbait(folder: &Path) -> Result<Set> {
    let labels = vec![
        label(
            "clickbait",
            "a headline that withholds what it is about to make people click",
            &["You Won't Believe What This Dentist Found"],
        ),
        label(
            "news",
            "a news headline that says plainly what happened",
            &["Parliament passes budget after long debate"],
        ),
    ];
    Ok(Set { labels, rows: separated(&folder.join("clickbait.tsv"), '\t')? })
}

fn trec(folder: &Path) -> Result<Set> {
    // The corpus has abbreviations where a person would write words, and a language model is told the names.
    let labels = [
        ("ABBR", "abbreviation", "what an abbreviation stands for"),
        ("DESC", "description", "a definition, description, manner or reason"),
        ("ENTY", "entity", "a thing: animal, food, product, word or other entity"),
        ("HUM", "human", "a person or a group of people"),
        ("LOC", "location", "a place: city, country, mountain, state"),
        ("NUM", "number", "a number: date, count, distance, money"),
    ];
    let mut rows = separated(&folder.join("train_5500.label"), ':')?;
    for row in &mut rows {
        row.text = row.text.split_once(' ').map_or(String::new(), |(_, question)| question.to_owned());
        let name = labels.iter().find(|(code, _, _)| *code == row.gold);
        row.gold = name.with_context(|| format!("TREC has no class {}", row.gold))?.1.to_owned();
    }
    let labels =
        labels.iter().map(|(_, name, what)| label(name, &format!("a question that asks for {what}"), &[]));
    Ok(Set { labels: labels.collect(), rows })
}

fn separated(path: &Path, by: char) -> Result<Vec<Row>> {
    let bytes = std::fs::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let rows = text.lines().filter_map(|line| line.split_once(by));
    Ok(rows
        .map(|(gold, text)| Row { text: text.to_owned(), gold: gold.to_owned(), votes: Vec::new() })
        .collect())
}

fn banking(folder: &Path) -> Result<Set> {
    let mut rows = Vec::new();
    for file in ["train.csv", "test.csv"] {
        let mut reader = csv::Reader::from_path(folder.join(file))?;
        for record in reader.records() {
            let record = record?;
            rows.push(Row { text: record[0].to_owned(), gold: record[1].to_owned(), votes: Vec::new() });
        }
    }
    let names: std::collections::BTreeSet<String> = rows.iter().map(|row| row.gold.clone()).collect();
    Ok(Set { labels: named(names.into_iter()), rows })
}

/// What people said to chatbots; abuse is what more than half of a context's annotators rated below zero. Contexts on which they are evenly
/// divided are left out. The text is the agent's turn and the user's.
fn convabuse(folder: &Path) -> Result<Set> {
    let mut reader = csv::Reader::from_path(folder.join("ConvAbuseEMNLPfull.csv"))?;
    let headers = reader.headers()?.clone();
    let column =
        |name: &str| headers.iter().position(|h| h == name).with_context(|| format!("no column {name}"));
    let context = ["conv_id", "prev_agent", "prev_user", "agent", "user"].map(column);
    let context = context.into_iter().collect::<Result<Vec<usize>>>()?;
    let abusive = ["is_abuse.-1", "is_abuse.-2", "is_abuse.-3"].map(column);
    let abusive = abusive.into_iter().collect::<Result<Vec<usize>>>()?;
    let mut contexts: BTreeMap<Vec<String>, Vec<u32>> = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let key = context.iter().map(|&at| record[at].to_owned()).collect();
        let says_abuse = abusive.iter().any(|&at| record[at].parse::<f64>().is_ok_and(|v| v == 1.0));
        contexts.entry(key).or_insert_with(|| vec![0, 0])[usize::from(!says_abuse)] += 1;
    }
    let divided = |votes: &[u32]| votes[0] == votes[1];
    let rows = contexts.into_iter().filter(|(_, votes)| !divided(votes)).map(|(key, votes)| Row {
        text: format!("{}\n\n{}", key[3], key[4]),
        gold: if votes[0] > votes[1] { "abuse" } else { "fine" }.to_owned(),
        votes,
    });
    let labels = vec![
        label(
            "abuse",
            "insults, threats, sexual harassment or abuse of the chatbot",
            &["you are a stupid bitch"],
        ),
        label("fine", "an ordinary message to a chatbot", &["what is the weather today"]),
    ];
    Ok(Set { labels, rows: rows.collect() })
}
