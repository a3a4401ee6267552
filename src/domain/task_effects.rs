//! What a new version of a task means for the answers given so far, in sentences for the lead who is about to make it.

use std::collections::BTreeMap;

use super::grouped::counted;
use super::task::{Label, Task};
use super::task_change::{in_words, kind_in_words, shown_columns, targets};

/// What differs in `after`, in the order of the screen; empty if nothing does. `answers` counts the answers of each stable key.
pub fn effects(before: &Task, after: &Task, answers: &BTreeMap<String, usize>) -> Vec<String> {
    let all: usize = answers.values().sum();
    let of = |label: &Label| counted(answers.get(&label.id).copied().unwrap_or(0), "answer", "answers");
    let mut says = Vec::new();
    if before.kind != after.kind {
        says.push(kind_in_words(after.kind).into());
    }
    if before.question != after.question {
        says.push(format!(
            "The question is another one. What was answered so far stays: {}.",
            counted(all, "answer", "answers")
        ));
    }
    if before.guideline != after.guideline {
        says.push(
            "How to decide is changed. Answers so far stay; on the screen Agree you can have those cases labelled again."
                .into(),
        );
    }
    if before.asked_about != after.asked_about {
        says.push("Another part of the text is asked about.".into());
    }
    if before.columns != after.columns {
        says.push(shown_columns(after));
    }
    if before.assist != after.assist {
        says.push(in_words(after.assist).into());
    }
    if before.target != after.target {
        says.push(targets(after));
    }
    if before.name != after.name {
        says.push(format!("The task is called '{}'.", after.name));
    }
    let was = |label: &Label| before.labels.iter().find(|old| old.id == label.id);
    for label in &after.labels {
        let Some(old) = was(label) else {
            says.push(format!(
                "'{}' is new. Texts that you have answered already keep their labels; to label some again, search for them.",
                label.name
            ));
            continue;
        };
        if old.name != label.name {
            says.push(format!("'{}' is called '{}' now and keeps its {}.", old.name, label.name, of(old)));
        }
        if old.key != label.key {
            let key = |label: &Label| label.key.map_or("none".to_owned(), String::from);
            says.push(format!("The key of '{}' is {} now, not {}.", label.name, key(label), key(old)));
        }
        let meaning = |label: &Label| (label.description.clone(), label.examples.clone());
        if meaning(old) != meaning(label) {
            says.push(format!("The meaning of '{}' is another one. It keeps its {}.", label.name, of(old)));
        }
        if old.share != label.share {
            says.push(format!("'{}' is expected in another share of the texts.", label.name));
        }
    }
    for old in before.labels.iter().filter(|old| after.labels.iter().all(|label| label.id != old.id)) {
        says.push(format!(
            "'{}' is not offered any more. It keeps its {} in exports, but they teach the model nothing and count in no figure.",
            old.name,
            of(old)
        ));
    }
    let order = |task: &Task, other: &Task| -> Vec<String> {
        let both = task.labels.iter().filter(|label| other.labels.iter().any(|o| o.id == label.id));
        both.map(|label| label.id.clone()).collect()
    };
    if order(before, after) != order(after, before) {
        says.push("The labels stand in another order.".into());
    }
    says
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task_draft::TaskDraft;

    fn task() -> TaskDraft {
        let mut draft = TaskDraft { question: "Spam?".into(), ..TaskDraft::default() };
        for name in ["spam", "ham", "odd"] {
            draft.insert_label(draft.labels.len(), name);
        }
        TaskDraft::of(&draft.to_task().unwrap())
    }

    #[test]
    fn every_change_is_said_with_the_answers_it_concerns() {
        let before = task().to_task().unwrap();
        let answers = BTreeMap::from([("spam".to_owned(), 12), ("odd".to_owned(), 1)]);
        let after = |change: fn(&mut TaskDraft)| {
            let mut draft = task();
            change(&mut draft);
            effects(&before, &draft.to_task().unwrap(), &answers)
        };
        assert_eq!(after(|_| {}), Vec::<String>::new());
        assert_eq!(
            after(|d| d.labels[0].name = "junk".into()),
            ["'spam' is called 'junk' now and keeps its 12 answers."]
        );
        assert!(
            after(|d| drop(d.labels.remove(2)))[0].contains("not offered any more. It keeps its 1 answer in")
        );
        assert!(after(|d| d.insert_label(1, "new"))[0].starts_with("'new' is new."));
        assert_eq!(after(|d| d.labels.swap(0, 2)), ["The labels stand in another order."]);
        assert_eq!(after(|d| d.labels[1].key = Some('h')), ["The key of 'ham' is h now, not 2."]);
        assert!(after(|d| d.question = "Really?".into())[0].contains("stays: 13 answers."));
        assert_eq!(after(|d| d.guideline = "Look.".into()).len(), 1);
        assert_eq!(after(|d| d.labels[0].meaning = "sells".into()).len(), 1);
        assert_eq!(after(|d| d.labels[0].share = Some(0.1)).len(), 1);
        let columns = after(|d| d.columns = Some(vec!["who".into(), "when".into()]));
        assert_eq!(columns, ["Shown next to the text are now: who, when."]);
        assert_eq!(
            after(|d| d.columns = Some(Vec::new())),
            ["No other column is shown next to the text any more."]
        );
        assert_eq!(after(|d| d.assist = super::super::task::Assist::Before).len(), 1);
    }
}
