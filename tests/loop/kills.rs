//! `kill -9` at random moments: what was acknowledged is in the file, the file is whole, and the same command goes on to the end.
//!
//! Spread evenly over the time that each job takes when it is left alone. `HARDCASE_PROOF_KILLS` is about how many there are in all, those of the
//! merge among them.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
#[cfg(feature = "engine")]
use hardcase::domain::ids::ModelId;
use hardcase::store::{Access, Store};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Pid, Signal, kill_process_group};

use super::crowd::{acts, logged, seat, told};
use super::project::{Project, program, run};

/// Starts a command at the head of a process group of its own, its output read by this test.
pub fn start(command: &mut Command) -> Child {
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The process that was started, alone.
    Parent,
    /// It and all that it started.
    All,
}

/// Kills a running command after `wait`, or lets it end where it is faster. Returns the whole lines that it printed, and whether it was
/// killed before its end.
pub fn kill_after(mut child: Child, wait: Duration, whom: Whom) -> (Vec<String>, bool) {
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (ended, end) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut lines = Vec::new();
        let mut out = BufReader::new(stdout);
        let mut line = String::new();
        // A line without its end was not acknowledged.
        while out.read_line(&mut line).is_ok() && line.ends_with('\n') {
            lines.push(std::mem::take(&mut line));
        }
        let _ = ended.send(());
        lines
    });
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = BufReader::new(stderr).read_to_string(&mut text);
        text
    });
    let cut = end.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
    if cut && whom == Whom::Parent {
        child.kill().unwrap();
    } else if cut {
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    }
    let status = child.wait().unwrap();
    // Both pipes close with the last process that holds them.
    let (lines, complaints) = (reader.join().unwrap(), complaints.join().unwrap());
    assert!(cut || status.success(), "{complaints}");
    (lines, !status.success())
}

/// How many kills are a test's part, of which there are `of_a_hundred` where there are a hundred in all.
pub fn kills(of_a_hundred: u32) -> u32 {
    let all = u32::try_from(told("HARDCASE_PROOF_KILLS", 60)).unwrap();
    (of_a_hundred * all).div_ceil(100)
}

/// Moments over the time that `command` takes when it is left alone.
pub fn moments(mut command: Command, kills: u32, seed: u64) -> impl Iterator<Item = Duration> {
    let begun = Instant::now();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let whole = begun.elapsed();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..kills).map(move |i| whole.mul_f64((f64::from(i) + rng.r#gen::<f64>()) / f64::from(kills)))
}

/// Puts the project back to how it was.
pub fn restore(project: &Project, bytes: &[u8]) {
    for log in ["pool.hardcase-wal", "pool.hardcase-shm"] {
        let _ = std::fs::remove_file(project.path(log));
    }
    std::fs::write(project.file(), bytes).unwrap();
}

/// The bytes of a project that nobody has open: one file, no log next to it.
#[track_caller]
pub fn bytes(project: &Project) -> Vec<u8> {
    assert!(!project.path("pool.hardcase-wal").exists(), "the last one to leave folds the log in");
    std::fs::read(project.file()).unwrap()
}

#[test]
fn a_killed_import_shows_nothing_and_the_next_one_brings_all() {
    const ROWS: usize = 10_000;
    let project = Project::with_ads(10);
    let before = bytes(&project);
    let rows: String = (0..ROWS).map(|i| format!("the text of row {i}, with a few words more\n")).collect();
    project.write("rows.txt", rows);
    let import = || project.command("import", &["rows.txt", "--progress", "json"]);
    let all = moments(import(), kills(12), 1);
    restore(&project, &before);
    let mut killed = 0;
    let mut imported = 0;
    for wait in all {
        let (_, was_killed) = kill_after(start(&mut import()), wait, Whom::Parent);
        killed += usize::from(was_killed);
        let store = project.is_whole();
        // All or nothing: a kill after the last commit may still come before the process ends.
        let rows = store.row_count().unwrap() - 10;
        assert!(rows == imported || rows == ROWS, "{rows} rows are seen");
        imported = rows;
        assert_eq!(store.item_count().unwrap(), if imported > 0 { ROWS + 10 } else { 10 });
    }
    assert!(killed > 0, "not one import was caught at work");
    project.run("import", &["rows.txt"]).done();
    let store = project.is_whole();
    // Also where a killed one had brought them already: a file that is imported again adds nothing.
    assert_eq!((store.item_count().unwrap(), store.row_count().unwrap()), (ROWS + 10, ROWS + 10));
    let doctor = project.run("doctor", &[]).done().out;
    assert!(doctor.contains("intact: 10010 texts"), "{doctor}");
}

#[test]
fn a_kill_during_a_checkpoint_does_no_damage() {
    let project = Project::with_ads(10);
    let rows: String = (0..5_000).map(|i| format!("the text of row {i} with a few words more\n")).collect();
    project.write("rows.txt", rows);
    // As long as somebody sits at the project, the import's pages stay in the log.
    let seated = Store::open(&project.file(), Access::Session).unwrap();
    project.run("import", &["rows.txt"]).done();
    let log_path = project.path("pool.hardcase-wal");
    let (mut file, log) = (std::fs::read(project.file()).unwrap(), std::fs::read(&log_path).unwrap());
    drop(seated);
    let folded = bytes(&project);
    let page = usize::from(u16::from_be_bytes([file[16], file[17]]));
    assert!(folded.len() > file.len() + page, "the import made the file longer");
    // Pages are folded in by their number, so the kill came after the first: its header already speaks of the later ones.
    file[..page].copy_from_slice(&folded[..page]);
    restore(&project, &file);
    std::fs::write(log_path, log).unwrap();
    assert_eq!(project.json("status", &[])["items"], 5_010);
    project.json("answer", &["--item", "5000", "--label", "fine"]);
    drop(project.is_whole());
}

#[cfg(feature = "engine")]
#[test]
fn a_killed_scouting_keeps_its_batches_and_the_next_one_goes_on() {
    let project = Project::empty();
    let things = ["harbour", "kettle", "violin", "ladder", "garden"];
    let rows: String = (0..300).map(|i| format!("a {} number {i}\n", things[i % things.len()])).collect();
    project.write("rows.txt", rows);
    project.run("import", &["rows.txt"]).done();
    let before = bytes(&project);
    let scout = || project.command("scout", &["--progress", "json"]);
    let all = moments(scout(), kills(10), 2);
    restore(&project, &before);
    let (mut kept, mut killed) = (0, 0);
    for (i, wait) in all.enumerate() {
        let whom = if i % 2 == 0 { Whom::All } else { Whom::Parent };
        let (_, was_killed) = kill_after(start(&mut scout()), wait, whom);
        killed += usize::from(was_killed);
        let store = project.is_whole();
        let vectors = store.vector_count(hardcase::store::pool::embeddings::Space::base(ModelId(1))).unwrap();
        assert!(vectors >= kept, "a finished batch is kept");
        kept = vectors;
        if vectors == 300 {
            drop(store);
            project.run("scout", &[]).done();
            assert_eq!(project.json("status", &[])["scored"], 300);
            restore(&project, &before);
            kept = 0;
        }
    }
    assert!(killed > 0, "not one scouting was caught at work");
    let report = project.json("scout", &[]);
    assert_eq!((&report["scored"], &report["embedded"]), (&300.into(), &(300 - kept).into()));
    drop(project.is_whole());
}

#[test]
fn a_killed_mining_leaves_a_whole_round_or_none() {
    let project = Project::scouted_elsewhere(300);
    let before = bytes(&project);
    let mine = || project.command("mine", &["--budget", "40", "--progress", "json"]);
    let mut killed = 0;
    for wait in moments(mine(), kills(8), 3) {
        restore(&project, &before);
        killed += usize::from(kill_after(start(&mut mine()), wait, Whom::Parent).1);
        let rounds = project.is_whole().rounds().unwrap();
        assert!(rounds.len() < 2 && rounds.iter().all(|r| r.cases == 40), "{rounds:?}");
        let report = project.json("mine", &["--budget", "40", "--force"]);
        assert_eq!(report["round"], rounds.len() + 1);
        let rounds = project.is_whole().rounds().unwrap();
        assert_eq!(rounds.iter().filter(|r| r.closed_ms.is_none()).count(), 1, "one round is open");
    }
    assert!(killed > 0, "not one mining was caught at work");
}

#[test]
fn a_killed_tuning_loses_no_label_and_the_next_one_activates_the_head() {
    let project = Project::scouted_elsewhere(300);
    project.run("mine", &["--budget", "60"]).done();
    let gold = project.gold();
    let mut session = Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    while let Next::Case(case) = session.next_case().unwrap() {
        session.answer(case.item, &gold[&case.item.0], Remarks::default()).unwrap();
    }
    session.close().unwrap();
    let before = bytes(&project);
    let labels = project.is_whole().events().unwrap();
    assert_eq!(labels.len(), 60);
    let tune = || project.command("tune", &["--progress", "json"]);
    let mut killed = 0;
    for wait in moments(tune(), kills(10), 4) {
        restore(&project, &before);
        killed += usize::from(kill_after(start(&mut tune()), wait, Whom::Parent).1);
        assert_eq!(project.is_whole().events().unwrap(), labels);
        let report = project.json("tune", &[]);
        let verdict = report["verdict"].as_str().unwrap();
        assert!(["activated", "nothing-new"].contains(&verdict), "{report}");
        let store = project.is_whole();
        let active = store.active_predictor().unwrap().unwrap();
        assert_eq!((active.kind().as_str(), store.prediction_count(active.id).unwrap()), ("head", 300));
        assert_eq!(store.predictors().unwrap().len(), 2, "the zero-shot prelabels and one head");
    }
    assert!(killed > 0, "not one tuning was caught at work");
}

#[test]
fn every_answer_that_a_killed_script_saw_acknowledged_is_in_the_file() {
    const SCRIPT: &str =
        r#"for item in $items; do "$0" answer "$1" --item "$item" --label fine --json || exit 1; done"#;
    let project = Project::with_ads(300);
    let script = |items: std::ops::Range<usize>| {
        let items: Vec<String> = items.map(|i| i.to_string()).collect();
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT])
            .arg(program().get_program())
            .arg(project.file())
            .env("items", items.join(" "));
        command
    };
    let mut acknowledged = Vec::new();
    let mut next = 11;
    for wait in moments(script(1..11), kills(10), 5) {
        // In the long form items come again: to answer again is an answer, too.
        let items = next..(next + 25).min(300);
        let (lines, _) = kill_after(start(&mut script(items.clone())), wait, Whom::All);
        next = if items.end < 300 { items.end } else { 11 };
        acknowledged.extend(lines.iter().map(|line| {
            let saved: serde_json::Value = serde_json::from_str(line).unwrap();
            ItemId(saved["item"].as_i64().unwrap())
        }));
        let store = project.is_whole();
        let labelled: std::collections::HashSet<_> =
            store.current_answers().unwrap().iter().map(|e| e.event.item).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|item| !labelled.contains(item)).collect();
        assert!(lost.is_empty(), "acknowledged and not in the file: {lost:?}");
    }
    assert!(acknowledged.len() > 10, "the script never got far: {acknowledged:?}");
    let saved = project.json("answer", &["--item", "300", "--label", "clickbait"]);
    assert_eq!(saved["changed"], false, "{saved}");
    drop(project.is_whole());
}

#[cfg(feature = "engine")]
#[test]
fn a_killed_training_of_the_judge_leaves_it_unchanged_and_the_next_one_succeeds() {
    let Some(model) = super::judge::model("tinystories-656k-q8_0.gguf") else { return };
    let model = model.to_str().unwrap();
    let project = super::judge::labelled(2);
    project.run("judge", &["--model", model, "--limit", "20", "--threads", "1"]).done();
    let before = bytes(&project);
    let labels = project.is_whole().events().unwrap();
    let train_judge = || {
        let arguments = ["--adapter", "alora", "--model", model, "--epochs", "1", "--threads", "1"];
        project.command("tune", &arguments)
    };
    let mut killed = 0;
    for (i, wait) in moments(train_judge(), kills(5), 6).enumerate() {
        restore(&project, &before);
        let whom = if i % 2 == 0 { Whom::All } else { Whom::Parent };
        killed += usize::from(kill_after(start(&mut train_judge()), wait, whom).1);
        let store = project.is_whole();
        assert_eq!(store.events().unwrap(), labels);
        assert!(
            store
                .adapters()
                .unwrap()
                .iter()
                .filter(|a| a.kind == hardcase::domain::adapter::AdapterKind::Alora)
                .count()
                <= 1
        );
        drop(store);
        project.json("judge", &["--limit", "5", "--threads", "1"]);
    }
    assert!(killed > 0, "no training was killed while it ran");
    let report = project.json("tune", &["--adapter", "alora", "--model", model, "--epochs", "1"]);
    assert_ne!(report["verdict"], "too-few", "{report}");
    drop(project.is_whole());
}

#[test]
fn what_killed_labellers_saw_saved_is_in_the_log_with_at_most_one_more_action_each() {
    let project = Project::scouted_elsewhere(600);
    project.run("mine", &["--budget", "300"]).done();
    let stay = Duration::from_millis(1_500);
    let mut said = Vec::new();
    let mut killed = 0;
    for (i, wait) in
        moments(seat(&project.file(), "labeller", Duration::from_millis(900)), kills(20), 7).enumerate()
    {
        let name = format!("labeller-{i}");
        let (lines, was_killed) = kill_after(start(&mut seat(&project.file(), &name, stay)), wait, Whom::All);
        killed += usize::from(was_killed);
        said.push((name.clone(), acts(&name, &lines.concat())));
    }
    assert!(killed > 0, "not one labeller was caught at work");
    assert!(said.iter().any(|(_, acts)| acts.len() > 3), "nobody got far: {said:?}");
    let in_file = logged(&project.is_whole());
    for (name, acts) in said {
        let logged: Vec<_> = in_file.iter().filter(|act| act.0 == name).cloned().collect();
        assert!(logged.starts_with(&acts), "{name} saw {acts:?}, and the log has {logged:?}");
        assert!(
            logged.len() <= acts.len() + 1,
            "{name} did {} acts and the log has {}",
            acts.len(),
            logged.len()
        );
    }
    // Their leases are free: the next expert gets every case that nobody has labelled.
    let file = rusqlite::Connection::open(project.file()).unwrap();
    let unlabelled = "SELECT count(*) FROM label_case c WHERE reason <> 'repeat' AND NOT EXISTS
        (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.action = 'set')";
    let left = || file.query_row(unlabelled, [], |r| r.get::<_, i64>(0)).unwrap();
    let mut session = Session::open(&project.file(), "late", OnClose::ReleaseCases).unwrap();
    while let Next::Case(case) = session.next_case().unwrap() {
        session.answer(case.item, "fine", Remarks::default()).unwrap();
    }
    session.close().unwrap();
    assert_eq!(left(), 0);
}

#[test]
fn a_killed_assignment_gives_a_whole_copy_or_none_and_the_next_one_succeeds() {
    let project = Project::scouted_elsewhere(300);
    project.run("mine", &["--budget", "60"]).done();
    let before = bytes(&project);
    let assign = || project.command("assign", &["--to", "bob", "--limit", "20", "-o", "bob.hardcase"]);
    let copy = project.path("bob.hardcase");
    let all = moments(assign(), kills(10), 9);
    let mut killed = 0;
    for wait in all {
        let _ = std::fs::remove_file(&copy);
        restore(&project, &before);
        killed += usize::from(kill_after(start(&mut assign()), wait, Whom::Parent).1);
        drop(project.is_whole());
        if copy.exists() {
            let part = Store::open(&copy, Access::Read).unwrap();
            assert_eq!(part.integrity_check().unwrap(), Vec::<String>::new());
            assert_eq!(part.open_round_row().unwrap().unwrap().cases, 20);
        } else {
            let mut again = assign();
            again.args(["--quiet"]);
            run(again).done();
            assert!(copy.exists());
        }
    }
    assert!(killed > 0, "not one assignment was caught at work");
}

#[cfg(feature = "engine")]
#[test]
fn a_killed_training_of_the_scout_loses_no_label_and_the_next_one_succeeds() {
    let Some(project) = super::judge::labelled_with_a_small_encoder(2) else { return };
    let before = bytes(&project);
    let labels = project.is_whole().events().unwrap();
    let arguments = ["--adapter", "lora", "--epochs", "1", "--no-rescore"];
    let train = || project.command("tune", &arguments);
    let mut killed = 0;
    for (i, wait) in moments(train(), kills(3), 10).enumerate() {
        restore(&project, &before);
        let whom = if i % 2 == 0 { Whom::All } else { Whom::Parent };
        killed += usize::from(kill_after(start(&mut train()), wait, whom).1);
        let store = project.is_whole();
        assert_eq!(store.events().unwrap(), labels);
        assert!(
            store
                .adapters()
                .unwrap()
                .iter()
                .filter(|a| a.kind == hardcase::domain::adapter::AdapterKind::Lora)
                .count()
                <= 1
        );
    }
    assert!(killed > 0, "not one training was caught at work");
    let report = project.json("tune", &arguments);
    assert!(
        ["activated", "head-stays", "nothing-new"].contains(&report["verdict"].as_str().unwrap()),
        "{report}"
    );
    drop(project.is_whole());
}
