//! Writes the task as a commented `TASK.toml` that a person can read and edit.
//!
//! The only writer of tasks: for the project file, `task --show` and the dialogue of `new`. `Task::from_toml` must read back the same task.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fault::{Fault, Result};
use super::target::Targets;
use super::task::{Assist, Label, Task};
use super::task_kind::TaskKind;

const HEAD: &str = "\
# The question about each text, and what the answers mean.
# To make an edited copy the next revision: hardcase task PROJECT --set THIS_FILE

";
const KIND: &str = "\n# One label for each text. With \"several\", any number of them, or none. With \"scale\", the labels are levels, the lowest first, at most 9.\n# Fixed once something was answered.\n";
const GUIDELINE: &str = "\n# How to decide. Put several lines between three quotes: \"\"\"...\"\"\"\n";
const ASSIST: &str = "\n# Experts see the model's view of a case only after they answer. With \"before\", they see it before they answer a training case.\n";
const ASKED_ABOUT: &str = "\n# For conversations and texts of several columns: the part that is asked about, by who speaks, by the column's name, or \"last\".\n";
const COLUMNS: &str = "\n# The columns of the data that are shown next to a text, instead of those that the import named. Known labels never are.\n";
const TARGET: &str = "
# What is to be reached before the project is done; leave out what you do not ask for. Lower ends of intervals decide.
# kappa          agreement of the model with the experts on the hard cases
# of_ceiling     the same as a share of the experts' own agreement
# recall.LABEL   of all texts with this label, the share that the model finds
# precision.LABEL  of all texts that the model gives this label, the share that has it
# answers        the most answers to spend
# experts_kappa  agreement of the experts with each other; below it the guideline comes first
";
const LABELS: &str = "
# The labels, in the order of the screen.
# id           identifies the label in the project: keep it when you rename the label
# name         what the screen shows; a / puts labels in groups, as in card/lost and card/stolen
# key          the key to press; leave the line out to give the label by typing a part of its name
# description  the meaning; the model's first guess is based on it and on the examples
# examples     typical texts
# share        the expected share of all texts, from 0 to 1; leave the line out if it is unknown
";

impl Task {
    /// The task as a commented `TASK.toml`.
    ///
    /// # Errors
    /// Never for a checked task; the signature is that of the writer.
    pub fn to_toml(&self) -> Result<String> {
        // Taken apart, so that a part that is not written does not compile.
        let Self { name, question, kind, guideline, assist, asked_about, columns, target, labels } = self;
        let mut out = HEAD.to_owned();
        line(&mut out, "name", name)?;
        line(&mut out, "question", question)?;
        out.push_str(KIND);
        match kind {
            TaskKind::One => out.push_str("# kind = \"scale\"\n"),
            TaskKind::Several | TaskKind::Scale => line(&mut out, "kind", kind)?,
        }
        out.push_str(GUIDELINE);
        line(&mut out, "guideline", guideline)?;
        out.push_str(ASSIST);
        match assist {
            Assist::After => out.push_str("# assist = \"before\"\n"),
            Assist::Before => line(&mut out, "assist", assist)?,
        }
        out.push_str(ASKED_ABOUT);
        match asked_about {
            None => out.push_str("# asked_about = \"last\"\n"),
            Some(part) => line(&mut out, "asked_about", part)?,
        }
        out.push_str(COLUMNS);
        match columns {
            None => out.push_str("# columns = [\"sender\"]\n"),
            Some(columns) => line(&mut out, "columns", columns)?,
        }
        out.push_str(TARGET);
        if target.is_empty() {
            out.push_str("# [target]\n# kappa = 0.75\n");
        } else {
            table(&mut out, target)?;
        }
        out.push_str(LABELS);
        for label in labels {
            block(&mut out, label)?;
        }
        Ok(out)
    }
}

/// The table `[target]`; an earlier release does not read it, so it is written only where something is asked for.
fn table(out: &mut String, target: &Targets) -> Result<()> {
    let Targets { kappa, of_ceiling, recall, precision, answers, experts_kappa } = target;
    out.push_str("[target]\n");
    for (name, value) in [("kappa", kappa), ("of_ceiling", of_ceiling), ("experts_kappa", experts_kappa)] {
        value.map_or(Ok(()), |value| line(out, name, &value))?;
    }
    answers.map_or(Ok(()), |answers| line(out, "answers", &answers))?;
    for (name, of) in [("recall", recall), ("precision", precision)] {
        for (key, value) in of {
            out.push_str(name);
            out.push('.');
            line(out, key, value)?;
        }
    }
    Ok(())
}

fn block(out: &mut String, label: &Label) -> Result<()> {
    out.push_str("\n[[label]]\n");
    line(out, "id", &label.id)?;
    line(out, "name", &label.name)?;
    if let Some(key) = &label.key {
        line(out, "key", key)?;
    }
    line(out, "description", &label.description)?;
    line(out, "examples", &label.examples)?;
    match &label.share {
        Some(share) => line(out, "share", share),
        None => {
            out.push_str("# share = 0.05\n");
            Ok(())
        }
    }
}

fn line(out: &mut String, name: &str, value: &(impl Serialize + ?Sized)) -> Result<()> {
    let text = toml::to_string_pretty(&BTreeMap::from([(name, value)]))
        .map_err(|e| Fault::new("write the task", e.to_string()))?;
    out.push_str(&text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn label() -> impl Strategy<Value = Label> {
        let text = || prop_oneof![any::<String>(), "[ \"'\\\\\n\r\t#=\\[\\]]{0,12}"];
        let examples = proptest::collection::vec(text(), 0..3);
        let share = proptest::option::of(0.0001f64..0.2);
        ("[^\\p{C}]{1,12}", proptest::option::of(any::<char>()), text(), examples, share).prop_map(
            |(name, key, description, examples, share)| Label {
                id: String::new(),
                name,
                key,
                description,
                examples,
                share,
            },
        )
    }

    proptest! {
        #[test]
        fn every_task_is_read_back_as_it_was_written(
            name in any::<String>(),
            question in any::<String>(),
            guideline in any::<String>(),
            labels in proptest::collection::vec(label(), 2..5),
            before in any::<bool>(),
            scale in any::<bool>(),
            asked_about in proptest::option::of("[a-z]{1,9}"),
            columns in proptest::option::of(proptest::collection::vec(any::<String>(), 0..3)),
            (kappa, recall, answers) in
                proptest::option::of(0.001f64..0.999).prop_flat_map(|k| (Just(k), proptest::option::of(0.001f64..0.999), proptest::option::of(1usize..999))),
        ) {
            // An invalid task, such as one with two labels on one key, is never written.
            let kind = if scale { TaskKind::Scale } else { TaskKind::One };
            let task = Task::of_kind(kind, name, question, guideline, labels);
            prop_assume!(task.is_ok());
            let assist = if before { Assist::Before } else { Assist::After };
            let task = task.unwrap();
            // Whatever signs a label's key has.
            let recall = recall.map(|recall| (task.labels[0].id.clone(), recall)).into_iter().collect();
            let target = Targets { kappa, recall, answers, ..Targets::default() };
            let task = Task { assist, asked_about, columns, target, ..task };
            let text = task.to_toml().unwrap();
            let read = Task::from_toml(&text, "t.toml");
            prop_assert!(read.as_ref().is_ok_and(|read| *read == task), "{read:?}\n{text}");
        }
    }

    #[test]
    fn a_written_task_reads_like_one_that_a_person_wrote() {
        let label = |name: &str, key, share| Label {
            id: String::new(),
            name: name.into(),
            key: Some(key),
            description: "sells".into(),
            examples: vec!["WINNER!! \"Call\" now".into()],
            share,
        };
        let labels = vec![label("spam", '1', Some(0.1)), label("ham", '2', None)];
        let task = Task::new("spam".into(), "Is it?".into(), "One.\nTwo.".into(), labels).unwrap();
        let text = task.to_toml().unwrap();
        for part in [
            "name = \"spam\"\nquestion = \"Is it?\"\n",
            "guideline = \"\"\"\nOne.\nTwo.\"\"\"\n",
            "[[label]]\nid = \"spam\"\nname = \"spam\"\nkey = \"1\"\ndescription = \"sells\"\nexamples = [",
            "share = 0.1\n",
            "# share = 0.05\n",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        assert!(text.lines().filter(|l| l.starts_with('#')).count() > 8, "it is commented");
    }
}
