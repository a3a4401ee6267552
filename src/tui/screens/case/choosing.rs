//! Which of several labels are chosen, and what is said of them.

use crate::domain::label_set::NONE;
use crate::domain::task::Task;
use crate::tui::widgets::text_layout::drawable;

/// Whether some labels can only be found by their names.
pub(in crate::tui) fn needs_list(task: &Task) -> bool {
    task.labels.iter().any(|label| label.key.is_none())
}

/// Puts a label in, or takes it out.
pub(in crate::tui) fn toggle(chosen: &mut Vec<String>, name: &str) {
    match chosen.iter().position(|held| held == name) {
        Some(at) => drop(chosen.remove(at)),
        None => chosen.push(name.to_owned()),
    }
}

/// What enter would save, in the order of the task.
pub(in crate::tui) fn in_words(chosen: &[String], task: &Task) -> String {
    let names: Vec<&str> = task
        .labels
        .iter()
        .map(|label| label.name.as_str())
        .filter(|name| chosen.iter().any(|c| c == name))
        .collect();
    if names.is_empty() { NONE.to_owned() } else { drawable(&names.join(", ")).replace('\n', " ") }
}

/// What the help says of enter.
pub(super) fn help(task: &Task) -> Vec<(String, String)> {
    let line = |says: &str| ("enter".to_owned(), says.to_owned());
    if needs_list(task) {
        return vec![
            line("find a label by a part of its name; enter puts it in or takes it out"),
            line("there on an empty line: save the labels that are chosen, or none of them"),
        ];
    }
    vec![line("save the labels that are chosen, or none of them")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_put_in_and_taken_out_and_none_is_said_in_words() {
        let task = Task::from_toml(
            "question='?'\n[[label]]\nname='refund'\nkey='1'\n[[label]]\nname='billing'\n",
            "t",
        )
        .unwrap();
        let mut chosen = Vec::new();
        for name in ["billing", "refund"] {
            toggle(&mut chosen, name);
        }
        assert_eq!(in_words(&chosen, &task), "refund, billing", "in the order of the task");
        toggle(&mut chosen, "refund");
        assert_eq!(in_words(&chosen, &task), "billing");
        toggle(&mut chosen, "billing");
        assert_eq!(in_words(&chosen, &task), "none of the labels");
        assert!(needs_list(&task));
    }
}
