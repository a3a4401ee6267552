//! Wrong input: one clear line that names the file, the reason and a way out, and nothing of it in the project.

use std::fs;
use std::path::Path;

use super::project::{Project, hardcase};
#[cfg(feature = "engine")]
use super::skip::test_data;

/// Imports bytes under a name into a project that has three texts, and expects a refusal that leaves it as it was.
#[track_caller]
fn import_is_refused(name: &str, bytes: impl AsRef<[u8]>, code: i32, parts: &[&str]) -> Project {
    let project = Project::with_ads(3);
    project.write(name, bytes);
    let before = project.visible();
    let refused = project.run("import", &[name]);
    refused.refused(code, &[&[format!("cannot import {name}: ").as_str()], parts].concat());
    assert_eq!(project.visible(), before, "nothing of it is seen");
    project
}

#[test]
fn a_missing_file_is_named() {
    let project = Project::with_ads(3);
    let before = project.visible();
    project
        .run("import", &["nowhere.csv"])
        .refused(2, &["cannot import nowhere.csv: there is no such file. Check the path"]);
    assert_eq!(project.visible(), before);
}

#[test]
fn a_directory_is_no_data_and_no_project() {
    let project = Project::with_ads(3);
    fs::create_dir(project.path("folder")).unwrap();
    project.run("import", &["folder"]).refused(2, &["import folder: it is a directory", "inside it"]);
    hardcase(["status".as_ref(), project.path("folder").as_os_str()])
        .refused(2, &["folder: it is a directory", ".hardcase file"]);
}

#[test]
fn an_empty_file_is_named() {
    import_is_refused("empty.csv", "", 2, &["it is empty", "at least one row with a text"]);
}

#[test]
fn a_table_of_numbers_has_no_text_column_and_its_columns_are_shown() {
    import_is_refused(
        "numbers.csv",
        "height,weight\n180,75\n172,68\n",
        2,
        &["no column looks like text", "--text", "1 'height', 2 'weight'"],
    );
}

#[test]
fn a_binary_file_is_no_text() {
    let bytes: Vec<u8> = (0..4_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    import_is_refused("noise.csv", bytes, 2, &["it is binary", "CSV, TSV and plain lines"]);
}

#[test]
fn invalid_utf8_names_its_line() {
    let bytes = b"text\nfine so far says the first row\nthis one breaks \xff\xfe off in the middle\n";
    import_is_refused("broken.csv", bytes, 1, &["line 3", "not UTF-8"]);
}

#[test]
fn windows_1252_is_recognised_in_a_file_and_proposed_for_what_can_be_read_only_once() {
    let bytes = b"text\nun caf\xe9 au lait s'il vous pla\xeet\nle r\xe9sum\xe9 \x93entre guillemets\x94 co\xfbte 5 \x80\n";
    let project = Project::empty();
    let piped = |option: &[&str]| {
        let mut command = project.command("import", &[&["-"], option].concat());
        command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), bytes).unwrap();
        let ended = child.wait_with_output().unwrap();
        (ended.status.success(), String::from_utf8(ended.stderr).unwrap())
    };
    let (taken, said) = piped(&[]);
    assert!(!taken && said.contains("not UTF-8") && said.contains("--encoding windows-1252"), "{said}");
    assert!(piped(&["--encoding", "windows-1252"]).0);
    project.write("french.csv", bytes);
    let found = project.json("import", &["french.csv"])["found"].to_string();
    assert!(found.contains("windows-1252"), "{found}");
    let rows = project.run("export", &["--what", "rows"]).done().out;
    assert_eq!(rows.matches("le résumé “entre guillemets” coûte 5 €").count(), 2, "{rows}");
}

#[test]
fn a_pdf_and_an_office_file_are_known_by_their_first_bytes_whatever_their_name() {
    import_is_refused(
        "report.csv",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\n",
        2,
        &["it is a PDF", "Extract its text"],
    );
    import_is_refused(
        "sheet.xlsx",
        b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00[Content_Types].xml",
        2,
        &["Office file", "save the sheet as CSV"],
    );
}

#[test]
fn ten_megabytes_in_one_cell_name_the_line_and_can_be_set_aside() {
    let cell = "word ".repeat(2_000_000);
    let data = format!("text,id\nthe first row is short,1\n\"{cell}\",2\nand so is the last,3\n");
    let project = import_is_refused("long.csv", data, 1, &["line 3", "10,000,000 bytes", "--skip-bad"]);
    let report = project.json("import", &["long.csv", "--skip-bad"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&2.into(), &1.into()));
}

#[test]
fn skipped_rows_go_to_a_file_next_to_the_data_with_their_line() {
    let project = Project::empty();
    project.write(
        "mixed.csv",
        b"text\na good row with some words\nbad \xff row\nanother good row here\n\xc3(\n",
    );
    let report = project.json("import", &["mixed.csv", "--skip-bad"]);
    assert_eq!((&report["rows"], &report["rejected"]), (&2.into(), &2.into()), "{report}");
    let rejects = fs::read_to_string(project.path("mixed.csv.rejects.jsonl")).unwrap();
    let lines: Vec<_> = rejects
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [3, 5]);
    assert_eq!(project.json("status", &[])["rows"], 2);
}

#[test]
fn a_task_needs_two_labels_and_no_two_on_one_key() {
    let label = |name: &str, key: &str| format!("[[label]]\nname = \"{name}\"\nkey = \"{key}\"\n");
    let question = "question = \"Spam?\"\n";
    let two = "There must be at least two [[label]] blocks";
    let cases = [
        ("none.toml", question.to_owned(), ["it has no label", two]),
        ("one.toml", format!("{question}{}", label("spam", "1")), ["only one label, 'spam'", two]),
        (
            "shared.toml",
            format!("{question}{}{}", label("spam", "1"), label("ham", "1")),
            [
                "the labels 'spam' and 'ham' have the same key, '1'",
                "each with a name of its own, and no two with the same key",
            ],
        ),
    ];
    let project = Project::with_ads(3);
    let before = project.run("task", &["--show"]).done().out;
    for (name, text, parts) in cases {
        let parts = [name, parts[0], parts[1]];
        project.write(name, text);
        project.run("task", &["--set", name]).refused(2, &parts);
        let made = project.path("new.hardcase");
        let task = project.path(name);
        hardcase(["new".as_ref(), made.as_os_str(), "--task".as_ref(), task.as_os_str()]).refused(2, &parts);
        assert!(!made.exists(), "no project is made of a task that cannot be");
    }
    assert_eq!(project.run("task", &["--show"]).done().out, before);
}

/// Expects that a file is refused as a project by reading and writing verbs, and is left as it is.
#[track_caller]
fn is_no_project(path: &Path, code: i32, parts: &[&str]) {
    let before = fs::read(path).unwrap();
    let folder = || fs::read_dir(path.parent().unwrap()).unwrap().count();
    let files = folder();
    let name = path.file_name().unwrap().to_str().unwrap();
    for verb in ["status", "next", "mine", "tune", "export"] {
        let ran = hardcase([verb.as_ref(), path.as_os_str(), "--quiet".as_ref()]);
        ran.refused(code, &[&[name], parts].concat());
    }
    assert!(fs::read(path).unwrap() == before, "it was left as it is");
    assert_eq!(folder(), files, "nothing was put next to it");
}

#[test]
fn a_text_a_foreign_database_and_a_newer_project_are_refused() {
    let project = Project::empty();
    let text = project.write("notes.txt", "just some notes\n".repeat(20));
    is_no_project(&text, 2, &["it is not a hardcase project", "hardcase new"]);
    let foreign = project.path("contacts.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE contact (name TEXT)").unwrap();
    is_no_project(&foreign, 2, &["SQLite database of another program", "name a .hardcase file"]);
    let newer = project.file();
    let conn = rusqlite::Connection::open(&newer).unwrap();
    let own: i64 = conn.query_row("PRAGMA user_version", (), |r| r.get(0)).unwrap();
    // The low byte counts the versions.
    conn.pragma_update(None, "user_version", (own & !0xFF) | 99).unwrap();
    drop(conn);
    is_no_project(&newer, 1, &["newer hardcase (file version 99;", "Update hardcase"]);
}

#[test]
fn a_truncated_project_is_reported_as_damaged() {
    let project = Project::with_ads(100);
    let whole = fs::read(project.file()).unwrap();
    let cut = project.write("cut.hardcase", &whole[..whole.len() / 2]);
    is_no_project(&cut, 1, &["it is cut short", "go back to a backup"]);
}

#[test]
fn a_missing_project_says_how_to_make_one() {
    let project = Project::none();
    project.run("status", &[]).refused(1, &["pool.hardcase: there is no such file", "hardcase new"]);
    assert!(!project.file().exists());
}

#[cfg(unix)]
#[test]
fn a_read_only_project_can_be_read_and_nothing_else() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "10"]).done();
    let task = project.write("other.toml", super::project::TASK.replace("Is this", "Would you call this"));
    let more = project.write("more.csv", super::project::ads(80));
    fs::set_permissions(project.file(), fs::Permissions::from_mode(0o444)).unwrap();
    let before = fs::read(project.file()).unwrap();
    let writing: [(&str, &[&str]); 6] = [
        ("import", &[more.to_str().unwrap()]),
        ("task", &["--set", task.to_str().unwrap()]),
        ("mine", &[]),
        ("next", &[]),
        ("answer", &["--item", "1", "--label", "fine"]),
        ("tune", &[]),
    ];
    for (verb, arguments) in writing {
        project.run(verb, arguments).refused(1, &["pool.hardcase", "read-only", "chmod u+w"]);
    }
    assert_eq!(project.json("status", &[])["items"], 60);
    assert_eq!(project.run("export", &["--what", "predictions"]).json_lines().len(), 60);
    assert!(fs::read(project.file()).unwrap() == before);
}

#[test]
fn an_answer_needs_an_item_and_a_label_that_exist() {
    let project = Project::scouted_elsewhere(60);
    project.run("answer", &["--item", "1", "--label", "nonsense"]).refused(2, &["nonsense"]);
    project
        .run("answer", &["--item", "4711", "--label", "fine"])
        .refused(2, &["4711", "no such item", "next"]);
    assert_eq!(project.json("status", &[])["labels"], 0);
}

#[cfg(feature = "engine")]
#[test]
fn a_model_that_is_a_text_or_truncated_is_named_and_nothing_is_scouted() {
    let project = Project::with_ads(3);
    let text = project.write("readme.gguf", "This is not a model at all.\n".repeat(50));
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");
    let bytes = fs::read(model).unwrap();
    let half = project.write("half.gguf", &bytes[..bytes.len() / 2]);
    let missing = project.path("nowhere.gguf");
    for (path, why) in
        [(text, "it is not a GGUF file"), (half, "it is truncated"), (missing, "there is no such file")]
    {
        let name = path.file_name().unwrap().to_str().unwrap();
        project.run("scout", &["--model", path.to_str().unwrap()]).refused(1, &[name, why]);
    }
    assert_eq!(project.json("status", &[])["scored"], 0);
}

#[cfg(feature = "engine")]
#[test]
fn a_language_model_is_no_scout() {
    let Some(model) = test_data("models/tinystories-656k-q8_0.gguf") else { return };
    let project = Project::with_ads(3);
    project
        .run("scout", &["--model", model.to_str().unwrap()])
        .refused(1, &["TinyStories", "language model", "Give an embedding model"]);
    assert_eq!(project.json("status", &[])["scored"], 0);
}
