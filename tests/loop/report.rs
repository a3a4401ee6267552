//! The report for an auditor.

use std::path::{Path, PathBuf};

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
use hardcase::store::{Access, Store};
use serde_json::{Value, json};

use super::project::{Project, TASK, hardcase, run};

/// Opens a session of an expert and does something in it.
pub fn sit<T>(file: &Path, name: &str, does: impl FnOnce(&mut Session) -> T) -> T {
    let mut session = Session::open(file, name, OnClose::ReleaseCases).unwrap();
    let done = does(&mut session);
    session.close().unwrap();
    done
}

pub fn says(file: &Path, name: &str, answers: &[(i64, &str)]) {
    sit(file, name, |session| {
        for (item, label) in answers {
            session.answer(ItemId(*item), *label, Remarks::default()).unwrap();
        }
    });
}

pub fn items(project: &Project) -> Vec<i64> {
    let store = Store::open(&project.file(), Access::Read).unwrap();
    store.items_of_cases().unwrap().into_iter().map(|item| item.0).collect()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A round of 40 cases that three are to see.
pub fn mined_for_three() -> Project {
    let project = Project::scouted_elsewhere(120);
    let overlap = "eval=3,audit=3,train=3,share=0";
    project
        .run("mine", &["--budget", "40", "--strategy", "random", "--seed", "3", "--overlap", overlap])
        .done();
    project
}

/// The same, answered by ada and bob, and the first 30 cases by cy; bob errs in each fifth case, cy in each fourth.
fn labelled_by_three() -> Project {
    let project = mined_for_three();
    let items = items(&project);
    for (name, errs, cases) in [("ada", 100, 40), ("bob", 5, 40), ("cy", 4, 30)] {
        let label = |(i, item): (usize, &i64)| (*item, said(i, i % errs == errs - 1));
        let answers: Vec<(i64, &str)> = items.iter().take(cases).enumerate().map(label).collect();
        says(&project.file(), name, &answers);
    }
    project
}

/// The label of the case at that place, or the other one.
fn said(place: usize, otherwise: bool) -> &'static str {
    if place.is_multiple_of(3) == otherwise { "fine" } else { "clickbait" }
}

/// Sets the task with another guideline. The number of the revision.
pub fn revise(project: &Project, guideline: &str) -> i64 {
    sit(&project.file(), "ada", |lead| lead.revise_guideline(guideline).unwrap())
}

pub fn final_lines(file: &Path, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["export", text(file), "--what", "final", "--quiet"];
    all.extend(arguments);
    hardcase(all).json_lines()
}

pub fn line_of(lines: &[Value], item: i64) -> &Value {
    lines.iter().find(|line| line["item"] == item).unwrap()
}

fn markdown(file: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["report", text(file), "--quiet"];
    all.extend(arguments);
    hardcase(all).done().out
}

fn document(file: &Path, arguments: &[&str]) -> Value {
    let mut all = vec!["report", text(file), "--quiet", "--json"];
    all.extend(arguments);
    hardcase(all).json()
}

pub fn copy(project: &Project, name: &str) -> PathBuf {
    let path = project.path(name);
    std::fs::copy(project.file(), &path).unwrap();
    path
}

/// The lines between a heading and the next of its level or above.
fn section<'a>(report: &'a str, heading: &str) -> &'a str {
    let from =
        report.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading} in\n{report}"));
    let rest = &report[from + 4..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

/// Every row of a table has as many cells as its head, and no line holds what a terminal or a browser would obey.
fn is_sound(report: &str) {
    let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
    let mut head = None;
    for line in report.lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.contains('\u{202e}') && !line.contains('\u{200b}') && !line.contains('<'), "{line:?}");
        head = line.starts_with('|').then(|| head.unwrap_or(cells(line)));
        assert!(head.is_none_or(|n| n == cells(line)), "{line}");
    }
}

#[test]
fn the_same_file_gives_the_same_report_to_every_lead_and_in_every_folder() {
    let project = labelled_by_three();
    project.run("tune", &[]).done();
    project.run("expert", &["role", "bob", "lead"]).done();
    let first = markdown(&project.file(), &[]);
    assert_eq!(markdown(&project.file(), &[]), first);
    is_sound(&first);
    let out = project.path("report.md");
    hardcase(["report", text(&project.file()), "-o", text(&out), "--quiet"]).done();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), first);

    std::fs::create_dir(project.path("elsewhere")).unwrap();
    let moved = copy(&project, "elsewhere/renamed.hardcase");
    let mut command = super::project::program();
    command.args(["report", text(&moved), "--as", "bob"]).env("TZ", "Asia/Tokyo").env("LOGNAME", "zoe");
    assert_eq!(run(command).done().out, first);
    for not_in in ["hardcase-wal", "pool.hardcase", "renamed", text(&project.path(""))] {
        assert!(!first.contains(not_in), "{not_in}");
    }
    let json = hardcase(["report", text(&project.file()), "--json", "--quiet"]).done().out;
    assert_eq!(hardcase(["report", text(&moved), "--as", "bob", "--json", "--quiet"]).done().out, json);
    let written = project.path("report.json");
    hardcase(["report", text(&project.file()), "--json", "-o", text(&written), "--quiet"]).done();
    assert_eq!(std::fs::read_to_string(&written).unwrap(), json);
    drop(project.is_whole());
}

#[test]
fn a_report_of_three_experts_says_what_happened() {
    let project = labelled_by_three();
    let file = project.file();
    let all = items(&project);
    sit(&file, "cy", |cy| {
        cy.skip(ItemId(all[35])).unwrap();
        cy.toggle_flag(ItemId(all[36])).unwrap();
        cy.note(ItemId(all[36]), "which is it").unwrap();
    });
    let differ = all[4];
    sit(&file, "ada", |lead| {
        lead.decide(ItemId(differ), "clickbait", "it withholds what it sells").unwrap();
        lead.decide(ItemId(differ), "fine", "on second thoughts not").unwrap();
    });
    revise(&project, "Look at what it promises.");
    let again = all[9];
    project.json("adjudicate", &["--again", "--item", &again.to_string()]);
    says(&file, "bob", &[(again, said(9, false))]);
    project.run("tune", &[]).done();

    let report = document(&file, &[]);
    let people = report["people"].as_array().unwrap();
    let person = |name: &str| people.iter().find(|p| p["name"] == name).unwrap();
    for (name, labels, role) in [("ada", 40, "lead"), ("bob", 40, "expert"), ("cy", 30, "expert")] {
        assert_eq!(
            (&person(name)["labels"], &person(name)["role"]),
            (&json!(labels), &json!(role)),
            "{name}"
        );
    }
    assert_eq!((&person("bob")["answers"], &person("bob")["sessions"]), (&json!(41), &json!(2)));
    assert_eq!((&person("cy")["skips"], &report["remarks"]["flags"]), (&json!(1), &json!(1)));
    assert_eq!(report["remarks"]["notes"], 1);
    assert_eq!(report["blindness"]["answers"], 111);
    assert_eq!(report["blindness"]["blind"], 111);

    let sum = |name: &str| {
        let on = report["overlap"].as_array().unwrap();
        on.iter().map(|on| on[name].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(
        [sum("cases"), sum("asked"), sum("given"), sum("complete"), sum("without")],
        [40, 120, 110, 30, 0]
    );
    assert_eq!(report["rounds"][0]["sent_again"], 3);
    assert_eq!(report["rounds"].as_array().unwrap().len(), 1);

    // Agreement is what the verb says of it.
    // Said to a lead who has nothing left to answer: of what ada is to answer again she is not told what others said.
    let of_bob = copy(&project, "bob-leads.hardcase");
    hardcase(["expert", text(&of_bob), "role", "bob", "lead", "--as", "ada", "--quiet"]).done();
    let agreement = hardcase(["agreement", text(&of_bob), "--as", "bob", "--quiet", "--json"]).json();
    for i in 0..3 {
        let (told, says) = (&report["figures"]["uses"][i], &agreement["uses"][i]);
        assert_eq!(told["shared"], says["shared"]);
        let near = |told: &Value, says: &Value| match says["value"].as_f64() {
            Some(value) => assert!((told["value"].as_f64().unwrap() - value).abs() < 1e-6, "{told} {says}"),
            None => assert_eq!(told, says),
        };
        for name in ["raw", "fleiss", "alpha", "ac1"] {
            near(&told["overall"][name], &says["overall"][name]);
        }
        near(&told["ceiling"], &says["ceiling"]);
        for (told, says) in told["pairs"].as_array().unwrap().iter().zip(says["pairs"].as_array().unwrap()) {
            near(&told["kappa"], &says["kappa"]);
        }
        // Each pair of answers is in the table once.
        let met = told["expert_confusion"].as_array().unwrap();
        let pairs: u64 = met.iter().map(|m| m["times"].as_u64().unwrap()).sum();
        let alike: u64 =
            met.iter().filter(|m| m["one"] == m["other"]).map(|m| m["times"].as_u64().unwrap()).sum();
        assert!(pairs > 0 && alike < pairs, "{told}");
    }
    assert_eq!(report["figures"]["uses"][2]["model"], Value::Null);
    assert!(report["figures"]["uses"][0]["model_confusion"].as_array().unwrap().len() > 1);

    let decisions = &report["decisions"];
    assert_eq!([&decisions["given"], &decisions["replaced"], &decisions["taken_back"]], [2, 1, 0]);
    let decision = &decisions["standing"][0];
    assert_eq!((&decision["label"], &decision["by"]), (&json!("fine"), &json!("ada")));
    assert_eq!(decision["reason"], "on second thoughts not");
    assert_eq!(decision["answers"].as_array().unwrap().len(), 3);

    // Three cases were sent to ada again.
    let lines = final_lines(&file, &["--reveal"]);
    for (on, split) in report["reached"].as_array().unwrap().iter().zip(["eval", "audit", "train"]) {
        for how in ["adjudicated", "agreed", "single", "majority", "tie", "skipped"] {
            let n = lines.iter().filter(|l| l["split"] == split && l["how"] == how).count();
            assert_eq!(on[how], n, "{how} of {split}");
        }
    }
    let adapter = &report["adapters"][0];
    assert_eq!((&adapter["kind"], &adapter["bytes"]), (&json!("head"), &json!("in the file")));
    assert_eq!(adapter["training_hash"].as_str().unwrap().len(), 64);
    assert_eq!(adapter["sha256"].as_str().unwrap().len(), 64);
    assert!(adapter["settings"]["c"].is_number());
    assert_eq!(report["revisions"][1]["changed"], json!(["guideline"]));
    assert_eq!(report["revisions"][1]["labels"], 1);

    let says = markdown(&file, &[]);
    is_sound(&says);
    for (heading, part) in [
        ("The task", "Look at what it promises."),
        ("The task", "### Revision 2, the current one"),
        ("The texts", "120 rows contain 120 different texts"),
        ("Who labelled", "| ada |  | lead |"),
        ("Blindness", "Of 111 labels ever given"),
        ("Rounds", "| 1 | random | 40 | 3 |"),
        ("Overlap, asked for and reached", "hard (evaluation)"),
        ("Agreement", "| ada and cy |"),
        ("Agreement", "Krippendorff's alpha"),
        ("The model", "in use come from: head."),
        ("Adjudication", "| on second thoughts not |"),
        ("Models, adapters and settings", "bag of words"),
        ("Limits", "enforced by the program, not by the file"),
        ("Limits", "1 round is still open"),
    ] {
        assert!(section(&says, heading).contains(part), "no {part:?} in:\n{}", section(&says, heading));
    }
    let (right, wrong) = (said(4, false), said(4, true));
    let row = format!("| ada: {right}, bob: {wrong}, cy: {right} | fine | ada |");
    assert!(section(&says, "Adjudication").contains(&row), "no {row} in {}", section(&says, "Adjudication"));
}

#[test]
fn names_reasons_texts_and_guidelines_are_escaped_in_a_report() {
    let project = Project::none();
    let hostile = "a | b `c` *d* <script>alert(1)</script>\u{1b}]52;c;x\u{7} \u{202e}txt\u{200b} [x](http://evil.example) # h";
    let rows: String = (0..40)
        .map(|i| format!("{}\n", json!({ "text": format!("{i} {hostile}\n\n# no heading | {i}") })))
        .collect();
    let data = project.write("h|<b>.jsonl", rows);
    let task = TASK.replacen("name = \"clickbait\"", "name = \"click|bait <i>\"", 1);
    let task = project.write("task.toml", task);
    hardcase(["new", text(&project.file()), "--task", text(&task), "--quiet"]).done();
    project.run("import", &[text(&data), "--text", "text"]).done();
    let lead = "ada | <b>*x*</b>";
    let label =
        Store::open(&project.file(), Access::Read).unwrap().task().unwrap().task.labels[0].name.clone();
    says(&project.file(), "ada", &[(1, &label), (2, &label), (3, "fine")]);
    project.run("expert", &["role", "ada", "lead"]).done();
    says(&project.file(), lead, &[(1, "fine"), (2, "fine")]);
    project.run("expert", &["role", lead, "lead"]).done();
    sit(&project.file(), lead, |lead| {
        lead.decide(ItemId(1), "fine", &format!("{hostile}\n| row | 2 |\n\n## Limits")).unwrap();
        lead.revise_guideline(&format!(
            "{hostile}\n\n## Limits\n- a list\n<img src=x>\n1. one\r\n---\n```\ncode"
        ))
        .unwrap();
    });
    let report = markdown(&project.file(), &[]);
    is_sound(&report);
    assert_eq!(report.matches("\n## Limits\n").count(), 1);
    assert!(!report.contains("://") && report.contains("ada \\| &lt;b&gt;\\*x\\*&lt;/b&gt;"), "{report}");
    assert!(section(&report, "Adjudication").contains("\\| row \\| 2 \\|"));
    assert!(section(&report, "The texts").contains("h\\|&lt;b&gt;.jsonl"));
    // The document has every text as it was said.
    let document = document(&project.file(), &[]);
    assert!(document["decisions"]["standing"][0]["reason"].as_str().unwrap().contains("<script>"));
    assert_eq!(document["decisions"]["standing"][0]["by"], lead);
}

#[test]
fn a_project_without_texts_or_labels_or_with_one_expert_reads_well() {
    let project = Project::empty();
    let empty = markdown(&project.file(), &[]);
    is_sound(&empty);
    for (heading, part) in [
        ("The texts", "Nothing has been imported yet."),
        ("Rounds", "There are no rounds yet."),
        ("The model", "there is no model to describe"),
        ("The whole pool, estimated by the audit", "nothing is known about the whole pool"),
        ("Limits", "Nobody has labelled yet"),
    ] {
        assert!(section(&empty, heading).contains(part), "no {part:?} in:\n{}", section(&empty, heading));
    }
    assert!(!empty.contains("NaN") && !empty.contains("Overlap,"), "{empty}");
    Project::none().run("report", &[]).refused(1, &["no such file"]);

    let project = mined_for_three();
    let answers: Vec<(i64, &str)> = items(&project).into_iter().map(|item| (item, "fine")).collect();
    says(&project.file(), "ada", &answers);
    let alone = markdown(&project.file(), &[]);
    is_sound(&alone);
    assert!(section(&alone, "Limits").contains("Only one expert has labelled"), "{alone}");
    assert!(section(&alone, "Agreement").contains("No such case is answered by two experts"));
    let document = document(&project.file(), &[]);
    let hard = &document["figures"]["hard"];
    assert!(hard["expert_expert"]["undefined"].as_str().unwrap().contains("only one has answered"), "{hard}");
    assert_eq!(document["reached"][0]["agreed"], 0);
    let part = project.path("for-dan.hardcase");
    project.run("assign", &["--to", "dan", "-o", text(&part)]).done();
    let dans = Store::open(&part, Access::Read).unwrap().items_of_cases().unwrap();
    says(&part, "dan", &[(dans[0].0, "fine")]);
    let parts = markdown(&part, &["--as", "dan"]);
    is_sound(&parts);
    assert!(section(&parts, "Who labelled").contains("| dan |"), "{parts}");
}

#[test]
fn readers_who_are_not_leads_get_no_answer_to_an_open_case_and_all_get_the_same_report() {
    let project = mined_for_three();
    let (file, all) = (project.file(), items(&project));
    let complete = &all[..12];
    for name in ["ada", "bob", "cy"] {
        let answers: Vec<(i64, &str)> = complete.iter().map(|item| (*item, "fine")).collect();
        says(&file, name, &answers);
    }
    // Two more have two answers of the three, one of them with a decision.
    for name in ["ada", "bob"] {
        says(&file, name, &[(all[12], if name == "ada" { "clickbait" } else { "fine" }), (all[13], "fine")]);
    }
    sit(&file, "ada", |lead| lead.decide(ItemId(all[12]), "clickbait", "SECRET reason").unwrap());
    let (lead, bob) = (document(&file, &[]), document(&file, &["--as", "bob"]));
    assert_eq!(bob, document(&file, &["--as", "cy"]));
    assert_eq!(bob["about"]["reader"], "expert");
    let of = |report: &Value, name: &str| {
        let people = report["people"].as_array().unwrap();
        people.iter().find(|p| p["name"] == name).unwrap()["labels"].as_u64().unwrap()
    };
    assert_eq!([of(&lead, "ada"), of(&lead, "bob"), of(&lead, "cy")], [14, 14, 12]);
    assert_eq!([of(&bob, "ada"), of(&bob, "bob"), of(&bob, "cy")], [12, 12, 12], "not even their own");
    let sum = |report: &Value, part: &str, name: &str| {
        report[part].as_array().unwrap().iter().map(|on| on[name].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!([sum(&lead, "overlap", "given"), sum(&bob, "overlap", "given")], [40, 36]);
    assert_eq!([sum(&lead, "reached", "agreed"), sum(&bob, "reached", "agreed")], [13, 12]);
    assert_eq!([sum(&lead, "reached", "adjudicated"), sum(&bob, "reached", "adjudicated")], [1, 0]);
    assert_eq!((&lead["decisions"]["differ"], &bob["decisions"]["differ"]), (&json!(1), &json!(0)));
    let says = markdown(&file, &["--as", "bob"]);
    assert!(!says.contains("SECRET") && !bob.to_string().contains("SECRET"));
    assert!(says.contains("Not written for a lead"), "{says}");
    let strangers = document(&file, &["--as", "nobody here"]);
    assert_eq!(strangers, bob);
    assert_eq!(document(&file, &[])["people"].as_array().unwrap().len(), 3, "who reads is not enrolled");

    // What the report takes for open is at least what is open to anybody now, also where somebody has a case of a closed round on the screen.
    let all_left_out = || {
        let store = Store::open(&file, Access::Read).unwrap();
        let (asked, bob) = (store.items_still_asked_for().unwrap(), store.find_expert("bob").unwrap());
        let open = store.items_of_open_cases(bob).unwrap();
        assert!(!open.is_empty() && open.is_subset(&asked), "{open:?} {asked:?}");
    };
    all_left_out();
    let held = project.json("next", &["--as", "bob"])["item"].as_i64().unwrap();
    assert!(!all[..14].contains(&held));

    // Once the round is closed, everything may be reported.
    project.run("mine", &["--budget", "20", "--strategy", "random"]).done();
    assert_eq!(of(&document(&file, &["--as", "bob"]), "ada"), 14);
    assert!(markdown(&file, &["--as", "bob"]).contains("SECRET"));
    all_left_out();
    let store = Store::open(&file, Access::Read).unwrap();
    assert!(store.items_still_asked_for().unwrap().contains(&ItemId(held)), "bob may still answer it");
}

#[test]
fn merged_copies_give_the_same_report_in_either_order_of_merging() {
    let project = mined_for_three();
    let all = items(&project);
    let other = copy(&project, "b.hardcase");
    let answers = |errs: usize| -> Vec<(i64, &str)> {
        let label = |(i, item): (usize, &i64)| (*item, said(i, i % errs == errs - 1));
        all.iter().enumerate().map(label).collect()
    };
    // Each copy enrols somebody whom the other does not know, so that their numbers differ.
    says(&project.file(), "zoe", &answers(5));
    says(&project.file(), "ada", &answers(40));
    says(&other, "bob", &answers(4));
    sit(&project.file(), "ada", |lead| lead.decide(ItemId(all[4]), "fine", "as I said").unwrap());
    let before = copy(&project, "a.hardcase");
    project.run("merge", &[text(&other)]).done();
    hardcase(["merge", text(&other), text(&before), "--quiet"]).done();
    let (one, two) = (document(&project.file(), &[]), document(&other, &["--as", "ada"]));
    assert_eq!(one, two);
    let says = markdown(&project.file(), &[]);
    assert_eq!(says, markdown(&other, &["--as", "ada"]));
    is_sound(&says);
    assert!(says.contains("| zoe and bob |") || says.contains("| bob and zoe |"), "{says}");
    assert_eq!(one["people"].as_array().unwrap().len(), 3);
    assert_eq!(one["about"]["missing_events"], 0);
}

#[test]
fn a_result_is_never_written_over_a_project() {
    let project = Project::with_ads(5);
    let before = std::fs::read(project.file()).unwrap();
    let file = project.file();
    project
        .run("report", &["-o", text(&file)])
        .refused(2, &["cannot write", "a project or another database is there"]);
    project.run("export", &["-o", text(&file)]).refused(2, &["a project or another database is there"]);
    assert!(std::fs::read(&file).unwrap() == before);
    assert_eq!(project.is_whole().item_count().unwrap(), 5);
}
