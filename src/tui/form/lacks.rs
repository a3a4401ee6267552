//! What a form still lacks before it can be confirmed.

use super::cells::{Page, Sheet};
use crate::domain::project_draft::ColumnUse;
use crate::domain::task_draft::Lacking;

impl Sheet {
    /// What is missing before the project can be made: where, and what to do.
    pub fn lacks(&self) -> Vec<(Page, String)> {
        let mut lacks = if self.standing.is_some() { Vec::new() } else { self.lacks_of_file() };
        for (at, says) in self.draft.task.lacks() {
            let page = if at == Lacking::Question { Page::Task } else { Page::Labels };
            lacks.push((page, says));
        }
        if self.standing.is_some() && lacks.is_empty() && self.changes().is_empty() {
            lacks.push((Page::Task, "Nothing is changed yet.".into()));
        }
        lacks
    }

    fn lacks_of_file(&self) -> Vec<(Page, String)> {
        let mut lacks = Vec::new();
        if self.draft.expert.trim().is_empty() {
            lacks.push((Page::File, "Type your name.".into()));
        }
        lacks.extend(self.place.iter().map(|why| (Page::File, why.clone())));
        match (&self.unreadable, &self.facts) {
            (Some(why), _) => lacks.push((Page::File, why.clone())),
            (None, None) => lacks.push((Page::File, "The file is still being read.".into())),
            (None, Some(_)) if self.reading => {
                lacks.push((Page::File, "The file is still being read.".into()));
            }
            (None, Some(facts)) if facts.bad > 0 && !self.draft.sets_bad_rows_aside => {
                let says = self.bad_rows().unwrap_or_default();
                lacks.push((
                    Page::File,
                    format!("{says}. Set such rows aside, or read the file differently."),
                ));
            }
            (None, Some(facts)) if facts.rows == 0 => lacks.push((Page::File, "No row has a text.".into())),
            (None, Some(_)) => {}
        }
        if self.unreadable.is_none() && self.draft.named(ColumnUse::Text).is_empty() {
            lacks.push((Page::Columns, "Say which column holds the texts.".into()));
        }
        if !self.draft.named(ColumnUse::Earlier).is_empty() && self.draft.labelled_by.is_empty() {
            let says =
                "Say whose labels the earlier ones are, below the columns: a person's, a team's, a crowd's.";
            lacks.push((Page::Columns, says.into()));
        }
        lacks
    }
}
