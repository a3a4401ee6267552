//! Hostile text through the real program: what it prints, what it sends to a terminal, and what logs of labels do to a project.
//!
//! The rooms themselves are fuzzed where they are (`fuzzed.rs` in `format/` and `tui/`, `domain/`); here is a sample of the same inputs from outside.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
use hardcase::domain::progress::Unwatched;
use hardcase::domain::sanitize::sanitize;
use hardcase::exchange::merge::{Mode, merge};
use hardcase::store::log::events::Reveals;
use hardcase::store::{Access, Store};
use hardcase::work::JobContext;

use super::merge::{copy, essence, exported, label, text};
use super::project::{Project, Ran, hardcase};
use super::seat::{Seat, Setup};
use hostile::{Fuzzer, beginning, is_harmless, is_one_sentence, tokens};

#[expect(dead_code, unreachable_pub, reason = "shared with the library's own tests, which use all of it")]
#[path = "../../src/domain/fuzzing.rs"]
mod hostile;

/// Runs the program, and judges what it printed and how it ended.
fn judged(mut command: std::process::Command, input: &[u8]) -> Result<Ran, String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let said = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|e| format!("it prints no UTF-8: {e}"));
    let ran = Ran { code: output.status.code(), out: said(output.stdout)?, err: said(output.stderr)? };
    is_harmless(&ran.out).map_err(|e| format!("printed: {e}"))?;
    is_harmless(&ran.err).map_err(|e| format!("complained: {e}"))?;
    match ran.code {
        Some(0) => Ok(ran),
        // What the parser of the command line says.
        Some(2) if ran.err.contains("Usage:") => Ok(ran),
        Some(1..=3) => {
            let line = ran.err.trim_end_matches('\n').lines().last().unwrap_or_default();
            is_one_sentence(line.strip_prefix("hardcase: ").unwrap_or(line))?;
            Ok(ran)
        }
        other => Err(format!("it ended with {other:?}: {}", ran.err)),
    }
}

fn files() -> Vec<Vec<u8>> {
    let escaped =
        |bytes: &[u8]| serde_json::json!({ "text": String::from_utf8_lossy(bytes), "m": "x" }).to_string();
    vec![
        b"text,m\na word or two,x\nanother one,y\n".to_vec(),
        b"one line of text\nand another\n".to_vec(),
        tokens().iter().map(|t| escaped(t)).collect::<Vec<_>>().join("\n").into_bytes(),
    ]
}

#[test]
fn imported_text_is_printed_sanitized_and_a_refusal_is_one_sentence() {
    let project = Project::empty();
    let empty = std::fs::read(project.file()).unwrap();
    Fuzzer::sample("the program", 1_500).over(&files(), |bytes| {
        std::fs::write(project.file(), &empty).unwrap();
        let choice = bytes.last().copied().unwrap_or_default();
        let name = ["a.csv", "b.jsonl", "c\u{1b}[2J\u{202e}.txt", "-"][usize::from(choice) % 4];
        if name != "-" {
            project.write(name, bytes);
        }
        let mut import = project.command("import", &[name, "--skip-bad"]);
        if choice % 3 == 0 {
            import.args(["--meta", "m"]);
        }
        judged(import, bytes)?;
        for (verb, arguments) in [
            ("next", &["--as", "ada"][..]),
            ("next", &["--as", "ada", "--json"]),
            ("status", &[]),
            ("answer", &["--item", "1", "--label", "\u{1b}]52;c;x\u{7}\n"]),
            ("status\u{1b}[2J", &[]),
        ] {
            judged(project.command(verb, arguments), b"")?;
        }
        // What goes to a file or a pipe is exact.
        let rows = hardcase(["export", text(&project.file()), "--what", "rows"]);
        for line in rows.out.lines().filter(|_| rows.code == Some(0)) {
            serde_json::from_str::<serde::de::IgnoredAny>(line).map_err(|e| format!("{e}: {line}"))?;
        }
        Ok(())
    });
}

/// Everything but the program's own sequences, text apart from what belongs to none.
fn sent_is_harmless(sent: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(sent).map_err(|e| e.to_string())?.replace("\u{1b}]0;hardcase\u{7}", "");
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        is_harmless(&rest[..at].replace('\r', ""))?;
        let after = &rest[at + 1..];
        let end = after.strip_prefix('[').and_then(|s| s.find(|c: char| c.is_ascii_alphabetic()));
        let end = end.ok_or_else(|| format!("a sequence of no known kind: {:?}", beginning(after, 12)))?;
        rest = &after[end + 2..];
    }
    is_harmless(&rest.replace('\r', ""))
}

#[test]
fn a_workstation_on_a_pool_of_hostile_texts_sends_nothing_but_its_own_sequences() {
    let project = Project::empty();
    let rows: String = tokens()
        .iter()
        .enumerate()
        .map(|(i, token)| {
            let text = format!("hostile {i} {}", String::from_utf8_lossy(token).replace('\0', ""));
            serde_json::json!({ "text": text, "m": text }).to_string() + "\n"
        })
        .collect();
    let data = project.write("hostile.jsonl", rows);
    project.run("import", &[text(&data), "--meta", "m"]).done();
    project.enter_vectors();
    project.run("mine", &["--budget", "20", "--strategy", "random"]).done();
    let setup = Setup { size: (120, 40), ..Setup::default() };
    let seat = Seat::open_as(&project, &["--as", "ada"], setup, &[]);
    for answered in 0..12 {
        if seat.answer_before_end('1').is_none() {
            let heard = seat.heard();
            panic!(
                "after {answered} answers: {:?} {}",
                seat.end(),
                String::from_utf8_lossy(&heard[heard.len().saturating_sub(3_000)..])
            );
        }
    }
    seat.press("\x14");
    seat.see("text 1 of");
    seat.press("\r");
    seat.see_that("the text whole", |s| s.contains("your label") || s.contains("you have not labelled it"));
    seat.press("\x1b[F");
    seat.press("q");
    let heard = seat.heard();
    assert!(heard.len() > 5_000, "{}", heard.len());
    sent_is_harmless(&heard).unwrap();
    let (code, left) = seat.end();
    assert_eq!((code, sanitize(&left)), (0, left.clone()));
}

/// A project with everything that a log names, and the log of a copy that went on, without the line at its end.
fn shared() -> (Project, Vec<u8>) {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "14"]).done();
    label(&project.file(), "ada", 4, "fine");
    let b = copy(&project, "b.hardcase");
    label(&b, "bob", 4, "clickbait");
    let mut store = Store::open(&b, Access::Session).unwrap();
    let (_, session) = store.begin_session("bob").unwrap();
    let mut event = store.events().unwrap().pop().unwrap().event;
    event.note = Some("why".into());
    store.append(session, event, Reveals::Yes).unwrap();
    drop(store);
    let log = exported(&b, &["--what", "events"]);
    let (before, end) = log.trim_end().rsplit_once('\n').unwrap();
    assert!(end.contains("\"kind\":\"end\""), "{end}");
    (project, format!("{before}\n").into_bytes())
}

/// Lines with an end that fits them: otherwise nearly every change would be refused by the hash before it is looked at.
fn ended(lines: &[u8]) -> Vec<u8> {
    let (mut out, mut hash, mut n) = (Vec::new(), blake3::Hasher::new(), 0);
    for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        hash.update(String::from_utf8_lossy(line).trim().as_bytes()).update(b"\n");
        n += 1;
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    writeln!(out, "{{\"kind\":\"end\",\"lines\":{n},\"blake3\":\"{}\"}}", hash.finalize().to_hex()).unwrap();
    out
}

#[test]
fn a_tampered_label_log_is_refused_with_a_sentence_or_merged_and_loses_nothing() {
    let (project, log) = shared();
    let before = std::fs::read(project.file()).unwrap();
    // What two files can hold differently may come to its larger state; the rest stays to the letter.
    let can_grow =
        ["ExpertLine", "SessionLine", "CaseLine", "RoundLine", "RevealLine", "AdapterLine", "PredictorLine"];
    let project_line =
        Store::open(&project.file(), Access::Read).unwrap().project_uuid().unwrap().to_string();
    let mut kept = essence(&project.file());
    kept.retain(|line| {
        !line.starts_with(&project_line) && !can_grow.iter().any(|kind| line.starts_with(kind))
    });
    assert_eq!(kept.iter().filter(|line| line.starts_with("EventLine")).count(), 4);
    let path = project.path("hostile.jsonl");
    let number = |from: &str, to: &str| String::from_utf8_lossy(&log).replacen(from, to, 2).into_bytes();
    let seeds = vec![
        log.clone(),
        number("\"lamport\":5", "\"lamport\":9007199254740991"),
        number("\"generation\":1", "\"generation\":9007199254740991"),
        number("\"number\":1", "\"number\":9007199254740991"),
        number("\"target\":null", "\"target\":\"00000000-0000-7000-8000-000000000001\""),
    ];
    let taken = std::cell::Cell::new(0);
    let hunt = Fuzzer::sample("logs merged into a project", 200);
    let inputs = hunt.inputs();
    hunt.over(&seeds, |bytes| {
        std::fs::write(project.file(), &before).unwrap();
        std::fs::write(&path, ended(bytes)).unwrap();
        let context = JobContext { project: &project.file(), watcher: &Unwatched, expert: "ada", seed: None };
        match merge(&context, &path, Mode::Merge) {
            Ok(report) => {
                let report = report.ok_or("somebody else merged it")?.to_string();
                is_harmless(&sanitize(&report))?;
                taken.set(taken.get() + 1);
            }
            Err(fault) => {
                is_one_sentence(&hardcase::domain::sanitize::sanitize_line(&fault.to_string(), 4_000))?
            }
        }
        stays_whole(&project.file(), &kept)
    });
    assert!(taken.get() > inputs / 200, "only {} of {inputs} were taken: nothing was tried", taken.get());
}

/// The file is whole, what it held is there, and a person can go on.
fn stays_whole(file: &Path, kept: &[String]) -> Result<(), String> {
    let after = essence(file);
    if let Some(gone) = kept.iter().find(|line| !after.contains(line)) {
        return Err(format!("gone: {gone}"));
    }
    // Whatever happened to the round and the task: an expert gets a case or a reason, and an answer is taken.
    let said = |fault: hardcase::domain::fault::Fault| fault.to_string();
    let mut session = Session::open(file, "cyd", OnClose::ReleaseCases).map_err(said)?;
    let label = session.task().labels[0].name.clone();
    let item = match session.next_case().map_err(said)? {
        Next::Case(case) => case.item,
        Next::None(_) => ItemId(50),
    };
    session.answer(item, &label, Remarks::default()).map_err(said)?;
    session.close().map_err(said)
}
