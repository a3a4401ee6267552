//! Vectors taken into a project of a few texts: which column holds them, which row names which text, and what is told of the others.

use std::path::PathBuf;

use super::*;
use crate::domain::progress::Unwatched;
use crate::domain::task::Task;
use crate::job::create::create;
use crate::job::import::{ImportOptions, import_bundled};

const TASK: &str =
    "question = \"Spam?\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";
const TEXTS: &str = "id,text\na,buy this kettle\nb,see you at the bridge\nc,win a garden today\n";

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

    fn take(&self, file: &str, rows: &str, options: &VectorOptions) -> Result<VectorReport> {
        let path = self.dir.path().join(file);
        std::fs::write(&path, rows).unwrap();
        take_vectors(&self.context(), &path, options)
    }

    /// Each vector of the newest model, by what its text begins with.
    fn vectors(&self, dimensions: usize) -> Vec<(String, Vec<f32>)> {
        let store = Store::open(&self.project, Access::Read).unwrap();
        let active = store.active_predictor().unwrap().unwrap();
        let vectors = store.vectors(active.space(), dimensions).unwrap();
        let texts = store.texts(&vectors.items).unwrap();
        let word = |text: &str| text.split(' ').next().unwrap().to_owned();
        let rounded = |v: &[f32]| v.iter().map(|x| (x * 1e3).round() / 1e3).collect();
        texts
            .iter()
            .zip(vectors.values.chunks(dimensions))
            .map(|((_, text), v)| (word(text), rounded(v)))
            .collect()
    }
}

fn by(model: &str) -> VectorOptions {
    VectorOptions { read: ReadOptions::default(), column: None, model: model.into() }
}

fn of(vectors: &[(&str, &[f32])]) -> Vec<(String, Vec<f32>)> {
    vectors.iter().map(|(word, v)| ((*word).to_owned(), v.to_vec())).collect()
}

#[test]
fn vectors_come_as_lists_or_as_text_by_the_text_or_the_id_and_are_kept_at_unit_length() {
    let pool = Pool::new();
    let rows = r#"{"text":"buy  this kettle","n":3,"tags":["x"],"v":[3,4]}
{"text":"see you at the bridge","n":4,"tags":[],"v":[0,-2.5]}
"#;
    let report = pool.take("v.jsonl", rows, &by("e5")).unwrap();
    assert_eq!((report.embedded, report.scored, report.items, report.dimensions), (2, 2, 3, 2));
    assert_eq!(pool.vectors(2), of(&[("buy", &[0.6, 0.8]), ("see", &[0.0, -1.0])]));
    assert_eq!(report.prelabels, "none");
    assert_eq!(
        report.to_string(),
        "2 of 3 texts have a vector by e5 (2 numbers each), 2 of them by this file. 1 text has no vector yet and cannot become a case: give it in \
         another file under the same --model-name. Without vectors of the labels there is no first guess: `hardcase mine FILE` chooses cases that \
         cover the pool until `hardcase tune FILE` has learned from answers"
    );

    // Under the same name a later file adds; what is there stays.
    let report = pool.take("more.csv", "id,v\nc,\"[1 0]\"\na,\"[0.0, 1.0]\"\n", &by("e5")).unwrap();
    assert_eq!((report.embedded, report.known, report.scored), (1, 1, 3));
    assert!(report.to_string().contains("1 row is about a text that has its vector already"), "{report}");
    assert_eq!(pool.vectors(2), of(&[("buy", &[0.6, 0.8]), ("see", &[0.0, -1.0]), ("win", &[1.0, 0.0])]));

    // Another name is another space.
    let report = pool.take("other.jsonl", "{\"id\":\"a\",\"v\":[1,2,2]}\n", &by("bge")).unwrap();
    assert_eq!((report.embedded, report.scored, report.dimensions), (1, 1, 3));
    assert_eq!(pool.vectors(3), of(&[("buy", &[0.333, 0.667, 0.667])]));
    let store = Store::open(&pool.project, Access::Read).unwrap();
    assert_eq!(store.models().unwrap().len(), 2);
    assert!(store.models().unwrap().iter().all(crate::store::pool::predictors::Model::is_vectors_alone));
    assert!(store.active_predictor().unwrap().unwrap().guesses_nothing());
    assert!(!store.has_unread_texts().unwrap(), "no model is here that could read the others");
}

#[test]
fn rows_that_cannot_be_used_are_counted_and_told_in_plain_sentences() {
    let pool = Pool::new();
    let rows = r#"{"text":"buy this kettle","v":[1,0]}
{"text":"buy this kettle","v":[0,1]}
{"text":"see you at the bridge","v":[1,0,0]}
{"text":"see you at the bridge","v":[0,0]}
{"text":"see you at the bridge","v":["a"]}
{"text":"win a garden today","v":null}
{"text":"never seen","v":[1,0]}
"#;
    let named = VectorOptions { column: Some("v".into()), ..by("e5") };
    let report = pool.take("v.jsonl", rows, &named).unwrap();
    assert_eq!(
        (
            report.embedded,
            report.counts.repeated,
            report.another_length,
            report.improper,
            report.without,
            report.counts.unmatched
        ),
        (1, 1, 1, 2, 1, 1)
    );
    let said = report.to_string();
    for sentence in [
        "1 row names no text of this project",
        "1 row has no vector",
        "1 row has a vector of another length than 2",
        "2 rows have vectors that are no lists of numbers, or all zeros",
        "1 row is about a text for the second time, and the first vector counts",
    ] {
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn what_holds_no_vectors_or_those_of_another_model_is_refused_and_changes_nothing() {
    let pool = Pool::new();
    let refused = |rows: &str, options: &VectorOptions| {
        let fault = pool.take("f.jsonl", rows, options).unwrap_err();
        assert_eq!(fault.exit_code(), 2, "{fault}");
        fault.to_string()
    };
    let said = refused("{\"text\":\"buy this kettle\",\"n\":1}\n", &by("e5"));
    assert!(said.contains("no column holds lists of numbers of one length. Name the column"), "{said}");
    let two = "{\"text\":\"buy this kettle\",\"a\":[1,2],\"b\":[1,2,3]}\n";
    let said = refused(two, &by("e5"));
    assert!(said.contains("several columns hold lists of numbers: 'a', 'b'"), "{said}");
    let said = refused("{\"text\":\"nothing like it\",\"v\":[1,2]}\n", &by("e5"));
    assert!(said.contains("no row has a vector of a text of this project: 1 row names no text"), "{said}");
    let said = refused(two, &VectorOptions { column: Some("c".into()), ..by("e5") });
    assert!(said.contains("it has no column 'c'"), "{said}");
    for name in ["", " ", "two\nlines"] {
        assert!(refused(two, &by(name)).contains("--model-name"), "{name}");
    }
    let store = Store::open(&pool.project, Access::Read).unwrap();
    assert!(store.models().unwrap().is_empty() && store.active_predictor().unwrap().is_none());
    drop(store);

    let a = VectorOptions { column: Some("a".into()), ..by("e5") };
    pool.take("a.jsonl", two, &a).unwrap();
    let said = refused(two, &VectorOptions { column: Some("b".into()), ..by("e5") });
    assert!(said.contains("its vectors have 3 numbers, and those of e5 so far have 2"), "{said}");
}
