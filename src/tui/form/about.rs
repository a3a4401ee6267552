//! What there is to know of a row or a cell of a form, in words below the table.

use super::cells::{Field, LABEL_COLUMNS, MOST_LABELS, Sheet};
use super::words::TARGETS;
use crate::domain::grouped::{counted, grouped};
use crate::domain::task_draft::in_a_hundred;

/// A share from which on the model's first guess is nearly always this label.
const NEARLY_ALL: f64 = 0.9;

impl Sheet {
    /// What is known of a row, in a line below the table.
    pub fn about(&self, field: Field) -> String {
        match field {
            Field::Column(at) => match self.values(at) {
                Some(values) if values.len() > 1 && self.is_another_in_every_row(values) => {
                    let listed: Vec<&str> = values.iter().take(8).map(|(value, _)| value.as_str()).collect();
                    let more = if values.len() > 8 { " …" } else { "" };
                    format!("another value in every row: {}{more}", listed.join(" · "))
                }
                Some(values) => {
                    let listed: Vec<String> =
                        values.iter().take(8).map(|(value, n)| format!("{value} {}", grouped(*n))).collect();
                    let more = if values.len() > 8 { " …" } else { "" };
                    format!("{}: {}{more}", counted(values.len(), "value", "values"), listed.join(" · "))
                }
                None if self.facts.is_some() => format!("more than {MOST_LABELS} different values, or long ones"),
                None => String::new(),
            },
            Field::LabelledBy => {
                "A person, a team, a crowd. Their labels teach at first, and count in no figure.".into()
            }
            Field::Name => "Names the task in exports and reports.".into(),
            Field::Guideline => "Shown with the key g while you label.".into(),
            Field::Question => "Shown above every text, for example: Is this message spam?".into(),
            Field::AskedAbout => self.lacks_part().unwrap_or_else(|| {
                "Of a conversation: who speaks, or 'last'; of several columns: a column. Empty: all of the text.".into()
            }),
            Field::Kind => "Of a scale the distance of two answers counts, such as severity 1 to 5. It cannot be changed once something was answered.".into(),
            Field::Assist => "Cases that test the model never show its guess before the answer.".into(),
            Field::Target => format!("For example: {TARGETS}. Progress says when all of it is met. Empty: you decide when to stop."),
            Field::Shown(_) => "Enter shows it to everybody who labels, or hides it.".into(),
            Field::Project => self.place.clone().unwrap_or_default(),
            Field::Expert => "Recorded with your labels. You lead the project, because you make it.".into(),
            Field::BadRows => self.bad_rows().unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// What a cell of the table of labels is for. The last one also says what a high share does.
    pub fn about_label(&self, column: usize) -> String {
        match LABEL_COLUMNS.get(column) {
            Some(&"Label") => "The answer, as it is shown and exported.".into(),
            Some(&"Key") if self.draft.task.kind.is_scale() => {
                "The key that gives this level: its own digit, or its place on the scale.".into()
            }
            Some(&"Key") => "The key that gives this answer. It can stay empty: enter finds a label by its name.".into(),
            Some(&"Meaning") => "One sentence. It is shown with the key g, and helps the model's first guess.".into(),
            Some(&"Examples") => "Texts that have this label. They help the model's first guess.".into(),
            _ => self.one_label_at_first().unwrap_or_else(|| {
                "Of 100 texts, about how many have this label? The model's first guesses keep to it, and look surer than they are until it has learned from your answers. Leave it empty if you do not know.".into()
            }),
        }
    }

    /// What the share of one label does if it leaves hardly anything for the others.
    pub fn one_label_at_first(&self) -> Option<String> {
        let label = self
            .draft
            .task
            .labels
            .iter()
            .find(|label| label.share.is_some_and(|share| share >= NEARLY_ALL))?;
        Some(format!(
            "With {} of 100 for '{1}', the model guesses '{1}' for nearly every text until you have answered some.",
            in_a_hundred(label.share?),
            label.name
        ))
    }

    /// That none of the first texts has the part that is asked about: a name is easily mistyped, and nothing else would tell.
    pub fn lacks_part(&self) -> Option<String> {
        let part = self.draft.task.asked_about.as_ref()?;
        let rows = &self.beginning.as_ref().filter(|beginning| !beginning.rows.is_empty())?.rows;
        let heading = format!("{}:", part.to_lowercase());
        let is_in = |text: &str| text.lines().any(|line| line.to_lowercase().starts_with(&heading));
        let is_last = part.eq_ignore_ascii_case("last");
        let is_known = rows.iter().any(|row| row.has_turns && (is_last || is_in(&row.text)));
        (!is_known).then(|| {
            format!("None of the first texts has a part called '{part}'. Where a text has none, all of it is asked about.")
        })
    }

    /// Whether every row has a value of its own in the column with these values, as ids are.
    fn is_another_in_every_row(&self, values: &[(String, u64)]) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.rows == values.len() as u64)
    }
}
