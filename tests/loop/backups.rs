//! Backups and going back to them, by the real binary: made when something changed, of a project in use, and never at the cost of a label.

use std::fs;
use std::path::{Path, PathBuf};

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
use hardcase::store::{Access, Store};
use serde_json::Value;

use super::kills::{Whom, bytes, kill_after, kills, moments, restore, start};
use super::project::{Project, ads, hardcase, program, run};
use super::seat::Seat;

fn answer(project: &Project, item: usize, label: &str, name: &str) {
    project.run("answer", &["--item", &item.to_string(), "--label", label, "--as", name]).done();
}

/// Item, expert and label of everybody's standing answers, sorted.
pub fn labels(file: &Path) -> Vec<String> {
    let store = Store::open(file, Access::Read).unwrap();
    let experts: std::collections::HashMap<_, _> = store.experts().unwrap().into_iter().collect();
    let task = store.task().unwrap().task;
    let answers = store.current_answers().unwrap();
    let line = |answer: &hardcase::domain::event::LabelEvent| {
        let key = answer.event.label()?;
        let name = task.index_of_id(key).map_or(key, |at| &task.labels[at].name);
        Some(format!("{} {:?} {name:?}", answer.event.item.0, experts[&answer.event.expert]))
    };
    let mut lines: Vec<String> = answers.iter().filter_map(line).collect();
    lines.sort();
    lines
}

fn path(report: &Value, field: &str) -> PathBuf {
    report[field].as_str().unwrap_or_else(|| panic!("no {field} in {report}")).into()
}

/// What lies in a folder, by name.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_is_made_once_for_each_change_and_can_be_listed() {
    let project = Project::with_ads(20);
    answer(&project, 1, "fine", "ada");
    let first = project.json("backup", &[]);
    let made = path(&first, "backup");
    assert_eq!(made.parent().unwrap(), project.path("pool.hardcase.backups"));
    let name = made.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("pool.20") && name.ends_with("Z.hardcase"), "{name}");
    assert_eq!(labels(&made), ["1 \"ada\" \"fine\""], "it is a project that can be opened");
    let again = project.json("backup", &[]);
    assert_eq!((&again["backup"], path(&again, "newest")), (&Value::Null, made.clone()));
    assert!(project.run("backup", &["--list"]).done().out.contains("1 label "));

    answer(&project, 2, "clickbait", "ada");
    project.json("backup", &[]);
    let list = project.json("backup", &["--list"]);
    let counts: Vec<&Value> = list.as_array().unwrap().iter().map(|b| &b["labels"]).collect();
    assert_eq!(counts, [&Value::from(2), &Value::from(1)], "newest first: {list}");

    let elsewhere = project.path("elsewhere.hardcase");
    project.json("backup", &["--to", elsewhere.to_str().unwrap()]);
    assert_eq!(labels(&elsewhere).len(), 2);
    project
        .run("backup", &["--to", elsewhere.to_str().unwrap()])
        .refused(2, &["there is already a file of that name"]);
    for own in ["x.hardcase-wal", "pool.hardcase-journal", ".pool.hardcase.replacing"] {
        let own = project.path(own);
        project
            .run("backup", &["--to", own.to_str().unwrap()])
            .refused(2, &["a project keeps its own data there"]);
        project
            .run("assign", &["--to", "bob", "-o", own.to_str().unwrap()])
            .refused(2, &["a project keeps its own data there"]);
    }
    assert_eq!(names(&project.path("pool.hardcase.backups")).len(), 2);
    let help = hardcase(["backup", "--help"]).done().out;
    assert!(help.contains("newest 5") && help.contains("last 7 days"), "{help}");
}

#[test]
fn a_project_in_use_is_backed_up_with_what_is_only_in_its_log() {
    let project = Project::with_ads(20);
    let mut session = Session::open(&project.file(), "bob", OnClose::ReleaseCases).unwrap();
    for item in 1..=7 {
        session.answer(ItemId(item), "fine", Remarks::default()).unwrap();
    }
    assert!(fs::metadata(project.path("pool.hardcase-wal")).unwrap().len() > 0);
    let made = path(&project.json("backup", &[]), "backup");
    session.answer(ItemId(8), "fine", Remarks::default()).unwrap();
    assert_eq!(labels(&made).len(), 7);
    assert_eq!(names(made.parent().unwrap()).len(), 1, "one file, with nothing next to it");
    session.close().unwrap();
}

#[test]
fn a_restore_keeps_the_old_file_and_brings_later_labels_along() {
    let project = Project::with_ads(20);
    answer(&project, 1, "fine", "ada");
    answer(&project, 2, "fine", "ada");
    let backup = path(&project.json("backup", &[]), "backup");
    answer(&project, 3, "clickbait", "bob");
    let data = project.write("more.csv", ads(30));
    project.import_ads(&data).done();
    answer(&project, 25, "clickbait", "bob");
    let before = labels(&project.file());
    assert_eq!(before.len(), 4);

    let report = project.json("restore", &[]);
    assert_eq!(path(&report, "from"), backup);
    assert_eq!(
        (&report["since"]["bob"], &report["brought_in"], &report["labels"]),
        (&2.into(), &1.into(), &2.into()),
        "{report}"
    );
    let aside = path(&report, "set_aside");
    assert!(
        report["remarks"].to_string().contains(&format!("hardcase merge {}", project.file().display())),
        "{report}"
    );
    assert_eq!(labels(&aside), before, "the file that was there is whole");
    let there: Vec<&String> = before.iter().filter(|line| !line.starts_with("25 ")).collect();
    assert_eq!(labels(&project.file()).iter().collect::<Vec<_>>(), there);
    assert_eq!(project.json("status", &[])["items"], 20);
    drop(project.is_whole());
    // What the report names does bring the rest in.
    project.run("merge", &[aside.to_str().unwrap()]).done();
    assert_eq!(labels(&project.file()), before);

    let report = project.json("restore", &["--from", backup.to_str().unwrap(), "--as-it-was"]);
    assert_eq!((&report["since"]["bob"], &report["brought_in"]), (&2.into(), &0.into()), "{report}");
    assert_eq!(labels(&project.file()).len(), 2);
    drop(project.is_whole());
    // A file that is gone comes back, too.
    fs::remove_file(project.file()).unwrap();
    let report = project.json("restore", &["--from", backup.to_str().unwrap()]);
    assert_eq!((&report["set_aside"], labels(&project.file()).len()), (&Value::Null, 2));
}

#[test]
fn what_people_were_shown_since_the_backup_stays_shown_whatever_is_restored() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12"]).done();
    let reveals = || {
        let file = rusqlite::Connection::open(project.file()).unwrap();
        file.query_row("SELECT count(*) FROM reveal", [], |r| r.get::<_, i64>(0)).unwrap()
    };
    for more in [&[][..], &["--as-it-was"]] {
        answer_next(&project);
        project.json("backup", &[]);
        let before = reveals();
        let case = project.json("next", &["--reveal"]);
        assert_eq!(reveals(), before + 1);
        let report = project.json("restore", more);
        assert_eq!(reveals(), before + 1, "{report}");
        assert!(
            report["remarks"].to_string().contains("what was shown since the backup stays recorded (1 text)")
        );
        assert_eq!(project.json("next", &[])["item"], case["item"], "nothing was labelled since");
        answer_next(&project);
        let log = project.is_whole().log().unwrap();
        assert!(log.events.last().unwrap().revealed, "the answer is not blind");
    }
}

/// Answers the next case.
fn answer_next(project: &Project) {
    let item = project.json("next", &[])["item"].to_string();
    project.json("answer", &["--item", &item, "--label", "fine"]);
}

#[test]
fn a_project_in_use_is_not_replaced() {
    let project = Project::with_ads(20);
    answer(&project, 1, "fine", "ada");
    project.json("backup", &[]);
    let mut session = Session::open(&project.file(), "bob", OnClose::ReleaseCases).unwrap();
    session.answer(ItemId(2), "fine", Remarks::default()).unwrap();
    for (verb, arguments) in [("restore", &[][..]), ("doctor", &["--repair"])] {
        project.run(verb, arguments).refused(1, &["bob is at work on it", "everybody has left"]);
    }
    session.answer(ItemId(3), "fine", Remarks::default()).unwrap();
    session.close().unwrap();
    assert_eq!(labels(&project.file()).len(), 3);
    let around = names(&project.path("."));
    assert!(
        !around.iter().any(|n| n.contains("aside") || n.contains("successor") || n.contains("repair")),
        "{around:?}"
    );
    project.run("restore", &[]).done();
    assert_eq!(labels(&project.file()).len(), 3);
}

#[test]
fn an_open_workstation_keeps_its_locks_on_every_screen_and_its_file_is_not_replaced() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12"]).done();
    project.json("backup", &[]);
    let seat = Seat::open(&project, &["--as", "grace"]);
    seat.see("round 1: 0 of 12 by you");
    seat.answer('1');
    // Each of these reads the file on its own.
    for (key, sees) in [
        ("\x0b", "Nothing has run since"),
        ("\x14", "text 1 of"),
        ("\x0f", "kappa"),
        ("\x04", "You all agree so far"),
    ] {
        seat.press(key);
        seat.see(sees);
    }
    if cfg!(target_os = "linux") {
        use std::os::unix::fs::MetadataExt;
        let (process, file) = (seat.process().to_string(), fs::metadata(project.file()).unwrap().ino());
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let own = |line: &&str| {
            line.split_whitespace().any(|word| word == process) && line.contains(&format!(":{file} "))
        };
        assert!(locks.lines().any(|line| own(&line)), "its locks are gone:\n{locks}");
    }
    for (verb, arguments) in [("restore", &[][..]), ("doctor", &["--repair"])] {
        project.run(verb, arguments).refused(1, &["grace is at work on it"]);
    }
    seat.press("\x1b");
    seat.see("round 1: 1 of 12 by you");
    seat.answer('2');
    seat.see("round 1: 2 of 12 by you");
    seat.press("q");
    assert_eq!(seat.end().0, 0);
    assert_eq!(labels(&project.file()).len(), 2);
}

#[test]
fn a_backup_that_is_not_whole_or_not_of_this_project_changes_nothing() {
    let project = Project::with_ads(20);
    answer(&project, 1, "fine", "ada");
    let old = path(&project.json("backup", &[]), "backup");
    answer(&project, 2, "fine", "ada");
    let new = path(&project.json("backup", &[]), "backup");
    let mut bytes = fs::read(&new).unwrap();
    let text =
        project.run("export", &["--what", "labels"]).json_lines()[0]["text"].as_str().unwrap().to_owned();
    let at = bytes.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
    bytes[at] ^= 2;
    fs::write(&new, &bytes).unwrap();
    let before = fs::read(project.file()).unwrap();
    project
        .run("restore", &["--from", new.to_str().unwrap()])
        .refused(3, &["the backup itself is damaged", "--list"]);
    project.run("restore", &["--from", "nowhere"]).refused(2, &["nowhere", "no such file"]);
    let table = project.path("ads.csv");
    project.run("restore", &["--from", table.to_str().unwrap()]).refused(2, &["not a copy of a project"]);
    let other = Project::with_ads(3);
    project.run("restore", &["--from", other.file().to_str().unwrap()]).refused(2, &["another project"]);
    project.run("restore", &["--from", project.file().to_str().unwrap()]).refused(2, &["the same file"]);
    assert!(fs::read(project.file()).unwrap() == before);

    let report = project.json("restore", &[]);
    assert_eq!(path(&report, "from"), old);
    assert!(report["remarks"].to_string().contains("was skipped"), "{report}");
    assert_eq!((&report["brought_in"], labels(&project.file()).len()), (&1.into(), 2));
}

#[test]
fn a_project_without_a_backup_says_so() {
    let project = Project::with_ads(3);
    assert!(project.run("backup", &["--list"]).done().out.contains("No backup yet"));
    project.run("restore", &[]).refused(1, &["there is no backup of it", "--from"]);
    answer(&project, 1, "fine", "ada");
    let doctor = project.run("doctor", &[]).done().out;
    assert!(doctor.contains("hardcase backup"), "{doctor}");
    project.json("backup", &[]);
    let backup = path(&project.json("backup", &[]), "newest");
    let as_it_is = || (fs::read(&backup).unwrap(), fs::metadata(&backup).unwrap().modified().unwrap());
    let before = as_it_is();
    let doctor = project.run("doctor", &[]).done().out;
    assert!(
        as_it_is() == before && names(backup.parent().unwrap()).len() == 1,
        "it looks and changes nothing"
    );
    assert!(doctor.contains("nothing was labelled since") && doctor.contains("bytes free"), "{doctor}");
}

#[test]
fn the_end_of_a_session_and_a_merge_leave_a_backup() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12"]).done();
    let folder = project.path("pool.hardcase.backups");
    let seat = Seat::open(&project, &["--as", "grace"]);
    seat.see("round 1: 0 of 12 by you");
    seat.answer('1');
    seat.press("q");
    assert_eq!(seat.end().0, 0);
    assert_eq!(names(&folder).len(), 1);
    let made = folder.join(&names(&folder)[0]);
    assert_eq!(labels(&made).len(), 1, "what was labelled in the session is in it");

    let copy = project.path("copy.hardcase");
    fs::copy(project.file(), &copy).unwrap();
    hardcase(["answer", copy.to_str().unwrap(), "--item", "50", "--label", "fine", "--as", "bob"]).done();
    answer(&project, 51, "fine", "ada");
    project.run("merge", &[copy.to_str().unwrap(), "--dry-run"]).done();
    assert_eq!(names(&folder).len(), 1, "a dry run changes nothing");
    project.run("merge", &[copy.to_str().unwrap()]).done();
    let after = names(&folder);
    assert_eq!(after.len(), 2);
    let newest = project.json("backup", &["--list"])[0]["labels"].clone();
    assert_eq!(newest, 2, "as it was before the merge");
}

#[cfg(unix)]
#[test]
fn a_project_that_a_group_can_write_stays_so_with_all_files_next_to_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let project = Project::with_ads(20);
    fs::set_permissions(project.path("."), fs::Permissions::from_mode(0o2770)).unwrap();
    fs::set_permissions(project.file(), fs::Permissions::from_mode(0o660)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    let mut session = Session::open(&project.file(), "bob", OnClose::ReleaseCases).unwrap();
    session.answer(ItemId(2), "fine", Remarks::default()).unwrap();
    for end in ["pool.hardcase-wal", "pool.hardcase-shm"] {
        assert_eq!(mode(&project.path(end)), 0o660, "{end}");
    }
    let made = path(&project.json("backup", &[]), "backup");
    assert_eq!((mode(&made), mode(made.parent().unwrap())), (0o660, 0o770));
    session.close().unwrap();
    let mut strict = program();
    strict.args(["restore".as_ref(), project.file().as_os_str()]);
    run(strict).done();
    assert_eq!(mode(&project.file()), 0o660);
    assert!(project.run("doctor", &[]).done().out.contains("shared: its group can write"));
    fs::set_permissions(project.path("."), fs::Permissions::from_mode(0o750)).unwrap();
    let doctor = project.run("doctor", &[]).done().out;
    assert!(doctor.contains("note permissions") && doctor.contains("chmod g+ws"), "{doctor}");
}

#[test]
fn a_link_to_a_project_stays_a_link_and_both_names_lead_to_the_restored_file() {
    let project = Project::with_ads(20);
    answer(&project, 1, "fine", "ada");
    let link = project.path("link.hardcase");
    std::os::unix::fs::symlink(project.file(), &link).unwrap();
    let by_link = link.to_str().unwrap();
    let made = path(&hardcase(["backup", by_link, "--json"]).json(), "backup");
    assert_eq!(made.parent().unwrap(), project.path("pool.hardcase.backups"));
    answer(&project, 2, "fine", "ada");
    hardcase(["restore", by_link]).done();
    let mut bytes = fs::read(project.file()).unwrap();
    // The first label's own row, which lies last in its page.
    let row = b"set[\"fine\"]";
    let at = bytes.windows(row.len()).rposition(|w| w == row).unwrap();
    bytes[at + 5] ^= 1;
    fs::write(project.file(), &bytes).unwrap();
    hardcase(["doctor", by_link, "--repair", "--accept-losses"]).done();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!((labels(&link).len(), labels(&project.file()).len()), (1, 1), "the damaged one is left out");
    // What the report says of a backup brings it in again.
    hardcase(["merge", by_link, made.to_str().unwrap()]).done();
    assert_eq!((labels(&link).len(), labels(&project.file()).len()), (2, 2));
}

#[test]
fn a_project_that_lost_its_task_is_not_repaired_and_says_how_to_go_back_to_a_backup() {
    let project = Project::with_ads(20);
    answer(&project, 1, "fine", "ada");
    let backup = path(&project.json("backup", &[]), "backup");
    answer(&project, 2, "clickbait", "bob");
    let root: i64 = {
        let file = rusqlite::Connection::open(project.file()).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'task_revision'";
        file.query_row(sql, (), |r| r.get(0)).unwrap()
    };
    let mut bytes = fs::read(project.file()).unwrap();
    let at = usize::try_from(root - 1).unwrap() * 4_096;
    bytes[at..at + 4_096].fill(0);
    fs::write(project.file(), &bytes).unwrap();
    let elsewhere = project.path("elsewhere.hardcase");
    fs::rename(&backup, &elsewhere).unwrap();
    project
        .run("doctor", &["--repair"])
        .refused(1, &["its task cannot be read", "restore FILE --from BACKUP"]);
    fs::rename(&elsewhere, &backup).unwrap();
    let restore = format!("`hardcase restore {}` goes back to it", project.file().display());
    project
        .run("doctor", &["--repair"])
        .refused(1, &["its task cannot be read", "The newest backup was made on", &restore]);
    assert!(fs::read(project.file()).unwrap() == bytes, "it was left as it is");
    let report = project.json("restore", &[]);
    assert!(report["remarks"].to_string().contains("cannot be read"), "{report}");
    assert!(fs::read(path(&report, "set_aside")).unwrap() == bytes, "nothing of it is destroyed");
    assert_eq!(labels(&project.file()), ["1 \"ada\" \"fine\""]);
    drop(project.is_whole());
}

/// A project with labels of ada, a backup, and labels of bob since; many texts, so that a copy takes its time.
pub fn labelled_since_its_backup() -> (Project, Vec<String>) {
    let project = Project::with_ads(20);
    let rows: String = (0..20_000).map(|i| format!("the text of row {i}, with a few words more\n")).collect();
    let rows = project.write("rows.txt", rows);
    project.run("import", &[rows.to_str().unwrap()]).done();
    for item in 1..=5 {
        answer(&project, item, "fine", "ada");
    }
    project.json("backup", &[]);
    for item in 6..=9 {
        answer(&project, item, "clickbait", "bob");
    }
    let all = labels(&project.file());
    assert_eq!(all.len(), 9);
    (project, all)
}

#[test]
fn a_killed_backup_is_there_whole_or_not_at_all_and_the_next_one_succeeds() {
    let (project, all) = labelled_since_its_backup();
    let folder = project.path("pool.hardcase.backups");
    let first = names(&folder);
    let backup = || project.command("backup", &[]);
    let mut killed = 0;
    for wait in moments(backup(), kills(10), 11) {
        for made in names(&folder).iter().filter(|name| !first.contains(name)) {
            fs::remove_file(folder.join(made)).unwrap();
        }
        killed += usize::from(kill_after(start(&mut backup()), wait, Whom::Parent).1);
        drop(project.is_whole());
        let report = project.json("backup", &[]);
        let newest = report["backup"].as_str().or(report["newest"].as_str()).unwrap();
        assert_eq!(labels(Path::new(newest)), all);
        let left = names(&folder);
        assert!(left.len() == 2 && left.iter().all(|name| name.ends_with("Z.hardcase")), "{left:?}");
    }
    assert!(killed > 0, "not one backup was caught at work");
}

#[test]
fn a_killed_restore_or_repair_loses_no_label_and_the_same_command_continues() {
    let (project, all) = labelled_since_its_backup();
    let before = bytes(&project);
    let mut damaged = before.clone();
    // One bit of a text that nobody has labelled.
    let row = b"the text of row 12345,";
    let at = damaged.windows(row.len()).position(|w| w == row).unwrap();
    damaged[at + 3] ^= 1;
    let around = || -> Vec<String> {
        let known = ["pool.hardcase", "pool.hardcase.backups", "rows.txt"];
        names(&project.path(".")).into_iter().filter(|name| !known.contains(&name.as_str())).collect()
    };
    let known = around();
    let clear = || {
        for name in around().iter().filter(|name| !known.contains(name)) {
            fs::remove_file(project.path(name)).unwrap();
        }
    };
    for (verb, arguments, bytes, seed) in
        [("restore", &[][..], &before, 12), ("doctor", &["--repair", "--accept-losses"][..], &damaged, 13)]
    {
        let begin = || project.command(verb, arguments);
        restore(&project, bytes);
        let mut killed = 0;
        for wait in moments(begin(), kills(10), seed) {
            clear();
            restore(&project, bytes);
            killed += usize::from(kill_after(start(&mut begin()), wait, Whom::Parent).1);
            if !project.file().exists() {
                project.run("status", &[]).refused(1, &["was interrupted, and nothing is lost"]);
            }
            project.run(verb, arguments).done();
            assert_eq!(labels(&project.file()), all, "{verb} killed after {wait:?}");
            drop(project.is_whole());
            let left = around();
            assert!(!left.iter().any(|name| name.starts_with('.')), "{left:?}");
        }
        assert!(killed > 0, "not one {verb} was caught at work");
    }
}
