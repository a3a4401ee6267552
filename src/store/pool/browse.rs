//! Looking through the pool: ids in pieces, rows of a list, one item whole. Items of an import that is still loading are never returned.
//!
//! Every piece is a statement of its own that starts after the last id of the one before: it can be given up in between, and it holds no
//! snapshot of the file while a person reads.

use regex::Regex;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};

use crate::domain::answer::Answer;
use crate::domain::event::Action;
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId};
use crate::domain::sought::{PASSAGE, Sought};
use crate::store::db::attempt::Attempt;
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::pool::items::FORGOTTEN;
use crate::store::rounds::annotations_needed::{NEEDS_ANNOTATION, STANDS, active_annotators};

/// Imported rows of one item that are named.
const MOST_ORIGINS: usize = 20;

/// Imports that may be seen.
const READY: &str = "source NOT IN (SELECT id FROM source WHERE state = 'loading')";

/// What must hold of an item, all of it.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// A part of the text, in any case; empty for every text.
    pub text: String,
    /// Regular expressions that the text matches, each somewhere.
    pub patterns: Vec<Regex>,
    /// Names of imports that each have a row of it, in any case of ASCII.
    pub sources: Vec<String>,
    /// Columns and values shown with the text that some row of it has, in any case of ASCII.
    pub meta: Vec<(String, String)>,
}

impl Conditions {
    /// Whether every item meets them.
    pub fn are_none(&self) -> bool {
        self.text.is_empty() && self.patterns.is_empty() && self.sources.is_empty() && self.meta.is_empty()
    }
}

/// What one expert has done to items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own<'a> {
    /// Labelled in any way.
    Labelled,
    /// Labelled with the label of this stable key.
    Label(&'a str),
    /// Left unanswered.
    Skipped,
    /// Marked for a second look.
    Flagged,
    /// Labelled, and the model's view was shown after it.
    LabelledAndRevealed,
}

/// A piece of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Those that meet the conditions, by id.
    pub items: Vec<ItemId>,
    /// The last item looked at; none at the end of the pool.
    pub last: Option<ItemId>,
}

/// An item as a row of a list. Nothing in it comes from a model or from another expert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    pub item: ItemId,
    /// The file's own id.
    pub id: Option<String>,
    /// Its newest case.
    pub case: Option<CaseId>,
    /// The first 200 characters of its text.
    pub beginning: String,
    /// This expert's standing answer.
    pub answer: Option<Answer>,
    /// Whether this expert left it unanswered.
    pub skipped: bool,
    /// Whether this expert flagged it.
    pub flagged: bool,
    /// Whether this expert wrote a note on it.
    pub noted: bool,
    /// The number of the round of its newest case.
    pub round: Option<i64>,
}

/// Another expert's last standing answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The expert's first name.
    pub name: String,
    /// None for a skip.
    pub answer: Option<Answer>,
    /// The note given with it.
    pub note: Option<String>,
}

/// An imported row of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The import's name.
    pub source: String,
    /// The row's number in it, from 1.
    pub row: i64,
    /// Columns shown with the text, as a JSON object.
    pub meta: Option<String>,
}

impl Store {
    /// Up to `limit` items after `after`, by id.
    pub fn items_after(&self, after: ItemId, limit: usize) -> Result<Vec<ItemId>> {
        // The index of rows by item is a small part of the file; the items themselves lie among their texts.
        let sql = format!(
            "SELECT DISTINCT item FROM source_row INDEXED BY source_row_item WHERE item > ?1 AND {READY}
             ORDER BY item LIMIT ?2"
        );
        let mut items: Vec<ItemId> =
            self.all_rows_of(&sql, (after, limit as i64), "read the pool", |r| r.get(0))?;
        // Those that were removed have no row any more. They are few.
        let removed = "SELECT item FROM forgotten WHERE item > ?1 ORDER BY item LIMIT ?2";
        items.extend(
            self.all_rows_of(removed, (after, limit as i64), "read the pool", |r| r.get::<_, ItemId>(0))?,
        );
        items.sort_unstable();
        items.truncate(limit);
        Ok(items)
    }

    /// Looks at up to `limit` items after `after` and returns those that meet the conditions.
    pub fn find_items(&self, conditions: &Conditions, after: ItemId, limit: usize) -> Result<Found> {
        if conditions.are_none() {
            let items = self.items_after(after, limit)?;
            let last = items.last().copied().filter(|_| items.len() == limit);
            return Ok(Found { items, last });
        }
        self.look_at(conditions, (ItemId(after.0.saturating_add(1)), ItemId(i64::MAX)), limit)
    }

    /// Of these items, in order, those that meet the conditions.
    pub fn find_among(&self, conditions: &Conditions, items: &[ItemId]) -> Result<Vec<ItemId>> {
        let mut found = Vec::new();
        for &item in items {
            found.extend(self.look_at(conditions, (item, item), 1)?.items);
        }
        Ok(found)
    }

    fn look_at(
        &self,
        conditions: &Conditions,
        (first, last): (ItemId, ItemId),
        limit: usize,
    ) -> Result<Found> {
        let what = "search the pool";
        let mut values = vec![Value::from(first.0), Value::from(last.0), Value::from(limit as i64)];
        let mut bind = |value: &str| {
            values.push(Value::from(value.to_owned()));
            values.len()
        };
        let mut fits = String::from("1");
        for name in &conditions.sources {
            let n = bind(name);
            fits += &format!(
                " AND EXISTS (SELECT 1 FROM source_row r JOIN source s ON s.id = r.source
                   WHERE r.item = i.id AND s.state = 'ready' AND s.name = ?{n} COLLATE NOCASE)"
            );
        }
        for (column, value) in &conditions.meta {
            let (column, value) = (bind(column), bind(value));
            fits += &format!(
                " AND EXISTS (SELECT 1 FROM source_row r, json_each(r.meta) m WHERE r.item = i.id AND r.{READY}
                   AND m.key = ?{column} COLLATE NOCASE AND CAST(m.value AS TEXT) = ?{value} COLLATE NOCASE)"
            );
        }
        let sql = format!(
            "SELECT i.id, i.text, {fits} FROM item i WHERE i.id BETWEEN ?1 AND ?2 AND i.{READY} ORDER BY i.id LIMIT ?3"
        );
        let mut statement = self.conn.prepare_cached(&sql).attempting(what)?;
        let mut rows = statement.query(params_from_iter(values)).attempting(what)?;
        let mut sought = Sought::new(&conditions.text);
        let mut found = Found::default();
        let mut seen = 0;
        while let Some(r) = rows.next().attempting(what)? {
            let item: ItemId = r.get(0).attempting(what)?;
            let text = r.get_ref(1).and_then(|v| v.as_str().map_err(Into::into)).attempting(what)?;
            let matches = |text| conditions.patterns.iter().all(|pattern| pattern.is_match(text));
            if sought.is_in(text) && matches(text) && r.get(2).attempting(what)? {
                found.items.push(item);
            }
            found.last = Some(item);
            seen += 1;
        }
        if seen < limit {
            found.last = None;
        }
        Ok(found)
    }

    /// The items to which an expert has done this, by id.
    pub fn own_items(&self, expert: ExpertId, own: Own<'_>) -> Result<Vec<ItemId>> {
        let answers = format!("SELECT item FROM current_answer a WHERE a.person = {ME}");
        let (sql, key) = match own {
            Own::Labelled => (format!("{answers} AND a.action = 'set'"), None),
            Own::Label(key) => (
                format!(
                    "{answers} AND a.action = 'set' AND EXISTS (SELECT 1 FROM json_each(a.answer) j WHERE j.value = ?2)"
                ),
                Some(key),
            ),
            Own::Skipped => (format!("{answers} AND a.action = 'skip'"), None),
            Own::LabelledAndRevealed => (
                format!(
                    "{answers} AND a.action = 'set' AND EXISTS
                       (SELECT 1 FROM reveal v WHERE v.expert IN {MY_NAMES} AND v.item = a.item)"
                ),
                None,
            ),
            Own::Flagged => (
                format!(
                    "SELECT DISTINCT item FROM standing_event e WHERE e.expert IN {MY_NAMES} AND e.action = 'flag' AND NOT EXISTS
                       (SELECT 1 FROM standing_event l WHERE l.item = e.item AND l.expert IN {MY_NAMES}
                        AND l.action IN ('flag', 'unflag') AND (l.lamport, l.uuid) > (e.lamport, e.uuid))"
                ),
                None,
            ),
        };
        let (sql, what) = (format!("{sql} ORDER BY item"), "read the labels");
        match key {
            Some(key) => self.all_rows_of(&sql, (expert, key), what, |r| r.get(0)),
            None => self.all_rows_of(&sql, [expert], what, |r| r.get(0)),
        }
    }

    /// An expert's standing answer, where the expert has labelled the item just once; labels taken back do not count.
    pub fn answer_given_once(&self, expert: ExpertId, item: ItemId) -> Result<Option<Answer>> {
        let sql = format!(
            "SELECT a.answer FROM current_answer a WHERE a.person = {ME} AND a.item = ?2 AND a.action = 'set' AND 1 =
               (SELECT count(*) FROM standing_event e WHERE e.expert IN {MY_NAMES} AND e.item = a.item AND e.action = 'set')"
        );
        self.one(&sql, (expert, item), "read the labels", |r| r.get(0))
    }

    /// The items that are cases of the round of this number, by id.
    pub fn items_of_round(&self, number: i64) -> Result<Vec<ItemId>> {
        self.all_rows_of(
            &format!(
                "SELECT DISTINCT c.item FROM label_case c JOIN round r ON r.id = c.round
                 WHERE r.number = ?1 AND {STANDS} AND c.reason <> 'repeat' ORDER BY c.item"
            ),
            [number],
            "read the round",
            |r| r.get(0),
        )
    }

    /// An item as a row of a list; none where there is none that may be seen.
    pub fn item_row(&self, expert: ExpertId, item: ItemId) -> Result<Option<ItemRow>> {
        let what = "read the list";
        let sql = format!(
            "SELECT iif(i.text = '', '{FORGOTTEN}', substr(i.text, 1, {PASSAGE})), r.number,
               EXISTS (SELECT 1 FROM label_event e WHERE e.item = i.id AND e.expert IN {MY_NAMES}), c.id
             FROM item i LEFT JOIN label_case c ON c.id =
               (SELECT max(c.id) FROM label_case c WHERE c.item = i.id AND {STANDS} AND c.reason <> 'repeat')
             LEFT JOIN round r ON r.id = c.round WHERE i.id = ?2 AND i.{READY}"
        );
        let mut statement = self.conn.prepare_cached(&sql).attempting(what)?;
        let found = statement
            .query_row((expert, item), |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, bool>(2)?, r.get(3)?)))
            .optional()
            .attempting(what)?;
        let Some((beginning, round, touched, case)) = found else { return Ok(None) };
        let mut row = ItemRow {
            item,
            id: self.own_id(item)?,
            case,
            beginning,
            answer: None,
            skipped: false,
            flagged: false,
            noted: false,
            round,
        };
        if touched {
            let answer = self.current_answer(expert, item)?;
            row.skipped = answer.as_ref().is_some_and(|a| a.event.action == Action::Skip);
            row.answer = answer.and_then(|a| a.event.answer);
            row.flagged = self.is_flagged(expert, item, None)?;
            row.noted = self.note_of(expert, item, None)?.is_some();
        }
        Ok(Some(row))
    }

    /// The rows that brought an item, in the order they came.
    pub fn origins(&self, item: ItemId) -> Result<Vec<Origin>> {
        let sql = format!(
            "SELECT s.name, r.row, r.meta FROM source_row r JOIN source s ON s.id = r.source
             WHERE r.item = ?1 AND s.state = 'ready' ORDER BY r.source, r.row LIMIT {MOST_ORIGINS}"
        );
        self.all_rows_of(&sql, [item], "read the imported rows", |r| {
            Ok(Origin { source: r.get(0)?, row: r.get(1)?, meta: r.get(2)? })
        })
    }

    /// Whether an expert may answer a case: it was not withdrawn, and the expert has answered it before, has it on the screen, or its
    /// round is open and it still needs annotations.
    pub fn may_answer(&self, expert: ExpertId, case: CaseId) -> Result<bool> {
        let sql = format!(
            "WITH {} SELECT count(*) FROM label_case c JOIN round r ON r.id = c.round
             WHERE c.id = ?3 AND c.withdrawn_ms IS NULL AND (
               EXISTS (SELECT 1 FROM current_answer a WHERE a.item = c.item AND a.person = {ME})
               OR EXISTS (SELECT 1 FROM lease l WHERE l.label_case = c.id AND l.expert = ?1)
               OR r.closed_ms IS NULL AND {NEEDS_ANNOTATION})",
            active_annotators()
        );
        Ok(self.count(&sql, (expert, now_ms(), case), "read the case")? > 0)
    }

    /// The last standing answers of all others on an item, in the order in which they were given.
    pub fn answers_of_others(&self, expert: ExpertId, item: ItemId) -> Result<Vec<Given>> {
        let sql = format!(
            "SELECT e.name, a.answer, a.note FROM current_answer a JOIN expert e ON e.id = a.person
             WHERE a.item = ?2 AND a.person <> {ME} ORDER BY a.lamport, a.uuid"
        );
        self.all_rows_of(&sql, (expert, item), "read the labels", |r| {
            Ok(Given { name: r.get(0)?, answer: r.get(1)?, note: r.get(2)? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::db::open::NewProject;
    use crate::store::pool::sources::LoadOptions;
    use crate::store::pool::text_row::TextRow;

    /// Items 1 to 4 are ready, 5 is still loading; item 2 has a row in each of both imports that are ready.
    fn store(dir: &tempfile::TempDir) -> Store {
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&dir.path().join("x.hardcase"), new).unwrap();
        let mut load = store.begin_source("a.csv", "{}", LoadOptions::default()).unwrap();
        let bob = r#"{"sender":"Bob","n":3}"#;
        let rows = [
            TextRow::new(1, "Win MONEY now").with_meta(bob),
            TextRow::new(2, "the ΣΊΣΥΦΟΣ hill"),
            TextRow::new(3, "100% sure"),
        ];
        store.add_rows(&mut load, rows).unwrap();
        store.finish_source(load, 0, 0).unwrap();
        let mut load = store.begin_source("b.csv", "{}", LoadOptions::default()).unwrap();
        let rows = [
            TextRow::new(1, "the ΣΊΣΥΦΟΣ hill").with_meta(r#"{"sender":"Ann"}"#),
            TextRow::new(2, "no money").with_meta(bob),
        ];
        store.add_rows(&mut load, rows).unwrap();
        store.finish_source(load, 0, 0).unwrap();
        let mut load = store.begin_source("c.csv", "{}", LoadOptions::default()).unwrap();
        let rows =
            [TextRow::new(1, "money unseen").with_meta(bob), TextRow::new(2, "100% sure").with_meta(bob)];
        store.add_rows(&mut load, rows).unwrap();
        store
    }

    fn all(store: &Store, conditions: &Conditions, piece: usize) -> Vec<i64> {
        let (mut after, mut items) = (ItemId(i64::MIN), Vec::new());
        loop {
            let found = store.find_items(conditions, after, piece).unwrap();
            items.extend(found.items.iter().map(|item| item.0));
            match found.last {
                Some(last) => after = last,
                None => return items,
            }
        }
    }

    fn text(text: &str) -> Conditions {
        Conditions { text: text.into(), ..Conditions::default() }
    }

    #[test]
    fn pieces_of_any_size_make_up_the_pool_without_what_is_loading() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        for piece in [1, 2, 3, 4, 5] {
            assert_eq!(all(&store, &Conditions::default(), piece), [1, 2, 3, 4], "{piece}");
            assert_eq!(all(&store, &text("money"), piece), [1, 4], "{piece}");
        }
        assert_eq!(store.items_after(ItemId(2), 1).unwrap(), [ItemId(3)]);
        assert_eq!(store.items_after(ItemId(4), 9).unwrap(), []);
        assert_eq!(store.item_row(ExpertId(1), ItemId(5)).unwrap(), None);
    }

    #[test]
    fn a_text_is_found_in_any_case_and_its_signs_mean_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        assert_eq!(all(&store, &text("mOnEy N"), 9), [1]);
        assert_eq!(all(&store, &text("σίσυφοσ"), 9), [2]);
        assert_eq!(all(&store, &text("0%"), 9), [3]);
        assert_eq!(all(&store, &text("0_"), 9), [0; 0]);
        let items = [ItemId(1), ItemId(3), ItemId(5)];
        assert_eq!(store.find_among(&text("n"), &items).unwrap(), [ItemId(1)]);
    }

    #[test]
    fn an_item_has_the_id_of_the_first_row_that_has_one_and_the_number_of_its_case() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = store(&dir);
        let mut load = store.begin_source("d.csv", "{}", LoadOptions::default()).unwrap();
        let rows =
            [TextRow::new(1, "no money").with_id("M-0051"), TextRow::new(2, "no money").with_id("M-0052")];
        store.add_rows(&mut load, rows).unwrap();
        assert_eq!(store.own_id(ItemId(4)).unwrap(), None, "it is still loading");
        store.finish_source(load, 0, 0).unwrap();
        let row = store.item_row(ExpertId(1), ItemId(4)).unwrap().unwrap();
        assert_eq!((row.id.as_deref(), row.case), (Some("M-0051"), None));
    }

    #[test]
    fn every_row_of_an_item_counts_for_import_and_metadata() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let sources = |names: &[&str]| Conditions {
            sources: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Conditions::default()
        };
        assert_eq!(all(&store, &sources(&["a.csv"]), 2), [1, 2, 3]);
        assert_eq!(all(&store, &sources(&["B.CSV"]), 2), [2, 4]);
        assert_eq!(all(&store, &sources(&["a.csv", "b.csv"]), 2), [2]);
        assert_eq!(all(&store, &sources(&["c.csv"]), 2), [0; 0], "it is still loading");
        let meta = |column: &str, value: &str| Conditions {
            meta: vec![(column.into(), value.into())],
            ..Conditions::default()
        };
        assert_eq!(all(&store, &meta("sender", "bob"), 2), [1, 4]);
        assert_eq!(all(&store, &meta("sender", "ann"), 2), [2]);
        assert_eq!(all(&store, &meta("n", "3"), 2), [1, 4]);
        let both = Conditions { text: "win".into(), ..meta("sender", "Bob") };
        assert_eq!(all(&store, &both, 2), [1]);
        let names: Vec<String> = store.origins(ItemId(3)).unwrap().into_iter().map(|o| o.source).collect();
        assert_eq!(names, ["a.csv"]);
    }

    #[test]
    fn ids_are_read_from_the_index_of_rows_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        let plan: Vec<String> = store
            .all_rows(
                &format!(
                    "EXPLAIN QUERY PLAN SELECT DISTINCT item FROM source_row INDEXED BY source_row_item
                     WHERE item > 7 AND {READY} ORDER BY item LIMIT 5"
                ),
                "",
                |r| r.get(3),
            )
            .unwrap();
        assert!(plan[0].contains("COVERING INDEX source_row_item (item>?)"), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
