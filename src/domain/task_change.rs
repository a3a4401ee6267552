//! What a newer revision of a task changed, part by part and label by label, for the person who labels under it.

use super::task::{Assist, Label, Task};
use super::task_kind::TaskKind;

/// Each change in one sentence: labels first, in the order of the screen, because a key that now means something else costs wrong answers.
pub fn changes(before: &Task, after: &Task) -> Vec<String> {
    let mut says = Vec::new();
    for label in &after.labels {
        match before.labels.iter().find(|old| old.id == label.id) {
            None => says.push(format!("\"{}\" is a new label, with {}.", label.name, its_key(label))),
            Some(old) => of_label(old, label, &mut says),
        }
    }
    for old in &before.labels {
        if after.index_of_id(&old.id).is_none() {
            says.push(format!("\"{}\" is no label any more.", old.name));
        }
    }
    let order = |task: &Task, other: &Task| -> Vec<String> {
        task.label_ids().into_iter().filter(|id| other.index_of_id(id).is_some()).collect()
    };
    if order(before, after) != order(after, before) {
        says.push("The labels stand in another order.".to_owned());
    }
    if before.kind != after.kind {
        says.push(kind_in_words(after.kind).to_owned());
    }
    if before.question != after.question {
        says.push(format!("The question is now: {}", after.question));
    }
    if before.guideline != after.guideline {
        says.push(if after.guideline.is_empty() {
            "There is no guideline any more.".to_owned()
        } else {
            "The guideline has changed.".to_owned()
        });
    }
    if before.asked_about != after.asked_about {
        says.push(match &after.asked_about {
            Some(part) => format!("The question is now about this part of the text: {part}."),
            None => "The question is now about the whole text.".to_owned(),
        });
    }
    if before.columns != after.columns {
        says.push(shown_columns(after));
    }
    if before.assist != after.assist {
        says.push(in_words(after.assist).to_owned());
    }
    if before.target != after.target {
        says.push(targets(after));
    }
    says
}

/// What is asked of a text.
pub(super) fn kind_in_words(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::One => "One label is now asked for each text.",
        TaskKind::Several => "A text may now have any number of the labels, or none.",
        TaskKind::Scale => "The labels are now the levels of a scale.",
    }
}

/// What is to be reached.
pub(super) fn targets(task: &Task) -> String {
    match &task.target.in_words(&task.ids_and_names())[..] {
        [] => "The project has no target any more.".to_owned(),
        all => format!("The project is done when it reaches: {}.", all.join(", ")),
    }
}

/// When the model's guess is seen.
pub(super) fn in_words(assist: Assist) -> &'static str {
    match assist {
        Assist::Before => "Of cases that teach, you see the model's guess before you answer.",
        Assist::After => "You see the model's guess only after you have answered.",
    }
}

/// Which columns are shown next to a text.
pub(super) fn shown_columns(task: &Task) -> String {
    match task.columns.as_deref() {
        None => "Shown next to the text are now the columns that the import named.".to_owned(),
        Some([]) => "No other column is shown next to the text any more.".to_owned(),
        Some(columns) => format!("Shown next to the text are now: {}.", columns.join(", ")),
    }
}

fn of_label(old: &Label, label: &Label, says: &mut Vec<String>) {
    if old.name != label.name {
        says.push(format!("\"{}\" is now called \"{}\".", old.name, label.name));
    }
    if old.key != label.key {
        says.push(format!("\"{}\" now has {}; it had {}.", label.name, its_key(label), its_key(old)));
    }
    if old.description != label.description {
        says.push(match label.description.as_str() {
            "" => format!("\"{}\" has no description any more.", label.name),
            text => format!("\"{}\" now means: {text}", label.name),
        });
    }
    if old.examples != label.examples {
        says.push(format!("\"{}\" has other examples.", label.name));
    }
}

fn its_key(label: &Label) -> String {
    label.key.map_or_else(|| "no key".to_owned(), |key| format!("the key {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(toml: &str) -> Task {
        Task::from_toml(toml, "t").unwrap()
    }

    const BEFORE: &str = "question='Spam?'\nguideline='Read it.'\n[[label]]\nname='spam'\nkey='1'\n[[label]]\nname='ham'\nkey='2'\n";

    #[test]
    fn every_change_of_a_label_is_named_by_label_and_key() {
        let before = task(BEFORE);
        let swapped = BEFORE.replace("'1'", "'3'").replace("'2'", "'1'").replace("'3'", "'2'");
        assert_eq!(
            changes(&before, &task(&swapped)),
            ["\"spam\" now has the key 2; it had the key 1.", "\"ham\" now has the key 1; it had the key 2."]
        );
        let renamed = BEFORE
            .replace("name='spam'", "id='spam'\nname='junk'\ndescription='sells'\nexamples=['x']")
            + "[[label]]\nname='unsure'\nkey='3'\n";
        let renamed = before.revised(task(&renamed)).unwrap();
        assert_eq!(
            changes(&before, &renamed),
            [
                "\"spam\" is now called \"junk\".",
                "\"junk\" now means: sells",
                "\"junk\" has other examples.",
                "\"unsure\" is a new label, with the key 3."
            ]
        );
        assert_eq!(changes(&renamed, &before)[3], "\"unsure\" is no label any more.");
    }

    #[test]
    fn question_guideline_and_order_are_named_and_what_nobody_sees_is_not() {
        let before = task(BEFORE);
        let mut after = before.clone();
        after.labels.reverse();
        after.question = "Junk?".into();
        after.guideline = String::new();
        after.labels[0].share = Some(0.2);
        after.name = "other".into();
        after.columns = Some(vec!["who".into()]);
        after.asked_about = Some("last".into());
        assert_eq!(
            changes(&before, &after),
            [
                "The labels stand in another order.",
                "The question is now: Junk?",
                "There is no guideline any more.",
                "The question is now about this part of the text: last.",
                "Shown next to the text are now: who."
            ]
        );
        assert_eq!(changes(&before, &before), [""; 0]);
    }
}
