//! The report for support: it helps to find a fault, and holds nothing by which a text or a person can be known.

use super::project::Project;

#[test]
fn a_report_for_support_has_numbers_and_no_text_label_name_or_path() {
    let project = Project::scouted_elsewhere(20);
    project.run("mine", &["--budget", "5", "--as", "Grace Hopper"]).done();
    let first = project.json("next", &["--as", "Grace Hopper"]);
    let item = first["item"].to_string();
    project.run("answer", &["--item", &item, "--label", "clickbait", "--as", "Grace Hopper"]).done();
    let out = project.path("support.txt");
    project.run("doctor", &["--bundle", out.to_str().unwrap()]).done();
    let report = std::fs::read_to_string(&out).unwrap();
    for part in ["## Program", "## Machine", "## What doctor finds", "rows of item: 20", "mine: done"] {
        assert!(report.contains(part), "no {part} in:\n{report}");
    }
    let folder = project.path("");
    let folder = folder.to_str().unwrap().trim_end_matches('/').to_owned();
    for part in ["Grace", "Hopper", "clickbait", "mispronounce", "ads.csv", "pool.hardcase", folder.as_str()]
    {
        assert!(!report.contains(part), "{part} in:\n{report}");
    }
}
