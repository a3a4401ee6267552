//! A low-rank adapter from the labels to the file that llama.cpp loads, with the embedded model.

#[cfg(unix)]
use std::io::{BufRead, BufReader};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::cascade::{answer_round, enter_judge};
use super::judge::labelled_with_a_small_encoder;
use super::project::{Project, TASK};
#[cfg(unix)]
use super::seat::Seat;
use super::skip::test_data;

/// A project whose first `n` cases are answered with the gold labels, in rounds of 60.
fn labelled(n: usize) -> Project {
    super::judge::labelled(n.div_ceil(60))
}

fn active(project: &Project) -> (i64, String) {
    let all = project.json("adapter", &["list"]);
    let one = all.as_array().unwrap().iter().find(|a| a["active"] == true).unwrap();
    (one["adapter"].as_i64().unwrap(), one["kind"].as_str().unwrap().to_owned())
}

fn predictions(project: &Project) -> Vec<Value> {
    // Those of cases that ada has yet to answer, too.
    project.run("export", &["--what", "predictions", "--reveal"]).json_lines()
}

#[test]
fn with_few_labels_no_lora_is_trained_and_it_says_so() {
    let project = Project::with_ads(120);
    project.run("scout", &[]).done();
    let ran = project.run("tune", &["--adapter", "lora"]).done();
    assert!(
        ran.out.contains("is possible once there are 60 answers to learn from; there are 0 so far"),
        "{}",
        ran.out
    );
    assert_eq!(project.json("adapter", &["list"]), serde_json::json!([]));
    project.run("adapter", &["use", "7"]).refused(2, &["adapter 7", "no adapter 7"]);
    project.run("adapter", &["export"]).refused(2, &["no adapter"]);
}

#[test]
fn an_adapter_is_trained_verified_used_exported_and_replaced() {
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

    // PEFT reads the same matrices under its own names.
    project.run("adapter", &["export", "--what", "peft", "--force", "-o", out.to_str().unwrap()]).done();
    let folder = out.join(format!("lora-{lora}-peft"));
    let tensors = std::fs::read(folder.join("adapter_model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&tensors).unwrap();
    assert_eq!(tensors.len(), header.tensors.len());
    let config: Value =
        serde_json::from_slice(&std::fs::read(folder.join("adapter_config.json")).unwrap()).unwrap();
    assert_eq!((&config["peft_type"], &config["task_type"]), (&"LORA".into(), &"FEATURE_EXTRACTION".into()));
    let page = std::fs::read_to_string(out.join(format!("lora-{lora}.README.md"))).unwrap();
    assert!(page.contains(header.str("hardcase.base.sha256").unwrap()), "{page}");
    project
        .run("adapter", &["export", "--what", "ollama", "--force", "-o", out.to_str().unwrap()])
        .refused(2, &["it adapts an encoder"]);

    // The file alone is enough, wherever it lies.
    let elsewhere = Project::none();
    std::fs::copy(project.file(), elsewhere.file()).unwrap();
    let there = elsewhere.run("predict", &[data.to_str().unwrap(), "--reveal"]).json_lines();
    assert_eq!(there, again);
    // So is a file with the model alone.
    project.run("adapter", &["export", "--predictor", "-o", out.to_str().unwrap()]).done();
    let alone = out.join(format!("lora-{lora}.hardcase"));
    let alone =
        super::project::hardcase(["predict", alone.to_str().unwrap(), data.to_str().unwrap()]).json_lines();
    assert_eq!(alone, again);

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
fn what_scout_and_judge_say_together_is_taught_to_the_scout_and_used_only_where_it_is_better() {
    let project = labelled(120);
    let alone = project.json("tune", &["--distil"]);
    assert_eq!(alone["verdict"], "nothing-to-distil", "{alone}");
    enter_judge(&project, |i, clickbait| if clickbait == (i % 20 != 0) { 0.98 } else { 0.02 });
    answer_round(&project, "20");
    project.run("tune", &[]).done();
    assert_eq!(project.json("status", &[])["prelabels"], "combined");

    let report = project.json("tune", &["--distil", "--epochs", "1"]);
    let texts = report["distilled_from"].as_u64().unwrap();
    assert!(texts > 100, "no case is among them: {report}");
    let compared = &report["comparison"];
    let (mean, error) = (compared["difference"].as_f64().unwrap(), compared["error"].as_f64().unwrap());
    let better = mean < -error;
    assert_eq!(report["verdict"], if better { "activated" } else { "scout-stays" }, "{report}");
    assert!(report["verified"]["largest"].as_f64().unwrap() < 0.01, "{report}");

    let listed = project.run("adapter", &["list"]).done().out;
    assert!(listed.contains("the scout before (distilled from all models)"), "{listed}");
    let adapter = report["adapter"].to_string();
    if !better {
        project.run("adapter", &["use", &adapter]).done();
    }
    // Whether the scout decides alone now or beneath a combination, what it says itself can be had.
    let by_it = project.run("export", &["--what", "predictions", "--by", &adapter]).json_lines();
    assert!(by_it.iter().all(|line| !line["prelabel"].is_null()));
    // What has learned from these labels and from more needs no plain training on them.
    let plain = project.json("tune", &["--adapter", "lora", "--epochs", "1"]);
    assert_eq!(plain["verdict"], "nothing-new", "{plain}");
    project.is_whole();
}

/// Five kinds of questions (Li and Roth, 2002), which the encoder as it is tells apart badly. The sixth, abbreviations, is too rare here.
fn questions(n: usize) -> Option<Project> {
    const KINDS: [&str; 5] = ["DESC", "ENTY", "HUM", "LOC", "NUM"];
    const MEANINGS: [&str; 5] = [
        "a definition, a reason, a manner",
        "an animal, a colour, a product, a word",
        "a person or a group of people",
        "a city, a country, a place",
        "a count, a date, a distance, a price",
    ];
    let file = std::fs::read(test_data("data/trec/train_5500.label")?).unwrap();
    let file = String::from_utf8_lossy(&file);
    let project = Project::none();
    let labels: String = KINDS
        .iter()
        .zip(MEANINGS)
        .enumerate()
        .map(|(i, (name, meaning))| {
            format!("\n[[label]]\nname = \"{name}\"\nkey = \"{}\"\ndescription = \"{meaning}\"\n", i + 1)
        })
        .collect();
    let question = "name = \"questions\"\nquestion = \"What is asked for?\"\n";
    let task = project.write("task.toml", format!("{question}{labels}"));
    project.run("new", &["--task", task.to_str().unwrap()]).done();
    let row = |line: &str| {
        let (kind, text) = line.split_once(' ')?;
        let gold = kind.split(':').next().filter(|kind| KINDS.contains(kind))?;
        Some(format!("{}\n", serde_json::json!({ "text": text, "gold": gold })))
    };
    let rows: String = file.lines().step_by(5).filter_map(row).take(n).collect();
    project.write("questions.jsonl", rows);
    project.run("import", &["questions.jsonl", "--text", "text", "--gold", "gold"]).done();
    Some(project)
}

#[test]
fn on_questions_of_five_kinds_an_adapter_is_better_than_the_head_and_takes_its_place() {
    let Some(project) = questions(700) else { return };
    project.run("scout", &[]).done();
    let gold = project.gold();
    project.run("mine", &["--budget", "280", "--strategy", "random", "--seed", "7"]).done();
    project.answer_all(|item| gold[&item].clone());
    project.run("tune", &[]).done();
    // The share of the texts without a label that have the right prelabel.
    let right = || {
        let all = predictions(&project);
        let rest: Vec<&Value> = all.iter().filter(|line| line["label"].is_null()).collect();
        assert!(rest.len() > 300, "{}", rest.len());
        rest.iter().filter(|line| line["prelabel"] == line["gold"]).count() as f64 / rest.len() as f64
    };
    let by_head = right();
    let report = project.json("tune", &["--adapter", "lora"]);
    let by_lora = right();
    assert_eq!(report["verdict"], "activated", "{report}");
    assert_eq!(active(&project), (report["adapter"].as_i64().unwrap(), "lora".into()));
    assert!(by_lora > by_head + 0.03, "{by_lora:.3} by the adapter, {by_head:.3} by the head");
    assert!(report["comparison"]["difference"].as_f64().unwrap() < 0.0, "{report}");
}

/// Starts a training of a LoRA and returns once it has taken some steps.
#[cfg(unix)]
fn in_training(project: &Project) -> std::process::Child {
    use std::os::unix::process::CommandExt;
    let mut command = project.command("tune", &["--adapter", "lora", "--progress", "json"]);
    let piped = std::process::Stdio::piped;
    let mut child = command.process_group(0).stderr(piped()).stdout(piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let training = |line: &String| line.contains("\"stage\":\"training\"") && !line.contains("\"done\":0,");
    assert!(said.by_ref().filter(training).nth(1).is_some(), "it never trained");
    // Nobody may be left without a reader.
    std::thread::spawn(move || said.count());
    child
}

#[cfg(unix)]
#[test]
fn a_stopped_or_killed_training_leaves_the_head_active_and_the_next_one_succeeds() {
    let Some(project) = labelled_with_a_small_encoder(2) else { return };
    let (head, _) = active(&project);

    // A terminal sends Ctrl-C to the whole group: the process that was started, and the one that trains.
    let child = in_training(&project);
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130));
    // It ends after its step, or is ended where that takes more than a second and a half.
    let ended =
        said.trim() == "stopped; the model stays as it is, and the next training starts from the beginning";
    assert!(ended || said.is_empty(), "{said}");
    let last_job = |project: &Project| project.json("status", &[])["last_job"].as_str().unwrap().to_owned();
    let last = last_job(&project);
    assert!(last.ends_with(if ended { ": stopped" } else { ": lost" }), "{last}");

    // Killed with its children: no process is left to record it, but the next reader can tell.
    let mut child = in_training(&project);
    kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    // What it started may take a moment to be gone, and each look takes one.
    let mut seen = (0..500).map(|_| last_job(&project));
    assert!(seen.any(|job| job.ends_with(": lost")), "{}", last_job(&project));

    // Killed alone, it leaves a child behind that ends after its step: the next start waits for that, and then trains.
    let mut child = in_training(&project);
    child.kill().unwrap();
    child.wait().unwrap();
    let report = project.json("tune", &["--adapter", "lora", "--epochs", "1", "--no-rescore"]);
    assert!(["activated", "head-stays"].contains(&report["verdict"].as_str().unwrap()), "{report}");
    let all = project.json("adapter", &["list"]);
    let loras = all.as_array().unwrap().iter().filter(|a| a["kind"] == "lora").count();
    assert_eq!(loras, 1, "{all}");
    project.is_whole();

    if report["verdict"] == "head-stays" {
        project.run("adapter", &["use", &report["adapter"].to_string()]).done();
    }
    let unread = predictions(&project).iter().any(|line| line["prelabel"].is_null());
    assert_eq!(unread, report["verdict"] == "activated", "only the cases were read");
    check_a_project_with_a_lora(&project, head, report["adapter"].as_i64().unwrap());
}

/// What can be done with a project whose LoRA is active and may have read no more than the cases.
#[cfg(unix)]
fn check_a_project_with_a_lora(project: &Project, head: i64, lora: i64) {
    let unread = |lines: &[Value]| lines.iter().filter(|line| line["prelabel"].is_null()).count();
    let before = unread(&predictions(project));
    if before > 0 {
        let mut command = project.command("export", &["--what", "predictions"]);
        let said = command.output().unwrap();
        let said = String::from_utf8(said.stderr).unwrap();
        assert!(said.contains(&format!("{before} rows have no prelabel")), "{said}");
    }
    // The next round is mined from all texts.
    let mined = project.json("mine", &["--budget", "10"]);
    let items = project.json("status", &[])["items"].clone();
    assert_eq!(mined["universe"], items, "{mined}");
    assert_eq!(unread(&predictions(project)), 0);

    // A label that is added does not cost the LoRA.
    let rest = "\n[[label]]\nname = \"chain letter\"\nkey = \"3\"\ndescription = \"wants to be passed on\"\nshare = 0.1\n";
    let two = TASK.replace("share = 0.8", "share = 0.7");
    let task = project.write("three.toml", format!("{two}{rest}"));
    let set = project.command("task", &["--set", task.to_str().unwrap()]).output().unwrap();
    let set = String::from_utf8(set.stdout).unwrap();
    assert!(set.contains("does not know 'chain letter'"), "{set}");
    let listed = project.run("adapter", &["list"]).done().out;
    assert!(listed.contains("active  does not know 'chain letter'"), "{listed}");
    assert_eq!(project.json("scout", &[])["prelabels"], "lora");
    assert_eq!(active(project), (lora, "lora".into()));
    let stays = project.run("tune", &["--adapter", "lora"]).done().out;
    assert!(stays.contains("is possible once each label has 3 answers to learn from"), "{stays}");

    // Of a LoRA that is not active only what it said of the cases is left.
    project.run("adapter", &["use", &head.to_string()]).done();
    let by = |by: &str| project.run("export", &["--what", "predictions", "--by", by]);
    by(&lora.to_string()).refused(2, &["is not active", &format!("adapter FILE use {lora}")]);
    by("99").refused(2, &["adapter 99", "adapter FILE list"]);
    project.run("adapter", &["use", &lora.to_string()]).done();

    // Its files replace no others.
    let out = project.path("files");
    let export =
        |more: &[&str]| project.run("adapter", &[&["export", "-o", out.to_str().unwrap()], more].concat());
    export(&[]).done();
    export(&[]).refused(2, &["is there already", "--force"]);
    export(&["--force"]).done();
    project
        .run("adapter", &["export", "-o", task.to_str().unwrap()])
        .refused(2, &["three.toml is not a folder"]);

    // Heads are never dropped, nor is what is active; what was dropped cannot be used, and that is no job that failed.
    project.run("adapter", &["prune"]).done();
    by("head").done();
    project.run("adapter", &["use", &head.to_string()]).done();
    assert_eq!(project.json("adapter", &["prune", "--keep", "1"])["dropped"], 0);
    assert_eq!(project.json("adapter", &["prune"])["dropped"], 1);
    let job = project.json("status", &[])["last_job"].clone();
    project.run("adapter", &["use", &lora.to_string()]).refused(2, &["its bytes were dropped"]);
    assert_eq!(project.json("status", &[])["last_job"], job);
    project.run("tune", &["--epochs", "5"]).refused(2, &["--epochs applies only to a LoRA"]);
    project.is_whole();
}

#[cfg(unix)]
#[test]
fn the_workstation_shows_each_epoch_while_it_trains_and_labelling_goes_on() {
    let Some(project) = labelled_with_a_small_encoder(2) else { return };
    project.run("mine", &["--budget", "20"]).done();
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("0 of 20 by you");
    seat.press("\x0b");
    seat.see("Nothing has run since");
    seat.press("\x1b[B\x1b[B\x1b[B\r");
    seat.see("lora: training");
    seat.press("\x1b");
    let case = seat.answer('1');
    seat.press("\x0b");
    seat.see("fold 1 of 3, epoch 2   ");
    let ended = seat.see_that("the end", |s| s.contains("lora   done"));
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
