//! No network: the program works where there is none, and never asks for one.

use std::process::Command;

use super::judge::model;
use super::project::{Project, program, run};
use super::skip::skip;

/// `program` inside `outer` (a tool that runs another program), with the same home.
fn inside(outer: &[&str], arguments: &[&str]) -> Command {
    let prepared = program();
    let mut command = Command::new(outer[0]);
    command.args(&outer[1..]).arg(prepared.get_program()).args(arguments);
    command.envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
fn the_demo_works_in_a_namespace_without_interfaces() {
    if !Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|o| o.status.success()) {
        return skip("no network namespace can be made here");
    }
    let project = Project::none();
    let dir = project.path(".");
    let demo = ["demo", "--no-tui", "--json", "--quiet", "--dir", dir.to_str().unwrap()];
    let case = run(inside(&["unshare", "-rn"], &demo)).json();
    assert!(case["text"].as_str().is_some_and(|text| !text.is_empty()), "{case}");
}

#[test]
fn a_trace_of_every_verb_shows_no_socket_but_local_ones() {
    let project = Project::with_ads(40);
    let trace = project.path("trace");
    let strace = ["strace", "-f", "-qq", "-e", "trace=network", "-A", "-o", trace.to_str().unwrap()];
    // A connection that is really made must show, or the trace would prove nothing.
    let control = ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9 || true"];
    let seen = Command::new(strace[0]).args(&strace[1..]).args(control).output();
    let shown = std::fs::read_to_string(&trace).unwrap_or_default();
    if !seen.is_ok_and(|o| o.status.success()) || !shown.contains("AF_INET") {
        return skip("strace cannot be used here");
    }
    std::fs::remove_file(&trace).unwrap();
    let file = project.file();
    let file = file.to_str().unwrap();
    let data = project.path("ads.csv");
    let verbs: [&[&str]; 13] = [
        &["import", file, data.to_str().unwrap(), "--text", "text"],
        &["scout", file],
        &["mine", file, "--budget", "10"],
        &["next", file],
        &["answer", file, "--item", "1", "--label", "fine"],
        &["answer", file, "--item", "2", "--label", "clickbait"],
        &["tune", file],
        &["status", file],
        &["predict", file, data.to_str().unwrap(), "--text", "text"],
        &["export", file, "--what", "predictions"],
        &["doctor", file],
        &["models"],
        &["models", concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf")],
    ];
    for verb in verbs {
        run(inside(&strace, verb)).done();
    }
    // A judge on this machine asks nobody either.
    if let Some(model) = model("tinystories-656k-q8_0.gguf") {
        let judge = ["judge", file, "--model", model.to_str().unwrap(), "--limit", "3", "--threads", "1"];
        run(inside(&strace, &judge)).done();
        run(inside(&strace, &["judge", file, "--limit", "3", "--threads", "1"])).done();
    }
    let trace = std::fs::read_to_string(&trace).unwrap();
    let sockets: Vec<&str> = trace
        .lines()
        .filter(|l| l.contains("(AF_") || l.contains("sa_family=AF_"))
        .filter(|l| !l.contains("AF_UNIX") && !l.contains("AF_LOCAL"))
        .collect();
    assert_eq!(sockets, Vec::<&str>::new());
}
