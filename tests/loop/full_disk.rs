//! A full disk: the import stops with one sentence, and what was there before stays.

use std::path::Path;
use std::process::Command;

use super::project::{Project, program, run};

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
    assert!(ran.err.contains("the disk is full") && ran.err.contains("Make room"), "{}", ran.err);
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
        eprintln!("skipped: no file system can be mounted here ({})", ran.err.trim());
    } else {
        eprintln!("skipped: no mount namespace can be made here");
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
    ran.refused(1, &["rows.csv: ", "disk", "saved"]);
    drop(project.is_whole());
    assert_eq!(project.visible(), before);
    // With room again the same import goes through.
    assert_eq!(project.json("import", &[rows.to_str().unwrap()])["rows"], 40_000);
    drop(project.is_whole());
}
