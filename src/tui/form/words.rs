//! What a form says of a file and of what was chosen, in words.

use crate::desk::survey::Facts;
use crate::domain::grouped::{counted, grouped};
use crate::domain::project_draft::ColumnUse;
use crate::domain::task::Assist;
use crate::domain::task_kind::TaskKind;

/// What may be typed as a target.
pub(super) const TARGETS: &str = "kappa 0.75, recall 0.9 of 'spam', at most 400 answers";

/// How a file was read, in one line.
pub(super) fn checked(facts: &Facts) -> String {
    let count = |n: u64, one: &str, more: &str| format!("{} {}", grouped(n), if n == 1 { one } else { more });
    let rows = |n: u64| count(n, "row", "rows");
    let mut says = match facts.repeated.filter(|n| *n > 0) {
        None => count(facts.rows, "text", "texts"),
        Some(repeated) => {
            let different = count(facts.rows - repeated, "different text", "different texts");
            format!("{different} in {}", rows(facts.rows))
        }
    };
    if facts.empty > 0 {
        says += &format!(", {} without a text", rows(facts.empty));
    }
    if facts.bad > 0 {
        says += &format!(", {} in error", rows(facts.bad));
    } else {
        says += ", every row can be read";
    }
    says
}

/// How many rows of a file cannot be read, and why the first cannot.
pub(super) fn bad_rows(facts: &Facts) -> Option<String> {
    let first = facts.first_bad.as_deref().unwrap_or_default();
    (facts.bad > 0).then(|| format!("{} cannot be read; {first}", counted(facts.bad as usize, "row", "rows")))
}

pub(super) fn kind_in_words(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::One => "one label of several",
        TaskKind::Several => "any number of labels, or none of them",
        TaskKind::Scale => "a level of a scale: the labels in order, the lowest first",
    }
}

pub(super) fn assist_in_words(assist: Assist) -> &'static str {
    match assist {
        Assist::After => "seen after the answer",
        Assist::Before => "seen before the answer, of cases that teach it",
    }
}

/// What a column is for, as the table says it.
pub(in crate::tui) fn use_in_words(is: ColumnUse) -> &'static str {
    match is {
        ColumnUse::Text => "the text",
        ColumnUse::Beside => "shown next to the text",
        ColumnUse::Out => "left out",
        ColumnUse::Id => "your id of the text",
        ColumnUse::Labels => "known labels: they test the model",
        ColumnUse::Earlier => "earlier labels: they teach the model",
    }
}
