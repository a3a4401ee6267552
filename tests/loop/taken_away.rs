//! A project whose file is moved, deleted, replaced or copied over while people label in it: nothing is called saved that is not kept.
//! `HARDCASE_PROOF_TAKEN_AWAY` is how many moments are tried; 200 is the long form.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::fault::Fault;
use hardcase::store::{Access, Store};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::project::{Project, hardcase};
use super::seat::{Seat, one_line};

fn moments() -> u64 {
    std::env::var("HARDCASE_PROOF_TAKEN_AWAY").ok().and_then(|n| n.parse().ok()).unwrap_or(28)
}

/// What others do to a file.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Deletes,
    Moves,
    Replaces,
    CopiesOver,
    DeletesLog,
    ReplacesLog,
    MovesFolder,
}

const DEEDS: [Deed; 7] = [
    Deed::Deletes,
    Deed::Moves,
    Deed::Replaces,
    Deed::CopiesOver,
    Deed::DeletesLog,
    Deed::ReplacesLog,
    Deed::MovesFolder,
];

/// An older file of the same project, and one that was labelled since.
fn two_versions() -> (Project, Vec<u8>, Vec<u8>) {
    let project = Project::scouted_elsewhere(160);
    project.run("mine", &["--budget", "48"]).done();
    let older = fs::read(project.file()).unwrap();
    let item = project.next_as("carol")["item"].as_i64().unwrap();
    project.answer_as("carol", item, "fine");
    let newer = fs::read(project.file()).unwrap();
    (project, older, newer)
}

fn sidecar(path: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", path.display()))
}

fn does(deed: Deed, file: &Path, older: &[u8]) {
    let folder = file.parent().unwrap();
    match deed {
        Deed::Deletes => fs::remove_file(file).unwrap(),
        Deed::Moves => fs::rename(file, folder.join("elsewhere.hardcase")).unwrap(),
        Deed::Replaces => {
            fs::write(folder.join("sync.tmp"), older).unwrap();
            fs::rename(folder.join("sync.tmp"), file).unwrap();
        }
        Deed::CopiesOver => fs::write(file, older).unwrap(),
        Deed::DeletesLog => fs::remove_file(sidecar(file, "-wal")).unwrap(),
        Deed::ReplacesLog => {
            fs::write(folder.join("log.tmp"), "").unwrap();
            fs::rename(folder.join("log.tmp"), sidecar(file, "-wal")).unwrap();
        }
        Deed::MovesFolder => fs::rename(folder, folder.with_extension("moved")).unwrap(),
    }
}

/// A label that somebody was told is saved: name, text and label.
type Told = (String, String, String);

/// The labels that stand in the logs which were rescued in a folder.
fn rescued(folder: &Path) -> (BTreeSet<Told>, Vec<PathBuf>) {
    let files: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    let logs: Vec<PathBuf> =
        files.into_iter().filter(|p| p.to_string_lossy().ends_with(".rescued.labels.jsonl")).collect();
    let mut found = BTreeSet::new();
    for log in &logs {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(log).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(log).unwrap();
        assert!(!text.contains("\"text\""), "no text of the pool is in it");
        for line in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            if line["kind"] == "event" && line["action"] == "set" {
                let say = |value: &Value| value.as_str().unwrap().to_owned();
                found.insert((say(&line["expert"]), say(&line["item"]), say(&line["labels"][0])));
            }
        }
    }
    (found, logs)
}

/// The labels in a project under its own name, where there is one that opens.
fn stored(file: &Path) -> BTreeSet<Told> {
    let Ok(store) = Store::open(file, Access::Read) else { return BTreeSet::new() };
    let names = store.experts().unwrap();
    let mut found = BTreeSet::new();
    for event in store.events().unwrap() {
        let name = names.iter().find(|(id, _)| *id == event.event.expert).unwrap().1.clone();
        if let Some(label) = event.event.label() {
            found.insert((name, key(&store, event.event.item.0), label.to_owned()));
        }
    }
    found
}

fn key(store: &Store, item: i64) -> String {
    let (key, _) = store.key_and_split(hardcase::domain::ids::ItemId(item)).unwrap().unwrap();
    hardcase::domain::hex::hex(&key.0)
}

struct Person {
    session: Session,
    /// Why it is over.
    over: Option<Fault>,
}

impl Person {
    /// Answers the next case. False where there is none, or it is over.
    fn answers(&mut self, name: &str, keys: &dyn Fn(i64) -> String, told: &mut BTreeSet<Told>) -> bool {
        if self.over.is_some() {
            return false;
        }
        let next = self.session.next_case();
        let answered = next.and_then(|next| match next {
            Next::Case(case) => {
                let label = if case.item.0 % 3 == 0 { "clickbait" } else { "fine" };
                self.session.answer(case.item, label, Remarks::default()).map(|_| Some((case.item.0, label)))
            }
            Next::None(_) => Ok(None),
        });
        match answered {
            Ok(Some((item, label))) => {
                told.insert((name.to_owned(), keys(item), label.to_owned()));
                true
            }
            Ok(None) => false,
            Err(fault) => {
                // Reading may fail first; whether the file is there is looked at next.
                let fault =
                    if fault.is_displaced() { Some(fault) } else { self.session.look_after_file().err() };
                self.over = fault;
                false
            }
        }
    }
}

#[test]
fn whatever_is_done_to_the_file_at_whatever_moment_each_saved_label_is_in_it_or_in_a_rescued_log() {
    let (_made, older, newer) = two_versions();
    let root = tempfile::tempdir().unwrap();
    let mut lost = 0;
    for seed in 0..moments() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let deed = DEEDS[seed as usize % DEEDS.len()];
        let folder = root.path().join(format!("{seed}"));
        fs::create_dir(&folder).unwrap();
        let file = folder.join("pool.hardcase");
        fs::write(&file, &newer).unwrap();
        let keys = {
            let store = Store::open(&file, Access::Read).unwrap();
            let keys: Vec<String> = (1..=160).map(|item| key(&store, item)).collect();
            move |item: i64| keys[item as usize - 1].clone()
        };
        let open =
            |name| Person { session: Session::open(&file, name, OnClose::ReleaseCases).unwrap(), over: None };
        let (mut ada, mut bob) = (open("ada"), open("bob"));
        let mut told = BTreeSet::new();
        let after = Duration::from_micros(rng.gen_range(0..60_000));
        std::thread::scope(|scope| {
            let (file, older) = (&file, &older);
            let deed = scope.spawn(move || {
                #[expect(clippy::disallowed_methods, reason = "any moment is as good as another")]
                std::thread::sleep(after);
                does(deed, file, older);
            });
            loop {
                let both = [ada.answers("ada", &keys, &mut told), bob.answers("bob", &keys, &mut told)];
                if both == [false, false] {
                    break;
                }
            }
            deed.join().unwrap();
        });
        for (name, person) in [("ada", &mut ada), ("bob", &mut bob)] {
            if person.over.is_none() {
                person.over = person.session.look_after_file().err();
            }
            let fault =
                person.over.as_ref().unwrap_or_else(|| panic!("{seed} {deed:?}: {name} was not told"));
            assert!(fault.is_displaced(), "{seed} {deed:?}: {fault}");
            assert!(fault.to_string().contains("since"), "{seed} {deed:?}: {fault}");
        }
        let mut rescues: BTreeSet<PathBuf> =
            [&ada, &bob].iter().filter_map(|p| p.over.as_ref()?.rescue().map(Path::to_owned)).collect();
        for person in [ada, bob] {
            if let Err(fault) = person.session.close() {
                rescues.extend(fault.rescue().map(Path::to_owned));
            }
        }
        let mut kept = stored(&file);
        for folder in rescues.iter().filter_map(|rescue| rescue.parent()).collect::<BTreeSet<_>>() {
            kept.extend(rescued(folder).0);
        }
        let missing: Vec<_> = told.difference(&kept).collect();
        lost += missing.len();
        assert!(
            missing.is_empty(),
            "{seed} {deed:?}: {} of {} are lost: {missing:?}",
            missing.len(),
            told.len()
        );
        // What lies in the place now can be opened, and takes all of it.
        if matches!(deed, Deed::Replaces | Deed::DeletesLog) {
            for rescue in &rescues {
                hardcase(["merge", file.to_str().unwrap(), rescue.to_str().unwrap(), "--quiet"]).done();
            }
            let now = stored(&file);
            assert!(told.is_subset(&now), "{seed} {deed:?}");
        }
        for rescue in rescues {
            let _ = fs::remove_file(rescue);
        }
    }
    eprintln!("{} moments, {lost} labels lost", moments());
}

#[test]
fn a_log_without_its_file_is_named_by_every_opening_and_kept_by_a_restore() {
    let (project, older, newer) = two_versions();
    let file = project.file();
    hardcase(["backup", file.to_str().unwrap()]).done();
    let mut session = Session::open(&file, "ada", OnClose::ReleaseCases).unwrap();
    let Next::Case(case) = session.next_case().unwrap() else { panic!("no case") };
    session.answer(case.item, "fine", Remarks::default()).unwrap();
    let log = fs::read(sidecar(&file, "-wal")).unwrap();
    session.close().unwrap();

    // As after a kill, and the file was moved since.
    fs::remove_file(&file).unwrap();
    fs::write(sidecar(&file, "-wal"), &log).unwrap();
    let path = file.to_str().unwrap();
    for verb in [
        &["status", path][..],
        &["next", path],
        &["export", path, "--what", "labels"],
        &["doctor", path, "--repair"],
    ] {
        hardcase(verb).refused(1, &["pool.hardcase-wal is still there", "saved change"]);
    }
    let task = project.write("t.toml", super::project::TASK);
    hardcase(["new", path, "--task", task.to_str().unwrap()])
        .refused(1, &["a project of that name was here"]);
    assert_eq!(fs::read(sidecar(&file, "-wal")).unwrap(), log, "it is as it was");

    // Another file in its place is not mixed with the log; the right one is.
    fs::write(&file, &older).unwrap();
    hardcase(["status", path]).refused(1, &["belongs to another file", "doctor"]);
    let doctor = hardcase(["doctor", path]);
    assert!(
        doctor.out.contains("BAD  log") && doctor.out.contains("belongs to another file"),
        "{}",
        doctor.out
    );
    fs::write(&file, &newer).unwrap();
    assert_eq!(stored(&file).len(), 2);
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(sidecar(&file, end));
    }

    fs::write(&file, &older).unwrap();
    fs::write(sidecar(&file, "-wal"), &log).unwrap();
    let said = hardcase(["doctor", path, "--repair"]).done().out;
    assert!(said.contains("belonged to another file") && said.contains(".orphan.hardcase-wal"), "{said}");
    assert!(stored(&file).is_empty());

    fs::write(sidecar(&file, "-wal"), &log).unwrap();
    fs::remove_file(&file).unwrap();
    let said = hardcase(["restore", path]).done().out;
    assert!(said.contains("is still there") && said.contains("kept under another name"), "{said}");
    let kept = fs::read_dir(project.path("")).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = kept.filter(|p| fs::read(p).is_ok_and(|bytes| bytes == log)).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!(stored(&file).len(), 1);
}

#[test]
fn a_file_with_two_names_is_neither_written_nor_taken_as_whole() {
    let (project, ..) = two_versions();
    fs::hard_link(project.file(), project.path("other.hardcase")).unwrap();
    for name in [project.file(), project.path("other.hardcase")] {
        // Labels may lie in the log of the other name.
        for verb in ["next", "status", "export", "backup"] {
            hardcase([verb, name.to_str().unwrap()]).refused(1, &["a hard link", "`cp "]);
        }
    }
    fs::copy(project.file(), project.path("new")).unwrap();
    fs::rename(project.path("new"), project.file()).unwrap();
    project.run("next", &[]).done();
}

#[test]
fn a_workstation_whose_file_is_replaced_stops_at_once_and_brings_the_labels_into_what_is_there_now() {
    let (project, older, _) = two_versions();
    let seat = Seat::open(&project, &["--as", "ada"]);
    for key in ['1', '2', '1'] {
        seat.answer(key);
    }
    does(Deed::Replaces, &project.file(), &older);
    let screen = seat.see("Bring them into");
    let said = one_line(&screen);
    assert!(
        said.contains("another file took the project's place") && said.contains("3 label events"),
        "{said}"
    );
    seat.press("y\r");
    let (code, screen) = seat.end();
    assert_eq!(code, 0, "{screen}");
    let names: Vec<String> = stored(&project.file()).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["ada", "ada", "ada", "carol"], "{screen}");
}
