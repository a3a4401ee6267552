//! Each text's final label, and how it was reached.

use hardcase::domain::ids::ItemId;
use serde_json::{Value, json};

use super::project::{Project, hardcase};
use super::report::{copy, final_lines, items, line_of, mined_for_three, revise, says, sit, text};

#[test]
fn each_final_label_says_how_it_was_reached() {
    let project = mined_for_three();
    let (file, all) = (project.file(), items(&project));
    let [single, agreed, majority, tie, adjudicated, undone, again, skipped, person, nobody] = all[..10]
    else {
        panic!("{} cases", all.len())
    };
    let (fine, bait) = ("fine", "clickbait");
    says(
        &file,
        "ada",
        &[
            (single, fine),
            (agreed, bait),
            (majority, bait),
            (tie, bait),
            (adjudicated, fine),
            (undone, fine),
            (again, bait),
        ],
    );
    let bobs =
        [(agreed, bait), (majority, fine), (tie, fine), (adjudicated, bait), (undone, bait), (again, fine)];
    says(&file, "bob", &bobs);
    says(&file, "cy", &[(agreed, bait), (majority, bait)]);
    // A change of mind leaves one answer.
    says(&file, "cy", &[(majority, fine), (majority, bait)]);
    for name in ["ada", "bob"] {
        sit(&file, name, |s| s.skip(ItemId(skipped)).unwrap());
    }
    says(&file, "bob", &[(person, fine)]);
    says(&file, "bobby", &[(person, bait)]);
    project.run("expert", &["same", "bob", "bobby"]).done();
    sit(&file, "ada", |lead| {
        lead.decide(ItemId(adjudicated), bait, "it | withholds").unwrap();
        lead.decide(ItemId(undone), bait, "a slip").unwrap();
        lead.undo_decision(ItemId(undone)).unwrap();
        lead.decide(ItemId(again), bait, "as it was").unwrap();
    });
    assert_eq!(revise(&project, "Only what it offers counts."), 2);
    project.json("adjudicate", &["--again", "--item", &again.to_string()]);
    says(&file, "bob", &[(again, fine)]);

    let lines = final_lines(&file, &["--reveal"]);
    assert_eq!(lines.len(), 120, "one line an item");
    let of = |item: i64| {
        let line = line_of(&lines, item);
        let part = |name: &str| line[name].clone();
        json!([
            part("how"),
            part("label"),
            part("answers"),
            part("agreeing"),
            part("skips"),
            part("overtaken"),
            part("revisions")
        ])
    };
    assert_eq!(of(single), json!(["single", fine, 1, 1, 0, 0, [1]]));
    assert_eq!(of(agreed), json!(["agreed", bait, 3, 3, 0, 0, [1]]));
    assert_eq!(of(majority), json!(["majority", bait, 3, 2, 0, 0, [1]]));
    assert_eq!(of(tie), json!(["tie", null, 2, null, 0, 0, [1]]));
    assert_eq!(of(adjudicated), json!(["adjudicated", bait, 2, 1, 0, 0, [1]]));
    assert_eq!(
        of(undone),
        json!(["tie", null, 2, null, 0, 0, [1]]),
        "a decision that was taken back decides nothing"
    );
    assert_eq!(
        of(again),
        json!(["single", fine, 1, 1, 0, 1, [2]]),
        "nor does one that the newer revision overtook"
    );
    assert_eq!(of(skipped), json!(["skipped", null, 0, null, 2, 0, []]));
    assert_eq!(
        of(person),
        json!(["single", bait, 1, 1, 0, 0, [1]]),
        "two names, one person, the later answer"
    );
    assert_eq!(of(nobody), json!(["prelabel", null, 0, null, 0, 0, []]));

    let decided = line_of(&lines, adjudicated);
    assert_eq!((&decided["decided_by"], &decided["reason"]), (&json!("ada"), &json!("it | withholds")));
    assert!(decided["decided_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(decided["labels"], json!({ bait: 1, fine: 1 }));
    assert_eq!(decided["experts"], json!(["ada", "bob"]));
    assert_eq!(line_of(&lines, person)["experts"], json!(["bob"]));
    assert_eq!(line_of(&lines, again)["decided_by"], Value::Null);
    let only = line_of(&lines, nobody);
    assert!(only["prelabel"].is_string() && only["prelabel_probability"].as_f64().unwrap() > 0.4, "{only}");
    assert_eq!(only["key"].as_str().unwrap().len(), 64);

    // It is the label that predictions and training have.
    let predictions = project.run("export", &["--what", "predictions"]).json_lines();
    for (line, prediction) in lines.iter().zip(&predictions) {
        assert_eq!((&line["item"], &line["label"]), (&prediction["item"], &prediction["label"]));
    }
    let trains = |lines: &[Value]| {
        lines.iter().filter(|line| line["split"] == "train" && line["label"].is_string()).count()
    };
    let balance = project.json("status", &[])["balance"].clone();
    let training: u64 = balance.as_object().unwrap().values().map(|b| b["training"].as_u64().unwrap()).sum();
    assert_eq!(training as usize, trains(&lines));

    let csv = hardcase(["export", text(&file), "--what", "final", "--format", "csv", "--quiet"]).done().out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let how = reader.headers().unwrap().iter().position(|name| name == "how").unwrap();
    let hows: Vec<String> = reader.records().map(|row| row.unwrap()[how].to_owned()).collect();
    assert_eq!(hows, lines.iter().map(|line| line["how"].as_str().unwrap()).collect::<Vec<_>>());

    // Copies that come together have one final label, whichever takes the other in.
    let other = copy(&project, "other.hardcase");
    says(&other, "cy", &[(single, bait), (tie, bait)]);
    let before = copy(&project, "before.hardcase");
    project.run("merge", &[text(&other)]).done();
    hardcase(["merge", text(&other), text(&before), "--quiet"]).done();
    let merged = final_lines(&file, &[]);
    assert_eq!(merged, final_lines(&other, &["--as", "ada"]));
    assert_eq!(line_of(&merged, single)["how"], "tie");
    assert_eq!(line_of(&merged, tie)["how"], "majority");
}

#[test]
fn without_an_answer_there_is_no_final_label_and_other_experts_see_only_their_own_while_a_case_is_open() {
    let project = Project::with_ads(6);
    assert!(final_lines(&project.file(), &[]).iter().all(|l| l["how"] == "none" && l["prelabel"].is_null()));

    let project = mined_for_three();
    let all = items(&project);
    // Three are there, so two answers are too few.
    sit(&project.file(), "cy", |_| ());
    says(&project.file(), "ada", &[(all[0], "fine"), (all[1], "clickbait")]);
    says(&project.file(), "bob", &[(all[1], "fine")]);
    sit(&project.file(), "ada", |lead| lead.decide(ItemId(all[1]), "clickbait", "it withholds").unwrap());
    let bobs = final_lines(&project.file(), &["--as", "bob"]);
    let open = |item: i64| {
        let line = line_of(&bobs, item);
        json!([
            line["how"],
            line["label"],
            line["answers"],
            line["experts"],
            line["decided_by"],
            line["reason"]
        ])
    };
    assert_eq!(open(all[0]), json!(["open", null, 0, [], null, null]));
    assert_eq!(open(all[1]), json!(["open", "fine", 1, ["bob"], null, null]));
    assert_eq!(open(all[2]), open(all[0]), "nothing tells whether others have answered");
    let leads = final_lines(&project.file(), &[]);
    assert_eq!(line_of(&leads, all[1])["how"], "adjudicated");
    assert_eq!(line_of(&leads, all[0])["how"], "single");
}
