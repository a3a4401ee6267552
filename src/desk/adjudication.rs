//! Disagreements: lists them, shows everybody's answers, records a lead's decision with its reason, and sends cases out for re-annotation after
//! the guideline was changed.
//!
//! Enforces who may see what: a lead sees answers at any time, other experts only after the case is closed. Looking at others' answers before
//! answering is recorded as a reveal, so a later answer is not blind.

use std::collections::BTreeSet;

use serde::Serialize;

use super::session::Session;
use super::shown::Reveal;
use crate::domain::answer::SaidLabels;
use crate::domain::event::{Action, NewEvent};
use crate::domain::expert::Role;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::task::Task;
use crate::insight::disputes::{Dispute, Names, disputes};
use crate::insight::viewer::Viewer;
use crate::store::log::events::Reveals;
use crate::store::pool::items::ShownItem;
use crate::store::rounds::reannotation::Reannotation;

/// Longest reason, in bytes.
const LONGEST: usize = 10_000;

/// Everything known about an item.
#[derive(Clone, Debug, Serialize)]
pub struct DisagreementDetail {
    pub item: ItemId,
    /// The file's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub case: Option<CaseId>,
    /// The number of the case's round.
    pub round: Option<i64>,
    /// The text exactly as imported.
    pub text: String,
    /// In the order in which they were given.
    pub answers: Vec<Answer>,
    /// The current decision.
    pub decision: Option<Decided>,
    /// The model's view and why the case was chosen, if it is a case.
    pub model: Option<Reveal>,
    /// The current revision of the task.
    pub revision: i64,
    /// Cases of it that were sent out for re-annotation and are not answered yet.
    pub waiting: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// By name.
    pub expert: String,
    /// By name; `None` for a skip.
    pub label: Option<String>,
    /// By name, where a text may have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// The first blind label, if it is another one.
    pub first: Option<String>,
    pub note: Option<String>,
    /// How sure the expert was, 1 to 3.
    pub confidence: Option<u8>,
    /// The revision of the task under which it was given.
    pub revision: i64,
    /// Whether it is superseded, because the item was answered again under a newer revision.
    pub overtaken: bool,
}

impl DisagreementDetail {
    /// The answers that count, where a text may have several labels: who gave which.
    fn counting(&self) -> impl Iterator<Item = (&str, &[String])> {
        let counts = self.answers.iter().filter(|answer| !answer.overtaken);
        counts.filter_map(|answer| Some((answer.expert.as_str(), answer.labels.as_deref()?)))
    }

    /// Where a text may have several labels: each that somebody gave, in the order of the task, who gave it, and who did not.
    pub fn label_by_label(&self, task: &Task) -> Vec<(String, Vec<&str>, Vec<&str>)> {
        let names = task.labels.iter().map(|label| &label.name);
        let of = |name: &String| {
            let experts = |gave: bool| {
                let of = self.counting().filter(|(_, labels)| labels.contains(name) == gave);
                of.map(|(expert, _)| expert).collect()
            };
            (name.clone(), experts(true), experts(false))
        };
        names.map(of).filter(|(_, by, _): &(_, Vec<_>, _)| !by.is_empty()).collect()
    }

    /// The labels that everybody gave.
    pub fn shared_labels(&self) -> Vec<String> {
        let mut answers = self.counting().map(|(_, labels)| labels);
        let first = answers.next().unwrap_or_default().to_vec();
        answers.fold(first, |mut shared, labels| {
            shared.retain(|label| labels.contains(label));
            shared
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    pub item: ItemId,
    /// By name.
    pub label: String,
    /// By name, where a text may have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Who decided.
    pub by: String,
    pub reason: Option<String>,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// Whether it is superseded, because the item was answered again under a newer revision.
    pub overtaken: bool,
}

impl std::fmt::Display for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decided: item {} is {}.", self.item, self.label)
    }
}

/// Which cases are sent out for re-annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Item(ItemId),
    /// Undecided disagreements.
    Undecided,
    /// All that were labelled under an older revision.
    All,
}

impl Session {
    /// Whether this expert is a lead.
    pub fn leads(&self) -> Result<bool> {
        Ok(self.store.role(self.expert)? == Role::Lead)
    }

    /// The disagreements that this expert may know of.
    pub fn disputes(&self) -> Result<Vec<Dispute>> {
        disputes(&self.store, self.task(), &Viewer::of(&self.store, Some(self.expert))?)
    }

    /// Everything known about an item. Records a reveal, so that an answer of this expert after it is not blind.
    ///
    /// # Errors
    /// No such item, or one that this expert may not see yet.
    pub fn disagreement_detail(&mut self, item: ItemId) -> Result<DisagreementDetail> {
        let attempted = || format!("show the answers to item {item}");
        let shown = self.must_exist(item, &attempted())?;
        if !self.leads()? && !self.store.is_closed(self.expert, item)? {
            return Err(Fault::new(attempted(), "it still needs an answer from you or from others")
                .hint("You can see it once its case is closed; only a lead sees it earlier"));
        }
        let case = self.store.case_of_item(item)?;
        if let Some(case) = &case {
            self.store.reveal(self.expert, case)?;
        }
        // An open repeat for this expert has its own record of whether it is blind.
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
            first: a.first.filter(|first| a.answer.as_ref() != Some(first)).map(|first| names.answer(&first)),
            labels: a.answer.as_ref().and_then(|answer| names.labels(answer)),
            label: a.answer.map(|answer| names.answer(&answer)),
            note: a.note,
            confidence: a.confidence,
            revision: a.revision,
            overtaken: a.overtaken,
        };
        let decision = self.store.decisions(Some(item))?.pop().map(|d| Decided {
            item,
            label: names.answer(&d.answer),
            labels: names.labels(&d.answer),
            by: names.expert(d.by),
            reason: d.reason,
            at_ms: d.at_ms,
            overtaken: d.overtaken,
        });
        Ok(DisagreementDetail {
            item,
            id: self.store.own_id(item)?,
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

    /// Decides which label or labels an item has, and why. When this returns, it is on disk. The decision overrides all answers in training.
    ///
    /// # Errors
    /// This expert is not a lead, there is no such label or item, nobody has answered the item, or no reason is given.
    pub fn decide(&mut self, item: ItemId, labels: impl Into<SaidLabels>, reason: &str) -> Result<Decided> {
        let attempted = || format!("decide on item {item}");
        self.must_lead(attempted())?;
        let answer = self.task().find_answer(&labels.into())?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Fault::usage(attempted(), "no reason is given")
                .hint("Give the reason in one sentence, for the other experts to learn from"));
        }
        if reason.len() > LONGEST {
            return Err(Fault::usage(attempted(), format!("the reason is longer than {LONGEST} bytes"))
                .hint("Shorten it"));
        }
        self.must_exist(item, &attempted())?;
        if self.store.answers_on(item)?.is_empty() {
            return Err(Fault::usage(attempted(), "nobody has answered it yet")
                .hint("`hardcase adjudicate FILE --list` lists the disagreements"));
        }
        let before = self.store.decisions(Some(item))?.pop();
        let case = self.store.case_of_item(item)?;
        let event = NewEvent {
            answer: Some(answer.clone()),
            note: Some(reason.to_owned()),
            target: before.map(|decision| decision.event),
            ..self.new_event(item, case.map(|case| case.id), Action::Adjudicate)?
        };
        let saved = self.log(event, Reveals::No)?;
        let names = Names::read(&self.store, self.task())?;
        Ok(Decided {
            item,
            label: names.answer(&answer),
            labels: names.labels(&answer),
            by: names.expert(self.expert),
            reason: Some(reason.to_owned()),
            at_ms: saved.at_ms,
            overtaken: false,
        })
    }

    /// Undoes the current decision on an item; an earlier one becomes current again. Returns the label's name, or `None` without a decision.
    ///
    /// # Errors
    /// This expert is not a lead.
    pub fn undo_decision(&mut self, item: ItemId) -> Result<Option<String>> {
        self.must_lead(format!("undo the decision on item {item}"))?;
        let Some(decision) = self.store.decisions(Some(item))?.pop() else { return Ok(None) };
        let case = self.store.case_of_item(item)?;
        let event = NewEvent {
            target: Some(decision.event),
            ..self.new_event(item, case.map(|case| case.id), Action::Retract)?
        };
        self.log(event, Reveals::No)?;
        Ok(Some(self.task().in_words(&decision.answer)))
    }

    /// Sets a revision of the task with a new guideline. Returns its number.
    ///
    /// # Errors
    /// This expert is not a lead.
    pub fn revise_guideline(&mut self, guideline: &str) -> Result<i64> {
        self.must_lead("change the guideline".into())?;
        let current = self.store.task()?.task;
        let task = Task { guideline: guideline.trim_end().to_owned(), ..current };
        self.revision = self.store.set_task(&task, self.session)?;
        Ok(self.revision.number)
    }

    /// Switches to the newest revision of the task. Returns whether there was a newer one.
    pub fn take_up_revision(&mut self) -> Result<bool> {
        let newest = self.store.task()?;
        let other = newest.id != self.revision.id;
        if other {
            self.revision = newest;
        }
        Ok(other)
    }

    /// Sends cases that were labelled under an older revision out for re-annotation: to each expert who labelled them, blind, in the open round.
    ///
    /// # Errors
    /// This expert is not a lead, no round is open, or there is nothing to send.
    pub fn reannotate(&mut self, which: Which) -> Result<Reannotation> {
        let attempted = "send cases out for re-annotation";
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
                format!("none was labelled before revision {} of the task", revision.number),
            )
            .hint("Change the guideline first, on the screen Agree or with `hardcase task FILE --set TASK.toml`"));
        }
        let sent = self.store.send_for_reannotation(&items, revision.id)?.ok_or_else(|| {
            Fault::new(attempted, "no round is open").hint("Open one with `hardcase mine FILE`")
        })?;
        match sent.cases {
            0 => Err(self.not_sent(attempted, &items)?),
            _ => Ok(sent),
        }
    }

    /// Why none of `items` was sent out: they are out already, or they were never cases.
    fn not_sent(&self, attempted: &str, items: &[ItemId]) -> Result<Fault> {
        for item in items {
            if self.store.reannotations_waiting(*item)? > 0 {
                return Ok(Fault::new(attempted, "they have been sent already")
                    .hint("Wait for their experts to answer"));
            }
        }
        let which = if items.len() == 1 { "it was never a case" } else { "they were never cases" };
        Ok(Fault::new(attempted, format!("{which} of a round")).hint(
            "Their experts can change such labels in the list of texts, or with `hardcase answer FILE --item N --label L`",
        ))
    }

    fn must_exist(&self, item: ItemId, attempted: &str) -> Result<ShownItem> {
        self.store.item(item)?.ok_or_else(|| {
            Fault::usage(attempted, "the project has no such text")
                .hint("`hardcase adjudicate FILE --list` lists the disagreements")
        })
    }

    fn must_lead(&self, attempted: String) -> Result<()> {
        if self.leads()? {
            return Ok(());
        }
        Err(Fault::new(attempted, "only a lead may do that")
            .hint("`hardcase expert FILE list` shows who is a lead; at first it is the expert who joined the project first"))
    }
}
