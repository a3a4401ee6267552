//! A full disk: the import stops with one sentence, and what was there before stays; labelling stops at any of its writes, loses nothing that was
//! acknowledged, and goes on once there is room.

use std::path::{Path, PathBuf};
use std::process::Command;

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::event::Action;
use hardcase::domain::fault::{Fault, Result};
use hardcase::domain::ids::{CaseId, ItemId};

use super::crowd::{Act, come_through_the_network, logged, told};
use super::kills::{bytes, restore};
use super::project::{Project, program, run};
use super::seat::{Seat, case_on, is_saving, one_line};
use super::skip::skip;

/// Far more rows than the disk has room for.
fn many_rows() -> String {
    let rows =
        (0..40_000).map(|i| format!("row number {i} with enough words in it to fill a page {}\n", i * i));
    std::iter::once("text\n".to_owned()).chain(rows).collect()
}

/// A shell that runs `script` with `$hardcase`, `$rows` and `$dir` set.
fn shell(mut command: Command, script: &str, rows: &Path, dir: &Path) -> Command {
    let prepared = program();
    command.args(["-c", script]).env("hardcase", prepared.get_program()).env("rows", rows).env("dir", dir);
    command.envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
fn a_disk_that_fills_up_stops_the_import_and_keeps_the_earlier_rows() {
    let project = Project::with_ads(20);
    let rows = project.write("rows.csv", many_rows());
    let mounted = "mkdir \"$dir/small\" && mount -t tmpfs -o size=2m none \"$dir/small\"";
    let script = format!(
        "{mounted} || exit 77
         cp \"$dir/pool.hardcase\" \"$dir/small/\" || exit 77
         cd \"$dir/small\"
         \"$hardcase\" import pool.hardcase \"$rows\" --quiet >&2; code=$?
         \"$hardcase\" status pool.hardcase --json
         \"$hardcase\" doctor pool.hardcase > \"$dir/doctor.txt\" || exit 78
         exit $code"
    );
    // The small disk lives in a mount namespace of its own: it is gone with the shell.
    let mut own_mounts = Command::new("unshare");
    own_mounts.args(["-rm", "sh"]);
    let Some(ran) = run_or_skip(shell(own_mounts, &script, &rows, &project.path("."))) else {
        return;
    };
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.err.trim_end().lines().count(), 1, "{}", ran.err);
    assert!(ran.err.starts_with("hardcase: cannot import ") && ran.err.contains("rows.csv: "), "{}", ran.err);
    assert!(ran.err.contains("the disk is full") && ran.err.contains("Free some space"), "{}", ran.err);
    let status: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&status["items"], &status["rows"]), (&20.into(), &20.into()));
}

/// None, with a printed reason, where this machine allows no mount or has no `unshare`.
fn run_or_skip(command: Command) -> Option<super::project::Ran> {
    if Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|o| o.status.success()) {
        let ran = run(command);
        if ran.code != Some(77) {
            return Some(ran);
        }
        skip(format_args!("no file system can be mounted here ({})", ran.err.trim()));
    } else {
        skip("no mount namespace can be made here");
    }
    None
}

#[test]
fn a_limit_on_the_size_of_files_stops_the_import_and_keeps_the_earlier_rows() {
    let project = Project::with_ads(20);
    let before = project.visible();
    let rows = project.write("rows.csv", many_rows());
    // bash counts in KiB. Without the signal the write itself fails, as on a full disk.
    let script =
        "trap '' XFSZ; ulimit -f 2000; exec \"$hardcase\" import \"$dir/pool.hardcase\" \"$rows\" --quiet";
    let ran = run(shell(Command::new("bash"), script, &rows, &project.path(".")));
    ran.refused(1, &["rows.csv: ", "disk", "doctor"]);
    drop(project.is_whole());
    assert_eq!(project.visible(), before);
    // With room again the same import goes through.
    assert_eq!(project.json("import", &[rows.to_str().unwrap()])["rows"], 40_000);
    drop(project.is_whole());
}

/// The bytes of the project that labelling begins with, for the process that has a small disk.
const BEGINS_WITH: &str = "HARDCASE_PROOF_DISK";
/// By how many pages more each session may write than the one before.
const STEP: &str = "HARDCASE_PROOF_DISK_PAGES";
/// Far more than anything here needs, and far less than this machine's memory.
const ROOM: u64 = 64 << 20;
const PAGE: u64 = 4_096;

/// A file system of its own under a project's folder; it is gone with the process that may mount it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn under(project: &Project) -> Self {
        let disk = Self(project.path(""));
        disk.mount(&["-t", "tmpfs", "-o", &format!("size={ROOM}"), "none"]);
        disk
    }

    fn mount(&self, arguments: &[&str]) {
        let output = Command::new("mount").args(arguments).arg(&self.0).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Leaves room for so many pages more than what is there.
    fn leaves(&self, pages: u64) {
        let stat = rustix::fs::statvfs(&self.0).unwrap();
        let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize;
        self.mount(&["-o", &format!("remount,size={}", used + pages * PAGE)]);
    }

    fn has_room(&self) {
        self.mount(&["-o", &format!("remount,size={ROOM}")]);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What an expert does in a short session, one after the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    Answer,
    AnswerAnew,
    Skip,
    Flag,
    Note,
    Undo,
    Redo,
}

const SESSION: [Step; 16] = [
    Step::Answer,
    Step::Answer,
    Step::Flag,
    Step::Answer,
    Step::Note,
    Step::Skip,
    Step::Answer,
    Step::Undo,
    Step::Redo,
    Step::AnswerAnew,
    Step::Answer,
    Step::Undo,
    Step::Answer,
    Step::Answer,
    Step::Answer,
    Step::Answer,
];

/// Does a step; what was saved by it.
fn step(session: &mut Session, step: Step, last: &mut Option<CaseId>) -> Result<Act> {
    let case = session.window(2)?.into_iter().next().unwrap().shown;
    let act = |action, item: ItemId, label: Option<&str>| {
        ("ada".to_owned(), action, item, label.map(ToOwned::to_owned))
    };
    Ok(match step {
        Step::Answer => {
            let (saved, _) = session.answer_and_reveal(case.case, "fine", Remarks::default())?;
            *last = Some(case.case);
            act(Action::Set, saved.item, Some("fine"))
        }
        Step::AnswerAnew => {
            let (saved, _) = session.answer_and_reveal(last.unwrap(), "clickbait", Remarks::default())?;
            act(Action::Set, saved.item, Some("clickbait"))
        }
        Step::Skip => act(Action::Skip, session.skip(case.case)?.event.item, None),
        Step::Flag => {
            assert!(session.toggle_flag(case.case)?);
            act(Action::Flag, case.item, None)
        }
        Step::Note => act(Action::Note, session.note(case.case, "hm")?.event.item, None),
        Step::Undo => act(Action::Retract, session.undo()?.unwrap().item, None),
        Step::Redo => act(Action::Restore, session.redo()?.unwrap().item, None),
    })
}

/// Fails unless the error says that the disk is full.
#[track_caller]
fn is_told(fault: &Fault) {
    let says = fault.to_string();
    assert!(says.contains("the disk is full") && says.contains("Free some space"), "{says}");
}

/// A whole session on a disk that has room for so many pages. Whether any of its writes failed.
fn session(project: &Project, disk: &SmallDisk, pages: u64) -> bool {
    disk.leaves(pages);
    let open = || Session::open(&project.file(), "ada", OnClose::ReleaseCases);
    let mut failed = false;
    let mut session = match open() {
        Ok(session) => session,
        Err(fault) => {
            is_told(&fault);
            failed = true;
            disk.has_room();
            open().unwrap()
        }
    };
    let (mut saved, mut last) = (Vec::new(), None);
    for what in SESSION {
        saved.push(step(&mut session, what, &mut last).unwrap_or_else(|fault| {
            is_told(&fault);
            assert!(!failed, "there is room again");
            failed = true;
            disk.has_room();
            step(&mut session, what, &mut last).unwrap()
        }));
    }
    if let Err(fault) = session.close() {
        is_told(&fault);
        assert!(!failed, "there is room again");
        failed = true;
    }
    disk.has_room();
    assert_eq!(logged(&project.is_whole()), saved, "with {pages} pages");
    failed
}

/// Not a test of its own: what [`labelling_on_a_full_disk_loses_nothing_and_goes_on_once_there_is_room`] does where it may mount.
#[test]
#[ignore = "started by another test, in a mount namespace of its own"]
fn every_write_of_a_session_is_once_the_first_that_finds_no_room() {
    let Ok(file) = std::env::var(BEGINS_WITH) else {
        return skip(format_args!("{BEGINS_WITH} names no file"));
    };
    let (project, begins_with) = (Project::none(), std::fs::read(file).unwrap());
    let disk = SmallDisk::under(&project);
    let step = usize::try_from(told(STEP, 7)).unwrap();
    let mut failures = 0;
    for pages in (0..).step_by(step) {
        disk.has_room();
        restore(&project, &begins_with);
        if !session(&project, &disk, pages) {
            println!(
                "with {pages} pages nothing failed; {failures} sessions found no room, each at a later write"
            );
            break;
        }
        failures += 1;
    }
    assert!(failures > 3, "only {failures} sessions found no room");
}

/// Not a test of its own, like the one above.
#[test]
#[ignore = "started by another test, in a mount namespace of its own"]
fn the_screen_says_that_the_disk_is_full_and_goes_on_once_there_is_room() {
    let Ok(file) = std::env::var(BEGINS_WITH) else {
        return skip(format_args!("{BEGINS_WITH} names no file"));
    };
    let (project, begins_with) = (Project::none(), std::fs::read(file).unwrap());
    let disk = SmallDisk::under(&project);
    let mut full = 0;
    for pages in [30, 45, 60] {
        disk.has_room();
        restore(&project, &begins_with);
        let seat = Seat::open(&project, &["--as", "ada"]);
        let mut confirmed = vec![seat.answer('1')];
        disk.leaves(pages);
        let said_so = |s: &str| one_line(s).contains("the disk is full. Free some space");
        for key in ['1', '2'].into_iter().cycle().take(40) {
            let screen = seat.see_that("a case", |s| case_on(s).is_some() && !is_saving(s) || said_so(s));
            if said_so(&screen) {
                break;
            }
            let case = seat.case().unwrap();
            seat.press_again(&key.to_string());
            let saved = format!("({key}), case {case},");
            let screen = seat.see_that("an answer", |s| {
                let line = one_line(s);
                said_so(s) || line.contains("was dropped") || line.contains(&saved) && !is_saving(s)
            });
            if one_line(&screen).contains(&saved) {
                confirmed.push(case);
            }
        }
        assert!(said_so(&seat.screen()), "{}", seat.screen());
        full += 1;
        disk.has_room();
        if seat.case().is_none() {
            // No next case could be fetched: any label's key looks again.
            seat.press_again("1");
        }
        for key in ['1', '2', '1'] {
            confirmed.push(seat.answer(key));
        }
        seat.press("q");
        seat.end();
        let store = project.is_whole();
        let labelled: std::collections::HashSet<_> =
            store.events().unwrap().into_iter().filter_map(|e| e.event.case).map(|case| case.0).collect();
        assert!(confirmed.iter().all(|case| labelled.contains(case)), "{confirmed:?}, but {labelled:?}");
    }
    println!("{full} screens said that the disk was full, and went on");
}

#[test]
fn labelling_on_a_full_disk_loses_nothing_and_goes_on_once_there_is_room() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "60"]).done();
    let in_own_mounts = |test: &str, begins_with: &Path, step: u64| {
        let mut command = Command::new("unshare");
        command.arg("-rm").arg(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("full_disk::{test}"), "--ignored", "--nocapture"]);
        command.args(["--test-threads", "1"]).env(BEGINS_WITH, begins_with);
        command.env(STEP, told(STEP, step).to_string());
        let output = command.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        said
    };
    if !can_mount() {
        return;
    }
    let file = project.write("begins-with", bytes(&project));
    for test in [
        "every_write_of_a_session_is_once_the_first_that_finds_no_room",
        "the_screen_says_that_the_disk_is_full_and_goes_on_once_there_is_room",
    ] {
        println!("write-ahead log: {}", in_own_mounts(test, &file, 7));
    }
    come_through_the_network(&project);
    let file = project.write("begins-with", bytes(&project));
    let said = in_own_mounts("every_write_of_a_session_is_once_the_first_that_finds_no_room", &file, 2);
    println!("rollback journal: {said}");
}

/// False, with a printed reason, where this machine allows no mount.
fn can_mount() -> bool {
    let mount = "mount -t tmpfs none /tmp";
    let can =
        Command::new("unshare").args(["-rm", "sh", "-c", mount]).output().is_ok_and(|o| o.status.success());
    if !can {
        skip("no file system can be mounted here");
    }
    can
}
