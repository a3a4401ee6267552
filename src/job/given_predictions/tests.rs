//! Predictions taken into a project of a few texts: which rows name which text, what they say, and what is told of the others.

use std::path::PathBuf;

use super::*;
use crate::domain::progress::Unwatched;
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::job::create::create;
use crate::job::import::{ImportOptions, import_bundled};

const TASK: &str =
    "question = \"Spam?\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";
const TEXTS: &str = "id,text\na,buy this kettle\nb,see you at the bridge\nc,win a garden today\nd,the letter came\nd,the letter went\n";

struct Pool {
    dir: tempfile::TempDir,
    project: PathBuf,
}

impl Pool {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("p.hardcase");
        create(&project, Some(&Task::from_toml(TASK, "t").unwrap()), 1, "ada").unwrap();
        let pool = Self { dir, project };
        let options = ImportOptions::of(ReadOptions::default());
        import_bundled(&pool.context(), "texts.csv", TEXTS, &options).unwrap();
        pool
    }

    fn context(&self) -> JobContext<'_> {
        JobContext { project: &self.project, watcher: &Unwatched, expert: "ada", seed: None }
    }

    fn take(&self, file: &str, rows: &str, options: &GivenOptions) -> Result<GivenReport> {
        let path = self.dir.path().join(file);
        std::fs::write(&path, rows).unwrap();
        take_predictions(&self.context(), &path, options)
    }

    /// Each text that is predicted with the probability of `spam`, by what the text begins with.
    fn spam(&self) -> Vec<(String, f32)> {
        let store = Store::open(&self.project, Access::Read).unwrap();
        let judge = store.judges().unwrap().remove(0);
        let (items, p) = store.predictions(judge.id).unwrap();
        let texts = store.texts(&items).unwrap();
        let word = |text: &str| text.split(' ').next().unwrap().to_owned();
        texts.iter().zip(p.chunks(2)).map(|((_, text), p)| (word(text), (p[0] * 1e3).round() / 1e3)).collect()
    }
}

fn options(given: Given) -> GivenOptions {
    GivenOptions { read: ReadOptions::default(), given, map: Vec::new(), name: None }
}

fn label(column: &str) -> GivenOptions {
    options(Given::Label(column.into()))
}

fn of(spam: &[(&str, f32)]) -> Vec<(String, f32)> {
    spam.iter().map(|(word, p)| ((*word).to_owned(), *p)).collect()
}

#[test]
fn a_row_names_its_text_by_the_text_itself_or_by_its_id() {
    let pool = Pool::new();
    // White space between words does not tell texts apart, and the id of a file of texts is its own affair.
    let by_text = "id,text,guess\nb,buy  this kettle,spam\nx,see you at the bridge,HAM\n";
    let report = pool.take("old model.csv", by_text, &label("guess")).unwrap();
    assert_eq!((report.name.as_str(), report.texts, report.tally.counts.unmatched), ("old model", 2, 0));
    assert_eq!(pool.spam(), of(&[("buy", 0.9), ("see", 0.1)]));

    let by_id = GivenOptions { name: Some("old model".into()), ..label("guess") };
    let report = pool.take("ids.csv", "id,guess\nb,spam\nc,spam\n", &by_id).unwrap();
    assert_eq!((report.texts, report.in_all), (2, 3), "a later file of the same name replaces and adds");
    assert_eq!(pool.spam(), of(&[("buy", 0.9), ("see", 0.9), ("win", 0.9)]));
    let store = Store::open(&pool.project, Access::Read).unwrap();
    assert_eq!(store.judges().unwrap().len(), 1);
    assert!(store.judges().unwrap()[0].is_imported());
    drop(store);

    let named = ReadOptions { id: Some("nr".into()), ..ReadOptions::default() };
    let by_other_id = GivenOptions { read: named, ..label("guess") };
    let rows = "nr,text,guess\na,whatever it says,ham\n";
    assert_eq!(pool.take("others.csv", rows, &by_other_id).unwrap().texts, 1);
    assert_eq!(pool.spam(), of(&[("buy", 0.1)]), "another name is another opinion");
}

#[test]
fn probabilities_stand_in_a_column_for_each_label_or_in_an_object() {
    let pool = Pool::new();
    let found = options(Given::Detected);
    pool.take("columns.csv", "text,Spam,ham\nbuy this kettle,1.0,0\nwin a garden today,0.25,0.76\n", &found)
        .unwrap();
    assert_eq!(pool.spam(), of(&[("buy", 0.995), ("win", 0.25)]));

    let objects = r#"{"text":"buy this kettle","probabilities":{"spam":0.5,"ham":0.5}}
{"text":"see you at the bridge","probabilities":{"spam":1}}
{"text":"win a garden today","probabilities":null}
"#;
    let report = pool.take("objects.jsonl", objects, &found).unwrap();
    assert_eq!((report.texts, report.tally.without), (2, 1));
    assert_eq!(pool.spam(), of(&[("buy", 0.5), ("see", 0.995)]));

    let quoted = "text,p\nbuy this kettle,\"{\"\"spam\"\": 0.2, \"\"ham\"\": 0.8}\"\n";
    pool.take("quoted.csv", quoted, &options(Given::Probabilities("p".into()))).unwrap();
    assert_eq!(pool.spam(), of(&[("buy", 0.203)]));

    let inside = "{\"text\":\"buy this kettle\",\"said\":{\"p\":{\"0\":0.2,\"1\":0.8}}}\n";
    let mapped = options(Given::Probabilities("said.p".into()));
    let mapped = GivenOptions { map: vec!["0=ham,1=spam".into()], ..mapped };
    pool.take("inside.jsonl", inside, &mapped).unwrap();
    assert_eq!(pool.spam(), of(&[("buy", 0.797)]));
}

#[test]
fn rows_that_cannot_be_used_are_counted_and_told_in_plain_sentences() {
    let pool = Pool::new();
    let rows = "text,spam,ham\nbuy this kettle,0.5,0.5\nsee you at the bridge,-0.1,1.1\nwin a garden today,NaN,1\nthe letter came,0.5,0.9\n\
                the letter went,,\nnever seen,0.5,0.5\nbuy this kettle,0.7,0.3\n";
    let report = pool.take("p.csv", rows, &options(Given::Detected)).unwrap();
    assert_eq!(
        (
            report.tally.counts.rows,
            report.texts,
            report.tally.improper,
            report.tally.without,
            report.tally.counts.unmatched,
            report.tally.counts.repeated
        ),
        (7, 1, 3, 1, 1, 1)
    );
    assert_eq!(
        report.to_string(),
        "p predicts 1 text. 1 row names no text of this project. 1 row predicts nothing. 3 rows have probabilities that are negative, are no \
         numbers, or do not add up to 1. 1 row predicts a text for the second time, and the last prediction counts. What the predictions are worth \
         shows once texts are scouted and `hardcase tune FILE` has learned from answers"
    );
    assert_eq!(pool.spam(), of(&[("buy", 0.698)]));

    let rows = "id,guess\na,spam\nb,eggs\nc,\"spam,ham\"\nd,spam\n";
    let report = pool.take("l.csv", rows, &label("guess")).unwrap();
    assert_eq!(
        (report.texts, report.tally.unknown, report.tally.several, report.tally.counts.ambiguous),
        (1, 1, 1, 1)
    );
    let said = report.to_string();
    assert!(
        said.contains(
            "1 row has a label that the task does not have: 'eggs' (1 row). 1 row has several labels"
        ),
        "{said}"
    );
    assert!(said.contains("1 row has an id that several texts have"), "{said}");
}

#[test]
fn a_file_that_predicts_nothing_here_is_refused_in_one_sentence_and_changes_nothing() {
    let pool = Pool::new();
    let refused = |file: &str, rows: &str, options: &GivenOptions| {
        let fault = pool.take(file, rows, options).unwrap_err();
        assert_eq!(fault.exit_code(), 2, "{fault}");
        fault.to_string()
    };
    assert_eq!(
        refused("a.csv", "text,guess\nnever seen,spam\nnor this,ham\n", &label("guess")),
        "cannot take in the predictions: no row names a text of this project (2 rows). Name the column with the texts (--text COL), or the one \
         with the ids that the texts were imported with (--id COL)"
    );
    let said = refused("b.csv", "id,guess\na,eggs\nzz,spam\n", &label("guess"));
    assert!(
        said.contains(
            "1 row names no text of this project; 1 row has a label that the task does not have: 'eggs'"
        ),
        "{said}"
    );
    assert!(said.contains("--map VALUE=LABEL"), "{said}");
    let said = refused("c.csv", "text,guess\nbuy this kettle,spam\n", &options(Given::Detected));
    assert!(said.contains("no column was named that says what is predicted. Name the column"), "{said}");
    let said = refused("d.csv", "text,spam\nbuy this kettle,1\n", &options(Given::Detected));
    assert!(said.contains("a column for some of the labels, and none for 'ham'"), "{said}");
    let said = refused("e.csv", "text,guess\nbuy this kettle,spam\n", &label("nope"));
    assert!(said.contains("it has no column 'nope'"), "{said}");
    for name in ["", " ", "two\nlines"] {
        let named = GivenOptions { name: Some(name.into()), ..label("guess") };
        let said = refused("f.csv", "text,guess\nbuy this kettle,spam\n", &named);
        assert!(said.contains("--name old-model"), "{said}");
    }
    let store = Store::open(&pool.project, Access::Read).unwrap();
    assert!(store.judges().unwrap().is_empty() && store.models().unwrap().is_empty());
}
