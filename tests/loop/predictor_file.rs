//! A file with the model alone: people who score texts with it see no text, no answer and nobody's name.

use super::project::{Project, hardcase};

#[test]
fn a_predictor_s_file_holds_the_model_and_no_text_answer_or_name() {
    let project = Project::with_ads(60);
    project.enter_vectors();
    project.run("mine", &["--budget", "30"]).done();
    let gold = project.gold();
    project.answer_all(|item| gold[&item].clone());
    project.run("adapter", &["export", "--predictor"]).refused(2, &["no adapter is active"]);
    project.run("tune", &[]).done();
    let out = project.path("given");
    let export = |more: &[&str]| {
        project.run("adapter", &[&["export", "--predictor", "-o", out.to_str().unwrap()], more].concat())
    };
    export(&[]).done();
    export(&[]).refused(2, &["is there already", "-o"]);

    let written: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = &written[..] else { panic!("{written:?}") };
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("head-") && name.ends_with(".hardcase"), "{name}");
    let bytes = std::fs::read(file).unwrap();
    let has = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(has("clickbait"), "a label's name is part of the model");
    let texts = project.run("export", &["--what", "predictions", "--reveal"]).json_lines();
    assert!(texts.len() > 30);
    for line in &texts {
        let text = line["text"].as_str().unwrap();
        assert!(!has(text), "{text}");
    }
    let file = file.to_str().unwrap();
    let people = hardcase(["expert", file, "list", "--json"]).done().json().to_string();
    assert!(!people.contains("\"ada\""), "{people}");
    for needle in ["ads.csv", project.path("").to_str().unwrap()] {
        assert!(!has(needle), "{needle} is in the file");
    }
    hardcase(["doctor", file]).done();
    let status: serde_json::Value = hardcase(["status", file, "--json"]).done().json();
    assert_eq!(status["items"], 0, "{status}");
    let adapters: serde_json::Value = hardcase(["adapter", file, "list", "--json"]).done().json();
    assert_eq!((adapters.as_array().unwrap().len(), &adapters[0]["active"]), (1, &true.into()), "{adapters}");

    // It is no copy of the project, so nothing of it can be merged into one.
    let merged = project.run("merge", &[file]);
    assert_ne!(merged.code, Some(0), "{}", merged.out);
}
