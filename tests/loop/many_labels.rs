//! Labels without keys and texts of several parts, through the whole program.

use std::ffi::OsStr;

use hardcase::domain::ids::ItemId;

use super::project::{Project, hardcase};
use super::seat::Seat;

const TALKS: &str = concat!(
    r#"{"id":"c1","messages":[{"role":"user","content":"My parcel is lost."},{"role":"assistant","content":"Which number does it have?"}]}"#,
    "\n",
    r#"{"id":"c2","messages":[{"role":"user","content":"Where are you open?"},{"role":"assistant","content":"From ten to four."}]}"#,
    "\n",
);

fn made(task: &str, data: (&str, &str), options: &[&str]) -> Project {
    let project = Project::none();
    let (task, data) = (project.write("task.toml", task), project.write(data.0, data.1));
    let file = project.file();
    let mut arguments: Vec<&OsStr> =
        vec!["new".as_ref(), file.as_os_str(), "--task".as_ref(), task.as_os_str(), "--data".as_ref(), data.as_os_str()];
    arguments.extend(options.iter().map(OsStr::new));
    hardcase(arguments).done();
    project
}

#[test]
fn a_label_without_a_key_is_found_by_its_name_and_a_conversation_says_who_speaks() {
    let labels: String = (1..=40).map(|n| format!("[[label]]\nname = 'answer_{n}'\n")).collect();
    let task = format!("question = 'Does it help?'\nasked_about = 'assistant'\n{labels}[[label]]\nname = 'helps/a_lot'\n");
    let project = made(&task, ("talks.jsonl", TALKS), &[]);
    let seat = Seat::open(&project, &["--as", "ada"]);
    let screen = seat.see("▶ assistant: ");
    assert!(screen.contains("  user: ") && screen.contains("of 41 labels"), "{screen}");
    seat.press_again("\r");
    seat.see("Which label?");
    seat.press("lot");
    seat.see("1 of 41");
    seat.press_again("\r");
    seat.see("saved: helps/a_lot, case");
    seat.press("q");
    seat.see_before_end("a question, or the end", |s| s.contains("Something is still running"));
    seat.press("s");
    seat.end();
    let store = project.is_whole();
    let labels: Vec<String> = store.standing_labels().unwrap().into_iter().map(|(.., answer)| answer.single().unwrap().to_owned()).collect();
    assert_eq!(labels, ["helps/a_lot"]);
    let rows = project.run("export", &["--what", "rows", "--format", "jsonl"]).done().json_lines();
    assert_eq!(rows[0]["messages"][1]["content"], "Which number does it have?", "{}", rows[0]);
}

#[test]
fn several_columns_keep_their_names_in_the_text() {
    let task = "question = 'Which is better?'\n[[label]]\nname = 'a'\n[[label]]\nname = 'b'\n";
    let pairs = "id,question,answer_a,answer_b\n1,Where is my parcel?,It left on Monday.,I cannot know that.\n";
    let project = made(task, ("pairs.csv", pairs), &["--text", "question", "--text", "answer_a", "--text", "answer_b"]);
    let item = project.is_whole().item(ItemId(1)).unwrap().unwrap();
    let text = "question: Where is my parcel?\n\nanswer_a: It left on Monday.\n\nanswer_b: I cannot know that.";
    assert_eq!(item.text, text);
}
