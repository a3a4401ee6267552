//! Requests to stop: one is enough for every verb, also where it waits for something that never comes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::project::Project;
#[cfg(target_os = "linux")]
use super::seat::{Seat, case_on};

/// The exit code of a child to which a signal is sent once it has said `until`. Its input stays open to the end.
fn stopped(mut command: Command, input: &[u8], until: &str, signal: Signal) -> (Option<i32>, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child: Child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = input.to_vec();
    let (keep, kept) = std::sync::mpsc::channel::<()>();
    let feeding = std::thread::spawn(move || {
        let _ = stdin.write_all(&bytes);
        let _ = kept.recv();
    });
    let mut said = String::new();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    while !said.contains(until) {
        assert!(err.read_line(&mut said).unwrap() > 0, "it ended before it said {until:?}: {said}");
    }
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    let code = child.wait().unwrap().code();
    drop(keep);
    feeding.join().unwrap();
    err.read_to_string(&mut said).unwrap();
    (code, said)
}

#[test]
fn one_request_ends_an_import_that_waits_for_a_pipe_with_the_code_of_the_signal() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let project = Project::empty();
        let lines: String = (0..200_000).map(|n| format!("a text with the number {n}\n")).collect();
        let command = project.command("import", &["-", "--progress", "json"]);
        let (ended, said) = stopped(command, lines.as_bytes(), "{", signal);
        assert_eq!(ended, Some(code), "{said}");
        assert_eq!(project.json("status", &[])["items"], 0, "nothing of it is seen");
        project.is_whole();
    }
}

#[cfg(feature = "engine")]
#[test]
fn one_request_ends_a_judge_that_is_still_connecting_a_prediction_and_a_scouting() {
    use super::stand_in::{Said, StandIn};
    let project = Project::scouted_elsewhere(30);
    let server = StandIn::whole(|_| Said::Silence);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let before = server.asked().len();
        let mut command = project.command("judge", &["--endpoint", &server.url()]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        server.wait_for(before + 1);
        kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));

        let project = Project::with_ads(40);
        project.run("scout", &[]).done();
        let lines: String = (0..20_000).map(|n| format!("a text with the number {n}\n")).collect();
        let out = project.path("scored.jsonl");
        let command = project.command("predict", &["-", "--progress", "json", "-o", out.to_str().unwrap()]);
        let (ended, said) = stopped(command, lines.as_bytes(), "\"scoring\"", signal);
        assert_eq!(ended, Some(code), "{said}");
        assert!(!out.exists());
        let names = std::fs::read_dir(project.path("")).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("partial")).collect();
        assert!(left.is_empty(), "{left:?}");

        let data = project.write("more.txt", &lines);
        project.run("import", &[data.to_str().unwrap()]).done();
        let command = project.command("scout", &["--progress", "json"]);
        let (ended, said) = stopped(command, b"", "\"scouting\"", signal);
        assert_eq!(ended, Some(code), "a stopped scouting is no whole one: {said}");
        project.is_whole();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stop_from_another_terminal_gives_the_terminal_back_and_fg_brings_the_screen() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12"]).done();
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see_that("a case", |screen| case_on(screen).is_some());
    let case = seat.answer('1');
    for _ in 0..2 {
        seat.see_that("the next case", |screen| case_on(screen).is_some_and(|next| next != case));
        seat.signal(Signal::TSTP);
        let stat = format!("/proc/{}/stat", seat.process());
        let is_stopped = || std::fs::read_to_string(&stat).unwrap().contains(") T ");
        seat.see_other_screen(false);
        while !is_stopped() {
            std::thread::yield_now();
        }
        seat.signal(Signal::CONT);
        seat.see_other_screen(true);
    }
    let next = seat.answer('2');
    assert_ne!(next, case);
    seat.signal(Signal::TERM);
    seat.end();
}

#[cfg(target_os = "linux")]
#[test]
fn the_workstation_ends_with_the_code_of_the_signal_whatever_holds_the_file_and_says_what_is_not_saved() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let project = Project::scouted_elsewhere(60);
        project.run("mine", &["--budget", "12"]).done();
        let seat = Seat::open(&project, &["--as", "ada"]);
        let case = seat.answer('1');
        seat.see_that("the next case", |screen| case_on(screen).is_some_and(|next| next != case));
        let holder = rusqlite::Connection::open(project.file()).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        seat.press("s");
        seat.see("saving");
        seat.signal(signal);
        // It would wait ten seconds for the file, and then end well.
        let (ended, screen) = seat.end();
        assert_eq!(ended, code, "{screen}");
        let said = super::seat::one_line(&screen);
        assert!(
            said.contains("cannot save the skip of case") && said.contains("another process holds"),
            "{said}"
        );
        holder.execute_batch("ROLLBACK").unwrap();
        assert_eq!(project.json("status", &[])["labels"], 1, "what was saved is there");
        // Without anybody else at the file it ends with the same code.
        let seat = Seat::open(&project, &["--as", "ada"]);
        seat.see_that("a case", |screen| case_on(screen).is_some());
        seat.signal(signal);
        assert_eq!(seat.end().0, code);
    }
}
