//! A low-rank adapter from the labels to the file that llama.cpp loads, with the embedded model.

use serde_json::Value;

use super::project::{Project, TASK};
#[cfg(unix)]
use super::seat::Seat;

/// A project whose first `n` cases are answered with the gold labels, in rounds of 60.
fn labelled(n: usize) -> Project {
    let project = Project::with_ads(400);
    project.run("scout", &[]).done();
    let gold = project.gold();
    let mut done = 0;
    while done < n {
        project.run("mine", &["--budget", "60"]).done();
        loop {
            let next = project.json("next", &[]);
            let Some(item) = next["item"].as_i64() else { break };
            project.run("answer", &["--item", &item.to_string(), "--label", &gold[&item]]).done();
            done += 1;
        }
    }
    project.run("tune", &[]).done();
    project
}

fn active(project: &Project) -> (i64, String) {
    let all = project.json("adapter", &["list"]);
    let one = all.as_array().unwrap().iter().find(|a| a["active"] == true).unwrap();
    (one["adapter"].as_i64().unwrap(), one["kind"].as_str().unwrap().to_owned())
}

fn predictions(project: &Project) -> Vec<Value> {
    project.run("export", &["--what", "predictions"]).json_lines()
}

#[test]
fn with_few_labels_the_head_stays_and_it_says_so() {
    let project = Project::with_ads(120);
    project.run("scout", &[]).done();
    let ran = project.run("tune", &["--adapter", "lora"]).done();
    assert!(
        ran.out.contains("the head stays: a LoRA needs 60 training labels, and there are 0"),
        "{}",
        ran.out
    );
    assert_eq!(project.json("adapter", &["list"]), serde_json::json!([]));
    project.run("adapter", &["use", "7"]).refused(2, &["adapter 7", "no adapter 7"]);
    project.run("adapter", &["export"]).refused(2, &["no adapter"]);
}

#[test]
fn an_adapter_is_trained_verified_used_exported_and_left_again() {
    let project = labelled(120);
    let (head, kind) = active(&project);
    assert_eq!(kind, "head");
    let by_head = predictions(&project);

    let report = project.json("tune", &["--adapter", "lora", "--epochs", "1"]);
    let verdict = report["verdict"].as_str().unwrap().to_owned();
    assert!(["activated", "head-stays"].contains(&verdict.as_str()), "{report}");
    assert!(report["verified"]["largest"].as_f64().unwrap() < 0.01, "{report}");
    let compared = &report["comparison"];
    let (mean, error) = (compared["difference"].as_f64().unwrap(), compared["error"].as_f64().unwrap());
    assert_eq!(compared["worse"], mean > error, "{report}");
    assert_eq!(compared["n"], report["training"], "each training label is held out once");
    let lora = report["adapter"].as_i64().unwrap();
    assert_eq!(
        active(&project),
        if verdict == "activated" { (lora, "lora".into()) } else { (head, "head".into()) }
    );

    // Used whatever came of the comparison.
    project.run("adapter", &["use", &lora.to_string()]).done();
    assert_eq!(active(&project), (lora, "lora".into()));
    let by_lora = predictions(&project);
    assert_eq!(by_lora.len(), by_head.len());
    assert_ne!(by_lora, by_head);

    // New texts are scored as those of the pool are.
    let one = &by_lora[0];
    let data = project.write("new.jsonl", format!("{}\n", serde_json::json!({ "text": one["text"] })));
    let again = project.run("predict", &[data.to_str().unwrap()]).json_lines();
    for (label, p) in one["probabilities"].as_object().unwrap() {
        let other = again[0]["probabilities"][label].as_f64().unwrap();
        assert!((p.as_f64().unwrap() - other).abs() < 0.01, "{label}: {p} {other}");
    }

    // The next round is mined among vectors of the adapter; texts that come later are read with it.
    project.run("mine", &["--budget", "10"]).done();
    let more =
        project.write("more.csv", "id,text,placement,gold\nx1,One trick that dentists hate,feed,clickbait\n");
    project.run("import", &[more.to_str().unwrap(), "--text", "text", "--id", "id", "--gold", "gold"]).done();
    project.run("scout", &[]).done();
    assert_eq!(
        predictions(&project).iter().filter(|line| !line["prelabel"].is_null()).count(),
        by_lora.len() + 1
    );

    // Its file is a GGUF that llama.cpp's tools know as an adapter, with where it comes from.
    let out = project.path("out");
    project.run("adapter", &["export", "-o", out.to_str().unwrap()]).done();
    let bytes = std::fs::read(out.join(format!("lora-{lora}.gguf"))).unwrap();
    let header = hardcase::engine::gguf::read_header(&bytes[..], bytes.len() as u64).unwrap();
    assert_eq!((header.str("general.type"), header.str("adapter.type")), (Some("adapter"), Some("lora")));
    assert!(TASK.contains(&format!("name = \"{}\"", header.str("hardcase.task").unwrap())));
    assert!(header.str("hardcase.base.sha256").is_some_and(|hash| hash.len() == 64));
    let head_file = std::fs::read_to_string(out.join(format!("lora-{lora}.head.json"))).unwrap();
    let head_json: Value = serde_json::from_str(&head_file).unwrap();
    assert_eq!(head_json["labels"], serde_json::json!(["clickbait", "fine"]));

    // The file alone is enough, wherever it lies.
    let elsewhere = Project::none();
    std::fs::copy(project.file(), elsewhere.file()).unwrap();
    let there = elsewhere.run("predict", &[data.to_str().unwrap()]).json_lines();
    assert_eq!(there, again);

    // Back to the head, exactly; and the adapter's bytes can go.
    project.run("adapter", &["use", &head.to_string()]).done();
    assert_eq!(predictions(&project)[..by_head.len()], by_head[..]);
    project.run("adapter", &["prune"]).done();
    project.run("adapter", &["use", &lora.to_string()]).refused(2, &["its bytes were dropped"]);
    let curve = project.json("status", &[])["curve"].clone();
    assert!(curve.as_array().unwrap().iter().any(|point| point["kind"] == "lora"), "{curve}");
    project.is_whole();
}

#[test]
fn a_training_that_is_killed_leaves_the_head_and_no_half_of_an_adapter() {
    use std::io::BufRead;
    let project = labelled(120);
    let (head, _) = active(&project);
    let mut command = project.command("tune", &["--adapter", "lora", "--progress", "json"]);
    let mut child =
        command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    let said = std::io::BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let training = |line: &String| line.contains("\"stage\":\"training\"") && !line.contains("\"done\":0,");
    assert!(said.filter(training).nth(1).is_some(), "it never trained");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(active(&project), (head, "head".into()));
    let all = project.json("adapter", &["list"]);
    assert!(all.as_array().unwrap().iter().all(|a| a["kind"] == "head"), "{all}");
    let store = project.is_whole();
    assert_eq!(store.active_predictor().unwrap().unwrap().kind, "head");
}

#[cfg(unix)]
#[test]
fn the_workstation_shows_each_epoch_while_it_trains_and_labelling_goes_on() {
    let project = labelled(120);
    project.run("mine", &["--budget", "20"]).done();
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("0 of 20 by you");
    seat.press("\x0b");
    seat.see("nothing since this screen was opened");
    seat.press("\x1b[B\x1b[B\x1b[B\r");
    seat.see("adapt: training");
    seat.press("\x1b");
    let case = seat.answer('1');
    seat.press("\x0b");
    seat.see("fold 1 of 3, epoch 2: loss");
    let ended = seat.see_that("the end", |s| s.contains("a LoRA trained on") || s.contains("the head stays"));
    assert!(ended.contains("log-loss"), "{ended}");
    seat.press("\x1b");
    seat.see("1 of 20 by you");
    seat.press("\x1b[D");
    assert!(seat.see("you said clickbait").contains(&format!("case {case}")));
    seat.press("q");
    assert_eq!(seat.end().0, 0);
    let runs = project.json("adapter", &["list"]);
    assert!(runs.as_array().unwrap().iter().any(|a| a["kind"] == "lora"), "{runs}");
    project.is_whole();
}
