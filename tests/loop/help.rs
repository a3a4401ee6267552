//! What tells people about the program outside it: help, version, completions and manual pages.

use super::project::{Project, hardcase};

/// The verbs that `help` lists.
fn verbs() -> Vec<String> {
    let help = hardcase(["--help"]).done().out;
    assert!(help.contains("Usage: hardcase [OPTIONS] <FILE>\n"), "what most people type comes first: {help}");
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let named = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let all = named.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    all.filter(|verb| verb != "help").collect()
}

#[test]
fn a_verbs_own_options_come_before_those_of_every_verb() {
    for verb in verbs() {
        let help = hardcase([&verb, "--help"]).done().out;
        let every = help.find("Options of every command:").unwrap_or_else(|| panic!("{verb}: {help}"));
        let json = help.find("--json").unwrap();
        assert!(json > every, "{verb}: {help}");
        if let Some(own) = help.find("\nOptions:") {
            assert!(own < every, "{verb}: {help}");
        }
    }
}

#[test]
fn the_version_says_which_build_it_is() {
    let short = hardcase(["-V"]).done().out;
    assert_eq!(short.trim(), format!("hardcase {}", env!("CARGO_PKG_VERSION")));
    let long = hardcase(["--version"]).done().out;
    let lines: Vec<&str> = long.lines().collect();
    assert!(lines[0].starts_with(short.trim()) && lines[1].contains(std::env::consts::ARCH), "{long}");
    let models = if cfg!(feature = "engine") { "with models: llama.cpp " } else { "without models" };
    assert!(lines[2].starts_with(models) && lines[3].starts_with("SQLite 3."), "{long}");
}

#[test]
fn every_shell_completes_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = hardcase(["completions", shell]).done().out;
        for verb in verbs() {
            assert!(script.contains(&verb), "{shell} does not complete {verb}");
        }
    }
}

#[test]
fn every_verb_has_a_manual_page() {
    let project = Project::none();
    let folder = project.path("man1");
    std::fs::create_dir(&folder).unwrap();
    hardcase(["man".as_ref(), "--folder".as_ref(), folder.as_os_str()]).done();
    for verb in verbs() {
        let page = std::fs::read_to_string(folder.join(format!("hardcase-{verb}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains("\\-\\-json"), "{verb}: {page}");
        assert_eq!(hardcase(["man", &verb]).done().out.trim_end(), page.trim_end(), "{verb}");
    }
    assert!(std::fs::read_to_string(folder.join("hardcase.1")).unwrap().contains("hardcase"));
    hardcase(["man", "nothing"]).refused(2, &["there is no verb 'nothing'"]);
    let nowhere = project.path("nowhere");
    hardcase(["man".as_ref(), "--folder".as_ref(), nowhere.as_os_str()]).refused(1, &["nowhere"]);
}
