//! Rows that refer to rows which are gone: they go as well, or lose the reference where they can do without. What follows from other tables is
//! built again. Each step says in words what it cost, where it cost anything.
//!
//! Two things are put in place of what is gone, because every label hangs on them and neither says anything about one: a session for a task
//! revision whose own is gone, and an import for texts whose own is gone.

/// Before the label events are taken: they refer to all of this, and are never changed.
pub(super) const BEFORE_EVENTS: &[(&str, &str)] = &[
    ("DELETE FROM session WHERE expert NOT IN (SELECT id FROM expert)", "sessions of an expert who is gone"),
    (
        "INSERT INTO session (id, uuid, expert, login, uid, host, process, program, started_ms, ended_ms, ended_how)
         SELECT session, unhex(printf('%016x%016x', min(created_ms), session)), (SELECT min(id) FROM expert), '', 0, '', '', '',
                min(created_ms), min(created_ms), 'lost' FROM task_revision
         WHERE session NOT IN (SELECT id FROM session) AND EXISTS (SELECT 1 FROM expert) GROUP BY session",
        "sessions in which the task was set are gone: who set it is no longer known",
    ),
    (
        "INSERT INTO source (id, uuid, name, found, state, started_ms, finished_ms)
         SELECT DISTINCT source, unhex(printf('%016x%016x', 0, source)), 'lost', '', 'ready', 0, 0 FROM item
         WHERE source NOT IN (SELECT id FROM source)",
        "imports of which only the texts are left",
    ),
    (
        "DELETE FROM adapter WHERE model NOT IN (SELECT id FROM model) OR revision NOT IN (SELECT id FROM task_revision)",
        "adapters whose model or task is gone",
    ),
    // From `LARGEST_LAMPORT` on nothing could be labelled; a test compares the two.
    (
        "UPDATE project SET lamport_heard = 0 WHERE lamport_heard NOT BETWEEN 0 AND 9007199254740991",
        "count of events was beyond what any project reaches, and was set back",
    ),
    ("UPDATE adapter SET parent = NULL WHERE parent IS NOT NULL AND parent NOT IN (SELECT id FROM adapter)", ""),
    (
        "DELETE FROM predictor WHERE model NOT IN (SELECT id FROM model) OR revision NOT IN (SELECT id FROM task_revision)
           OR adapter IS NOT NULL AND adapter NOT IN (SELECT id FROM adapter)",
        "predictors whose model, adapter or task is gone",
    ),
    (
        "UPDATE project SET active_predictor = NULL WHERE active_predictor IS NOT NULL AND active_predictor NOT IN (SELECT id FROM predictor)",
        "active model is gone: `hardcase scout FILE` makes new prelabels",
    ),
    ("DELETE FROM round WHERE predictor IS NOT NULL AND predictor NOT IN (SELECT id FROM predictor)", "rounds whose model is gone"),
    ("UPDATE adapter SET round = NULL WHERE round IS NOT NULL AND round NOT IN (SELECT id FROM round)", ""),
    ("UPDATE label_case SET partner = NULL WHERE partner IS NOT NULL AND partner NOT IN (SELECT id FROM item)", ""),
    (
        "DELETE FROM label_case WHERE round NOT IN (SELECT id FROM round) OR item NOT IN (SELECT id FROM item)
           OR expert IS NOT NULL AND expert NOT IN (SELECT id FROM expert) OR reannotation IS NOT NULL AND reannotation NOT IN (SELECT id FROM task_revision)",
        "cases whose round or text is gone",
    ),
    ("DELETE FROM forgotten WHERE item NOT IN (SELECT id FROM item)", "records of removed texts whose key is gone"),
    (
        "DELETE FROM source_row WHERE source NOT IN (SELECT id FROM source) OR item NOT IN (SELECT id FROM item)",
        "imported rows whose text is gone",
    ),
    (
        "DELETE FROM imported_label WHERE label_source NOT IN (SELECT id FROM label_source) OR item NOT IN (SELECT id FROM item)",
        "imported labels whose source or text is gone",
    ),
    ("UPDATE imported_label SET import = NULL WHERE import IS NOT NULL AND import NOT IN (SELECT id FROM source)", ""),
    ("UPDATE source SET rows = (SELECT count(*) FROM source_row r WHERE r.source = source.id)", ""),
    ("UPDATE source SET items = (SELECT count(*) FROM item i WHERE i.source = source.id)", ""),
    ("INSERT OR IGNORE INTO item_key SELECT key, id FROM item ORDER BY key", ""),
    (
        "DELETE FROM embedding WHERE model NOT IN (SELECT id FROM model) OR item NOT IN (SELECT id FROM item)
           OR adapter <> 0 AND adapter IS NOT NULL AND adapter NOT IN (SELECT id FROM adapter)",
        "",
    ),
    (
        "DELETE FROM hidden_state WHERE judge NOT IN (SELECT id FROM predictor) OR item NOT IN (SELECT id FROM item)",
        "",
    ),
    (
        "DELETE FROM prediction WHERE predictor IS NOT NULL AND predictor NOT IN (SELECT id FROM predictor) OR item NOT IN (SELECT id FROM item)",
        "",
    ),
    ("DELETE FROM reveal WHERE expert NOT IN (SELECT id FROM expert) OR item NOT IN (SELECT id FROM item)", "reveals of a text that is gone"),
    ("DELETE FROM draft WHERE expert NOT IN (SELECT id FROM expert) OR item NOT IN (SELECT id FROM item)", "drafts of a text that is gone"),
    (
        "DELETE FROM lease WHERE label_case NOT IN (SELECT id FROM label_case) OR expert NOT IN (SELECT id FROM expert)
           OR session NOT IN (SELECT id FROM session)",
        "",
    ),
    ("DELETE FROM left_out WHERE adapter IS NOT NULL AND adapter NOT IN (SELECT id FROM adapter)", ""),
    ("DELETE FROM metric WHERE round IS NOT NULL AND round NOT IN (SELECT id FROM round) OR predictor IS NOT NULL AND predictor NOT IN (SELECT id FROM predictor)", "figures of a round that is gone"),
];

/// The other tables of rows that a person decided, once they are taken: names are one person by their log.
pub(super) const AFTER_EVENTS: &[(&str, &str)] =
    &[("DELETE FROM person", ""), ("INSERT INTO person SELECT expert, person FROM person_by_log", "")];

/// Whether what a label event or an expert event refers to is there. `?1` and on: the columns named.
pub(super) const EVENT_STANDS: &str =
    "SELECT EXISTS (SELECT 1 FROM item WHERE id = ?1) AND EXISTS (SELECT 1 FROM expert WHERE id = ?2)
    AND EXISTS (SELECT 1 FROM session WHERE id = ?3) AND EXISTS (SELECT 1 FROM task_revision WHERE id = ?4),
    ?5 IS NULL OR EXISTS (SELECT 1 FROM label_case WHERE id = ?5)";

/// The same of expert events: session, expert, other.
pub(super) const EXPERT_EVENT_STANDS: &str =
    "SELECT EXISTS (SELECT 1 FROM session WHERE id = ?1) AND EXISTS (SELECT 1 FROM expert WHERE id = ?2)
    AND (?3 IS NULL OR EXISTS (SELECT 1 FROM expert WHERE id = ?3))";

#[cfg(test)]
mod tests {
    use super::BEFORE_EVENTS;
    use crate::domain::event::LARGEST_LAMPORT;

    #[test]
    fn a_count_of_events_is_set_back_from_the_largest_lamport_number_on() {
        let largest = format!("lamport_heard NOT BETWEEN 0 AND {}", LARGEST_LAMPORT - 1);
        assert!(BEFORE_EVENTS.iter().any(|(sql, _)| sql.contains(&largest)), "{largest}");
        let schema = include_str!("../../db/schema.sql");
        assert_eq!(
            schema.matches(&format!("lamport < {LARGEST_LAMPORT}")).count(),
            2,
            "neither log takes more"
        );
    }
}
