//! Tables of other programs in, and what others train on out, through the real program.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::project::Project;

#[test]
fn a_table_of_a_database_is_imported_again_and_again_and_the_database_stays_as_it_is() {
    let project = Project::empty();
    let path = project.path("shop.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE review (id INTEGER PRIMARY KEY, body TEXT, stars REAL);
             INSERT INTO review VALUES (1, 'It broke in a day', 1), (2, 'Lovely colour', 5), (3, NULL, 3);
             CREATE TABLE customer (name);",
        )
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    project.run("import", &["shop.db"]).refused(2, &["2 tables", "--table", "'customer', 'review'"]);
    let report = project.json("import", &["shop.db", "--table", "review"]);
    assert_eq!((&report["rows"], &report["empty"]), (&json!(2), &json!(1)), "{report}");
    assert!(report["found"].as_str().unwrap().starts_with("SQLite table 'review'"), "{report}");
    assert_eq!(project.json("import", &["shop.db", "--table", "review"])["new_items"], 0);
    let query = "SELECT id, body AS text FROM review WHERE stars > 2";
    assert_eq!(project.json("import", &["shop.db", "--query", query])["rows"], 1);
    project.run("import", &["shop.db", "--query", "DROP TABLE review"]).refused(2, &["not one SELECT"]);
    assert!(std::fs::read(&path).unwrap() == before);
    // Another table is another file: its ids are its own.
    let customers = "INSERT INTO customer VALUES ('somebody of that name'); ALTER TABLE customer ADD COLUMN id; UPDATE customer SET id = 1";
    rusqlite::Connection::open(&path).unwrap().execute_batch(customers).unwrap();
    let report = project.json("import", &["shop.db", "--table", "customer", "--text", "name"]);
    assert_eq!((&report["new_items"], &report["changed"]), (&json!(1), &json!(0)), "{report}");
    let rows = project.run("export", &["--what", "rows"]).json_lines();
    assert_eq!((&rows[0]["stars"], &rows[0]["body"]), (&json!(1), &json!("It broke in a day")));
    // A project is none, whatever is asked of it.
    let file = project.file();
    let file = file.to_str().unwrap();
    project.run("import", &[file]).refused(2, &["it is a hardcase project", "hardcase merge"]);
    project.run("import", &[file, "--table", "item"]).refused(2, &["no SQLite database of another program"]);
    project.write("a.csv", "text\na b\n");
    project
        .run("import", &["a.csv", "--sheet", "1"])
        .refused(2, &["--sheet was given, and it is no workbook"]);
}

/// Everything that a round asks is answered as the gold labels have it.
fn answered() -> Project {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "60"]).done();
    let gold = project.gold();
    project.answer_all(|item| gold[&item].clone());
    project
}

#[test]
fn what_trains_a_language_model_is_of_training_texts_alone_and_has_the_prompt_of_the_judge() {
    let project = answered();
    let finals = project.run("export", &["--what", "final"]).json_lines();
    let by_text = |split: &str| -> HashMap<String, String> {
        let of = finals.iter().filter(|row| row["split"] == split && row["label"].is_string());
        let folded = |text: &Value| text.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        of.map(|row| {
            (format!("Text: {}\nLabel:", folded(&row["text"])), row["label"].as_str().unwrap().to_owned())
        })
        .collect()
    };
    let train = by_text("train");
    let chats = project.run("export", &["--what", "sft"]).json_lines();
    assert_eq!((chats.len(), chats.len() > 10), (train.len(), true));
    for chat in &chats {
        let [system, user, assistant] = chat["messages"].as_array().unwrap().as_slice() else {
            panic!("{chat}")
        };
        assert_eq!([&system["role"], &user["role"], &assistant["role"]], ["system", "user", "assistant"]);
        assert!(system["content"].as_str().unwrap().ends_with("Answer with one label and nothing else."));
        let text = user["content"].as_str().unwrap();
        assert_eq!(Some(&assistant["content"].as_str().unwrap().to_owned()), train.get(text), "{text}");
    }
    let pairs = project.run("export", &["--what", "dpo", "--by", "scout"]).json_lines();
    assert!(!pairs.is_empty() && pairs.len() < chats.len(), "{}", pairs.len());
    for pair in &pairs {
        let text = pair["prompt"][1]["content"].as_str().unwrap();
        assert_eq!(pair["chosen"], json!([{ "role": "assistant", "content": train[text] }]));
        assert_ne!(pair["chosen"], pair["rejected"]);
    }
    let judgements = project.run("export", &["--what", "kto", "--by", "scout"]).json_lines();
    let down = judgements.iter().filter(|row| row["label"] == false).count();
    assert_eq!((judgements.len(), down), (chats.len() + pairs.len(), pairs.len()));
}

#[test]
fn of_a_text_that_is_still_to_be_answered_no_training_file_tells_that_it_teaches() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "40", "--overlap", "eval=2,audit=2,train=2"]).done();
    let case = project.next_as("ada");
    project.answer_as("ada", case["item"].as_i64().unwrap(), "fine");
    let asked: Vec<String> = project
        .run("export", &["--what", "sft", "--as", "bob"])
        .done()
        .out
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(asked, Vec::<String>::new(), "bob may still be asked about it");
}

#[test]
fn a_dataset_says_what_it_holds_and_its_version_is_its_contents() {
    let project = answered();
    let written = |name: &str| {
        project.run("export", &["--what", "dataset", "-o", name]).done();
        let read = |file: &str| std::fs::read_to_string(project.path(name).join(file)).unwrap();
        let manifest: Value = serde_json::from_str(&read("manifest.json")).unwrap();
        (manifest, read("README.md"), read("data/train.jsonl"))
    };
    let (manifest, card, train) = written("one");
    let files = manifest["files"].as_object().unwrap();
    for (file, said) in files {
        let bytes = std::fs::read(project.path("one").join(file)).unwrap();
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (said["sha256"].as_str(), said["bytes"].as_u64()),
            (Some(hash.as_str()), Some(bytes.len() as u64))
        );
    }
    for file in [
        "data/train.jsonl",
        "data/evaluation.jsonl",
        "data/audit.jsonl",
        "task.toml",
        "README.md",
        "MODEL.md",
        "REPORT.md",
    ] {
        assert!(files.contains_key(file), "{file} of {files:?}");
    }
    assert_eq!(train.lines().count() as u64, files["data/train.jsonl"]["rows"].as_u64().unwrap());
    for part in [
        "license: unknown",
        "- split: evaluation\n    path: data/evaluation.jsonl",
        "## Agreement",
        "## Limits",
        "1 person",
    ] {
        assert!(card.contains(part), "no {part:?} in\n{card}");
    }
    assert!(card.contains(manifest["version"].as_str().unwrap()));
    let (again, ..) = written("two");
    assert_eq!(again["version"], manifest["version"]);
    project.run("answer", &["--item", "1", "--label", "fine"]).done();
    project.run("export", &["--what", "dataset", "-o", "one"]).refused(2, &["something is in that folder"]);
    project.run("export", &["--what", "dataset"]).refused(2, &["it is a folder", "-o FOLDER"]);
}

#[cfg(feature = "columnar")]
#[test]
fn what_is_written_as_parquet_or_arrow_is_imported_as_nothing_new() {
    let project = answered();
    for (format, name) in [("parquet", "rows.parquet"), ("arrow", "rows.feather")] {
        project.run("export", &["--what", "rows", "-o", name]).done();
        let fresh = Project::empty();
        let data = project.path(name);
        let report = fresh.json("import", &[data.to_str().unwrap(), "--text", "text", "--gold", "gold"]);
        assert_eq!((&report["rows"], &report["new_items"]), (&json!(120), &json!(120)), "{format}: {report}");
        let rows = |of: &Project| -> Vec<Value> {
            let rows = of.run("export", &["--what", "rows"]).json_lines();
            rows.into_iter()
                .map(|row| json!([row["id"], row["text"], row["placement"], row["gold"]]))
                .collect()
        };
        assert_eq!(rows(&fresh), rows(&project));
    }
    // The parts of a data set in a folder are one import.
    let folder = project.path("parts");
    std::fs::create_dir(&folder).unwrap();
    for part in ["a.parquet", "b.parquet"] {
        std::fs::copy(project.path("rows.parquet"), folder.join(part)).unwrap();
    }
    let fresh = Project::empty();
    let report = fresh.json("import", &[folder.to_str().unwrap(), "--text", "text"]);
    assert_eq!((&report["rows"], &report["new_items"]), (&json!(240), &json!(120)), "{report}");
}

#[cfg(not(feature = "columnar"))]
#[test]
fn a_build_without_parquet_says_so_and_writes_nothing() {
    let project = answered();
    project.run("export", &["--what", "rows", "-o", "rows.parquet"]).refused(1, &["feature columnar"]);
    assert!(!project.path("rows.parquet").exists());
}
