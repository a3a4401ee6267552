//! Which encoder a project is read with: the one inside, a file, one that is gone, and what a person says of how it reads.

use hardcase::domain::ids::ItemId;
use hardcase::store::{Access, Store};
use serde_json::json;

use super::project::Project;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");

/// The model inside, as a file of the project's folder.
fn copied(project: &Project) -> String {
    let path = project.path("encoder.gguf");
    std::fs::copy(MODEL, &path).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_the_file_it_was_scouted_with_a_project_asks_for_it_or_is_read_anew_by_the_one_inside() {
    let project = Project::with_ads(30);
    let file = copied(&project);
    project.run("scout", &["--model", &file, "--prefix", "query: "]).done();
    project.run("mine", &["--budget", "8"]).done();
    assert!(project.answer_all(|_| "fine".to_owned()) > 0);
    let labels = project.json("status", &[])["labels"].clone();
    std::fs::remove_file(&file).unwrap();
    project
        .run("scout", &[])
        .refused(1, &["there is no such file", "name where it is now with --model", "scout FILE --embedded"]);
    let anew = project.json("scout", &["--embedded"]);
    assert_eq!((&anew["embedded"], &anew["scored"]), (&json!(30), &json!(30)));
    assert_eq!(project.json("status", &[])["labels"], labels, "labels stay");
    assert_eq!(project.is_whole().models().unwrap().len(), 2, "what was known of the first stays");
    let again = project.json("scout", &[]);
    assert_eq!(
        (&again["embedded"], &again["model"]),
        (&json!(0), &anew["model"]),
        "it is the project's own now"
    );
}

#[test]
fn a_project_of_another_release_says_what_it_was_scouted_with() {
    let project = Project::with_ads(10);
    project.run("scout", &[]).done();
    let path = project.file();
    let other = rusqlite::Connection::open(&path).unwrap();
    super::crowd::seal_rows(&other);
    other.execute("UPDATE model SET sha256 = ?1, name = 'another model'", [[3u8; 32]]).unwrap();
    drop(other);
    project.run("scout", &[]).refused(
        1,
        &["another model", "another release", "0303030303", "--model", "hardcase scout FILE --embedded"],
    );
    project.json("scout", &["--embedded"]);
    assert_eq!(project.json("status", &[])["scored"], 10);
}

#[test]
fn a_prefix_is_kept_with_the_model() {
    let project = Project::with_ads(20);
    let file = copied(&project);
    project.run("scout", &["--model", &file]).done();
    let prefixed = project.json("scout", &["--model", &file, "--prefix", "query: "]);
    assert_eq!(prefixed["embedded"], 20, "its vectors are others");
    for arguments in [&[][..], &["--model", &file]] {
        assert_eq!(project.json("scout", arguments)["embedded"], 0, "{arguments:?}");
    }
    let models = Store::open(&project.file(), Access::Read).unwrap().models().unwrap();
    let prefixes: Vec<&str> = models.iter().map(|model| model.reading.prefix.as_str()).collect();
    assert_eq!(prefixes, ["", "query: "]);
    let plain = project.json("scout", &["--model", &file, "--prefix", ""]);
    assert_eq!(plain["embedded"], 0, "an empty prefix is none");
}

#[test]
fn of_a_text_that_is_longer_than_the_model_reads_it_is_known_how_far_it_was_read() {
    let project = Project::with_ads(10);
    let long = "The meeting of the committee was moved to another room. ".repeat(2_000);
    let short = "A short text after it.";
    let rows = [&*long, short].map(|text| json!({ "text": text }).to_string());
    let data = project.write("long.jsonl", rows.join("\n"));
    project.run("import", &[data.to_str().unwrap(), "--text", "text"]).done();
    let report = project.json("scout", &[]);
    assert_eq!(report["truncated"], 1, "{report}");
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let read = store.read_up_to(ItemId(11)).unwrap().unwrap();
    assert!((20_000..80_000).contains(&read) && read < long.len(), "{read} of {}", long.len());
    assert_eq!((store.read_up_to(ItemId(12)).unwrap(), store.read_up_to(ItemId(1)).unwrap()), (None, None));
    assert_eq!(project.json("doctor", &[]).to_string().matches("\"bad\"").count(), 0);
}
