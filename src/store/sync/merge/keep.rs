//! Keeping what is labelled in memory, in the form in which a log travels, for a file that is taken away while it is open.

use std::collections::HashSet;

use uuid::Uuid;

use super::read_log::Which;
use crate::domain::event::NewEvent;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::SessionId;
use crate::domain::item::ItemKey;
use crate::domain::log::{AdapterLine, Log, PredictorLine, RoundLine};
use crate::store::db::convert::Uuid16;
use crate::store::db::open::Store;
use crate::store::log::kept::Referred;

const WHAT: &str = "save the label";

impl Store {
    /// Reads what an event refers to before it is written, as far as it is not kept yet.
    ///
    /// # Errors
    /// The file cannot be read, or lacks any of it.
    pub(in crate::store) fn keep_what_it_refers_to(
        &mut self,
        session: SessionId,
        event: &NewEvent,
    ) -> Result<Referred> {
        if self.kept.known.is_empty() {
            self.kept.log.project = self.project_uuid()?;
        }
        self.keep_expert(event.expert.0)?;
        self.keep_session(session.0)?;
        self.keep_revision(event.revision.0)?;
        if let Some(case) = event.case {
            self.keep_case(case.0)?;
        }
        let sql = "SELECT s.uuid, x.name, i.key, (SELECT uuid FROM label_case WHERE id = ?4), t.uuid
            FROM session s, expert x, item i, task_revision t WHERE s.id = ?1 AND x.id = ?2 AND i.id = ?3 AND t.id = ?5";
        let found =
            self.one(sql, (session, event.expert, event.item, event.case, event.revision), WHAT, |r| {
                Ok(Referred {
                    session: r.get::<_, Uuid16>(0)?.0,
                    expert: r.get(1)?,
                    item: ItemKey(r.get(2)?),
                    case: r.get::<_, Option<Uuid16>>(3)?.map(|uuid| uuid.0),
                    revision: r.get::<_, Uuid16>(4)?.0,
                })
            })?;
        found.ok_or_else(|| {
            Fault::new(WHAT, "the project has no such text").hint("Run `hardcase doctor FILE`")
        })
    }

    fn is_new(&mut self, table: &'static str, id: i64) -> bool {
        self.kept.known.insert((table, id))
    }

    fn keep_expert(&mut self, id: i64) -> Result<()> {
        if self.is_new("expert", id) {
            let lines = self.expert_lines(Some(("e.id = ?1", id)))?;
            self.kept.log.experts.extend(lines);
        }
        Ok(())
    }

    fn keep_session(&mut self, id: i64) -> Result<()> {
        if self.is_new("session", id) {
            let lines = self.session_lines(Some(("s.id = ?1", id)))?;
            self.kept.log.sessions.extend(lines);
            for expert in self.ids("SELECT expert FROM session WHERE id = ?1", id)? {
                self.keep_expert(expert)?;
            }
        }
        Ok(())
    }

    fn keep_revision(&mut self, id: i64) -> Result<()> {
        if self.is_new("task_revision", id) {
            let lines = self.revision_lines(Some(("t.id = ?1", id)))?;
            self.kept.log.revisions.extend(lines);
            for session in self.ids("SELECT session FROM task_revision WHERE id = ?1", id)? {
                self.keep_session(session)?;
            }
        }
        Ok(())
    }

    /// With its round and the model that chose it, whose settings stay behind: they say what others answered.
    fn keep_case(&mut self, id: i64) -> Result<()> {
        if !self.is_new("label_case", id) {
            return Ok(());
        }
        let lines = self.case_lines(Some(("c.id = ?1", id)))?;
        self.kept.log.cases.extend(lines);
        for expert in self.ids("SELECT expert FROM label_case WHERE id = ?1 AND expert IS NOT NULL", id)? {
            self.keep_expert(expert)?;
        }
        for revision in
            self.ids("SELECT reannotation FROM label_case WHERE id = ?1 AND reannotation IS NOT NULL", id)?
        {
            self.keep_revision(revision)?;
        }
        for round in self.ids("SELECT round FROM label_case WHERE id = ?1", id)? {
            self.keep_round(round)?;
        }
        Ok(())
    }

    fn keep_round(&mut self, id: i64) -> Result<()> {
        if !self.is_new("round", id) {
            return Ok(());
        }
        // Open: what came with it is not all of it.
        let lines = self.round_lines(Some(("r.id = ?1", id)))?;
        self.kept.log.rounds.extend(lines.into_iter().map(|line| RoundLine { closed_ms: None, ..line }));
        for predictor in
            self.ids("SELECT predictor FROM round WHERE id = ?1 AND predictor IS NOT NULL", id)?
        {
            if self.is_new("predictor", predictor) {
                self.keep_predictor(predictor)?;
            }
        }
        Ok(())
    }

    fn keep_predictor(&mut self, id: i64) -> Result<()> {
        let which: Which<'_> = Some(("p.id = ?1", id));
        let bare = |line: PredictorLine| PredictorLine { settings: "{}".into(), ..line };
        let lines = self.predictor_lines(which)?;
        self.kept.log.predictors.extend(lines.into_iter().map(bare));
        for revision in self.ids("SELECT revision FROM predictor WHERE id = ?1", id)? {
            self.keep_revision(revision)?;
        }
        for adapter in self.ids("SELECT adapter FROM predictor WHERE id = ?1 AND adapter IS NOT NULL", id)? {
            if self.is_new("adapter", adapter) {
                let bare = |line: AdapterLine| AdapterLine {
                    settings: "{}".into(),
                    parent: None,
                    round: None,
                    ..line
                };
                let lines = self.adapter_lines(Some(("a.id = ?1", adapter)))?;
                self.kept.log.adapters.extend(lines.into_iter().map(bare));
                for (sql, keep) in [
                    (
                        "SELECT revision FROM adapter WHERE id = ?1",
                        Self::keep_revision as fn(&mut Self, i64) -> Result<()>,
                    ),
                    (
                        "SELECT model FROM adapter WHERE id = ?1",
                        Self::keep_model as fn(&mut Self, i64) -> Result<()>,
                    ),
                ] {
                    for id in self.ids(sql, adapter)? {
                        keep(self, id)?;
                    }
                }
            }
        }
        for model in self.ids("SELECT model FROM predictor WHERE id = ?1", id)? {
            self.keep_model(model)?;
        }
        Ok(())
    }

    fn keep_model(&mut self, id: i64) -> Result<()> {
        if self.is_new("model", id) {
            let lines = self.model_lines(Some(("m.id = ?1", id)))?;
            self.kept.log.models.extend(lines);
        }
        Ok(())
    }

    fn ids(&self, sql: &str, id: i64) -> Result<Vec<i64>> {
        self.all_rows_of(sql, [id], WHAT, |r| r.get(0))
    }

    /// How many label events were written since the project was opened.
    pub fn events_in_hand(&self) -> usize {
        self.kept.log.events.len()
    }

    /// The labels to save from a project whose file was taken away while it was open: all that the file held as it was opened, where that can still
    /// be read whole, and in any case what was labelled since.
    pub fn log_to_rescue(&self) -> Log {
        let kept = &self.kept.log;
        if let Ok(mut whole) = self.log()
            && (whole.project == kept.project || self.kept.known.is_empty())
        {
            let there: HashSet<Uuid> = whole.events.iter().map(|event| event.uuid).collect();
            let mut lacking = kept.events.iter().filter(|event| !there.contains(&event.uuid));
            // The last one may have been taken back when the file was found to be gone.
            let last = lacking.next();
            if lacking.next().is_none() {
                whole.events.extend(last.cloned());
                return whole;
            }
        }
        kept.clone()
    }
}
