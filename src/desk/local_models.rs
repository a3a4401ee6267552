//! The models of this machine, for a screen that asks which one is to judge. Another process lists them: their files are anybody's, and reading
//! their headers can take seconds.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::domain::local_model::{Ability, LocalModel};

#[derive(Deserialize)]
struct Listed {
    models: Vec<LocalModel>,
}

/// Those that can judge, as `program` lists them; none where it cannot.
pub(super) fn judges(program: &Path) -> Vec<LocalModel> {
    let mut command = Command::new(program);
    command.args(["models", "--json"]).stdin(Stdio::null()).stderr(Stdio::null());
    // In a process group of its own, so that signals from the terminal do not reach it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.output().map(|output| judges_in(&output.stdout)).unwrap_or_default()
}

fn judges_in(json: &[u8]) -> Vec<LocalModel> {
    let listed = serde_json::from_slice::<Listed>(json).map(|listed| listed.models).unwrap_or_default();
    listed.into_iter().filter(|model| model.can(Ability::Judge)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_judge_is_offered() {
        let model = |name: &str, can: &str| {
            format!(
                r#"{{"name":"{name}","also":[],"kept_by":"Ollama","path":"/m","files":1,"bytes":1,"architecture":"llama","quantisation":"F16",
                "parameters":1,"context":8,"can":{can},"note":null,"texts_per_second":null}}"#
            )
        };
        let (judge, scout) = (model("a", r#"["judge","tune"]"#), model("b", r#"["scout"]"#));
        let json = format!(r#"{{"models":[{judge},{scout}],"companions":0,"other_formats":0,"remarks":[]}}"#);
        let names: Vec<String> = judges_in(json.as_bytes()).into_iter().map(|model| model.name).collect();
        assert_eq!(names, ["a"]);
        assert_eq!(judges_in(b"hardcase: cannot"), Vec::new());
    }
}
