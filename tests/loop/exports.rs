//! Every kind of export in every format, byte for byte: what scripts read must not change unnoticed.

use std::collections::HashMap;

use super::project::{Project, hardcase, run};

/// Rows with keys of their own, numbers that no parser keeps, and the characters that CSV and JSON must escape.
const NOTES: &str = concat!(
    r#"{"id":"n1","text":"An odd number, in here","n":1.50,"big":12345678901234567890123,"flag":true,"nested":{"p": [1, 2]}}"#,
    "\n",
    r#"{"id":2,"text":"a \"quoted\" text;\twith a tab","only here":"x","n":"007"}"#,
    "\n",
    r#"{"text":"=SUM(A1) is no formula here: é ü","n":null}"#,
    "\n",
);

/// Three advertisements and three notes; two experts have answered some of them.
fn project() -> Project {
    let project = Project::with_ads(3);
    let notes = project.write("notes.jsonl", NOTES);
    project.run("import", &[notes.to_str().unwrap()]).done();
    project.enter_vectors();
    project.run("mine", &["--budget", "6"]).done();
    for (item, label, name) in
        [(1, "fine", "ada"), (1, "clickbait", "bob"), (2, "clickbait", "ada"), (4, "fine", "ada")]
    {
        let mut answer = project.command("answer", &["--item", &item.to_string(), "--label", label]);
        answer.args(["--as", name, "--quiet"]);
        run(answer).done();
    }
    project
}

/// Replaces what differs from run to run: the time of an answer, and the ids that are drawn when something is made.
fn masked(text: &str) -> String {
    let is_id = |word: &str| {
        let parts: Vec<usize> = word.split('-').map(str::len).collect();
        parts == [8, 4, 4, 4, 12] && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
    };
    let is_time = |word: &str| word.len() >= 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    let is_part_of_word = |c: char| c.is_alphanumeric() || "-:.".contains(c);
    let mut ids = HashMap::new();
    let mut out = String::new();
    for piece in text.split_inclusive(|c| !is_part_of_word(c)) {
        let word = piece.trim_end_matches(|c| !is_part_of_word(c));
        if is_id(word) {
            let next = ids.len() + 1;
            out.push_str(&format!("ID-{}", ids.entry(word.to_owned()).or_insert(next)));
        } else if is_time(word) {
            out.push_str("TIME");
        } else {
            out.push_str(word);
        }
        out.push_str(&piece[word.len()..]);
    }
    out
}

#[test]
fn every_kind_of_export_is_the_same_to_the_byte_in_every_format() {
    let project = project();
    let kinds: [(&str, &[&str]); 5] = [
        ("labels", &["--what", "labels"]),
        ("history", &["--what", "labels", "--history"]),
        ("predictions", &["--what", "predictions", "--reveal"]),
        ("final", &["--what", "final", "--reveal"]),
        ("rows", &["--what", "rows", "--reveal"]),
    ];
    let mut all = String::new();
    for (name, arguments) in kinds {
        for format in ["jsonl", "csv"] {
            let printed = project.run("export", &[arguments, &["--format", format]].concat()).done().out;
            all.push_str(&format!("--- {name}, {format}\n{}", masked(&printed)));

            let out = project.path(&format!("{name}.{format}"));
            project.run("export", &[arguments, &["-o", out.to_str().unwrap()]].concat()).done();
            assert_eq!(std::fs::read_to_string(out).unwrap(), printed, "the extension chooses {format}");
        }
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("exports", all);
    });
}

#[test]
fn a_requested_format_wins_over_the_extension_and_an_unknown_one_is_refused_with_the_known_ones() {
    let project = project();
    let out = project.path("labels.csv");
    let arguments = ["--format", "jsonl", "-o", out.to_str().unwrap()];
    project.run("export", &arguments).done();
    assert!(std::fs::read_to_string(&out).unwrap().starts_with("{\"item\":"));
    for verb in ["export", "predict"].into_iter().filter(|verb| *verb == "export" || cfg!(feature = "engine"))
    {
        let refused = project.run(verb, &["--format", "xml"]);
        assert_eq!(refused.code, Some(2));
        assert!(
            refused.err.contains(
                "[possible values: jsonl, csv, label-studio, doccano, argilla, prodigy, spacy, fasttext, parquet, \
                 arrow]"
            ),
            "{}",
            refused.err
        );
        let help = hardcase([verb, "--help"]).done().out;
        assert!(help.contains("A JSON object on each line"), "{help}");
    }
    let kinds = project.run("export", &["--what", "everything"]);
    assert!(
        kinds
            .err
            .contains("[possible values: labels, predictions, final, rows, events, sft, dpo, kto, dataset]"),
        "{}",
        kinds.err
    );
}

#[test]
fn an_option_that_does_not_apply_to_a_kind_of_export_is_refused() {
    let project = project();
    project
        .run("export", &["--what", "rows", "--history"])
        .refused(2, &["export the rows with --history", "goes with --what labels"]);
    project.run("export", &["--no-text"]).refused(2, &["--no-text goes with --what events"]);
    project
        .run("export", &["--by", "head"])
        .refused(2, &["--by goes with --what predictions, final, rows, dpo or kto"]);
    let csv = ["--what", "events", "--format", "csv"];
    project.run("export", &csv).refused(2, &["--format goes with"]);
}

#[test]
fn a_log_of_labels_is_jsonl_whatever_the_extension() {
    let project = project();
    let out = project.path("log.csv");
    project.run("export", &["--what", "events", "-o", out.to_str().unwrap()]).done();
    let log = std::fs::read_to_string(out).unwrap();
    assert!(log.lines().all(|line| line.starts_with('{')), "{log}");
}

#[test]
fn what_an_export_would_write_is_counted_as_it_is_written() {
    let project = project();
    for kind in ["labels", "predictions", "final", "rows", "events"] {
        let written = project.run("export", &["--what", kind, "-o", "out"]);
        let lines = written.done();
        let said = project.json("export", &["--what", kind, "--count"]);
        let mut command = project.command("export", &["--what", kind, "-o", "again"]);
        command.args(["--progress", "none"]);
        let told = run(command).done().out;
        let counted = said["lines"].as_u64().unwrap();
        let rows = if counted == 1 { "row" } else { "rows" };
        assert_eq!(told.trim(), format!("{counted} {rows} written"), "{kind}: {}", lines.err);
        assert!(said["left_out"]["views"].is_u64(), "{said}");
        assert_eq!(
            project.run("export", &["--what", kind, "--count"]).done().out.trim(),
            format!("{counted} {rows}")
        );
    }
}
