//! Labels for texts that were found by searching. A text that waits for this expert is answered as its case; any other outside every case, whatever
//! its split, so that nothing tells the split.

use super::session::{About, Remarks, Session};
use super::shown::{Reveal, Saved};
use crate::domain::answer::SaidLabels;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ItemId};
use crate::store::log::events::Reveals;
use crate::store::rounds::leases::LEASE_MS;

/// A text that was found and labelled.
#[derive(Clone, Debug)]
pub struct LabelledFound {
    pub saved: Saved,
    /// The case that it was answered as.
    pub case: Option<CaseId>,
    /// What was hidden of that case.
    pub reveal: Option<Reveal>,
}

impl Session {
    /// Labels a text that was found. When this returns, the label is on disk.
    ///
    /// # Errors
    /// It is a case that others are to answer, or one of [`Session::answer`].
    pub fn label_found(&mut self, item: ItemId, labels: impl Into<SaidLabels>) -> Result<LabelledFound> {
        let labels = labels.into();
        self.task().find_answer(&labels)?;
        if let Some(case) = self.store.case_of_item(item)? {
            if self.store.lease_by_number(case.id, self.expert, self.session, LEASE_MS)? {
                let (saved, reveal) = self.answer_and_reveal(case.id, labels, Remarks::default())?;
                return Ok(LabelledFound { saved, case: Some(case.id), reveal });
            }
            if self.store.is_open_round(case.round)? {
                return Err(Fault::usage(
                    format!("label item {item}"),
                    format!("it is case {}, which others answer", case.id),
                )
                .hint("Search for another text; this one needs no answer of yours"));
            }
        }
        let saved = self.record(About::Found(item), &labels, Remarks::default(), Reveals::No)?;
        Ok(LabelledFound { saved, case: None, reveal: None })
    }
}
