//! A system that does not keep its word: a clock that jumps or is wrong, and locks that are given twice.
//!
//! The real binary runs with a small library before the system's own, built here by the C compiler that building hardcase needs anyway. Where
//! there is none, these tests are skipped. And one person at two terminals, who must not log as blind what was not.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use hardcase::desk::session::{OnClose, Session};
use serde_json::Value;

use super::crowd::come_through_the_network;
use super::kills::bytes;
use super::project::{Project, Ran, run};
use super::seat::{Seat, Setup, is_saving, one_line};
use super::skip::skip;

const LIES: &str = r#"
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int lying(int fd, int command, void *arg) {
    if ((command == F_SETLK || command == F_SETLKW || command == F_GETLK) && getenv("LYING_LOCKS")) {
        if (command == F_GETLK) ((struct flock *)arg)->l_type = F_UNLCK;
        return 0;
    }
    return (int)syscall(SYS_fcntl, fd, command, arg);
}
#define FORWARD va_list list; va_start(list, command); void *arg = va_arg(list, void *); va_end(list); return lying(fd, command, arg)
int fcntl(int fd, int command, ...) { FORWARD; }
int fcntl64(int fd, int command, ...) { FORWARD; }

/* Killed before the page that is written as the n-th, or once a file has another name. */
static void end(void) { syscall(SYS_kill, getpid(), SIGKILL); }
static void write_of_page(void) {
    static int written = 0;
    char *at = getenv("KILL_AT_WRITE");
    if (at && __sync_add_and_fetch(&written, 1) == atoi(at)) end();
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
    write_of_page();
    return syscall(SYS_pwrite64, fd, from, n, at);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off_t at) {
    write_of_page();
    return syscall(SYS_pwrite64, fd, from, n, at);
}
int rename(const char *from, const char *to) {
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (getenv("KILL_AFTER_RENAME")) end();
    return result;
}

/* The file holds the seconds by which the clock is wrong. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    char *name = getenv("WRONG_CLOCK"), text[32] = {0};
    if (result == 0 && clock == CLOCK_REALTIME && name) {
        int file = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) > 0) time->tv_sec += atol(text);
            close(file);
        }
    }
    return result;
}
"#;

/// The library that lies and kills; none, with a printed reason, where it cannot be built.
pub fn library() -> Option<&'static PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        // Other processes of tests may be at the same: what they load is replaced whole.
        let own = |end: &str| folder.join(format!("lies-{}{end}", std::process::id()));
        let (source, made, library) = (own(".c"), own(".so"), folder.join("liblies.so"));
        std::fs::write(&source, LIES).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(&source);
        let built = compiler.output().is_ok_and(|o| o.status.success());
        let _ = std::fs::remove_file(&source);
        built.then(|| std::fs::rename(&made, &library).unwrap()).map(|()| library)
    });
    if built.is_none() {
        skip("there is no C compiler (cc) here");
    }
    built.as_ref()
}

/// A project whose users live by a clock of their own.
struct Clock {
    file: PathBuf,
    library: &'static PathBuf,
}

impl Clock {
    fn of(project: &Project, name: &str) -> Option<Self> {
        let clock = Self { file: project.path(name), library: library()? };
        clock.is_wrong_by(0);
        Some(clock)
    }

    /// Seconds by which it is wrong from now on.
    fn is_wrong_by(&self, seconds: i64) {
        std::fs::write(&self.file, seconds.to_string()).unwrap();
    }

    fn variables(&self) -> [(&'static str, &str); 2] {
        [("LD_PRELOAD", self.library.to_str().unwrap()), ("WRONG_CLOCK", self.file.to_str().unwrap())]
    }

    fn run(&self, project: &Project, name: &str, verb: &str, arguments: &[&str]) -> Ran {
        let mut command = project.command(verb, arguments);
        command.env("LOGNAME", name).args(["--as", name, "--quiet", "--json"]).envs(self.variables());
        run(command)
    }

    /// The item that this expert gets next.
    #[track_caller]
    fn next(&self, project: &Project, name: &str) -> i64 {
        self.run(project, name, "next", &[]).json()["item"].as_i64().unwrap()
    }
}

/// The whole log, in order.
fn history(project: &Project) -> Vec<Value> {
    project.run("export", &["--history"]).json_lines()
}

fn strings(lines: &[Value], key: &str) -> Vec<String> {
    lines.iter().map(|line| line[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn before_1970_no_verb_panics_and_labels_are_kept() {
    let project = Project::scouted_elsewhere(60);
    let Some(clock) = Clock::of(&project, "clock") else { return };
    // 1931, and the first moment that is not before.
    for wrong_by in [-3_000_000_000, -1] {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        clock.is_wrong_by(if wrong_by == -1 { -i64::try_from(now).unwrap() - 1 } else { wrong_by });
        let ran = |verb: &str, arguments: &[&str]| clock.run(&project, "ada", verb, arguments).done();
        ran("mine", &["--budget", "6"]);
        let item = clock.next(&project, "ada").to_string();
        ran("answer", &["--item", &item, "--label", "fine"]);
        let more = project.write("more.txt", format!("a text of {wrong_by}\nand another of {wrong_by}\n"));
        ran("import", &[more.to_str().unwrap()]);
        for verb in ["status", "agreement", "report", "export", "backup", "doctor"] {
            ran(verb, &[]);
        }
    }
    assert_eq!(history(&project).iter().filter(|event| event["action"] == "set").count(), 2);
    project.is_whole();
}

#[test]
fn a_clock_that_is_set_back_during_a_session_changes_no_order_and_no_figure() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "20"]).done();
    let Some(clock) = Clock::of(&project, "clock") else { return };
    let seat = Seat::open_as(&project, &["--as", "ada"], Setup::default(), &clock.variables());
    let mut cases = vec![seat.answer('1'), seat.answer('2')];
    clock.is_wrong_by(-3_600);
    cases.push(seat.answer('1'));
    let shown = seat.see_that("the next case", |s| !is_saving(s));
    seat.press("u");
    seat.see(&format!("undone: label clickbait on case {}", cases[2]));
    seat.press_again("u");
    seat.see(&format!("undone: label fine on case {}", cases[1]));
    assert_eq!(
        seat.case(),
        Some(cases[1]),
        "undo goes back by the order of the log, not by the clock:\n{shown}"
    );
    clock.is_wrong_by(3_600);
    // The two come again, each once, and then what was on the screen before.
    let again = [seat.answer('2'), seat.answer('2')];
    assert_eq!(again, [cases[1], cases[2]]);
    cases.push(seat.answer('1'));
    clock.is_wrong_by(-7_200);
    cases.push(seat.answer('1'));
    seat.press("q");
    seat.end();

    let log = history(&project);
    let actions = strings(&log, "action");
    assert_eq!(actions, ["set", "set", "set", "retract", "retract", "set", "set", "set", "set"]);
    let times = strings(&log, "at");
    assert!(times.windows(2).any(|w| w[1] < w[0]), "the clock was put back: {times:?}");
    let distinct: std::collections::BTreeSet<_> = cases.iter().collect();
    assert_eq!(distinct.len(), cases.len(), "no case came twice but those that were taken back: {cases:?}");
    for line in &log {
        let ms = &line["duration_ms"];
        assert!(ms.is_null() || (0..600_000).contains(&ms.as_i64().unwrap()), "{line}");
    }
    let pace = &project.json("status", &[])["seconds_per_case"]["ada"];
    assert!(pace["value"].as_f64().is_none_or(|s| (0.0..600.0).contains(&s)), "{pace}");
    project.is_whole();
}

#[test]
fn the_duration_of_a_case_is_unknown_if_the_clock_was_set_back_meanwhile() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "10"]).done();
    let Some(clock) = Clock::of(&project, "clock") else { return };
    for (seconds, known) in [(0, true), (-3_600, false)] {
        let item = clock.next(&project, "ada").to_string();
        clock.is_wrong_by(seconds);
        clock.run(&project, "ada", "answer", &["--item", &item, "--label", "fine"]).json();
        let last = history(&project).pop().unwrap();
        assert_eq!(last["duration_ms"].is_i64(), known, "{last}");
    }
}

#[test]
fn a_case_leased_by_a_clock_an_hour_ahead_is_free_after_the_length_of_a_lease() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "10", "--overlap", "eval=1,audit=1,share=0"]).done();
    let Some(clock) = Clock::of(&project, "clock") else { return };
    clock.is_wrong_by(3_600);
    let held = clock.next(&project, "ada");
    clock.is_wrong_by(0);
    assert_ne!(clock.next(&project, "bob"), held, "it is on her screen");
    clock.is_wrong_by(9 * 60);
    assert_ne!(clock.next(&project, "cy"), held, "it is for a while");
    clock.is_wrong_by(11 * 60);
    assert_eq!(clock.next(&project, "dee"), held);
    // She answers all the same, late.
    let late = clock.run(&project, "ada", "answer", &["--item", &held.to_string(), "--label", "fine"]).json();
    assert_eq!(late["changed"], false, "{late}");
    project.is_whole();
}

#[test]
fn what_is_on_a_screen_stays_there_when_the_clock_jumps_ahead() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "20"]).done();
    let Some(clock) = Clock::of(&project, "clock") else { return };
    let seat = Seat::open_as(&project, &["--as", "ada"], Setup::default(), &clock.variables());
    let first = seat.answer('1');
    let next =
        seat.see_that("the next case", |s| one_line(s).contains(&format!("case {first},")) && !is_saving(s));
    let case = seat.case();
    assert!(case.is_some() && case != Some(first), "{next}");
    clock.is_wrong_by(3_600);
    seat.press("f");
    seat.see("Flagged for a second look");
    assert_eq!(seat.case(), case, "the window was looked at again, and shows the same");
    assert_eq!(Some(seat.answer('2')), case);
    seat.press("q");
    seat.end();
    project.is_whole();
}

#[test]
fn copies_from_hosts_whose_clocks_are_an_hour_apart_keep_the_order_of_their_experts_labels() {
    let (here, there) = (Project::scouted_elsewhere(80), Project::none());
    here.run("mine", &["--budget", "12"]).done();
    let (Some(ahead), Some(behind)) = (Clock::of(&here, "ahead"), Clock::of(&there, "behind")) else {
        return;
    };
    ahead.is_wrong_by(1_800);
    behind.is_wrong_by(-1_800);
    let mut items = Vec::new();
    for _ in 0..4 {
        let item = ahead.next(&here, "ada");
        ahead.run(&here, "ada", "answer", &["--item", &item.to_string(), "--label", "fine"]).json();
        items.push(item.to_string());
    }
    // She goes on at the other host with a copy, changes her mind on two texts, and comes to new ones.
    std::fs::write(there.file(), bytes(&here)).unwrap();
    for item in &items[..2] {
        behind.run(&there, "ada", "answer", &["--item", item, "--label", "clickbait"]).json();
    }
    let new = behind.next(&there, "ada");
    behind.run(&there, "ada", "answer", &["--item", &new.to_string(), "--label", "fine"]).json();
    // And once more at the first host, with all of it.
    let said = ahead.run(&here, "ada", "merge", &[there.file().to_str().unwrap()]).json();
    assert_eq!(said[0]["events"]["set"], 3, "{said}");
    ahead.run(&here, "ada", "answer", &["--item", &items[0], "--label", "fine"]).json();
    behind.run(&there, "ada", "merge", &[here.file().to_str().unwrap()]).json();

    let log = history(&here);
    assert_eq!(log, history(&there), "both copies have one order");
    let (labels, times) = (strings(&log, "label"), strings(&log, "at"));
    assert_eq!(labels, ["fine", "fine", "fine", "fine", "clickbait", "clickbait", "fine", "fine"]);
    assert!(times[4] < times[3] && times[7] > times[6], "the clocks differ: {times:?}");
    for project in [&here, &there] {
        let stands: BTreeMap<i64, String> = project
            .run("export", &[])
            .json_lines()
            .iter()
            .map(|l| (l["item"].as_i64().unwrap(), l["label"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(stands[&items[0].parse().unwrap()], "fine", "said last");
        assert_eq!(stands[&items[1].parse().unwrap()], "clickbait");
        project.is_whole();
    }
}

#[test]
fn locks_that_can_be_held_twice_are_found_before_anything_is_written() {
    let Some(library) = library() else { return };
    let project = Project::with_ads(20);
    come_through_the_network(&project);
    let before = bytes(&project);
    let lying = |verb: &str, arguments: &[&str]| {
        let mut command = project.command(verb, arguments);
        command.env("LD_PRELOAD", library).env("LYING_LOCKS", "1");
        run(command)
    };
    let answer: (&str, &[&str]) = ("answer", &["--item", "1", "--label", "fine"]);
    lying(answer.0, answer.1).refused(1, &["file locks do not work on its drive", "hardcase merge"]);
    let doctor = lying("doctor", &[]);
    assert_eq!(doctor.code, Some(3), "{}{}", doctor.out, doctor.err);
    assert!(
        doctor.out.lines().any(|l| l.starts_with("BAD  locks") && l.contains("two people")),
        "{}",
        doctor.out
    );
    assert_eq!(bytes(&project), before, "nothing was written");
    let left: Vec<_> = std::fs::read_dir(project.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().contains(".locks-")), "{left:?}");

    let doctor = project.run("doctor", &[]).done().out;
    assert!(doctor.lines().any(|l| l.starts_with("ok   locks")), "{doctor}");
    project.run(answer.0, answer.1).done();
}

#[test]
fn an_answer_is_not_blind_once_the_view_was_shown_in_another_terminal_of_the_same_person() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12"]).done();
    let open = || Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    let (mut one, mut other) = (open(), open());
    let window = one.window(3).unwrap();
    assert!(window.iter().all(|card| card.shown.revealed.is_none()));
    let (first, second) = (window[0].shown.clone(), window[1].shown.clone());
    // The other terminal looks at the model's view, between this one's case and its answer.
    let seen = other.reveal(first.case).unwrap().unwrap();
    one.answer_and_reveal(first.case, "fine", Default::default()).unwrap();
    one.answer_and_reveal(second.case, "fine", Default::default()).unwrap();
    // An answer gives the view away, too: one that replaces it elsewhere is not blind.
    other.answer_and_reveal(second.case, "clickbait", Default::default()).unwrap();
    for session in [one, other] {
        session.close().unwrap();
    }
    let log = project.is_whole().log().unwrap();
    let said: Vec<_> =
        log.events.iter().map(|e| (e.label().unwrap(), e.revealed, e.seen_prelabel.is_some())).collect();
    assert_eq!(said, [("fine", true, true), ("fine", false, false), ("clickbait", true, true)]);
    let prelabel = log.events[0].seen_prelabel.as_ref().and_then(|answer| answer.single());
    assert_eq!(prelabel.map(str::to_owned), seen.prelabel, "what was seen is what is recorded");
}

#[test]
fn one_name_in_two_terminals_overwrites_no_answer_in_silence() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12"]).done();
    let open = || Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    let (mut one, mut other) = (open(), open());
    let case = one.window(1).unwrap()[0].shown.case;
    assert_eq!(other.window(1).unwrap()[0].shown.case, case, "both have it on the screen");
    one.answer_and_reveal(case, "fine", Default::default()).unwrap();
    let told = other.answer_and_reveal(case, "clickbait", Default::default()).unwrap_err().to_string();
    assert!(told.contains("in another terminal meanwhile: fine") && told.contains("again"), "{told}");
    // Once it was said, it is a change like any other.
    let (saved, _) = other.answer_and_reveal(case, "clickbait", Default::default()).unwrap();
    assert!(saved.changed);
    for session in [one, other] {
        session.close().unwrap();
    }
}

#[test]
fn nothing_that_a_stale_terminal_does_to_a_case_changes_what_the_other_saved() {
    use hardcase::desk::request::{Outcome, Request};
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12"]).done();
    let open = || Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    let (mut one, mut other) = (open(), open());
    let requests: [fn(hardcase::domain::ids::CaseId) -> Request; 4] =
        [Request::Skip, Request::Flag, |case| Request::Note(case, "what is this?".into()), |_| Request::Undo];
    for (n, request) in requests.into_iter().enumerate() {
        let case = one.window(1).unwrap()[0].shown.case;
        assert_eq!(other.window(1).unwrap()[0].shown.case, case, "both have it on the screen");
        one.answer_and_reveal(case, "fine", Default::default()).unwrap();
        let told = other.handle(request(case)).outcome.unwrap_err().to_string();
        assert!(told.contains("in another terminal meanwhile: fine"), "{told}");
        assert_eq!(project.json("status", &[])["labels"], n + 1, "{told}");
        // Once it was said, it is done like anything else.
        if n == 3 {
            assert!(matches!(other.handle(request(case)).outcome.unwrap(), Outcome::Reverted { .. }));
            assert_eq!(project.json("status", &[])["labels"], n);
        }
    }
    for session in [one, other] {
        session.close().unwrap();
    }
}

/// A folder under another path, by a program that tells no other mount of its locks; taken away when dropped.
struct Bound(tempfile::TempDir);

/// Such programs.
const MOUNTS: [&str; 2] = ["bindfs", "sshfs"];

impl Bound {
    /// None, with a printed reason, where there is no such program or the kernel forbids it.
    fn by(program: &str, folder: &Path) -> Option<Self> {
        let bound = Self(tempfile::tempdir().unwrap());
        let mounts = if program == "sshfs" { bind_by_sftp } else { bind };
        match mounts(folder, bound.0.path()) {
            Ok(true) => return Some(bound),
            Ok(false) => skip(format_args!("{program} cannot mount here")),
            Err(why) => {
                skip(format_args!("{program} cannot be run ({why}): `scripts/deps.sh --checks` installs it"));
            }
        }
        None
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("pool.hardcase")
    }
}

fn bind(folder: &Path, at: &Path) -> std::io::Result<bool> {
    Ok(Command::new("bindfs").arg(folder).arg(at).status()?.success())
}

/// As `sshfs` mounts a folder of another machine, without the machine: it talks to the server of that protocol directly.
fn bind_by_sftp(folder: &Path, at: &Path) -> std::io::Result<bool> {
    let places =
        ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server"];
    let server = places.iter().find(|place| Path::new(place).exists());
    let server = server.ok_or_else(|| std::io::Error::other("there is no sftp-server"))?;
    let (heard, says) = std::io::pipe()?;
    let (asked, asks) = std::io::pipe()?;
    // It ends when nobody asks it any more.
    Command::new(server).current_dir(folder).stdin(asked).stdout(says).spawn()?;
    let mut mount = Command::new("sshfs");
    mount.arg(":").arg(at).args(["-f", "-o", "passive"]).stdin(heard).stdout(asks);
    let mut mount = mount.spawn()?;
    // It goes on until it is unmounted.
    while mount.try_wait()?.is_none() {
        if at.join("pool.hardcase").exists() {
            return Ok(true);
        }
        std::thread::yield_now();
    }
    Ok(false)
}

impl Drop for Bound {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn where_locks_stay_on_one_mount_nothing_is_written_until_somebody_says_that_nobody_else_is_there() {
    for program in MOUNTS {
        let project = Project::with_ads(5);
        if let Some(bound) = Bound::by(program, &project.path("")) {
            asked_once_for_leave(&project, &bound);
        }
    }
}

fn asked_once_for_leave(project: &Project, bound: &Bound) {
    let file = bound.file();
    let hardcase = |arguments: &[&str]| {
        let mut command = super::project::program();
        command
            .env("XDG_CONFIG_HOME", project.path("config"))
            .arg(arguments[0])
            .arg(&file)
            .args(&arguments[1..]);
        run(command)
    };
    let before = bytes(project);
    for verb in [&["next"][..], &["answer", "--item", "1", "--label", "fine"], &["mine"]] {
        hardcase(verb).refused(1, &["others who open it at the same time", "--alone", "hardcase merge"]);
    }
    assert!(bytes(project) == before, "nothing was written");
    hardcase(&["status"]).done();
    assert!(hardcase(&["doctor"]).out.contains("--alone"));
    hardcase(&["next", "--alone"]).done();
    // Asked once.
    hardcase(&["answer", "--item", "1", "--label", "fine"]).done();
    // Under its own path it lies on a disk.
    project.run("next", &[]).done();
}

/// Behind a mount of FUSE the system goes on showing what it has read, also of a file that was overwritten below.
#[test]
fn a_project_that_is_overwritten_behind_its_mount_calls_nothing_saved_that_is_not_kept() {
    for program in MOUNTS {
        let project = Project::with_ads(20);
        if let Some(bound) = Bound::by(program, &project.path("")) {
            overwritten_behind(&project, &bound);
        }
    }
}

fn overwritten_behind(project: &Project, bound: &Bound) {
    let file = bound.file();
    let answer = |item: usize| {
        let mut command = super::project::program();
        command.env("XDG_CONFIG_HOME", project.path("config")).arg("answer").arg(&file);
        command.args(["--item", &item.to_string(), "--label", "fine", "--as", "bob", "--alone"]);
        run(command).done();
    };
    answer(1);
    let older = bytes(project);
    answer(2);
    let mut command = super::project::program();
    command.env("XDG_CONFIG_HOME", project.path("config")).arg("answer").arg(&file);
    command.args(["-", "--as", "bob", "--alone", "--json"]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = child.stdin.take().unwrap();
    let mut told = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut say =
        |item: usize| writeln!(typed, r#"{{"item": {item}, "label": "fine"}}"#).and_then(|()| typed.flush());
    let mut line = String::new();
    say(3).unwrap();
    told.read_line(&mut line).unwrap();
    assert!(line.contains("fine"), "{line}");
    // As a synchronisation does that writes into the file that is there.
    std::fs::write(project.file(), &older).unwrap();
    let _ = say(4);
    drop(typed);
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    let ended = child.wait_with_output().unwrap();
    let why = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success() && why.contains("another file was copied over"), "{rest}{why}");
    assert!(bytes(project) == older, "nothing of two files is mixed");
}
