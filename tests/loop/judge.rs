//! A language model as judge next to the scout, with the smallest real one of the test data.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::project::{Project, program};
use super::seat::Seat;
use super::skip::test_data;

/// A language model of the test data.
pub fn model(name: &str) -> Option<PathBuf> {
    test_data(&format!("models/{name}"))
}

/// A scouted project whose first `rounds` rounds are answered with the gold labels, and whose head is tuned.
pub fn labelled(rounds: usize) -> Project {
    labelled_by(rounds, "hybrid")
}

/// The same of fewer texts, read by an encoder half as deep as the embedded one, for tests of what a training does and not of what comes of it.
pub fn labelled_with_a_small_encoder(rounds: usize) -> Option<Project> {
    let model = test_data("models/all-minilm-l6-v2-q8_0.gguf")?;
    Some(Project::made_once(&format!("labelled-{rounds}-small"), || {
        let project = Project::with_ads(240);
        project.run("scout", &["--model", model.to_str().unwrap()]).done();
        answer_rounds(&project, rounds, "hybrid");
        project
    }))
}

/// Answers rounds of 60 with the gold labels, and tunes the head.
fn answer_rounds(project: &Project, rounds: usize, strategy: &str) {
    let gold = project.gold();
    for _ in 0..rounds {
        project.run("mine", &["--budget", "60", "--strategy", strategy]).done();
        project.answer_all(|item| gold[&item].clone());
    }
    project.run("tune", &[]).done();
}

fn labelled_by(rounds: usize, strategy: &str) -> Project {
    Project::made_once(&format!("labelled-{rounds}-{strategy}"), || {
        let project = Project::with_ads(400);
        project.run("scout", &[]).done();
        answer_rounds(&project, rounds, strategy);
        project
    })
}

fn active_predictions(project: &Project) -> Vec<serde_json::Value> {
    // Those of cases that ada has yet to answer, too.
    project.run("export", &["--what", "predictions", "--reveal"]).json_lines()
}

fn judged(project: &Project) -> usize {
    let lines = project.run("export", &["--what", "predictions", "--by", "judge", "--reveal"]).json_lines();
    lines.iter().filter(|line| !line["prelabel"].is_null()).count()
}

#[test]
fn a_judge_reads_labelled_texts_first_and_changes_nothing_unless_it_helps() {
    let Some(model) = model("tinystories-656k-q8_0.gguf") else { return };
    let model = model.to_str().unwrap();
    let project = labelled(2);
    let before = active_predictions(&project);
    let report = project.json("judge", &["--model", model, "--limit", "150", "--threads", "1"]);
    assert_eq!((&report["judged"], &report["judged_in_all"]), (&150.into(), &150.into()), "{report}");
    let labels = project.json("status", &[])["balance"].clone();
    let training: i64 = labels.as_object().unwrap().values().map(|l| l["training"].as_i64().unwrap()).sum();
    assert_eq!(report["training"], training, "all training labels are among them: {report}");
    assert!(report["instruction_tokens"].as_u64().unwrap() > 20, "{report}");
    let worth = &report["worth"];
    let (difference, error) = (worth["difference"].as_f64().unwrap(), worth["error"].as_f64().unwrap());
    assert_eq!(worth["helps"], difference < -error, "{report}");
    assert_eq!(worth["n"].as_i64().unwrap(), training - report["examples"].as_i64().unwrap(), "{report}");
    if worth["helps"] == false {
        assert_eq!(active_predictions(&project), before, "a judge that does not help changes no prelabel");
    }
    assert_eq!(judged(&project), 150);

    // The same model goes on where it was, without being named again.
    let more = project.json("judge", &["--limit", "20", "--threads", "1"]);
    assert_eq!((&more["judged"], &more["judged_in_all"]), (&20.into(), &170.into()), "{more}");
    // What it said outlives the next head, and is weighed again.
    project.run("mine", &["--budget", "10"]).done();
    let gold = project.gold();
    project.answer_all(|item| gold[&item].clone());
    project.run("tune", &[]).done();
    assert_eq!(judged(&project), 170);
    assert_eq!(project.json("status", &[])["scored"], 400);

    // After the answer the screen may say what the judge thought, and before it must not.
    let item = active_predictions(&project)[0]["item"].as_i64().unwrap();
    project.run("mine", &[]).done();
    let case = project.json("next", &[]);
    assert!(!case.to_string().contains("judge"), "{case}");
    let _ = item;
}

#[test]
fn a_killed_judge_keeps_its_verdicts_and_continues() {
    let Some(model) = model("tinystories-656k-q8_0.gguf") else { return };
    let project = Project::with_ads(400);
    project.run("scout", &[]).done();
    let mut command: Command = program();
    command.arg("judge").arg(project.file()).arg("--model").arg(&model);
    command
        .args(["--all", "--threads", "1", "--batch", "64", "--progress", "json"])
        .env("HARDCASE_IN_CHILD", "1");
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // Once it says that it has judged some.
    let said = std::io::BufReader::new(child.stderr.take().unwrap());
    for line in std::io::BufRead::lines(said).map_while(Result::ok) {
        let done = serde_json::from_str::<serde_json::Value>(&line).ok();
        if done.is_some_and(|p| p["stage"] == "judging" && p["done"].as_u64() > Some(0)) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = judged(&project);
    assert!(kept > 0);
    let report = project.json("judge", &["--all", "--threads", "1"]);
    assert_eq!(report["judged"].as_u64().unwrap() as usize, 400 - kept, "{report}");
    assert_eq!(judged(&project), 400);
    assert_eq!(project.json("judge", &["--all"])["judged"], 0);
}

#[test]
fn a_model_that_cannot_judge_is_refused_with_a_sentence_and_nothing_changes() {
    let project = Project::with_ads(40);
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");
    project.run("judge", &["--model", embedded]).refused(1, &["no text has been scouted yet"]);
    project.run("scout", &[]).done();
    let before = active_predictions(&project);
    project.run("judge", &[]).refused(2, &["no language model has judged", "--model"]);
    project.run("judge", &["--model", embedded]).refused(1, &["turns texts into vectors"]);
    let nowhere = project.path("none.gguf");
    project.run("judge", &["--model", nowhere.to_str().unwrap()]).refused(1, &["there is no such file"]);
    let notes = project.write("notes.gguf", "these are my notes".repeat(50));
    project.run("judge", &["--model", notes.to_str().unwrap()]).refused(1, &["not a GGUF file"]);
    let ran = project.run("judge", &["--model", embedded, "--for", "soon"]);
    assert!(ran.code == Some(2) && ran.err.contains("such as 10m"), "{}", ran.err);
    if let Some(model) = model("tinystories-656k-f32.gguf") {
        let whole = std::fs::read(&model).unwrap();
        let half = project.write("half.gguf", &whole[..whole.len() / 2]);
        project.run("judge", &["--model", half.to_str().unwrap()]).refused(1, &["truncated"]);
        // Bytes of the header turned around: refused or read, but never a stack trace, and the file stays as it is.
        for at in (0..2_000).step_by(97) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let odd = project.write("odd.gguf", bytes);
            let ran =
                project.run("judge", &["--model", odd.to_str().unwrap(), "--limit", "1", "--threads", "1"]);
            assert!(
                ran.code == Some(0) || ran.err.starts_with("hardcase: cannot "),
                "byte {at}: {}",
                ran.err
            );
        }
    }
    assert_eq!(active_predictions(&project), before);
    assert_eq!(project.json("doctor", &[]).to_string().matches("\"bad\"").count(), 0);
}

#[test]
fn a_judge_is_trained_and_continues_with_its_adapter() {
    let Some(model) = model("tinystories-656k-f32.gguf") else { return };
    let model = model.to_str().unwrap();
    let project = labelled(3);
    project.run("judge", &["--model", model, "--limit", "120", "--threads", "1"]).done();
    for (kind, loss) in [("lora", "lora"), ("alora", "lora")] {
        let report =
            project.json("tune", &["--adapter", kind, "--model", model, "--epochs", "2", "--threads", "1"]);
        let verdict = report["verdict"].as_str().unwrap().to_owned();
        assert!(["activated", "judge-stays"].contains(&verdict.as_str()), "{report}");
        assert!(report["verified"]["largest"].as_f64().unwrap() <= 0.03, "{report}");
        let compared = &report["comparison"];
        assert!(compared[loss].as_f64().unwrap() > 0.0, "{report}");
        assert_eq!(compared["n"], report["training"], "each label is held out once: {report}");
        let worse = compared["difference"].as_f64() > compared["error"].as_f64();
        assert_eq!(verdict == "judge-stays", worse, "{report}");
        if verdict == "activated" {
            assert_eq!(
                project.json("tune", &["--adapter", kind, "--model", model, "--epochs", "2"])["verdict"],
                "nothing-new"
            );
        }
        let adapter = report["adapter"].as_i64().unwrap();
        let listed = project.json("adapter", &["list"]);
        let of = |one: &&serde_json::Value| one["adapter"] == adapter;
        assert_eq!(listed.as_array().unwrap().iter().find(of).unwrap()["kind"], kind, "{listed}");
        if verdict == "activated" {
            // One that changes every token reads the texts alone: an instruction would cost its tokens anew for each of them.
            let file = rusqlite::Connection::open(project.file()).unwrap();
            let settings = "SELECT settings FROM predictor WHERE kind = 'judge' AND adapter = ?1";
            let settings: String = file.query_row(settings, [adapter], |r| r.get(0)).unwrap();
            assert_eq!(settings.contains("\"layout\":\"text-alone\""), kind == "lora", "{settings}");
        }
        // Its file is one that llama.cpp's tools know.
        let out = project.path("out");
        project.run("adapter", &["export", &adapter.to_string(), "-o", out.to_str().unwrap()]).done();
        let bytes = std::fs::read(out.join(format!("{kind}-{adapter}.gguf"))).unwrap();
        let header = hardcase::engine::gguf::read_header(&bytes[..], bytes.len() as u64).unwrap();
        assert_eq!(header.str("adapter.type"), Some("lora"));
        assert_eq!(header.get("adapter.alora.invocation_tokens").is_some(), kind == "alora");
        if verdict == "activated" && kind == "alora" {
            // The unchanged model and every earlier adapter that acts on answers alone were scored on the same pass.
            let compared = report["compared"].as_array().unwrap();
            assert!(compared.len() >= 2 && compared[0]["adapter"] == adapter, "{report}");
            assert!(compared.iter().any(|one| one["adapter"].is_null()), "{report}");
        }
        // It reads on with the adapter.
        let more = project.json("judge", &["--limit", "10", "--threads", "1"]);
        assert_eq!(more["judged"], 10, "{more}");
    }
    assert_eq!(project.json("status", &[])["scored"], 400);
    assert_eq!(project.json("doctor", &[]).to_string().matches("\"bad\"").count(), 0);
}

#[test]
fn an_earlier_adapter_of_the_judge_can_be_used_again_and_examples_can_be_the_nearest_ones() {
    let Some(model) = model("tinystories-656k-f32.gguf") else { return };
    let model = model.to_str().unwrap();
    let project = labelled_by(4, "random");
    let train_judge = |epochs: &str| {
        let arguments = ["--adapter", "alora", "--model", model, "--epochs", epochs, "--threads", "1"];
        project.json("tune", &arguments)
    };
    let trained = [train_judge("5"), train_judge("6")];
    // What such a small model learns of so few labels may be worse by a hair than nothing, on one processor or another; of hard cases it learns nothing.
    let activated = trained.iter().filter(|report| report["verdict"] == "activated");
    let adapters: Vec<i64> = activated.map(|report| report["adapter"].as_i64().unwrap()).collect();
    assert!(!adapters.is_empty(), "{trained:?}");
    let (first, last) = (*adapters.first().unwrap(), *adapters.last().unwrap());
    let judging = || {
        let listed = project.json("adapter", &["list"]);
        let all = listed.as_array().unwrap().clone();
        all.iter().find(|one| one["judging"] == true).map(|one| one["adapter"].as_i64().unwrap())
    };
    for adapter in [first, last, first] {
        project.run("adapter", &["use", &adapter.to_string()]).done();
        assert_eq!(judging(), Some(adapter));
    }
    assert_eq!(project.json("judge", &["--limit", "3", "--threads", "1"])["judged"], 3);
    assert_eq!(judging(), Some(first), "it reads on with the one that was chosen");
    let nearest = project.json("judge", &["--examples", "nearest", "--limit", "5", "--threads", "1"]);
    assert_eq!((&nearest["judged"], &nearest["examples"]), (&5.into(), &0.into()), "{nearest}");
    assert_eq!(judging(), None, "told otherwise it is another judge");
    let again = project.json("judge", &["--limit", "1", "--threads", "1"]);
    assert!(again["judged_in_all"].as_u64() > Some(5), "the one before goes on where it was: {again}");
    assert_eq!(judging(), Some(first));
    let ran = project.run("judge", &["--examples", "some"]);
    assert!(ran.code == Some(2) && ran.err.contains("nearest"), "{}", ran.err);
}

#[test]
fn what_trains_all_adapters_says_what_came_of_each_and_trains_no_judge_where_none_has_judged() {
    let Some(model) = model("tinystories-656k-q8_0.gguf") else { return };
    let project = labelled(1);
    let alone = project.json("tune", &["--adapter", "auto"]);
    assert_eq!((&alone["lora"]["verdict"], alone["judge"].is_null()), (&"too-few".into(), true), "{alone}");
    project.run("judge", &["--model", model.to_str().unwrap(), "--limit", "3", "--threads", "1"]).done();
    let both = project.json("tune", &["--adapter", "auto"]);
    assert_eq!((&both["lora"]["verdict"], &both["judge"]["verdict"]), (&"too-few".into(), &"too-few".into()));
    let said = project.run("tune", &["--adapter", "auto"]).done().out;
    assert!(
        said.contains(". Then the judge can be trained once there are 60 answers to learn from"),
        "{said}"
    );
    project
        .run("tune", &["--adapter", "auto", "--epochs", "3"])
        .refused(2, &["--epochs", "name the adapter"]);
}

#[test]
fn the_workstation_asks_which_model_judges_and_has_it_read() {
    let Some(model) = model("tinystories-656k-q8_0.gguf") else { return };
    let project = labelled(1);
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("Round 1 is done");
    seat.press("\x0b");
    seat.see("least sure of");
    seat.press("\x1b[B\x1b[B\x1b[B\x1b[B\r");
    seat.see("Which language model?");
    // Nobody has judged before.
    seat.press("\r");
    seat.see("no language model has judged in this project yet");
    seat.press("\r");
    seat.see("Which language model?");
    seat.press(&format!("\x1b[200~'{}'\x1b[201~", model.display()));
    seat.see("tinystories");
    seat.press("\r");
    seat.see("400 texts judged by");
    assert_eq!(judged(&project), 400);
    seat.press("q");
    assert_eq!(seat.end().0, 0);
}

#[test]
fn every_model_judges_whatever_its_chat_template_is_and_says_whether_it_is_used() {
    let Some(folder) = test_data("cases/30-odd-chat-templates") else { return };
    let project = Project::with_ads(30);
    project.run("scout", &[]).done();
    for (name, is_used) in [
        ("needs-bos-and-date.gguf", true),
        ("refuses-without-system.gguf", true),
        ("generation-tags.gguf", true),
        ("drops-the-message.gguf", false),
        ("not-a-template.gguf", false),
    ] {
        let model = folder.join(name);
        let options = ["--model", model.to_str().unwrap(), "--limit", "5", "--context", "400"];
        let ran = project.run("judge", &options).done();
        let says = if is_used { "(the chat template, " } else { "(no chat template)" };
        assert!(ran.out.contains(says), "{name}: {} {}", ran.out, ran.err);
        assert!(ran.out.starts_with("5 texts judged"), "{name}: {}", ran.out);
    }
}
