//! Another question over the same texts: they and their vectors come over, and nothing that was said of them.

use std::ffi::OsStr;

use super::project::{Project, hardcase};

const OTHER: &str = "question = 'Is it about food?'\n[[label]]\nname = 'food'\nkey = 'e'\n[[label]]\nname = 'other'\nkey = 'o'\n";

#[test]
fn a_project_like_another_has_its_texts_and_vectors_and_nothing_that_was_said_of_them() {
    let project = Project::with_ads(60);
    project.enter_vectors();
    project.run("mine", &["--budget", "30"]).done();
    let gold = project.gold();
    assert!(project.answer_all(|item| gold[&item].clone()) > 20);
    let task = project.write("other.toml", OTHER);
    let like = project.path("other.hardcase");
    let file = project.file();
    let new = |more: &[&str]| {
        let first =
            [OsStr::new("new"), like.as_os_str(), "--like".as_ref(), file.as_os_str(), "--task".as_ref()];
        hardcase(
            first
                .into_iter()
                .chain([task.as_os_str(), "--quiet".as_ref()])
                .chain(more.iter().map(OsStr::new)),
        )
    };
    let both = new(&["--data", "x.csv"]);
    assert!(both.code == Some(2) && both.err.contains("--like") && !like.exists(), "{}", both.err);
    new(&["--as", "grace"]).done();
    let run = |verb: &str, more: &[&str]| {
        hardcase(
            [OsStr::new(verb), like.as_os_str(), "--quiet".as_ref()]
                .into_iter()
                .chain(more.iter().map(OsStr::new)),
        )
    };
    let (theirs, status) = (project.json("status", &[]), run("status", &["--json"]).json());
    assert_eq!((&status["items"], &status["rows"]), (&theirs["items"], &theirs["rows"]), "{status}");
    assert_eq!((&status["labels"], &status["round"]), (&0.into(), &0.into()), "{status}");
    assert!(theirs["labels"].as_u64() > Some(20), "{theirs}");
    run("doctor", &[]).done();
    let rows = |out: String| -> Vec<(String, String)> {
        let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        out.lines().map(line).map(|row| (row["id"].to_string(), row["text"].to_string())).collect()
    };
    let theirs = project.run("export", &["--what", "rows"]).done().out;
    assert_eq!(rows(run("export", &["--what", "rows"]).done().out), rows(theirs));
    let people = run("expert", &["list", "--json"]).json().to_string();
    assert!(people.contains("grace") && !people.contains("\"name\":\"ada\""), "{people}");
    let bytes = std::fs::read(&like).unwrap();
    let has = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(has("Is it about food?") && !has("\"ada\""));
    // Two questions are two projects.
    assert_ne!(project.run("merge", &[like.to_str().unwrap()]).code, Some(0));
    let missing = project.path("nowhere.hardcase");
    let nowhere = ["new", project.path("x.hardcase").to_str().unwrap(), "--like", missing.to_str().unwrap()]
        .map(str::to_owned);
    hardcase(nowhere).refused(1, &["nowhere.hardcase"]);
    assert!(!project.path("x.hardcase").exists());
}
