//! A file that is imported again: what is known adds nothing, what has changed is told and followed where that is asked for, and an answer keeps its text.

use serde_json::Value;

use super::merge::text;
use super::project::{Project, ads};

fn import(project: &Project, rows: &str, options: &[&str]) -> Value {
    let data = project.write("ads.csv", rows);
    let mut all = vec![text(&data), "--text", "text", "--id", "id", "--gold", "gold", "--meta", "placement"];
    all.extend(options);
    project.json("import", &all)
}

fn counts(report: &Value) -> [i64; 6] {
    ["rows", "new_items", "known", "changed", "kept", "differing"]
        .map(|count| report[count].as_i64().unwrap())
}

fn texts(project: &Project) -> Vec<String> {
    let rows = project.run("export", &["--what", "rows"]).json_lines();
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_same_file_adds_nothing_and_a_grown_one_what_is_new_whatever_its_order() {
    let project = Project::with_ads(40);
    let before = project.visible();
    assert_eq!(counts(&import(&project, &ads(40), &[])), [0, 0, 40, 0, 0, 0]);
    assert_eq!(project.visible(), before);
    let grown = ads(60);
    let (header, rows) = grown.split_once('\n').unwrap();
    let backwards: String = rows.lines().rev().map(|row| format!("{row}\n")).collect();
    let report = import(&project, &format!("{header}\n{backwards}"), &[]);
    assert_eq!(counts(&report)[2..], [40, 0, 0, 0], "{report}");
    assert_eq!(report["rows"], 20);
    let report = project.run("import", &[text(&project.path("ads.csv")), "--text", "text"]).done().out;
    assert!(report.contains("0 new texts"), "{report}");
    project.is_whole();

    // Without ids a row is known by its text, as often as it was there.
    let lines = Project::empty();
    let import = |rows: &str| lines.json("import", &[text(&lines.write("lines.txt", rows))]);
    import("a kettle\na lid\na kettle\n");
    assert_eq!(counts(&import("a spout\na lid\na kettle\na kettle\na kettle\n")), [2, 1, 3, 0, 0, 0]);
    lines.is_whole();
}

#[test]
fn a_known_file_is_read_with_the_columns_of_its_first_import_as_far_as_options_do_not_say_otherwise() {
    let project = Project::with_ads(40);
    let data = project.write("ads.csv", ads(42));
    let report = project.json("import", &[text(&data)]);
    assert_eq!(counts(&report), [2, 2, 40, 0, 0, 0], "its ids are known: {report}");
    let rows = project.run("export", &["--what", "rows"]).json_lines();
    assert_eq!(rows.len(), 42);
    let found: Vec<String> = rusqlite::Connection::open(project.file())
        .unwrap()
        .prepare("SELECT external_id || '/' || gold || '/' || meta FROM source_row ORDER BY source DESC, row LIMIT 2")
        .unwrap()
        .query_map((), |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(found.iter().all(|row| row.contains("placement")), "{found:?}");
    project.is_whole();
}

#[test]
fn a_changed_text_is_told_then_followed_and_an_answered_one_stays_with_its_answer() {
    let project = Project::scouted_elsewhere(30);
    project.run("mine", &["--budget", "6"]).done();
    let answered = project.next_as("ada")["item"].as_i64().unwrap();
    project.answer_as("ada", answered, "fine");
    let rows = project.run("export", &["--what", "predictions"]).json_lines();
    let of = |item: i64| rows.iter().find(|row| row["item"] == item).unwrap();
    let cases: Vec<i64> = rusqlite::Connection::open(project.file())
        .unwrap()
        .prepare("SELECT item FROM label_case UNION SELECT partner FROM label_case WHERE partner IS NOT NULL")
        .unwrap()
        .query_map((), |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let free = rows.iter().find(|row| !cases.contains(&row["item"].as_i64().unwrap())).unwrap();
    let (old_free, old_answered) = (free["text"].as_str().unwrap(), of(answered)["text"].as_str().unwrap());
    let quoted = |id: &Value, new: &str, file: &str| -> String {
        let id = id.as_str().unwrap();
        file.lines()
            .map(|row| {
                if row.starts_with(&format!("{id},")) {
                    format!("{id},{new},feed,x,fine\n")
                } else {
                    format!("{row}\n")
                }
            })
            .collect()
    };
    let changed = quoted(&free["id"], "A kettle that nobody has seen", &ads(30));
    let changed = quoted(&of(answered)["id"], "A lid that was answered before", &changed);

    let before = project.visible();
    let told = import(&project, &changed, &[]);
    assert_eq!(counts(&told), [0, 0, 28, 2, 0, 0], "{told}");
    assert_eq!(project.visible(), before, "told, and left as it was");
    let words =
        project.run("import", &[text(&project.path("ads.csv")), "--text", "text", "--id", "id"]).done().out;
    assert!(words.contains("2 ids have another text") && words.contains("--update takes them"), "{words}");

    let followed = import(&project, &changed, &["--update"]);
    assert_eq!(counts(&followed), [2, 2, 28, 2, 1, 0], "{followed}");
    let now = texts(&project);
    assert!(now.iter().any(|text| text == "A kettle that nobody has seen"));
    assert!(now.iter().any(|text| text == "A lid that was answered before"));
    assert!(!now.iter().any(|text| text == old_free), "its row and its text are gone");
    assert!(now.iter().any(|text| text == old_answered), "an answer keeps its text");
    let labels = project.run("export", &["--what", "labels"]).json_lines();
    assert_eq!((labels.len(), &labels[0]["text"]), (1, &Value::from(old_answered)));
    assert_eq!(counts(&import(&project, &changed, &["--update"])), [0, 0, 30, 0, 0, 0]);
    assert_eq!(project.json("status", &[])["items"], 31);
    project.is_whole();
}

#[test]
fn gold_is_held_against_the_task_and_can_be_added_to_texts_that_are_there() {
    let project = Project::empty();
    let data = project.write("ads.csv", ads(20));
    project.run("import", &[text(&data), "--text", "text", "--id", "id"]).done();
    project.enter_vectors();
    assert!(project.gold().is_empty());
    let report = import(&project, &ads(20), &[]);
    assert_eq!((counts(&report), &report["golds"]), ([0, 0, 20, 0, 0, 0], &20.into()));
    let gold = project.gold();
    assert_eq!(gold.len(), 20);

    // Another label than before is told, and followed with --update.
    let swapped = ads(20).replace(",clickbait\n", ",CLICKBAIT\n").replacen(",fine\n", ",clickbait\n", 1);
    assert_eq!(counts(&import(&project, &swapped, &[])), [0, 0, 20, 0, 0, 1]);
    assert_eq!(project.gold(), gold);
    import(&project, &swapped, &["--update"]);
    assert_eq!(project.gold().iter().filter(|(item, label)| gold[item] != **label).count(), 1);

    // A file without texts, by their ids.
    let by_id = Project::empty();
    let data = by_id.write("ads.csv", ads(20));
    by_id.run("import", &[text(&data), "--text", "text", "--id", "id"]).done();
    by_id.enter_vectors();
    let known = by_id.write("known.csv", "ad,kind\nad-0001,1\nad-0002,0\nad-9999,1\n");
    let options = ["--by-id", "--id", "ad", "--map", "1=clickbait,0=fine"];
    let import = |more: &[&str]| by_id.json("import", &[&[text(&known)], &options[..], more].concat());
    let report = import(&["--gold", "kind"]);
    assert_eq!(
        (counts(&report), &report["golds"], &report["unknown"]),
        ([0, 0, 2, 0, 0, 0], &2.into(), &1.into())
    );
    assert_eq!(by_id.gold().len(), 2);
    assert_eq!(import(&["--label", "kind", "--source", "team"])["labels"]["new"], 2);
    assert_eq!(import(&["--label", "kind", "--source", "team"])["labels"]["new"], 0);
    let unknown = by_id.write("unknown.csv", "ad,kind\nad-9999,fine\n");
    by_id
        .run("import", &[text(&unknown), "--by-id", "--id", "ad", "--gold", "kind"])
        .refused(2, &["no text of the project has one of its ids"]);
    assert_eq!(
        (by_id.json("status", &[])["items"].clone(), by_id.is_whole().sources().unwrap().len()),
        (20.into(), 1)
    );

    // A file of its own, by the text.
    let other = Project::empty();
    other.run("import", &[text(&other.write("texts.txt", "a kettle\na lid\n"))]).done();
    let known = other.write("known.csv", "text,kind\na kettle,Fine\na lid,clickbait\n");
    other.run("import", &[text(&known), "--text", "text", "--gold", "kind"]).done();
    other.enter_vectors();
    let mut known: Vec<String> = other.gold().into_values().collect();
    known.sort();
    assert_eq!(known, ["clickbait", "fine"]);

    let wrong = other.write("wrong.csv", "text,kind\na spout,spam\na pot,\"clickbait|fine\"\n");
    let told = other.run("import", &[text(&wrong), "--text", "text", "--gold", "kind"]).done().out;
    for part in [
        "'kind' has known labels that are no label of the task: 'spam' (1 row)",
        "--map 'spam=clickbait'",
        "several labels in 1 row",
        "--label kind --source NAME",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let options = ["--text", "text", "--gold", "kind", "--map", "spam=fine", "--update"];
    let report = other.json("import", &[&[text(&wrong)], &options[..]].concat());
    assert_eq!((counts(&report), &report["golds"]), ([0, 0, 2, 0, 0, 1], &1.into()));
    other.enter_vectors();
    let known: Vec<String> = other.gold().into_values().filter(|label| label == "fine").collect();
    assert_eq!(known.len(), 2);
}
