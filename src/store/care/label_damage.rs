//! Whether the labels of a file, and all that they rest on, are as they were written.

use rusqlite::{Error, ErrorCode};

use super::enum_columns;
use super::enum_columns::EnumColumn;
use crate::domain::event::LARGEST_LAMPORT;
use crate::domain::fault::{Fault, Result};
use crate::store::db::attempt::Attempt;
use crate::store::db::open::Store;
use crate::store::db::row_seals::RowSealed;
use crate::store::db::seals::{ALL, Sealed, WAY_OUT};

/// Whether the text of an item was removed, in SQL: then nothing belongs to its key.
const IS_FORGOTTEN: &str = "(text = '' AND EXISTS (SELECT 1 FROM forgotten f WHERE f.item = item.id))";

impl Store {
    /// Which rows that labels rest on are not as they were written, or not where they should be; empty where all is well. Takes some
    /// milliseconds for a thousand labels.
    pub fn label_damage(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.note_lines(
            "WITH there AS (SELECT name, rootpage AS page FROM sqlite_schema WHERE rootpage > 0)
             SELECT 'the table ' || name || ' does not begin where it did'
             FROM (SELECT * FROM (SELECT name, page FROM there EXCEPT SELECT name, page FROM root_page)
                   UNION ALL SELECT * FROM (SELECT name, page FROM root_page EXCEPT SELECT name, page FROM there))
             WHERE NOT EXISTS (SELECT 1 FROM root_page WHERE name = '' AND page = 0)",
            &mut found,
        )?;
        let tables = ALL.map(|sealed| sealed.table).into_iter().chain(["person", "seal"]);
        for table in tables {
            self.note_lines(&format!("PRAGMA integrity_check('{table}')"), &mut found)?;
        }
        for sealed in ALL {
            let Sealed { table, columns, called } = sealed;
            // Of the row's own columns: no name of `seal` is among them.
            let changed = format!(
                "SELECT id FROM {table} LEFT JOIN seal ON of = '{table}' AND row = id WHERE hash IS NOT seal_of({columns})"
            );
            self.note_numbers(&changed, &format!("{called} are not as they were written"), &mut found)?;
            let gone =
                format!("SELECT row FROM seal WHERE of = '{table}' AND row NOT IN (SELECT id FROM {table})");
            self.note_numbers(&gone, &format!("{called} are gone"), &mut found)?;
        }
        let broken = RowSealed::of("item").map(RowSealed::is_broken).collect::<Vec<_>>().join(" OR ");
        self.note_numbers(
            &format!(
                "SELECT id FROM item WHERE id IN (SELECT item FROM label_event) AND ((key IS NOT key_of(text) AND NOT {IS_FORGOTTEN}) OR {broken})"
            ),
            "labelled texts are not as they were imported",
            &mut found,
        )?;
        self.note_numbers(
            "SELECT v.id FROM label_event v WHERE v.item NOT IN (SELECT id FROM item) OR v.expert NOT IN (SELECT id FROM expert)
               OR v.session NOT IN (SELECT id FROM session) OR v.revision NOT IN (SELECT id FROM task_revision)",
            "label events refer to rows that are gone",
            &mut found,
        )?;
        self.note_numbers(
            "SELECT id FROM predictor WHERE adapter IS NOT NULL AND adapter NOT IN (SELECT id FROM adapter)",
            "predictors refer to adapters that are gone",
            &mut found,
        )?;
        self.note_numbers(
            &format!("SELECT id FROM label_event WHERE lamport >= {LARGEST_LAMPORT} UNION ALL SELECT id FROM expert_event WHERE lamport >= {LARGEST_LAMPORT}
                 UNION ALL SELECT id FROM project WHERE lamport_heard NOT BETWEEN 0 AND {LARGEST_LAMPORT} - 1"),
            "events have a Lamport number behind which there is no other: nothing could be labelled any more",
            &mut found,
        )?;
        for EnumColumn { table, column, wrong, .. } in enum_columns::ALL {
            let sql = format!("SELECT id FROM {table} WHERE NOT is_valid('{table}', {column})");
            self.note_numbers(&sql, wrong, &mut found)?;
        }
        self.note_numbers(
            "SELECT l.expert FROM person_by_log l LEFT JOIN person p ON p.expert = l.expert WHERE p.person IS NOT l.person",
            "experts are taken for another person than their log says",
            &mut found,
        )?;
        Ok(found)
    }

    /// Whether the labels are all as they were written.
    ///
    /// # Errors
    /// They are not: what is wrong, and what to do.
    pub fn check_labels(&self, attempted: &str) -> Result<()> {
        let found = self.label_damage()?;
        let Some(first) = found.first() else { return Ok(()) };
        let more = if found.len() > 1 { format!(" (and {} more)", found.len() - 1) } else { String::new() };
        Err(Fault::new(attempted, format!("the project file is damaged: {first}{more}")).hint(WAY_OUT))
    }

    /// Texts that do not belong to their key.
    pub(in crate::store) fn changed_texts(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let sql = format!("SELECT id FROM item WHERE key IS NOT key_of(text) AND NOT {IS_FORGOTTEN}");
        self.note_numbers(&sql, "texts are not as they were imported", &mut found)?;
        Ok(found)
    }

    /// A statement that meets damage is a finding as well.
    pub(in crate::store) fn note_lines(&self, sql: &str, found: &mut Vec<String>) -> Result<()> {
        let lines = self.conn.prepare(sql).and_then(|mut statement| {
            statement.query_map((), |r| r.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        });
        match lines {
            Ok(lines) => found.extend(lines.into_iter().filter(|line| line != "ok")),
            Err(e) => found.push(damage(e)?),
        }
        Ok(())
    }

    /// Notes how many numbers `sql` gives, and the first of them.
    pub(in crate::store) fn note_numbers(
        &self,
        sql: &str,
        what: &str,
        found: &mut Vec<String>,
    ) -> Result<()> {
        let numbers = self.conn.prepare_cached(sql).and_then(|mut statement| {
            statement.query_map((), |r| r.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        });
        match numbers {
            Ok(numbers) if numbers.is_empty() => {}
            Ok(numbers) => {
                let first: Vec<String> = numbers.iter().take(3).map(i64::to_string).collect();
                let rest = if numbers.len() > 3 { ", …" } else { "" };
                found.push(format!("{} {what} (numbers {}{rest})", numbers.len(), first.join(", ")));
            }
            Err(e) => found.push(damage(e)?),
        }
        Ok(())
    }
}

/// Damage as a sentence; any other failure stays one.
fn damage(error: Error) -> Result<String> {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure,
        ) => Err(error).attempting("check the labels"),
        _ => Ok(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::event::{Action, NewEvent};
    use crate::domain::ids::ItemId;
    use crate::domain::split::SplitShares;
    use crate::domain::task::Task;
    use crate::store::log::events::Reveals;
    use crate::store::{Access, NewProject};

    const TASK: &str = "question = \"Spam?\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";

    /// A project with one text and one label.
    fn labelled(path: &std::path::Path) -> Store {
        let mut store = Store::create(path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
        let (expert, session) = store.begin_session("ada").unwrap();
        let revision = store.set_task(&Task::from_toml(TASK, "test").unwrap(), session).unwrap();
        store
            .conn
            .execute_batch(
                "INSERT INTO source (id, uuid, name, found, state, started_ms) VALUES (1, zeroblob(16), 's', '', 'ready', 0);
                 INSERT INTO item VALUES (1, key_of('one'), 'one', 'train', 1); INSERT INTO item_key SELECT key, id FROM item;",
            )
            .unwrap();
        let event = NewEvent {
            expert,
            item: ItemId(1),
            case: None,
            action: Action::Set,
            target: None,
            answer: Some(Answer::one("spam")),
            confidence: None,
            note: None,
            revision: revision.id,
            duration_ms: None,
        };
        store.append(session, event, Reveals::No).unwrap();
        store
    }

    #[test]
    fn a_change_behind_the_back_of_the_log_is_noticed_and_named() {
        let dir = tempfile::tempdir().unwrap();
        for (n, (sql, says)) in [
            ("DROP TRIGGER label_event_is_never_updated; UPDATE label_event SET answer = '[\"ham\"]'", "1 label events are not"),
            ("UPDATE expert SET name = 'adb'", "1 experts are not"),
            ("DROP TRIGGER task_revision_is_never_updated; UPDATE task_revision SET toml = replace(toml, 'ham', 'hbm')", "1 task revisions"),
            ("UPDATE session SET login = 'x'", "1 sessions are not"),
            ("DROP TRIGGER label_event_is_never_deleted; DELETE FROM label_event", "1 label events are gone"),
            ("DELETE FROM seal WHERE of = 'label_event'", "1 label events are not"),
            ("UPDATE item SET text = 'onf'", "1 labelled texts are not"),
            (
                "INSERT INTO round (id, uuid, number, strategy, seed, budget, created_ms, overlap)
                 VALUES (1, zeroblob(16), 0, 'adhoc', 0, 0, 0, '{')",
                "1 rounds do not say",
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let path = dir.path().join(format!("{n}.hardcase"));
            let store = labelled(&path);
            assert_eq!(store.label_damage().unwrap(), Vec::<String>::new());
            store.conn.pragma_update(None, "foreign_keys", false).unwrap();
            store.conn.execute_batch(sql).unwrap();
            let found = store.label_damage().unwrap();
            assert!(found.iter().any(|f| f.starts_with(says)), "{sql}: {found:?}");
            let refusal = store.check_labels("export").unwrap_err().to_string();
            assert!(refusal.contains("damaged") && refusal.contains("--repair"), "{refusal}");
        }
    }

    #[test]
    fn ends_of_sessions_and_earlier_enrolments_break_no_seal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        drop(labelled(&path));
        let mut store = Store::open(&path, Access::Session).unwrap();
        let (_, session) = store.begin_session("bob").unwrap();
        store.end_session(session, false).unwrap();
        store.conn.execute("UPDATE expert SET created_ms = 1, uuid = randomblob(16)", ()).unwrap();
        assert_eq!(store.label_damage().unwrap(), Vec::<String>::new());
    }
}
