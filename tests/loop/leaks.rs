//! What must not get out: the key of a judge's server that an earlier version kept in the file.

use super::project::{Project, run};

const KEY: &str = "sk-a-secret-key-7Q2X";

/// A project in which a judge failed, and the server repeated the key.
fn with_key() -> Project {
    let project = Project::with_ads(20);
    let file = rusqlite::Connection::open(project.file()).unwrap();
    super::crowd::seal_rows(&file);
    let says = format!(
        "cannot ask the server http://h/v1/models: it wants another key (status 401): Bearer {KEY}. Put its key into the variable"
    );
    for (n, message) in [says.as_str(), "60 texts judged", "the rest"].iter().enumerate() {
        file.execute(
            "INSERT INTO run (uuid, kind, arguments, host, process, program, started_ms, heartbeat_ms, ended_ms, outcome, message)
             VALUES (?1, 'judge', '', 'h', 'p', 'hardcase', 1, 1, 2, 'failed', ?2)",
            (vec![n as u8; 16], message),
        )
        .unwrap();
    }
    project
}

fn holds(path: &std::path::Path) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes())
}

#[test]
fn a_key_that_a_server_repeated_is_found_removed_and_named_in_backups() {
    // With the key at hand, and without.
    for key in [Some(KEY), None] {
        let project = with_key();
        project.run("backup", &[]).done();
        let doctor = |arguments: &[&str]| {
            let mut command = project.command("doctor", arguments);
            command.args(["--json", "--quiet"]).env_remove("HARDCASE_API_KEY");
            command.envs(key.map(|key| ("HARDCASE_API_KEY", key)));
            run(command)
        };
        let found = doctor(&[]);
        assert_eq!(found.code, Some(3), "{}{}", found.out, found.err);
        assert!(found.out.contains("is in 1 job's record and in these backups"), "{}", found.out);
        assert!(!found.out.contains("7Q2X") && holds(&project.file()));
        let said = doctor(&["--remove-key"]).json();
        assert_eq!((&said["jobs"], &said["elsewhere"]), (&1.into(), &false.into()), "{said}");
        assert_eq!(said["backups"].as_array().unwrap().len(), 1, "{said}");
        let backup = said["backups"][0].as_str().unwrap();
        assert!(!holds(&project.file()) && holds(backup.as_ref()));
        for end in ["-wal", "-journal"] {
            let path = project.path(&format!("pool.hardcase{end}"));
            assert!(!path.exists() || !holds(&path));
        }
        std::fs::remove_file(backup).unwrap();
        doctor(&[]).done();
        let jobs = project.is_whole().runs(10).unwrap();
        let messages: Vec<String> = jobs.into_iter().filter_map(|job| job.message).collect();
        assert!(
            messages.iter().any(|m| m.contains("(status 401): Bearer [key]. Put its key")),
            "{messages:?}"
        );
        assert!(messages.iter().any(|m| m == "60 texts judged"));
        assert_eq!(doctor(&["--remove-key"]).json()["jobs"], 0);
    }
}
