//! Answers as a task understands them: what a person says, the names and the places of its labels, and back.

use super::answer::{Answer, SaidLabels};
use super::fault::{Fault, Result};
use super::label_set::{LabelSet, NONE};
use super::task::Task;

impl Task {
    /// The places of labels that are named; of those that the task does not have, none.
    pub fn places_of(&self, names: &[String]) -> LabelSet {
        names.iter().filter_map(|name| self.labels.iter().position(|label| label.name == *name)).collect()
    }

    /// The names of the labels at these places.
    pub fn names_at(&self, set: &LabelSet) -> Vec<String> {
        set.places().filter_map(|at| self.labels.get(at)).map(|label| label.name.clone()).collect()
    }

    /// The labels of an answer by their places; none where one of them is no label of this task any more.
    pub fn set_of(&self, answer: &Answer) -> Option<LabelSet> {
        answer.labels().iter().map(|key| self.index_of_id(key)).collect()
    }

    /// The answer that gives the labels at these places.
    pub fn answer_of(&self, set: &LabelSet) -> Answer {
        Answer::of(set.places().filter_map(|at| self.labels.get(at)).map(|label| label.id.as_str()))
    }

    /// The answer that a person means.
    ///
    /// # Errors
    /// A usage fault where one of the labels is not of the task, or where the task asks for exactly one.
    pub fn find_answer(&self, said: &SaidLabels) -> Result<Answer> {
        if self.kind.gives_one() && said.0.len() != 1 {
            let given = match said.0.len() {
                0 => "give none of the labels".to_owned(),
                n => format!("give {n} labels"),
            };
            return Err(Fault::usage(given, "this project asks for exactly one label for each text")
                .hint("Where none is right, skip the text"));
        }
        let found = said.0.iter().map(|label| Ok(self.find_label(label)?.id.as_str()));
        Ok(Answer::of(found.collect::<Result<Vec<_>>>()?))
    }

    /// The answer that a known label of a file gives, as the file's row keeps it: a name, or a JSON list of names where a text may have several. None where
    /// something in it is no label of the task.
    pub fn answer_of_gold(&self, gold: &str) -> Option<Answer> {
        let id =
            |name: &str| self.labels.iter().find(|label| label.name == name).map(|label| label.id.clone());
        match self.kind.is_several().then(|| serde_json::from_str::<Vec<String>>(gold)) {
            Some(Ok(names)) => names.iter().map(|name| id(name)).collect::<Option<Vec<_>>>().map(Answer::of),
            _ => id(gold).map(Answer::one),
        }
    }

    /// What an answer says, as a person reads it.
    pub fn in_words(&self, answer: &Answer) -> String {
        if answer.is_none() { NONE.to_owned() } else { self.names_of(answer).join(", ") }
    }

    /// The names of an answer's labels in the order of the task; a label that it no longer has stands last, by its stable key.
    pub fn names_of(&self, answer: &Answer) -> Vec<String> {
        let known = self.labels.iter().filter(|label| answer.has(&label.id)).map(|label| label.name.clone());
        let gone = answer.labels().iter().filter(|key| self.index_of_id(key).is_none()).cloned();
        known.chain(gone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(kind: &str) -> Task {
        let toml = format!(
            "question='?'\nkind='{kind}'\n[[label]]\nname='refund'\nid='r'\nkey='1'\n[[label]]\nname='billing'\nid='b'\n"
        );
        Task::from_toml(&toml, "t").unwrap()
    }

    fn said(labels: &[&str]) -> SaidLabels {
        SaidLabels(labels.iter().map(|&label| label.to_owned()).collect())
    }

    #[test]
    fn one_label_is_one_and_several_are_any_number() {
        let (one, several) = (task("one"), task("several"));
        assert_eq!(one.find_answer(&said(&["1"])).unwrap(), Answer::one("r"));
        for wrong in [&[][..], &["refund", "billing"]] {
            let why = one.find_answer(&said(wrong)).unwrap_err().to_string();
            assert!(why.contains("exactly one label"), "{why}");
        }
        assert_eq!(several.find_answer(&said(&["billing", "1", "refund"])).unwrap(), Answer::of(["b", "r"]));
        assert_eq!(several.find_answer(&said(&[])).unwrap(), Answer::none());
        assert!(several.find_answer(&said(&["billing", "spam"])).is_err());
    }

    #[test]
    fn names_and_places_have_the_order_of_the_task_and_a_label_that_is_gone_stands_last() {
        let task = task("several");
        let answer = Answer::of(["a", "b", "r"]);
        assert_eq!(task.names_of(&answer), ["refund", "billing", "a"]);
        assert_eq!((task.set_of(&answer), task.in_words(&Answer::none())), (None, NONE.to_owned()));
        let both = Answer::of(["b", "r"]);
        let places = task.set_of(&both).unwrap();
        assert_eq!((task.answer_of(&places), task.names_at(&places)), (both.clone(), task.names_of(&both)));
        assert_eq!(task.places_of(&["billing".into(), "spam".into()]).single(), Some(1));
    }

    #[test]
    fn a_known_label_of_a_file_is_a_list_where_a_text_may_have_several() {
        let (one, several) = (task("one"), task("several"));
        assert_eq!(one.answer_of_gold("billing"), Some(Answer::one("b")));
        assert_eq!(several.answer_of_gold(r#"["billing","refund"]"#), Some(Answer::of(["b", "r"])));
        assert_eq!(several.answer_of_gold("[]"), Some(Answer::none()));
        assert_eq!((several.answer_of_gold("spam"), one.answer_of_gold("[]")), (None, None));
    }
}
