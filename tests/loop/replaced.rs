//! A project that is replaced, by a restore, a repair or a person, while others label in it or after a kill: no label is lost, and nothing is put
//! in a place that it was not made for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::backups::{labelled_since_its_backup, labels, names};
use super::clocks_and_locks::library;
use super::crowd::come_through_the_network;
use super::kills::{bytes, restore, start};
use super::project::{Project, Ran, hardcase, run};

/// A restore, and the repair of a project in which a text was changed that nothing rests on.
fn both(project: &Project) -> [(&'static str, &'static [&'static str], Vec<u8>); 2] {
    let whole = bytes(project);
    let mut damaged = whole.clone();
    let text = b"the text of row 19000,";
    let at = damaged.windows(text.len()).position(|part| part == text).unwrap();
    damaged[at] ^= 1;
    [("restore", &[], whole), ("doctor", &["--repair", "--accept-losses"], damaged)]
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

#[test]
fn what_is_labelled_while_a_restore_or_a_repair_runs_is_in_the_file_that_comes() {
    let (project, _) = labelled_since_its_backup();
    for (verb, arguments, bytes) in both(&project) {
        restore(&project, &bytes);
        let before: BTreeSet<String> = labels(&project.file()).into_iter().collect();
        let (over, given) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mut saved = BTreeSet::new();
        let mut ran = 0;
        std::thread::scope(|scope| {
            let labeller = scope.spawn(|| {
                let mut saved = BTreeSet::new();
                for item in 100.. {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    let ran = project
                        .run("answer", &["--item", &item.to_string(), "--label", "fine", "--as", "eve"]);
                    if ran.code == Some(0) {
                        saved.insert(format!("{item} \"eve\" \"fine\""));
                        given.store(saved.len(), Ordering::SeqCst);
                    }
                }
                saved
            });
            // Until it gets its turn between two labels.
            while ran < 3 || given.load(Ordering::SeqCst) < 4 {
                ran += usize::from(project.run(verb, arguments).code == Some(0));
            }
            over.store(true, Ordering::SeqCst);
            saved = labeller.join().unwrap();
        });
        let now: BTreeSet<String> = labels(&project.file()).into_iter().collect();
        assert!(saved.len() > 3, "{verb}: nobody labelled meanwhile");
        let lost: Vec<&String> = before.union(&saved).filter(|label| !now.contains(*label)).collect();
        assert!(lost.is_empty(), "{verb}: {} of {} are lost: {lost:?}", lost.len(), saved.len());
        drop(project.is_whole());
    }
}

#[test]
fn of_two_at_once_one_goes_through_and_the_other_says_so_in_one_sentence() {
    let (project, all) = labelled_since_its_backup();
    for (verb, arguments, bytes) in both(&project) {
        for _ in 0..3 {
            restore(&project, &bytes);
            let two = [(); 2].map(|()| start(&mut project.command(verb, arguments)));
            let ended = two.map(|child| child.wait_with_output().unwrap());
            let went_through = ended.iter().filter(|ended| ended.status.success()).count();
            for ended in ended.iter().filter(|ended| !ended.status.success()) {
                let said = String::from_utf8_lossy(&ended.stderr);
                let known = ["another restore or repair of it is under way", "another program has it open"];
                assert!(known.iter().any(|known| said.contains(known)), "{verb}: {said}");
            }
            assert!(went_through >= 1, "{verb}");
            assert_eq!(labels(&project.file()), all, "{verb}");
            drop(project.is_whole());
            let around = names(&project.path("."));
            assert!(!around.iter().any(|name| is_hidden(name)), "{around:?}");
        }
    }
}

#[test]
fn a_place_that_a_kill_left_empty_is_filled_by_the_next_restore_or_repair() {
    let (project, all) = labelled_since_its_backup();
    let Some(library) = library() else { return };
    for (verb, arguments, bytes) in both(&project) {
        for next in [("restore", &[][..]), ("doctor", &["--repair"])] {
            restore(&project, &bytes);
            let mut killed = project.command(verb, arguments);
            killed.env("LD_PRELOAD", library).env("KILL_AFTER_RENAME", "1");
            assert_ne!(run(killed).code, Some(0));
            assert!(!project.file().exists(), "{verb} was killed in the moment in which the place is empty");
            project.run("status", &[]).refused(1, &["was interrupted, and nothing is lost", "--repair"]);
            let said = project.json(next.0, next.1).to_string();
            assert!(said.contains("is now finished") && said.contains("Z."), "{said}");
            assert_eq!(labels(&project.file()), all);
            let around = names(&project.path("."));
            assert!(!around.iter().any(|name| is_hidden(name)), "{around:?}");
        }
    }
}

#[test]
fn a_new_file_that_a_kill_left_takes_no_place_but_that_of_the_file_it_was_made_for() {
    let (project, all) = labelled_since_its_backup();
    let elsewhere = project.path("elsewhere.hardcase");
    for (verb, arguments, bytes) in both(&project) {
        restore(&project, &bytes);
        let mut killed = start(&mut project.command(verb, arguments));
        let successor = loop {
            let left = names(&project.path("."));
            if let Some(name) = left.into_iter().find(|name| name.ends_with(".successor")) {
                break name;
            }
            assert!(killed.try_wait().unwrap().is_none(), "{verb} was over before it was killed");
        };
        let _ = killed.kill();
        let _ = killed.wait();
        fs::rename(project.file(), &elsewhere).unwrap();
        let said = project.run("status", &[]);
        assert!(said.code == Some(1) && !said.err.contains("interrupted"), "{verb}: {}", said.err);
        project.run("doctor", &["--repair"]).refused(1, &["no such file"]);
        fs::rename(&elsewhere, project.file()).unwrap();
        assert!(!names(&project.path(".")).contains(&successor), "it is removed");
        project.run("answer", &["--item", "70", "--label", "fine", "--as", "eve"]);
        project.run(verb, arguments).done();
        assert!(labels(&project.file()).len() >= all.len());
        let around = names(&project.path("."));
        assert!(!around.iter().any(|name| is_hidden(name)), "{around:?}");
    }
}

/// What lies next to a project that was killed, and its own bytes.
fn killed_answer(project: &Project, library: &Path, at: usize) -> Ran {
    let mut killed = project.command("answer", &["--item", "9", "--label", "fine", "--as", "ada"]);
    killed.env("LD_PRELOAD", library).env("KILL_AT_WRITE", at.to_string());
    run(killed)
}

fn journal(project: &Project) -> PathBuf {
    project.path("pool.hardcase-journal")
}

#[test]
fn a_journal_that_a_kill_left_is_undone_in_its_own_file_and_in_no_other() {
    let project = Project::with_ads(20);
    let Some(library) = library() else { return };
    let answer = |item: usize| {
        project.run("answer", &["--item", &item.to_string(), "--label", "fine", "--as", "ada"]).done();
    };
    answer(1);
    come_through_the_network(&project);
    answer(2);
    let before = bytes(&project);
    // Copies that went on: by one write, as the end of a session is, and by whole labels.
    (3..=6).for_each(answer);
    let newer = bytes(&project);
    let (mut refused, mut left, mut at) = (0, 0, 1);
    loop {
        restore(&project, &before);
        let _ = fs::remove_file(journal(&project));
        let ran = killed_answer(&project, library, at);
        if ran.code == Some(0) {
            break;
        }
        let file = bytes(&project);
        if let Some(journal_bytes) = fs::read(journal(&project)).ok().filter(|bytes| !bytes.is_empty()) {
            left += 1;
            // A copy is merged from as it was before the write, and nothing of it is changed.
            let other = project.path("other.hardcase");
            fs::write(&other, &before).unwrap();
            hardcase(["merge", other.to_str().unwrap(), project.file().to_str().unwrap(), "--quiet"]).done();
            // With the label or without: the write that was interrupted may be the one after it.
            assert!((2..=3).contains(&labels(&other).len()), "killed at {at}");
            assert!(bytes(&project) == file && fs::read(journal(&project)).unwrap() == journal_bytes);
            // A newer copy in its place keeps what it has.
            fs::write(project.file(), &newer).unwrap();
            let said = project.run("status", &[]);
            if said.code == Some(1) {
                said.refused(1, &["journal", "--repair"]);
                refused += 1;
                assert!(bytes(&project) == newer, "killed at {at}: refused, and changed all the same");
                assert!(project.run("doctor", &[]).out.contains("BAD  log"));
                let repaired = project.run("doctor", &["--repair"]).done().out;
                assert!(repaired.contains("is kept as") && repaired.contains("-journal"), "{repaired}");
            }
            assert_eq!(labels(&project.file()).len(), 6, "killed at {at}");
            drop(project.is_whole());
            for name in names(&project.path(".")) {
                if name.contains("orphan") || name.starts_with("other") {
                    let _ = fs::remove_file(project.path(&name))
                        .or_else(|_| fs::remove_dir_all(project.path(&name)));
                }
            }
            // Its own file is put right by the next opening.
            fs::write(project.file(), &file).unwrap();
            fs::write(journal(&project), &journal_bytes).unwrap();
        }
        let known = labels(&project.file()).len();
        assert!((2..=3).contains(&known), "killed at {at}: {known} labels");
        drop(project.is_whole());
        at += 2;
    }
    assert!(left > 5 && refused > 2, "{at} moments, {left} journals, {refused} refused");
}

#[test]
fn a_project_of_a_network_over_which_another_is_copied_calls_nothing_saved_that_is_not_kept() {
    use hardcase::desk::session::{OnClose, Remarks, Session};
    use hardcase::domain::ids::ItemId;
    let project = Project::with_ads(20);
    project.run("answer", &["--item", "1", "--label", "fine", "--as", "ada"]).done();
    come_through_the_network(&project);
    project.run("answer", &["--item", "2", "--label", "fine", "--as", "ada"]).done();
    let older = bytes(&project);
    let mut session = Session::open(&project.file(), "bob", OnClose::ReleaseCases).unwrap();
    for item in 3..=5 {
        session.answer(ItemId(item), "fine", Remarks::default()).unwrap();
    }
    fs::write(project.file(), &older).unwrap();
    let mut fault = session.answer(ItemId(6), "fine", Remarks::default()).unwrap_err();
    // Where the first read fails already, the desk's next look at the file says why.
    if !fault.is_displaced() {
        fault = session.look_after_file().unwrap_err();
    }
    assert!(fault.is_displaced() && fault.to_string().contains("copied over"), "{fault}");
    let rescue = fault.rescue().unwrap().to_owned();
    let _ = session.close();
    assert!(bytes(&project) == older, "nothing of two files is mixed");
    project.run("merge", &[rescue.to_str().unwrap()]).done();
    assert!(labels(&project.file()).len() >= 5, "what was saved comes back");
    drop(project.is_whole());
}
