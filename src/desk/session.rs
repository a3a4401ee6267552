//! One expert at work on one project: the next case, answers, skips, flags, notes.

use std::collections::HashMap;
use std::path::Path;

use uuid::Uuid;

use super::shown::{
    Acknowledged, Card, Lack, NoCase, Over, Reveal, Saved, ShownCase, ShownLabel, ShownPartner,
};
use crate::domain::answer::{Answer, SaidLabels};
use crate::domain::event::{Action, LabelEvent, NewEvent};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ExpertId, ItemId, SessionId};
use crate::domain::split::Split;
use crate::domain::task::{Assist, Task};
use crate::insight::judge::opinion;
use crate::store::log::events::Reveals;
use crate::store::log::tasks::Revision;
use crate::store::rounds::cases::Case;
use crate::store::rounds::leases::LEASE_MS;
use crate::store::{Access, Store};

/// Audit cases drawn before anything is scouted: the least number in a round.
const FIRST_AUDIT: usize = 6;

/// What happens to the leased cases when the session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnClose {
    /// They are released at once.
    ReleaseCases,
    /// They stay leased until the lease expires: the same expert's next process gets them again.
    KeepCases,
}

pub struct Session {
    pub(super) store: Store,
    pub(super) expert: ExpertId,
    pub(super) session: SessionId,
    pub(super) revision: Revision,
    on_close: OnClose,
    /// Why it is over, once its file was taken away.
    pub(super) over: Option<Over>,
    /// With each case that was shown, the last event of this person on it from another session.
    pub(super) shown: HashMap<CaseId, Option<Uuid>>,
    /// The last event of this person from another session that an undo knows of.
    pub(super) last_known: Option<Uuid>,
    /// The names of those who were here before, where this one was new when the session began.
    newcomer_among: Vec<String>,
}

/// The next case, or why there is none.
#[derive(Clone, Debug)]
pub enum Next {
    Case(Box<ShownCase>),
    None(NoCase),
}

/// The subject of an answer, skip, flag or note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An item, in the case in which this expert would answer it.
    Item(ItemId),
    /// The case on the screen.
    Case(CaseId),
    /// An item that was found, outside every case.
    Found(ItemId),
}

impl From<ItemId> for About {
    fn from(item: ItemId) -> Self {
        Self::Item(item)
    }
}

impl From<CaseId> for About {
    fn from(case: CaseId) -> Self {
        Self::Case(case)
    }
}

/// What an expert adds to an answer.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    pub note: Option<String>,
    /// How sure the expert is, 1 to 3.
    pub confidence: Option<u8>,
    /// Milliseconds that the case was on the screen; by default since it was leased.
    pub duration_ms: Option<i64>,
}

/// The names under which this login has labelled in the project, the last first.
///
/// # Errors
/// Those of [`Session::open`], so that nobody is asked for a name before it fails.
pub fn usual_names(project: &Path) -> Result<Vec<String>> {
    Store::open(project, Access::Session)?.experts_of_login()
}

impl Session {
    /// Begins a session. A new name is added to the experts.
    ///
    /// # Errors
    /// The project cannot be opened or written, or has no task.
    pub fn open(project: &Path, expert: &str, on_close: OnClose) -> Result<Self> {
        let mut store = Store::open(project, Access::Session)?;
        let revision = store.task()?;
        let is_new = store.find_expert(expert)?.is_none();
        let newcomer_among =
            if is_new { store.experts()?.into_iter().map(|(_, name)| name).collect() } else { Vec::new() };
        let (expert, session) = store.begin_session(expert)?;
        let last_known = store.last_event_of(expert)?;
        let shown = HashMap::new();
        Ok(Self { store, expert, session, revision, on_close, over: None, shown, last_known, newcomer_among })
    }

    /// What to say once to a person who was added just now, where there are others: the name may be a slip.
    pub fn welcome(&self, name: &str) -> Option<String> {
        let others = self.newcomer_among.join(", ");
        (!others.is_empty()).then(|| {
            format!(
                "{name} is new in this project, where there is {others}. If that is a slip, leave and give your name with --as NAME."
            )
        })
    }

    /// The task as it was when the session began.
    pub fn task(&self) -> &Task {
        &self.revision.task
    }

    /// The next case; the same one until it is answered or its lease ends.
    pub fn next_case(&mut self) -> Result<Next> {
        match self.lease(1)?.pop() {
            Some(case) => Ok(Next::Case(Box::new(self.show(&case)?))),
            None => Ok(Next::None(self.why_no_case()?)),
        }
    }

    /// The next `count` cases in order, so that the next case is ready before the current one is answered.
    pub fn window(&mut self, count: usize) -> Result<Vec<Card>> {
        let cases = self.lease(count)?;
        cases.iter().map(|case| self.card(case)).collect()
    }

    fn lease(&mut self, count: usize) -> Result<Vec<Case>> {
        let leased = self.store.lease_cases(self.expert, self.session, count, LEASE_MS);
        self.keep_safe(leased)
    }

    /// A case that this expert may see, with what they did to it. `None` if there is no such case, or it is another expert's repeat.
    pub fn look(&mut self, case: CaseId) -> Result<Option<Card>> {
        let mut found = self.store.case(case)?;
        // A place kept for a repeat must look like any other case to somebody who goes to its number.
        if found.as_ref().is_some_and(|case| case.as_repeat().is_some() && case.expert.is_none())
            && self.store.claim_repeat(case, self.expert)?
        {
            found = self.store.case(case)?;
        }
        if let Some(whose) =
            found.as_ref().filter(|case| case.as_repeat().is_some()).and_then(|case| case.expert)
            && self.store.person_of(whose)? != self.store.person_of(self.expert)?
        {
            found = None;
        }
        found.map(|case| self.card(&case)).transpose()
    }

    /// Makes a case this expert's next one, as after an undo.
    pub fn bring_first(&mut self, case: CaseId) -> Result<()> {
        self.store.lease_first(case, self.expert, self.session, LEASE_MS)
    }

    /// The cases that this expert has answered or skipped, oldest first.
    pub fn answered(&self) -> Result<Vec<(CaseId, ItemId)>> {
        self.store.answered_cases(self.expert)
    }

    /// Draws the first audit cases if nothing is scouted yet, so that labelling can begin without a model.
    pub fn begin_without_model(&mut self) -> Result<bool> {
        let seed = self.store.project()?.seed;
        self.store.open_round_0(FIRST_AUDIT, seed)
    }

    /// What the project still needs before cases can be mined and labelled, if anything.
    pub fn lacks(&self) -> Result<Option<Lack>> {
        Ok(if self.store.is_part_without_models()? {
            Some(Lack::Models)
        } else if self.store.active_predictor()?.is_none() {
            Some(if self.store.item_count()? == 0 { Lack::Texts } else { Lack::Prelabels })
        } else if self.store.open_round_row()?.is_none_or(|round| round.number == 0) {
            Some(Lack::Round)
        } else {
            None
        })
    }

    /// Why [`Self::next_case`] has no case.
    pub fn why_no_case(&self) -> Result<NoCase> {
        match self.lacks()? {
            Some(Lack::Models) => return Ok(NoCase::PartDone),
            Some(Lack::Texts) => return Ok(NoCase::NoTexts),
            Some(Lack::Prelabels) => return Ok(NoCase::NotScouted),
            Some(Lack::Round) => return Ok(NoCase::NoRound),
            None => {}
        }
        let mut newest = None;
        for round in self.store.rounds()?.into_iter().filter(|r| r.number > 0 && r.closed_ms.is_none()) {
            let needed = self.store.annotations_needed(round.id, Some(self.expert))?;
            if needed.open() > 0 {
                return Ok(NoCase::WithOthers(self.store.outstanding(round.number, &needed)?));
            }
            newest = Some(round.number);
        }
        Ok(newest.map_or(NoCase::NoRound, NoCase::RoundDone))
    }

    /// The case with this number, leased if it needs an answer. `None` if there is no such case, or if it is for others, because it would then
    /// get more answers than it needs.
    pub fn go_to(&mut self, case: CaseId) -> Result<Option<Card>> {
        let repeat = self.store.case(case)?.is_some_and(|case| case.as_repeat().is_some());
        if !repeat && !self.store.lease_by_number(case, self.expert, self.session, LEASE_MS)? {
            return Ok(None);
        }
        self.look(case)
    }

    fn card(&mut self, case: &Case) -> Result<Card> {
        let (answer, repeat) = (self.answer_in(case)?, case.as_repeat());
        let elsewhere = self.store.last_elsewhere(self.expert, case.item, self.session)?;
        self.shown.insert(case.id, elsewhere);
        let before = self.task().assist == Assist::Before && case.split == Split::Train;
        if before && answer.is_none() {
            self.store.reveal(self.expert, case)?;
        }
        let mut shown = self.show(case)?;
        if before || self.is_revealed(case)? {
            shown.revealed = Some(self.view_of_model(case)?);
        }
        let skipped = answer.as_ref().is_some_and(|a| a.event.answer.is_none());
        let answer = answer.and_then(|a| a.event.answer);
        Ok(Card {
            skipped,
            label: answer.as_ref().map(|answer| self.task().in_words(answer)),
            labels: answer.map(|answer| self.task().names_of(&answer)).unwrap_or_default(),
            flagged: self.store.is_flagged(self.expert, case.item, repeat)?,
            note: self.store.note_of(self.expert, case.item, repeat)?,
            draft: self.store.draft(self.expert, case.item)?,
            shown,
        })
    }

    /// This expert's answer in a case: for a repeat the answer given in it, otherwise the current answer to the item.
    pub(super) fn answer_in(&self, case: &Case) -> Result<Option<LabelEvent>> {
        match case.as_repeat() {
            Some(repeat) => self.store.answer_to_repeat(repeat),
            None => self.store.current_answer(self.expert, case.item),
        }
    }

    /// Whether the model's view has been shown to this expert; for a repeat, since it was repeated.
    fn is_revealed(&self, case: &Case) -> Result<bool> {
        match case.as_repeat() {
            Some(_) => Ok(case.revealed),
            None => self.store.is_revealed(self.expert, case.item),
        }
    }

    fn show(&self, case: &Case) -> Result<ShownCase> {
        let missing =
            || Fault::new("show the case", "its text is not in the file").hint("Run `hardcase doctor FILE`");
        let item = self.store.item(case.item)?.ok_or_else(missing)?;
        let partner = match case.partner {
            Some(partner) => self
                .store
                .item(partner.item)?
                .map(|other| ShownPartner { text: other.text, similarity: partner.similarity }),
            None => None,
        };
        let (turns, asked) = self.turns_of(case.item, &item.text)?;
        let meta = self.columns_beside(case.item, &item.text, item.meta.as_deref())?;
        Ok(ShownCase {
            case: case.id,
            item: case.item,
            id: self.store.own_id(case.item)?,
            text: item.text,
            turns,
            asked,
            read_up_to: self.store.read_up_to(case.item)?,
            meta: serde_json::Value::Object(meta),
            partner,
            labels: self
                .task()
                .labels
                .iter()
                .map(|l| ShownLabel { name: l.name.clone(), key: l.key })
                .collect(),
            revealed: None,
        })
    }

    /// Shows what is hidden of a case, and records that it was shown: an answer after this is not blind.
    pub fn reveal(&mut self, case: CaseId) -> Result<Option<Reveal>> {
        let Some(case) = self.store.case(case)? else {
            return Ok(None);
        };
        self.store.reveal(self.expert, &case)?;
        self.view_of_model(&case).map(Some)
    }

    pub(super) fn view_of_model(&self, case: &Case) -> Result<Reveal> {
        let mut probabilities = serde_json::Map::new();
        let (mut prelabel, mut prelabels) = (None, None);
        if let Some(predictor) = self.store.active_predictor()?
            && let Some(values) = self.store.prediction(predictor.id, case.item)?
        {
            let names: Vec<String> = predictor.labels.iter().map(|key| self.name_of(key)).collect();
            let said = predictor.answer(self.task().kind, &values);
            prelabel = Some(self.task().in_words(&said)).filter(|_| !names.is_empty());
            prelabels = self.task().kind.is_several().then(|| self.task().names_of(&said));
            probabilities = names.into_iter().zip(values.iter().map(|p| (*p).into())).collect();
        }
        let judge = opinion(&self.store, case.item)?;
        let judge_label = judge.as_ref().and_then(|p| {
            let said = self.task().kind.decide_set(&p.iter().map(|(_, p)| *p).collect::<Vec<f32>>(), &[]);
            let said = Answer::of(said.places().filter_map(|at| p.get(at)).map(|(key, _)| key.as_str()));
            (!p.is_empty()).then(|| self.task().in_words(&said))
        });
        Ok(Reveal {
            split: case.split.as_str(),
            reason: case.reason.as_str(),
            in_words: case.reason.in_words(),
            partner: case.partner.map(|partner| partner.side.in_words()),
            prelabel,
            prelabels,
            probabilities,
            judge_label,
            judge: judge.map(|p| p.into_iter().map(|(key, p)| (self.name_of(&key), p.into())).collect()),
        })
    }

    pub(super) fn name_of(&self, stable_key: &str) -> String {
        let task = self.task();
        task.index_of_id(stable_key).map_or_else(|| stable_key.to_owned(), |i| task.labels[i].name.clone())
    }

    /// Records an answer. When this returns, it is on disk.
    ///
    /// # Errors
    /// No such item or label, or the file cannot be written. Nothing is recorded then.
    pub fn answer(&mut self, item: ItemId, labels: impl Into<SaidLabels>, remarks: Remarks) -> Result<Saved> {
        self.record(item.into(), &labels.into(), remarks, Reveals::No)
    }

    /// Records an answer, and counts this expert's labels.
    ///
    /// # Errors
    /// Those of [`Self::answer`].
    pub fn answer_and_count(
        &mut self,
        item: ItemId,
        labels: impl Into<SaidLabels>,
        remarks: Remarks,
    ) -> Result<Acknowledged> {
        let saved = self.answer(item, labels, remarks)?;
        let labels = self.store.label_count_of(self.expert)? + self.store.repeat_count(Some(self.expert))?;
        Ok(Acknowledged { saved, labels })
    }

    /// Records an answer, and in the same commit that the model's view is shown from here on. Returns that view, if there is a case.
    pub fn answer_and_reveal(
        &mut self,
        about: impl Into<About>,
        labels: impl Into<SaidLabels>,
        remarks: Remarks,
    ) -> Result<(Saved, Option<Reveal>)> {
        let about = about.into();
        let case = self.subject(about)?.1;
        let saved = self.record(about, &labels.into(), remarks, Reveals::Yes)?;
        // The answer is on disk: a view that cannot be read must not call it unsaved.
        Ok((saved, case.and_then(|case| self.view_of_model(&case).ok())))
    }

    pub(super) fn record(
        &mut self,
        about: About,
        labels: &SaidLabels,
        remarks: Remarks,
        reveals: Reveals,
    ) -> Result<Saved> {
        let answer = self.task().find_answer(labels)?;
        let (item, case) = self.subject(about)?;
        let before = match &case {
            Some(case) => self.answer_in(case)?,
            None => self.store.current_answer(self.expert, item)?,
        };
        let found = case.is_none();
        let event = NewEvent {
            answer: Some(answer.clone()),
            note: remarks.note,
            confidence: remarks.confidence,
            duration_ms: remarks.duration_ms,
            ..self.new_event(item, case.map(|case| case.id), Action::Set)?
        };
        self.log(event, reveals)?;
        let changed = before.is_some_and(|a| a.event.answer.is_some_and(|before| before != answer));
        let (label, labels) = (self.task().in_words(&answer), self.labels_of(&answer));
        Ok(Saved { item, label, labels, changed, found })
    }

    /// The names of an answer's labels, where a text may have several.
    fn labels_of(&self, answer: &Answer) -> Option<Vec<String>> {
        self.task().kind.is_several().then(|| self.task().names_of(answer))
    }

    /// Skips a case; it comes back once, after all others.
    pub fn skip(&mut self, about: impl Into<About>) -> Result<LabelEvent> {
        self.append(about.into(), Action::Skip, None)
    }

    /// Flags an item for a second look, or removes the flag. Returns whether it is flagged now.
    pub fn toggle_flag(&mut self, about: impl Into<About>) -> Result<bool> {
        let about = about.into();
        let (item, case) = self.subject(about)?;
        let flagged = self.store.is_flagged(self.expert, item, case.and_then(|case| case.as_repeat()))?;
        self.append(about, if flagged { Action::Unflag } else { Action::Flag }, None)?;
        Ok(!flagged)
    }

    /// Attaches a note to an item.
    ///
    /// # Errors
    /// An empty note.
    pub fn note(&mut self, about: impl Into<About>, text: &str) -> Result<LabelEvent> {
        if text.trim().is_empty() {
            return Err(Fault::usage("save the note", "it is empty").hint("Type a text first"));
        }
        let noted = self.append(about.into(), Action::Note, Some(text.to_owned()))?;
        self.keep_draft(noted.event.item, "")?;
        Ok(noted)
    }

    /// Keeps an unsaved note, so that a lost connection does not lose it; an empty one is removed.
    pub fn keep_draft(&mut self, about: impl Into<About>, text: &str) -> Result<()> {
        let (item, _) = self.subject(about.into())?;
        self.store.keep_draft(self.expert, item, text)
    }

    fn append(&mut self, about: About, action: Action, note: Option<String>) -> Result<LabelEvent> {
        let (item, case) = self.subject(about)?;
        let event = NewEvent { note, ..self.new_event(item, case.map(|case| case.id), action)? };
        self.log(event, Reveals::No)
    }

    /// The item and the case. Except for a repeat, that is the newest case of the item.
    fn subject(&self, about: About) -> Result<(ItemId, Option<Case>)> {
        let (item, repeat) = match about {
            About::Found(item) => return Ok((item, None)),
            About::Item(item) => (item, self.store.repeat_under_way(self.expert, item)?),
            About::Case(id) => {
                let case = self.store.case(id)?.ok_or_else(|| {
                    Fault::usage(format!("label case {id}"), "the project has no such case")
                        .hint("`hardcase next FILE` shows your next case")
                })?;
                (case.item, case.as_repeat())
            }
        };
        let case = match repeat {
            Some(repeat) => self.store.case(repeat)?,
            None => self.store.case_of_item(item)?,
        };
        Ok((item, case))
    }

    pub(super) fn new_event(&self, item: ItemId, case: Option<CaseId>, action: Action) -> Result<NewEvent> {
        if self.store.item(item)?.is_none() {
            return Err(Fault::usage(format!("label item {item}"), "the project has no such item")
                .hint("`hardcase next FILE` shows the number of the case's item"));
        }
        Ok(NewEvent {
            expert: self.expert,
            item,
            case,
            action,
            target: None,
            answer: None,
            confidence: None,
            note: None,
            revision: self.revision.id,
            duration_ms: None,
        })
    }

    /// Ends the session.
    pub fn close(mut self) -> Result<()> {
        let ended = self.store.end_session(self.session, self.on_close == OnClose::KeepCases);
        self.keep_safe(ended)
    }
}
