//! Vectors that were made elsewhere take the place of a scouting. Needs no model.

use super::cascade::answer_round;
use super::project::{Project, vector};

/// A file with a vector for each text, by the file's own ids.
fn vectors(project: &Project, most: usize) -> String {
    let lines = project.run("export", &["--what", "rows"]).json_lines();
    let row = |line: &serde_json::Value| {
        let vector = vector(line["text"].as_str().unwrap());
        format!("{}\n", serde_json::json!({ "id": line["id"], "embedding": vector }))
    };
    lines.iter().take(most).map(row).collect()
}

#[test]
fn vectors_from_elsewhere_are_enough_to_choose_cases_and_to_learn_from_the_answers() {
    let project = Project::with_ads(200);
    let file = project.write("vectors.jsonl", vectors(&project, 180));
    let file = file.to_str().unwrap();
    let report = project.json("scout", &["--from", file, "--model-name", "bag of words", "--id", "id"]);
    assert_eq!((&report["scored"], &report["items"]), (&180.into(), &200.into()), "{report}");
    assert_eq!((&report["prelabels"], &report["rows"]), (&"none".into(), &180.into()), "{report}");

    // Nothing is guessed: no export, no figure and no case says otherwise.
    let lines = project.run("export", &["--what", "predictions"]).json_lines();
    assert!(lines.iter().all(|line| line["prelabel"].is_null()), "{:?}", lines[0]);
    let advice = project.json("status", &[]);
    assert!(advice["advice"].as_str().unwrap().contains("hardcase mine"), "{advice}");
    let mined = project.json("mine", &["--budget", "60"]);
    assert!(mined["note"].as_str().unwrap().contains("cover the pool"), "{mined}");
    assert_eq!(mined["universe"], 180);
    let gold = project.gold();
    project.answer_all(|item| gold[&item].clone());
    let status = project.json("status", &[]);
    assert!(status["kappa"]["model_expert"]["undefined"].is_string(), "{status}");

    project.run("tune", &[]).done();
    let status = project.json("status", &[]);
    assert_eq!((&status["prelabels"], &status["scored"]), (&"head".into(), &180.into()), "{status}");
    let lines = project.run("export", &["--what", "predictions"]).json_lines();
    let right = lines.iter().filter(|line| line["prelabel"] == line["gold"]).count();
    assert!(right > 120, "{right} of 180");

    // The rest of the texts join what was learned.
    let all = project.write("all.jsonl", vectors(&project, 200));
    let report = project
        .json("scout", &["--from", all.to_str().unwrap(), "--model-name", "bag of words", "--id", "id"]);
    assert_eq!(
        (&report["embedded"], &report["known"], &report["prelabels"]),
        (&20.into(), &180.into(), &"head".into()),
        "{report}"
    );
    answer_round(&project, "20");
    project.run("tune", &[]).done();
    project.run("doctor", &[]).done();
    project.is_whole();
}

#[cfg(feature = "columnar")]
#[test]
fn vectors_come_from_parquet() {
    use std::sync::Arc;

    use arrow_array::types::Float32Type;
    use arrow_array::{ArrayRef, ListArray, RecordBatch, StringArray};

    let project = Project::with_ads(40);
    let lines = project.run("export", &["--what", "rows"]).json_lines();
    let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    let lists = texts.iter().map(|text| Some(vector(text).into_iter().map(Some).collect::<Vec<_>>()));
    let columns: [(&str, ArrayRef); 2] = [
        ("text", Arc::new(StringArray::from(texts.clone()))),
        ("embedding", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(project.path("v.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let path = project.path("v.parquet");
    let report = project.json("scout", &["--from", path.to_str().unwrap(), "--model-name", "bag of words"]);
    assert_eq!((&report["scored"], &report["items"]), (&40.into(), &40.into()), "{report}");
    project.json("mine", &["--budget", "20"]);
    project.is_whole();
}

#[test]
fn a_file_that_cannot_be_used_is_refused_in_one_sentence() {
    let project = Project::with_ads(10);
    let file = project.write("v.jsonl", "{\"id\":\"nobody\",\"v\":[1,2]}\n");
    let file = file.to_str().unwrap();
    assert!(project.run("scout", &["--from", file]).err.contains("--model-name <NAME>"));
    project
        .run("scout", &["--from", file, "--model-name", "m"])
        .refused(2, &["no row has a vector of a text of this project: 1 row names no text of this project"]);
    project
        .run("scout", &["--from", file, "--model-name", "m", "--gold", "v"])
        .refused(2, &["--gold and --meta mean nothing"]);
}
