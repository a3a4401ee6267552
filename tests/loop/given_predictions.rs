//! Predictions that were made elsewhere, weighed like a judge's. Needs no model.

use std::collections::HashMap;

use super::cascade::answer_round;
use super::project::Project;

/// A file with a label for each text, right where `right` says so of its place, by the file's own ids.
fn predictions(project: &Project, right: impl Fn(usize) -> bool) -> String {
    let other = |gold: &str| if gold == "fine" { "clickbait" } else { "fine" }.to_owned();
    let lines = project.run("export", &["--what", "predictions"]).json_lines();
    let rows = lines.iter().enumerate().map(|(i, line)| {
        let gold = line["gold"].as_str().unwrap();
        let label = if right(i) { gold.to_owned() } else { other(gold) };
        format!("{},{label}\n", line["id"].as_str().unwrap())
    });
    format!("id,label\n{}", rows.collect::<String>())
}

fn correct(project: &Project, by: &str) -> usize {
    let lines = project.run("export", &["--what", "predictions", "--by", by]).json_lines();
    lines.iter().filter(|line| line["prelabel"] == line["gold"]).count()
}

#[test]
fn predictions_from_elsewhere_count_where_they_help_and_change_nothing_where_they_do_not() {
    let project = Project::scouted_elsewhere(200);
    let chance = project.write("dice.csv", predictions(&project, |i| (i * 7919) % 100 < 50));
    let good = project.write("old-model.csv", predictions(&project, |i| i % 20 != 0));
    let take = |file: &std::path::Path| {
        project.json("judge", &["--from", file.to_str().unwrap(), "--label", "label"])
    };

    // Before anything was learned they are kept and change nothing.
    let before = project.run("export", &["--what", "predictions"]).done().out;
    let report = take(&chance);
    assert_eq!(
        (&report["name"], &report["texts"], &report["worth"]),
        (&"dice".into(), &200.into(), &().into()),
        "{report}"
    );
    assert_eq!(project.run("export", &["--what", "predictions"]).done().out, before);

    answer_round(&project, "60");
    project.run("tune", &[]).done();
    let status = project.json("status", &[]);
    assert_eq!(
        (&status["prelabels"], &status["judge"]["worth"]["helps"]),
        (&"head".into(), &false.into()),
        "{status}"
    );
    let alone = project.run("export", &["--what", "predictions"]).done().out;

    let said = project.run("judge", &["--from", good.to_str().unwrap(), "--label", "label"]).done().out;
    assert!(
        said.contains(
            "old-model predicts 200 texts. What was measured: what old-model predicts counts (log-loss on "
        ),
        "{said}"
    );
    assert!(said.contains("what dice predicts adds nothing"), "{said}");
    let status = project.json("status", &[]);
    assert_eq!(
        (&status["prelabels"], &status["judge"]["imported"]),
        (&"combined".into(), &true.into()),
        "{status}"
    );
    assert_ne!(project.run("export", &["--what", "predictions"]).done().out, alone);
    assert!(correct(&project, "active") > correct(&project, "head"));
    let text = project.run("status", &[]).done().out;
    assert!(
        text.contains("There are predictions by old-model for 200 texts. They help: log-loss is"),
        "{text}"
    );
    let report = project.run("report", &[]).done().out;
    assert!(report.contains("| old-model | predictions |"), "{report}");
    project.run("doctor", &[]).done();

    // What a training elsewhere is written with is the task's own prompt: these have none.
    let lesson = project.run("export", &["--what", "sft"]).json_lines().remove(0);
    assert!(lesson["messages"][0]["content"].as_str().unwrap().contains("clickbait"), "{lesson}");
    answer_round(&project, "20");
    project.run("tune", &[]).done();
    assert_eq!(project.json("status", &[])["prelabels"], "combined");
    project.is_whole();
}

#[test]
fn predictions_are_shown_to_nobody_before_the_answer_and_travel_with_the_project() {
    let project = Project::scouted_elsewhere(120);
    let file = project.write("old-model.csv", predictions(&project, |_| true));
    project.run("mine", &["--budget", "30"]).done();
    let plain = |project: &Project| project.run("next", &["--json"]).done().out;
    let before = plain(&project);
    project
        .run("judge", &["--from", file.to_str().unwrap(), "--label", "label", "--name", "somebody"])
        .done();
    assert_eq!(plain(&project), before, "a case looks as it did");
    let lines = project.run("export", &["--what", "predictions", "--by", "judge"]).json_lines();
    let shown: HashMap<bool, usize> = lines.iter().fold(HashMap::new(), |mut n, line| {
        *n.entry(!line["prelabel"].is_null()).or_default() += 1;
        n
    });
    assert_eq!(shown[&false], 30, "the cases that are still to be answered are left out: {shown:?}");

    let log = project.path("log.jsonl");
    project.run("export", &["--what", "events", "-o", log.to_str().unwrap()]).done();
    project.is_whole();
    let copy = project.path("copy.hardcase");
    project.run("backup", &["--to", copy.to_str().unwrap()]).done();
    project.run("merge", &[copy.to_str().unwrap()]).done();
    project.is_whole();
}

#[test]
fn predictions_next_to_the_texts_are_taken_in_with_them() {
    let project = Project::with_ads(10);
    let rows = "id,text,gold,guess,p_click,p_fine\n\
                n1,Seven tricks that gyms hide,clickbait,clickbait,0.8,0.2\n\
                n2,Winter tyres in all sizes,fine,,0.25,0.75\n\
                n3,This lamp changed my life,clickbait,eggs,2,3\n";
    let file = project.write("more.csv", rows);
    let import = |more: &[&str]| {
        let own = [file.to_str().unwrap(), "--text", "text", "--id", "id", "--gold", "gold"];
        project.run("import", &[&own, more].concat())
    };
    // Columns that are not clear are told before anything is kept.
    import(&["--prediction", "guess", "--prediction", "p_fine"]).refused(2, &["not for each of them"]);
    import(&["--prediction", "fine=p_fine"]).refused(2, &["no column was named for the label 'clickbait'"]);
    import(&["--prediction", "fine=p_fine", "--prediction", "clickbait=p_fine"])
        .refused(2, &["column 'p_fine' was named for two labels"]);
    import(&["--prediction", "fine=p_fine", "--prediction", "eggs=p_click"])
        .refused(2, &["the task has no such label"]);
    import(&["--prediction", "nope"]).refused(2, &["it has no column 'nope'"]);
    assert_eq!(project.json("status", &[])["items"], 10);

    let said = import(&["--prediction", "guess"]).done().out;
    assert!(
        said.contains("3 new texts") && said.contains("more predicts 1 text. 1 row predicts nothing"),
        "{said}"
    );
    assert!(said.contains("1 row has a label that the task does not have: 'eggs'"), "{said}");

    let each = ["--prediction", "clickbait=p_click", "--prediction", "fine=p_fine", "--predicted-by", "old"];
    let report =
        serde_json::from_str::<serde_json::Value>(&import(&[&each[..], &["--json"]].concat()).done().out)
            .unwrap();
    assert_eq!((&report["new_items"], &report["known"]), (&0.into(), &3.into()), "{report}");
    let taken = &report["predictions"];
    assert_eq!(
        (&taken["name"], &taken["texts"], &taken["improper"], &taken["rows"]),
        (&"old".into(), &2.into(), &1.into(), &3.into()),
        "{report}"
    );
    let lines = project.run("export", &["--what", "predictions", "--by", "judge"]).json_lines();
    let of = |id: &str| lines.iter().find(|line| line["id"] == id).unwrap();
    assert_eq!((&of("n1")["prelabel"], &of("n2")["prelabel"]), (&"clickbait".into(), &"fine".into()));
    assert!(of("n3")["prelabel"].is_null());
    project.is_whole();
}

#[test]
fn a_file_that_cannot_be_used_is_refused_in_one_sentence() {
    let project = Project::with_ads(10);
    let file = project.write("p.csv", "id,label\nnobody,fine\n");
    let file = file.to_str().unwrap();
    project
        .run("judge", &["--from", file, "--label", "label"])
        .refused(2, &["no row names a text of this project (1 row)"]);
    project
        .run("judge", &["--from", file, "--gold", "label"])
        .refused(2, &["--gold and --meta mean nothing"]);
    project.run("judge", &["--from", "/nowhere/p.csv"]).refused(2, &["there is no such file"]);
}
