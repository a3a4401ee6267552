//! What stands in a cell that is chosen, in words.

use crate::domain::project_draft::ColumnUse;
use crate::domain::task::Assist;
use crate::domain::task_kind::TaskKind;

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
