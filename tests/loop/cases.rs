//! Small inputs as people have met them (`cases/` of the test data, each with what is right in `EXPECT.txt`), through the real program.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::project::{Project, Ran, program, run};
use super::skip::test_data;

/// A case: its folder, and a project that is made from one of its files.
struct Case {
    folder: PathBuf,
    project: Project,
}

impl Case {
    /// None where the test data is missing.
    fn of(name: &str) -> Option<Self> {
        Some(Self { folder: test_data(&format!("cases/{name}"))?, project: Project::none() })
    }

    /// Copies a file next to the project: what is set aside is written next to the data.
    fn copied(&self, file: &str) -> PathBuf {
        self.project.write(file, std::fs::read(self.folder.join(file)).unwrap())
    }

    fn task(&self) -> PathBuf {
        let own = self.folder.join("task.toml");
        if own.exists() { own } else { self.folder.join("../task.toml") }
    }

    /// `new` with a file of the case.
    fn new_from(&self, task: &Path, data: &Path, options: &[&str]) -> Ran {
        let _ = std::fs::remove_file(self.project.file());
        let mut command = program();
        command.arg("new").arg(self.project.file()).arg("--task").arg(task).arg("--data").arg(data);
        command.args(options).arg("--quiet");
        run(command)
    }

    #[track_caller]
    fn made(&self, file: &str, options: &[&str]) -> &Project {
        self.new_from(&self.task(), &self.copied(file), options).done();
        &self.project
    }

    /// The texts of a project that is made from a file.
    #[track_caller]
    fn texts(&self, file: &str, options: &[&str]) -> Vec<String> {
        texts(self.made(file, options))
    }
}

fn exported(project: &Project, what: &str) -> Vec<Value> {
    project.run("export", &["--what", what]).json_lines()
}

fn texts(project: &Project) -> Vec<String> {
    exported(project, "final").iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

fn rejects(project: &Project, file: &str) -> Vec<u64> {
    let rejects = std::fs::read_to_string(project.path(&format!("{file}.rejects.jsonl"))).unwrap();
    rejects
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].as_u64().unwrap())
        .collect()
}

#[test]
fn the_line_that_names_the_separator_is_no_row() {
    let Some(case) = Case::of("01-excel-sep-line") else { return };
    for file in ["two-columns.csv", "three-columns.csv"] {
        let found = case.texts(file, &[]);
        assert_eq!(found.len(), 3, "{file}: {found:?}");
        let rows = exported(&case.project, "rows");
        assert!(rows.iter().all(|row| row["id"].is_string() && row["text"].is_string()), "{rows:?}");
    }
}

#[test]
fn a_quotation_at_the_beginning_of_a_cell_stays_and_an_open_quote_costs_its_row() {
    let Some(case) = Case::of("03-quote-at-cell-start") else { return };
    let found = case.texts("inside-line.csv", &[]);
    assert_eq!((found.len(), found[0].starts_with("\"Scooped\" prices")), (3, true), "{found:?}");
    let data = case.copied("never-closes.csv");
    case.new_from(&case.task(), &data, &[]).refused(1, &["line 2"]);
    assert_eq!(case.texts("never-closes.csv", &["--skip-bad"]).len(), 2);
    assert_eq!(rejects(&case.project, "never-closes.csv"), [2]);
}

#[test]
fn a_csv_export_has_every_cell_and_imports_as_nothing_new() {
    let Some(case) = Case::of("05-csv-round-trip") else { return };
    let project = case.made("rows.jsonl", &[]);
    let out = project.path("r.csv");
    project.run("export", &["--what", "rows", "--format", "csv", "-o", out.to_str().unwrap()]).done();
    let mut reader = csv::Reader::from_path(&out).unwrap();
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    for (row, given) in rows.iter().zip(exported(project, "rows")) {
        let cells = ["id", "text", "label"].map(|name| given[name].as_str().unwrap().to_owned());
        assert_eq!(row[..3], cells);
    }
    assert_eq!(project.json("import", &["r.csv"])["new_items"], 0);
}

#[test]
fn the_questions_of_a_survey_are_a_header() {
    let Some(case) = Case::of("06-survey-headers") else { return };
    let found = case.texts("form.csv", &[]);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().all(|text| !text.ends_with('?')), "{found:?}");
    assert_eq!(case.texts("numbered.csv", &["--text", "3"]).len(), 2);
}

#[test]
fn odd_values_are_set_aside_one_by_one() {
    let Some(case) = Case::of("08-jsonl-odd-values") else { return };
    let data = case.copied("odd.jsonl");
    case.new_from(&case.task(), &data, &[]).refused(1, &["line 3"]);
    assert_eq!(case.texts("odd.jsonl", &["--skip-bad"]).len(), 5);
    assert_eq!(rejects(&case.project, "odd.jsonl").len(), 5);
}

#[test]
fn unicode_line_separators_are_part_of_a_text() {
    let Some(case) = Case::of("09-unicode-line-separators") else { return };
    let project = case.made("separators.jsonl", &[]);
    let rows = project.run("export", &["--what", "rows"]).done().out;
    assert_eq!(rows.lines().count(), 3);
    let given = std::fs::read_to_string(case.folder.join("separators.jsonl")).unwrap();
    for separator in ['\u{2028}', '\u{2029}', '\u{85}'] {
        let count = |text: &str| -> usize {
            text.lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .map(|row| row["text"].as_str().unwrap_or_default().matches(separator).count())
                .sum()
        };
        assert_eq!(count(&rows), count(&given), "{separator:?}");
    }
}

#[test]
fn one_broken_byte_costs_one_row() {
    let Some(case) = Case::of("10-zero-and-broken-bytes") else { return };
    for file in ["zero.csv", "broken.csv"] {
        let data = case.copied(file);
        case.new_from(&case.task(), &data, &[]).refused(1, &["line 3"]);
        assert_eq!(case.texts(file, &["--skip-bad"]).len(), 2, "{file}");
        assert_eq!(rejects(&case.project, file), [3], "{file}");
    }
}

#[test]
fn json_in_every_shape_is_read() {
    let Some(case) = Case::of("14-json-array") else { return };
    for file in ["array.json", "one-line-array.json", "strings.json", "wrapped.json"] {
        let found = case.texts(file, &[]);
        assert!(found.len() >= 2, "{file}: {found:?}");
    }
    assert_eq!(case.texts("array.json", &[]).len(), 3);
    assert_eq!(case.texts("one-line-array.json", &[]).len(), 3);
}

#[test]
fn exports_of_other_programs_are_known() {
    let Some(case) = Case::of("15-exports-of-other-tools") else { return };
    for (file, options) in [
        ("doccano.jsonl", &[][..]),
        ("prodigy.jsonl", &[]),
        ("label-studio.jsonl", &[]),
        ("argilla.jsonl", &[]),
        ("label-studio.jsonl", &["--text", "data.text"]),
        ("argilla.jsonl", &["--text", "/fields/text"]),
    ] {
        assert_eq!(case.texts(file, options).len(), 2, "{file} {options:?}");
    }
}

#[test]
fn a_conversation_says_who_speaks() {
    let Some(case) = Case::of("16-conversations") else { return };
    let found = case.texts("messages.jsonl", &["--text", "messages"]);
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("user: My parcel is lost.\n\nassistant: "), "{found:?}");
    assert!(case.texts("sharegpt.jsonl", &[])[0].starts_with("human: My parcel"));
    let found = case.texts("pairs.csv", &["--text", "question", "--text", "answer_a", "--text", "answer_b"]);
    assert!(found[0].contains("question: Where is my parcel?\n\nanswer_a: It left on Monday."), "{found:?}");
}

#[cfg(feature = "engine")]
#[test]
fn several_labels_in_a_cell_are_told_as_several() {
    let Some(case) = Case::of("17-several-labels-in-a-cell") else { return };
    for file in ["hash.csv", "list.jsonl"] {
        let data = case.copied(file);
        let options = ["--gold", "labels", "--seeds", "1", "--rounds", "1", "--budget", "6", "--test", "9"];
        let mut command = program();
        command.arg("simulate").arg(data).args(options);
        let ran = run(command);
        assert!(ran.err.contains("several labels") && ran.err.contains("billing"), "{file}: {}", ran.err);
    }
}

#[test]
fn names_of_labels_come_back_unchanged_and_two_that_read_alike_are_refused() {
    let Some(case) = Case::of("18-label-names") else { return };
    let project = case.made("texts.csv", &[]);
    let names = ["needs, review / \"now\": yes", "näher 👍 geprüft", "None", "=1+1", "label:any"];
    for (at, name) in names.iter().enumerate() {
        let (item, key) = ((at + 1).to_string(), (at + 1).to_string());
        assert_eq!(project.json("answer", &["--item", &item, "--label", &key])["label"], json!(name));
    }
    let labels: Vec<Value> = exported(project, "labels").iter().map(|row| row["label"].clone()).collect();
    assert_eq!(labels, names.map(Value::from));
    let printed = project.run("export", &["--format", "csv"]).done().out;
    let mut reader = csv::Reader::from_reader(printed.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "label").unwrap();
    let labels: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
    assert_eq!(labels, names);
    let data = case.copied("texts.csv");
    for clash in ["clash-key", "clash-case", "clash-blank"] {
        let made = case.new_from(&case.folder.join(format!("{clash}.toml")), &data, &[]);
        assert_eq!((made.code, made.err.lines().count()), (Some(2), 1), "{clash}: {}", made.err);
    }
}

#[test]
fn the_same_file_again_adds_nothing_and_every_row_stays() {
    let Some(case) = Case::of("20-ids-and-second-imports") else { return };
    assert_eq!(case.texts("a.csv", &[]).len(), 3);
    let data = case.project.path("a.csv");
    let again = case.project.json("import", &[data.to_str().unwrap()]);
    assert_eq!((&again["new_items"], &again["known"]), (&json!(0), &json!(3)), "{again}");
    case.copied("b.csv");
    assert_eq!(case.project.json("import", &["b.csv"])["new_items"], 2);
    let rows = exported(&case.project, "rows");
    assert_eq!(rows.len(), 6, "three rows of the first file, once, and three of the second");
    let ids: Vec<&str> = rows.iter().map(|row| row["record_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "1", "", "9", "10", "11"]);
}

#[test]
fn near_copies_lie_on_one_side() {
    let Some(case) = Case::of("21-near-copies") else { return };
    let project = case.made("copies.csv", &[]);
    assert_eq!(exported(project, "rows").len(), 12);
    assert_eq!(exported(project, "final").len(), 11, "only the copy that differs in white space folds");
}

#[test]
fn seventy_seven_labels_are_taken_with_keys_or_without() {
    let Some(case) = Case::of("22-seventy-seven-labels") else { return };
    let data = case.copied("texts.csv");
    case.made("texts.csv", &[]);
    let last = case.project.json("task", &["--show"]);
    let names = last[0]["task"]["label"].as_array().unwrap();
    assert_eq!(names.len(), 77);
    let name = names[76]["name"].as_str().unwrap();
    assert_eq!(case.project.json("answer", &["--item", "1", "--label", name])["label"], json!(name));
    case.new_from(&case.folder.join("no-keys.toml"), &data, &[]).done();
}

#[test]
fn joiners_and_marks_come_back_to_the_byte() {
    let Some(case) = Case::of("24-right-to-left-and-joiners") else { return };
    let found = case.texts("joiners.csv", &[]);
    let mut given = csv::Reader::from_path(case.folder.join("joiners.csv")).unwrap();
    let given: Vec<String> = given.records().map(|row| row.unwrap()[1].to_owned()).collect();
    assert_eq!(found, given);
}

#[test]
fn files_are_read_whatever_they_are_called() {
    let Some(case) = Case::of("26-file-names") else { return };
    let names = [
        "my data; (1) – Kopie.csv",
        "-starts-with-a-dash.csv",
        r"C:\Users\me\Desktop\new.csv",
        "no-extension",
    ];
    let files: Vec<PathBuf> = names.iter().map(|name| case.copied(name)).collect();
    let mut command = program();
    command.arg("new").arg(case.project.file()).arg("--task").arg(case.task());
    for file in &files {
        command.arg("--data").arg(file);
    }
    let ran = run(command).done();
    assert!([&ran.out, &ran.err].iter().any(|said| said.contains("my data; (1) – Kopie.csv")), "{}", ran.err);
    assert!(!texts(&case.project).is_empty());
    // By its name alone, after `--`.
    let mut command = case.project.command("import", &["--", "-starts-with-a-dash.csv"]);
    command.current_dir(files[0].parent().unwrap());
    run(command).done();
}

#[test]
fn where_no_screen_can_be_drawn_one_sentence_says_so() {
    let Some(case) = Case::of("29-poor-terminals") else { return };
    let project = case.made("texts.csv", &[]);
    for term in ["dumb", ""] {
        let mut command = project.command("label", &[]);
        command.env("TERM", term);
        let ran = run(command);
        assert_ne!(ran.code, Some(0), "{}", ran.out);
        assert_eq!(ran.err.trim().lines().count(), 1, "{term:?}: {}", ran.err);
        assert!(!ran.out.contains('\u{1b}'));
    }
}

#[cfg(feature = "engine")]
#[test]
fn odd_chat_templates_keep_no_model_from_judging() {
    let Some(case) = Case::of("30-odd-chat-templates") else { return };
    let project = case.made("texts.csv", &[]);
    project.run("scout", &[]).done();
    project.run("mine", &["--budget", "10"]).done();
    for model in models(&case.folder) {
        let judged = project.json("judge", &["--model", &model, "--limit", "5", "--context", "400"]);
        assert!(judged["judged"].as_i64().unwrap() > 0, "{model}: {judged}");
    }
}

#[cfg(feature = "engine")]
#[test]
fn models_of_the_wrong_kind_are_refused_by_name() {
    let Some(case) = Case::of("31-models-of-the-wrong-kind") else { return };
    let Some(texts) = test_data("cases/30-odd-chat-templates/texts.csv") else { return };
    case.new_from(&case.task(), &texts, &[]).done();
    for model in models(&case.folder) {
        for (verb, options) in [("scout", &[][..]), ("judge", &["--limit", "1"])] {
            let ran = case.project.run(verb, &[&["--model", model.as_str()], options].concat());
            assert!(ran.code.is_some_and(|code| code != 0), "{verb} {model}: {}", ran.out);
            assert_eq!(ran.err.trim().lines().count(), 1, "{verb} {model}: {}", ran.err);
        }
    }
}

#[cfg(feature = "engine")]
fn models(folder: &Path) -> Vec<String> {
    let mut models: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .filter(|path| path.ends_with(".gguf"))
        .collect();
    models.sort();
    models
}

#[test]
fn labels_that_are_there_already_are_taken_as_somebodys() {
    let Some(case) = Case::of("32-labels-that-are-there-already") else { return };
    let project = case.made("labelled.csv", &["--label", "label", "--source", "old team"]);
    let sources = project.json("source", &["list"]);
    assert_eq!((&sources[0]["source"], &sources[0]["labels"]), (&json!("old team"), &json!(20)), "{sources}");
    assert_eq!(project.json("status", &[])["labels"], 0, "none of them is an expert's");
    let as_gold = case.made("labelled.csv", &["--gold", "label"]);
    assert_eq!(as_gold.json("source", &["list"]), json!([]));
}

#[test]
fn every_case_has_a_test_here() {
    let Some(folder) = test_data("cases") else { return };
    let source = include_str!("cases.rs");
    let missing: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !source.contains(&format!("Case::of(\"{name}\")")))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
