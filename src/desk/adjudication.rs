//! Disagreements: which there are, what everybody said of one, the lead's decision with its reason, and sending cases round again after the
//! guideline was changed.
//!
//! Keeps to who may see what: an expert sees others' answers once nobody is to answer for the item any more, the lead at any time. A lead
//! who looks before answering has seen them, so that is recorded as a reveal: an answer after it is no blind one.

use std::collections::BTreeSet;

use serde::Serialize;

use super::session::Session;
use super::shown::Reveal;
use crate::domain::event::{Action, NewEvent};
use crate::domain::expert::Role;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::task::Task;
use crate::insight::disputes::{Dispute, Names, disputes};
use crate::store::log::events::Reveals;
use crate::store::pool::items::ShownItem;
use crate::store::rounds::reannotation::Reannotation;

/// No reason is longer.
const LONGEST: usize = 10_000;

/// All that was said of an item.
#[derive(Clone, Debug, Serialize)]
pub struct DisagreementDetail {
    /// The item.
    pub item: ItemId,
    /// Its case.
    pub case: Option<CaseId>,
    /// The number of the case's round.
    pub round: Option<i64>,
    /// The text exactly as imported.
    pub text: String,
    /// The answers, in the order in which they were given.
    pub answers: Vec<Answer>,
    /// The decision that stands.
    pub decision: Option<Decided>,
    /// The model's view and why the case was chosen, where it is a case.
    pub model: Option<Reveal>,
    /// The revision of the task that stands.
    pub revision: i64,
    /// Cases of it that were sent round again and wait for an answer.
    pub waiting: usize,
}

/// An answer with what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The expert's name.
    pub expert: String,
    /// The label's name; none for a skip.
    pub label: Option<String>,
    /// The label first given blind, where this one is another.
    pub first: Option<String>,
    /// The expert's note.
    pub note: Option<String>,
    /// How sure the expert was, 1 to 3.
    pub confidence: Option<u8>,
    /// The revision of the task under which it was given.
    pub revision: i64,
    /// Whether it counts no more, because the item was answered again under a newer revision.
    pub overtaken: bool,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The item.
    pub item: ItemId,
    /// The label's name.
    pub label: String,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// Whether it counts no more, because the item was answered again under a newer revision.
    pub overtaken: bool,
}

impl std::fmt::Display for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "decided: item {} is {}", self.item, self.label)
    }
}

/// Which cases are sent round again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one.
    Item(ItemId),
    /// Those on which experts differ and that nobody has decided.
    Undecided,
    /// All that were labelled under an older revision.
    All,
}

impl Session {
    /// Whether this expert leads.
    pub fn leads(&self) -> Result<bool> {
        Ok(self.store.role(self.expert)? == Role::Lead)
    }

    /// The items on which experts differ, as far as this one may know of them.
    pub fn disputes(&self) -> Result<Vec<Dispute>> {
        disputes(&self.store, self.task(), self.expert)
    }

    /// All that was said of an item. Where this expert could still have answered it blind, it is recorded that this is over.
    ///
    /// # Errors
    /// No such item, or one that this expert may not look into yet.
    pub fn disagreement_detail(&mut self, item: ItemId) -> Result<DisagreementDetail> {
        let attempted = || format!("show what was said of item {item}");
        let shown = self.must_exist(item, &attempted())?;
        if !self.leads()? && !self.store.is_closed(self.expert, item)? {
            return Err(Fault::new(attempted(), "others are still to answer it, or you are")
                .hint("It can be seen once its answers are complete; a lead sees it at any time"));
        }
        let case = self.store.case_of_item(item)?;
        if let Some(case) = &case {
            self.store.reveal(self.expert, case)?;
        }
        // One that came back to this expert and waits says by itself whether it is blind.
        if let Some(again) = self
            .store
            .repeat_under_way(self.expert, item)?
            .map(|id| self.store.case(id))
            .transpose()?
            .flatten()
        {
            self.store.reveal(self.expert, &again)?;
        }
        let names = Names::read(&self.store, self.task())?;
        let answer = |a: crate::store::rounds::disputes::Given| Answer {
            expert: names.expert(a.expert),
            first: a.first.filter(|first| a.label.as_ref() != Some(first)).map(|key| names.label(&key)),
            label: a.label.map(|key| names.label(&key)),
            note: a.note,
            confidence: a.confidence,
            revision: a.revision,
            overtaken: a.overtaken,
        };
        let decision = self.store.decisions(Some(item))?.pop().map(|d| Decided {
            item,
            label: names.label(&d.label),
            by: names.expert(d.by),
            reason: d.reason,
            at_ms: d.at_ms,
            overtaken: d.overtaken,
        });
        Ok(DisagreementDetail {
            item,
            round: case.as_ref().map(|c| c.round_number),
            text: shown.text,
            answers: self.store.answers_on(item)?.into_iter().map(answer).collect(),
            decision,
            model: case.as_ref().map(|case| self.view_of_model(case)).transpose()?,
            case: case.map(|c| c.id),
            revision: self.revision.number,
            waiting: self.store.reannotations_waiting(item)?,
        })
    }

    /// Decides which label an item has, and why. When this returns, it is on disk; it overrules every answer in training.
    ///
    /// # Errors
    /// This expert does not lead, there is no such label or item, nobody has answered for the item, or no reason is given.
    pub fn decide(&mut self, item: ItemId, label: &str, reason: &str) -> Result<Decided> {
        let attempted = || format!("decide on item {item}");
        self.must_lead(attempted())?;
        let label = self.task().find_label(label)?.clone();
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Fault::usage(attempted(), "no reason is given")
                .hint("Say in a sentence why: it is what the others learn from"));
        }
        if reason.len() > LONGEST {
            return Err(Fault::usage(attempted(), format!("the reason is longer than {LONGEST} bytes")));
        }
        self.must_exist(item, &attempted())?;
        if self.store.answers_on(item)?.is_empty() {
            return Err(Fault::usage(attempted(), "nobody has answered for it yet")
                .hint("`hardcase adjudicate FILE --list` lists the items on which experts differ"));
        }
        let before = self.store.decisions(Some(item))?.pop();
        let case = self.store.case_of_item(item)?;
        let event = NewEvent {
            answer: Some(crate::domain::answer::Answer::one(label.id)),
            note: Some(reason.to_owned()),
            target: before.map(|decision| decision.event),
            ..self.new_event(item, case.map(|case| case.id), Action::Adjudicate)?
        };
        let saved = self.store.append(self.session, event, Reveals::No)?;
        let names = Names::read(&self.store, self.task())?;
        Ok(Decided {
            item,
            label: label.name,
            by: names.expert(self.expert),
            reason: Some(reason.to_owned()),
            at_ms: saved.at_ms,
            overtaken: false,
        })
    }

    /// Takes back the decision that stands on an item; what it replaced stands again. Returns the label's name; none where none stands.
    ///
    /// # Errors
    /// This expert does not lead.
    pub fn take_back_decision(&mut self, item: ItemId) -> Result<Option<String>> {
        self.must_lead(format!("take back the decision on item {item}"))?;
        let Some(decision) = self.store.decisions(Some(item))?.pop() else { return Ok(None) };
        let case = self.store.case_of_item(item)?;
        let event = NewEvent {
            target: Some(decision.event),
            ..self.new_event(item, case.map(|case| case.id), Action::Retract)?
        };
        self.store.append(self.session, event, Reveals::No)?;
        Ok(Some(self.name_of(&decision.label)))
    }

    /// Sets a revision of the task that differs in the guideline. Returns its number.
    ///
    /// # Errors
    /// This expert does not lead.
    pub fn revise_guideline(&mut self, guideline: &str) -> Result<i64> {
        self.must_lead("change the guideline".into())?;
        let current = self.store.task()?.task;
        let task = Task { guideline: guideline.trim_end().to_owned(), ..current };
        self.revision = self.store.set_task(&task, self.session)?;
        Ok(self.revision.number)
    }

    /// Takes up a revision of the task that was set since. True where there was one.
    pub fn take_up_revision(&mut self) -> Result<bool> {
        let newest = self.store.task()?;
        let other = newest.id != self.revision.id;
        if other {
            self.revision = newest;
        }
        Ok(other)
    }

    /// Sends cases that were labelled under an older revision round again: to each expert who did so, blind, in the open round.
    ///
    /// # Errors
    /// This expert does not lead, no round is open, or there is nothing to send.
    pub fn send_round(&mut self, which: Which) -> Result<Reannotation> {
        let attempted = "send cases round again";
        self.must_lead(attempted.into())?;
        if let Which::Item(item) = which {
            self.must_exist(item, attempted)?;
        }
        let revision = self.store.task()?;
        let older = self.store.items_of_older_revisions(revision.id)?;
        let items: Vec<ItemId> = match which {
            Which::All => older,
            Which::Item(item) => older.into_iter().filter(|i| *i == item).collect(),
            Which::Undecided => {
                let disputes = self.disputes()?;
                let open: BTreeSet<ItemId> =
                    disputes.into_iter().filter(|d| d.decided.is_none()).map(|d| d.item).collect();
                older.into_iter().filter(|item| open.contains(item)).collect()
            }
        };
        if items.is_empty() {
            return Err(Fault::new(
                attempted,
                format!("none of them was labelled under an older revision than {}", revision.number),
            )
            .hint("Change how to decide first, on the screen or with `hardcase task FILE --set TASK.toml`"));
        }
        let sent = self.store.send_for_reannotation(&items, revision.id)?.ok_or_else(|| {
            Fault::new(attempted, "no round is open").hint("Open one with `hardcase mine FILE`")
        })?;
        match sent.cases {
            0 => Err(self.not_sent(attempted, &items)?),
            _ => Ok(sent),
        }
    }

    /// Why nothing of `items` was sent round again: all that are cases were before, and what nobody was ever shown as a case cannot be.
    fn not_sent(&self, attempted: &str, items: &[ItemId]) -> Result<Fault> {
        for item in items {
            if self.store.reannotations_waiting(*item)? > 0 {
                return Ok(Fault::new(attempted, "they are with their experts already"));
            }
        }
        let which = if items.len() == 1 { "it is" } else { "they are" };
        Ok(Fault::new(attempted, format!("{which} nobody's case: only cases of a round go round again")).hint(
            "Whoever labelled it looks at it again among the texts of the workstation, or with `hardcase answer FILE --item N --label L`",
        ))
    }

    /// The item's text.
    fn must_exist(&self, item: ItemId, attempted: &str) -> Result<ShownItem> {
        self.store.item(item)?.ok_or_else(|| {
            Fault::usage(attempted, "the project has no such text")
                .hint("`hardcase adjudicate FILE --list` lists the items on which experts differ")
        })
    }

    fn must_lead(&self, attempted: String) -> Result<()> {
        if self.leads()? {
            return Ok(());
        }
        Err(Fault::new(attempted, "only a lead decides")
            .hint("Whoever enrolled first in the project leads it"))
    }
}
