//! Making a project by answering questions, at a real pseudo-terminal and without one.

use std::fs;

use super::project::{Project, hardcase, program, run};
use super::terminal::Terminal;

/// Known labels, hostile characters and a column next to the text.
const MESSAGES: &str = "label,who,text\nspam,ann,WINNER!! \u{1b}]0;owned\u{7}call \u{202e}now\nham,bo,Are you coming home?\n\
                        ham,cy,See you at the station\nham,di,Only the fourth\n";

/// The names in a folder, sorted.
fn names(project: &Project) -> Vec<String> {
    let folder = fs::read_dir(project.path("")).unwrap();
    let mut names: Vec<String> = folder.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_of_texts_becomes_a_project_by_answering_questions() {
    let project = Project::none();
    project.write("pool.csv", MESSAGES);
    let taken = project.write("pool.task.toml", "somebody's own");
    let mut terminal = Terminal::start(&project.path(""), &["pool.csv", "--gold", "label", "--meta", "who"]);
    terminal.answer("Start a new project pool.hardcase with the texts in pool.csv? [Y/n] ", "\n");
    terminal.answer("Your name, recorded with your labels [ada]: ", "Grace\n");
    terminal.wait_for("  Are you coming home?\n  who: bo\n");
    terminal.answer("Text column [3 text]: ", "\n");
    terminal.answer("Name of the task [pool]: ", "spam\n");
    terminal.answer("Question: ", "\n");
    terminal.wait_for("A task needs a question");
    terminal.answer("Question: ", "Is it \"spam\"?\n");
    terminal.answer("Guideline [none]: ", "\n");
    terminal.answer("(scale) [one]: ", "\n");
    terminal.answer("Label 1: ", "spm\u{7f}\u{7f}pam\n");
    terminal.answer("Key to press [1]: ", "\n");
    terminal.answer("Meaning, in one sentence", "sells something\n");
    terminal.answer("A typical text", "Call C:\\now\n");
    terminal.answer("how many texts in a hundred are 'spam'", "120\n");
    terminal.answer("how many texts in a hundred are 'spam'", "25\n");
    terminal.answer("Label 2: ", "spam\n");
    terminal.wait_for("There is already a label 'spam'");
    terminal.answer("Label 2: ", "fine\n");
    for prompt in [
        "Key to press [2]: ",
        "Meaning, in one sentence",
        "A typical text",
        "are 'fine' [unknown]",
        "Label 3 [no more]: ",
    ] {
        terminal.answer(prompt, "\n");
    }
    terminal.wait_for("pool.task-2.toml");
    terminal.answer("Is this correct? [Y/n] ", "\n");
    // The workstation follows, under the name that was typed.
    terminal.answer("Wrote the task to pool.task-2.toml\n", "\u{3}");
    let (_, shown) = terminal.end();
    let (shown, _) = shown.split_once("Wrote the task").unwrap();
    assert!(
        !shown.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "pool text reached the terminal raw:\n{shown:?}"
    );
    assert!(!shown.contains("Only the fourth"));
    assert!(shown.contains("gold in 'label'"), "the options are kept:\n{shown}");
    assert_eq!(names(&project), ["pool.csv", "pool.hardcase", "pool.task-2.toml", "pool.task.toml"]);
    assert_eq!(fs::read_to_string(taken).unwrap(), "somebody's own");

    let written = fs::read_to_string(project.path("pool.task-2.toml")).unwrap();
    for part in ["question = 'Is it \"spam\"?'", "'Call C:\\now'", "share = 0.25"] {
        assert!(written.contains(part), "no {part} in:\n{written}");
    }
    let task = project.json("task", &["--show"]);
    let mut other = program();
    other.args(["new", "other.hardcase", "--task", "pool.task-2.toml", "--quiet"]);
    other.current_dir(project.path(""));
    run(other).done();
    let again =
        hardcase(["task", project.path("other.hardcase").to_str().unwrap(), "--show", "--json"]).json();
    assert_eq!(again[0]["task"], task[0]["task"], "the file says what the project has");
    assert_eq!(project.json("status", &[])["items"], 4);
    let experts = project.json("expert", &["list"]);
    assert_eq!((&experts[0]["name"], &experts[0]["role"]), (&"Grace".into(), &"lead".into()), "{experts}");
    assert_eq!(experts.as_array().unwrap().len(), 1, "the login is nobody: {experts}");
}

#[test]
fn a_file_in_another_encoding_is_read_before_anything_is_asked_and_one_can_go_back() {
    let project = Project::none();
    project.write("pool.csv", b"kind;text\nja;Gr\xfc\xdfe aus K\xf6ln\nnein;Sch\xf6nes Wetter heute\nja;\xdcberraschung f\xfcr dich\n");
    let mut terminal = Terminal::start(&project.path(""), &["new", "pool.hardcase", "--data", "pool.csv"]);
    terminal.wait_for("Reading pool.csv");
    terminal.answer("Your name, recorded with your labels [ada]: ", "\n");
    terminal.wait_for("Grüße aus Köln");
    terminal.answer("Text column [2 text]: ", "\n");
    terminal.answer("Columns shown beside the text, by name or number [none]: ", "kinds\n");
    terminal.answer("There is no column 'kinds'.", "kind\n");
    terminal.answer("Column with known labels, hidden from experts [none]: ", "<\n");
    terminal.answer("Columns shown beside the text, by name or number [none]: ", "\n");
    terminal.answer("Column with known labels, hidden from experts [none]: ", "\n");
    terminal.answer("Column with labels that somebody gave before, which teach the model [none]: ", "kind\n");
    terminal.answer("Whose labels they are: a person, a team, a crowd: ", "<\n");
    terminal.answer("Column with labels that somebody gave before, which teach the model [none]: ", "kind\n");
    terminal.answer("Whose labels they are: a person, a team, a crowd: ", "the office\n");
    terminal.answer("Name of the task [pool]: ", "\n");
    terminal.answer("Question: ", "Nett?\n");
    terminal.answer("Guideline [none]: ", "\n");
    terminal.answer("(scale) [one]: ", "\n");
    for (label, key, share) in [("1 [ja]", "1", "66.7"), ("2 [nein]", "2", "unknown")] {
        terminal.answer(&format!("Label {label}: "), "\n");
        terminal.answer(&format!("Key to press [{key}]: "), "\n\n\n");
        terminal.answer(&format!("[{share}]: "), "\n");
    }
    terminal.answer("Label 3 [no more]: ", "\n");
    terminal.answer("Is this correct? [Y/n] ", "\n");
    assert_eq!(terminal.end().0, 0);
    let status = project.json("status", &[]);
    assert_eq!(status["items"], 3);
    assert!(status.to_string().contains("the office"), "{status}");
}

#[test]
fn ctrl_c_and_the_end_of_the_input_leave_nothing_behind_and_say_so() {
    for (last, keys) in [
        ("Label 1: ", "\u{3}"),
        ("Guideline [none]: ", "half a line\u{4}\u{4}"),
        ("Is this correct?", "\u{3}"),
    ] {
        let project = Project::none();
        project.write("pool.csv", MESSAGES);
        let mut terminal =
            Terminal::start(&project.path(""), &["new", "pool.hardcase", "--data", "pool.csv"]);
        let answers = [
            ("Your name, recorded with your labels [ada]: ", "\n"),
            ("Text column [3 text]: ", "\n"),
            ("Columns shown beside", "\n"),
            ("Column with known labels", "\n"),
            ("Column with labels that somebody gave before", "\n"),
            ("Name of the task [pool]: ", "\n"),
            ("Question: ", "Spam?\n"),
            ("Guideline [none]: ", "\n"),
            ("(scale) [one]: ", "\n"),
            ("Label 1: ", "a\n\n\n\n\nb\n\n\n\n\n\n"),
        ];
        for (prompt, answer) in answers.into_iter().take_while(|(prompt, _)| *prompt != last) {
            terminal.answer(prompt, answer);
        }
        terminal.answer(last, keys);
        let (code, shown) = terminal.end();
        assert_eq!(code, if keys == "\u{3}" { 130 } else { 1 }, "{shown}");
        // Lines are broken between words where the terminal ends.
        let shown = shown.replace('\n', " ");
        let said = " hardcase: cannot make the project pool.hardcase: you left before the last question. \
                    Nothing was made. Run the same command to start over ";
        assert!(shown.ends_with(said), "{shown}");
        assert_eq!(names(&project), ["pool.csv"]);
    }
}

#[test]
fn errors_that_need_no_answers_come_before_the_questions() {
    let project = Project::empty();
    let broken = project.write("broken.csv", "");
    let file = project.file();
    let start = |arguments: &[&str]| Terminal::start(&project.path(""), arguments).end();
    let cases: [(&[&str], &str); 3] = [
        (&["new", file.to_str().unwrap()], "it exists already"),
        (&["new", "nowhere/x.hardcase"], "there is no folder nowhere"),
        (&["new", "x.hardcase", "--data", broken.to_str().unwrap()], "it is empty"),
    ];
    let before = names(&project);
    for (arguments, why) in cases {
        let (code, shown) = start(arguments);
        assert_ne!(code, 0, "{shown}");
        let shown = shown.replace('\n', " ");
        assert!(shown.contains(why) && !shown.contains("[Y/n]") && !shown.contains("Question"), "{shown}");
    }
    assert_eq!(names(&project), before);
}

#[test]
fn without_a_terminal_nobody_is_asked_and_one_sentence_says_what_to_do() {
    let project = Project::none();
    let data = project.write("pool.csv", MESSAGES);
    let data = data.to_str().unwrap();
    hardcase([data]).refused(2, &["pool.hardcase", "at a terminal", "--task TASK.toml --data"]);
    hardcase([project.path("none.csv")]).refused(2, &["none.csv", "there is no such file"]);
    assert_eq!(names(&project), ["pool.csv"]);
    let made = hardcase(["new", project.file().to_str().unwrap()]).done();
    assert!(made.out.contains("Next: write a TASK.toml"), "{}", made.out);
    let mistyped = hardcase(["staus", data]);
    assert!(mistyped.code == Some(2) && mistyped.err.contains("'status'"), "{}", mistyped.err);
}

#[test]
fn a_project_instead_of_a_verb_is_opened() {
    let project = Project::empty();
    hardcase([project.file()]).refused(2, &["open the workstation", "not a terminal", "`hardcase next`"]);
}
