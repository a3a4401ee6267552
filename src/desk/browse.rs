//! Looking through the pool on threads of its own: one finds, and streams what it finds; one fetches the rows that are on the screen.
//!
//! Both answer the newest question only. As blind as the session: of an item that this expert has not answered, nothing of the model's
//! view leaves it, and nothing can be found by it.

use std::path::{Path, PathBuf};

use super::latest::{Latest, Newer};
use super::query::{Filter, Query};
use crate::domain::expert::Role;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ExpertId, ItemId};
use crate::domain::prediction::Probabilities;
use crate::domain::task::Task;
use crate::insight::label_issues::label_issues;
use crate::store::pool::browse::{Conditions, Given, Own};
use crate::store::rounds::cases::Case;
use crate::store::{Access, Store};

/// Items that the first piece of a search looks at, so that the first rows are there at once.
const FIRST_PIECE: usize = 250;
/// Items that a later piece looks at: a search that is not wanted any more ends within one.
const PIECE: usize = 4_000;

/// How often a search tells at most how far it is: each telling is a drawing, over a slow line too.
const TELLINGS: usize = 20;

/// A search.
#[derive(Clone, Debug)]
pub struct Search {
    /// Its number: what is told names it.
    pub number: u64,
    /// What is looked for.
    pub query: Query,
}

/// What is needed of the items themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Those that are shown as rows.
    pub rows: Vec<ItemId>,
    /// The one that is shown whole.
    pub whole: Option<ItemId>,
}

/// A question.
#[derive(Clone, Debug)]
pub enum Request {
    /// Search; a search that goes on is given up.
    Search(Search),
    /// Fetch items; of the questions that wait only the last is answered.
    Look(Look),
}

/// What a screen is told.
#[derive(Debug)]
pub enum Response {
    /// More of a search.
    Found(Found),
    /// A search ended early, and why.
    Refused {
        /// The search's number.
        number: u64,
        /// Why.
        fault: Fault,
    },
    /// What was asked for of the items.
    Looked(Result<Looked>),
}

/// More of a search: the items that follow those told before, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The search's number.
    pub number: u64,
    /// The items.
    pub items: Vec<ItemId>,
    /// Items of the whole pool.
    pub pool: usize,
    /// Whether there is more to come.
    pub state: State,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes on.
    Searching {
        /// Of the items to be looked at, those that were.
        done: usize,
        /// Items to be looked at.
        of: usize,
    },
    /// All has been told.
    Done,
}

/// An item as a row of a list, as this expert may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub item: ItemId,
    /// The beginning of its text.
    pub beginning: String,
    /// This expert's standing label, by name.
    pub label: Option<String>,
    /// Whether this expert left it unanswered.
    pub skipped: bool,
    /// Whether this expert flagged it.
    pub flagged: bool,
    /// Whether this expert wrote a note on it.
    pub noted: bool,
    /// The number of the round of its newest case.
    pub round: Option<i64>,
}

/// An imported row of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The import's name.
    pub source: String,
    /// The row's number in it, from 1.
    pub row: i64,
    /// Columns beside the text; never the gold.
    pub meta: serde_json::Map<String, serde_json::Value>,
}

/// What was asked for of the items.
#[derive(Debug)]
pub struct Looked {
    /// The question.
    pub asked: Look,
    /// The rows.
    pub rows: Vec<Row>,
    /// The one whole.
    pub whole: Option<Box<Whole>>,
}

/// An item as this expert may see it.
#[derive(Clone, Debug)]
pub struct Whole {
    /// Its row.
    pub row: Row,
    /// The text exactly as imported.
    pub text: String,
    /// This expert's last note.
    pub note: Option<String>,
    /// The rows that brought it.
    pub origins: Vec<Origin>,
    /// Its newest case.
    pub case: Option<CaseId>,
    /// Whether this expert may answer that case.
    pub may_answer: bool,
    /// The model's view, once this expert has answered and been shown it.
    pub view: Option<View>,
    /// What others answered.
    pub others: Others,
}

/// What others answered to an item, as far as this expert may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Others {
    /// Their answers: the case is closed, or a lead looks who has answered it.
    Shown(Vec<OtherAnswer>),
    /// There are some, and the case is open to this expert: theirs is to be an answer of its own.
    Hidden,
}

/// Another expert's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherAnswer {
    /// The expert.
    pub name: String,
    /// The label by name; none where the case was skipped.
    pub label: Option<String>,
    /// The note given with it.
    pub note: Option<String>,
}

/// What the model thinks.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Its label by name, and the probability of it.
    pub prelabel: Option<(String, f32)>,
    /// Why the item became a case, in plain words.
    pub chosen: Option<&'static str>,
}

/// The two threads. Dropped, they end within a piece.
pub struct Browser {
    finder: Latest<Search>,
    reader: Latest<Look>,
}

impl Browser {
    /// Starts the threads; `tell` is called on them. The project is opened with the first question.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(
        project: &Path,
        expert: &str,
        tell: impl Fn(Response) + Clone + Send + 'static,
    ) -> Result<Self> {
        let mut reading = Lazy { project: project.to_owned(), expert: expert.to_owned(), open: None };
        let told = tell.clone();
        let reader = Latest::start("reader", move |asked: Look, _| {
            told(Response::Looked(reading.get().and_then(|reading| reading.look(asked))));
        })?;
        let mut reading = Lazy { project: project.to_owned(), expert: expert.to_owned(), open: None };
        let finder = Latest::start("finder", move |search: Search, newer| {
            let number = search.number;
            let found = |found| tell(Response::Found(found));
            if let Err(fault) = reading.get().and_then(|reading| reading.find(search, newer, found)) {
                tell(Response::Refused { number, fault });
            }
        })?;
        Ok(Self { finder, reader })
    }

    /// Asks; the answers come through `tell`.
    pub fn ask(&self, ask: Request) {
        match ask {
            Request::Search(search) => self.finder.ask(search),
            Request::Look(look) => self.reader.ask(look),
        }
    }
}

/// A project that is opened when it is first read.
struct Lazy {
    project: PathBuf,
    expert: String,
    open: Option<Reading>,
}

impl Lazy {
    fn get(&mut self) -> Result<&Reading> {
        let open = match self.open.take() {
            Some(open) => open,
            None => Reading::open(&self.project, &self.expert)?,
        };
        Ok(self.open.insert(open))
    }
}

struct Reading {
    store: Store,
    expert: ExpertId,
    task: Task,
}

/// A query as the file knows it.
struct Resolved {
    conditions: Conditions,
    /// The only items that come into question, by id.
    among: Option<Vec<ItemId>>,
    /// Items that do not, by id.
    without: Vec<ItemId>,
}

impl Resolved {
    fn narrow(&mut self, items: Vec<ItemId>) {
        self.among = Some(match self.among.take() {
            Some(among) => among.into_iter().filter(|item| items.binary_search(item).is_ok()).collect(),
            None => items,
        });
    }
}

impl Reading {
    fn open(project: &Path, expert: &str) -> Result<Self> {
        let store = Store::open(project, Access::Read)?;
        let task = store.task()?.task;
        let expert = store.find_expert(expert)?.ok_or_else(|| {
            Fault::new("read the items", format!("the project knows no expert called {expert}"))
        })?;
        Ok(Self { store, expert, task })
    }

    fn find(&self, search: Search, newer: &Newer<'_, Search>, tell: impl Fn(Found)) -> Result<()> {
        let Search { number, query } = search;
        let pool = self.store.item_count()?;
        let resolved = self.resolve(query)?;
        let of = resolved.among.as_ref().map_or(pool, Vec::len);
        let (mut piece, mut after, mut done) = (FIRST_PIECE, ItemId(i64::MIN), 0);
        let (mut items, mut told) = (Vec::new(), 0);
        let mut shown_any = false;
        loop {
            let (found, ended) = match &resolved.among {
                None => {
                    let found = self.store.find_items(&resolved.conditions, after, piece)?;
                    after = found.last.unwrap_or(after);
                    (found.items, found.last.is_none())
                }
                Some(among) => {
                    let these = &among[done.min(of)..(done + piece).min(of)];
                    (self.store.find_among(&resolved.conditions, these)?, done + piece >= of)
                }
            };
            items.extend(found.into_iter().filter(|item| resolved.without.binary_search(item).is_err()));
            done = (done + piece).min(of);
            if newer.is_waiting() {
                return Ok(());
            }
            let first = !items.is_empty() && !shown_any;
            if ended || first || done * TELLINGS / of.max(1) > told {
                shown_any |= first;
                told = done * TELLINGS / of.max(1);
                let state = if ended { State::Done } else { State::Searching { done, of } };
                tell(Found { number, items: std::mem::take(&mut items), pool, state });
            }
            if ended {
                return Ok(());
            }
            piece = (piece * 2).min(PIECE);
        }
    }

    fn resolve(&self, query: Query) -> Result<Resolved> {
        let conditions = Conditions { text: query.text, ..Conditions::default() };
        let mut resolved = Resolved { conditions, among: None, without: Vec::new() };
        for filter in query.filters {
            match filter {
                Filter::Label(name) => {
                    let key = self.key_of(&name)?;
                    resolved.narrow(self.own(Own::Label(&key))?);
                }
                Filter::Unlabelled => resolved.without = self.own(Own::Labelled)?,
                Filter::Labelled => resolved.narrow(self.own(Own::Labelled)?),
                Filter::Skipped => resolved.narrow(self.own(Own::Skipped)?),
                Filter::Flagged => resolved.narrow(self.own(Own::Flagged)?),
                Filter::Suspect => resolved.narrow(label_issues(&self.store, self.expert)?),
                Filter::Round(number) => resolved.narrow(self.store.items_of_round(number)?),
                Filter::Source(name) => resolved.conditions.sources.push(self.source(name)?),
                Filter::Meta { column, value } => resolved.conditions.meta.push((column, value)),
                Filter::Prelabel(name) => {
                    let key = self.key_of(&name)?;
                    let mut items = Vec::new();
                    // Only what was answered and revealed: a prelabel that can be searched for can be read.
                    for item in self.own(Own::LabelledAndRevealed)? {
                        if self.prelabel(item)?.is_some_and(|(label, _)| label == key) {
                            items.push(item);
                        }
                    }
                    resolved.narrow(items);
                }
            }
        }
        Ok(resolved)
    }

    fn own(&self, own: Own<'_>) -> Result<Vec<ItemId>> {
        self.store.own_items(self.expert, own)
    }

    fn key_of(&self, name: &str) -> Result<String> {
        let label = self.task.find_label(name).map_err(|fault| fault.while_trying("search the items"))?;
        Ok(label.id.clone())
    }

    fn source(&self, name: String) -> Result<String> {
        let sources: Vec<String> = self.store.sources()?.into_iter().map(|s| s.name).collect();
        if sources.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Ok(name);
        }
        Err(Fault::usage("search the items", format!("no import is called '{name}'"))
            .hint(format!("There are {}", sources.join(", "))))
    }

    fn look(&self, asked: Look) -> Result<Looked> {
        let mut rows = Vec::with_capacity(asked.rows.len());
        for &item in &asked.rows {
            rows.extend(self.row(item)?);
        }
        let whole = asked.whole.map(|item| self.whole(item)).transpose()?.flatten();
        Ok(Looked { asked, rows, whole: whole.map(Box::new) })
    }

    fn row(&self, item: ItemId) -> Result<Option<Row>> {
        let row = self.store.item_row(self.expert, item)?;
        Ok(row.map(|row| Row {
            item,
            beginning: row.beginning,
            label: row.label.map(|key| self.name_of(&key)),
            skipped: row.skipped,
            flagged: row.flagged,
            noted: row.noted,
            round: row.round,
        }))
    }

    fn origins(&self, item: ItemId) -> Result<Vec<Origin>> {
        let origins = self.store.origins(item)?.into_iter().map(|origin| Origin {
            source: origin.source,
            row: origin.row,
            meta: origin.meta.and_then(|meta| serde_json::from_str(&meta).ok()).unwrap_or_default(),
        });
        Ok(origins.collect())
    }

    fn whole(&self, item: ItemId) -> Result<Option<Whole>> {
        let (Some(row), Some(shown)) = (self.row(item)?, self.store.item(item)?) else { return Ok(None) };
        let case = self.store.case_of_item(item)?;
        let may_answer = match &case {
            Some(case) => self.store.may_answer(self.expert, case.id)?,
            None => false,
        };
        Ok(Some(Whole {
            note: self.store.note_of(self.expert, item, None)?,
            origins: self.origins(item)?,
            view: self.view(&row, case.as_ref())?,
            others: self.others(&row)?,
            case: case.map(|case| case.id),
            text: shown.text,
            may_answer,
            row,
        }))
    }

    /// A lead is as blind as anybody to a case of the own that is not answered.
    fn others(&self, row: &Row) -> Result<Others> {
        let given = self.store.answers_of_others(self.expert, row.item)?;
        let may = given.is_empty()
            || row.label.is_some() && self.store.role(self.expert)? == Role::Lead
            || !self.store.items_of_open_cases(Some(self.expert))?.contains(&row.item);
        if !may {
            return Ok(Others::Hidden);
        }
        let answer = |given: Given| OtherAnswer {
            label: given.label.map(|key| self.name_of(&key)),
            name: given.name,
            note: given.note,
        };
        Ok(Others::Shown(given.into_iter().map(answer).collect()))
    }

    /// Only of an item with a standing label of this expert, to whom the view was shown before: this room records no reveal.
    fn view(&self, row: &Row, case: Option<&Case>) -> Result<Option<View>> {
        if row.label.is_none() || !self.store.is_revealed(self.expert, row.item)? {
            return Ok(None);
        }
        let prelabel = self.prelabel(row.item)?.map(|(key, p)| (self.name_of(&key), p));
        Ok(Some(View { prelabel, chosen: case.map(|case| case.reason.in_words()) }))
    }

    /// The active model's label of an item by its stable key, and the probability of it.
    fn prelabel(&self, item: ItemId) -> Result<Option<(String, f32)>> {
        let Some(predictor) = self.store.active_predictor()? else { return Ok(None) };
        let Some(values) = self.store.prediction(predictor.id, item)? else { return Ok(None) };
        let p = Probabilities(values);
        let top = p.top();
        Ok(predictor.labels.get(top).cloned().zip(p.0.get(top).copied()))
    }

    fn name_of(&self, key: &str) -> String {
        let index = self.task.index_of_id(key);
        index.map_or_else(|| key.to_owned(), |i| self.task.labels[i].name.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::mpsc;

    use super::*;
    use crate::desk::session::{Leaving, Remarks, Session};
    use crate::domain::case::{Proposal, Reason};
    use crate::domain::item::ItemKey;
    use crate::domain::overlap::Overlap;
    use crate::domain::split::{Split, SplitShares};
    use crate::domain::task::Task;
    use crate::store::NewProject;
    use crate::store::pool::predictors::{Model, Predictor};
    use crate::store::pool::sources::ImportRow;
    use crate::store::rounds::round::{Incomplete, NewRound};

    struct Line(i64, String);

    impl ImportRow for Line {
        fn row(&self) -> i64 {
            self.0
        }
        fn text(&self) -> &str {
            &self.1
        }
        fn key(&self) -> ItemKey {
            ItemKey::of(&self.1)
        }
        fn split(&self) -> Split {
            Split::Train
        }
        fn external_id(&self) -> Option<&str> {
            None
        }
        fn gold(&self) -> Option<&str> {
            None
        }
        fn meta(&self) -> Option<&str> {
            None
        }
        fn fields(&self, _: bool) -> Cow<'_, str> {
            "[null]".into()
        }
    }

    const TASK: &str = "question = \"spam?\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";

    /// A project of `count` items, the first three of them cases, with a model that takes every item for spam.
    fn project(dir: &tempfile::TempDir, count: i64) -> PathBuf {
        let path = dir.path().join("x.hardcase");
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&path, new).unwrap();
        let (_, session) = store.begin_session("setup").unwrap();
        let revision = store.set_task(&Task::from_toml(TASK, "t").unwrap(), session).unwrap();
        let mut load = store.begin_source("a.csv", "{}").unwrap();
        store.add_rows(&mut load, (1..=count).map(|n| Line(n, format!("text {n}")))).unwrap();
        store.finish_source(load, 0, 0).unwrap();
        let model = Model {
            sha256: vec![1],
            name: "m".into(),
            path: String::new(),
            architecture: "bert".into(),
            quantisation: "F32".into(),
            dimensions: 2,
            bytes: 1,
        };
        let model = store.enter_model(&model).unwrap();
        let predictor = Predictor {
            id: crate::domain::ids::PredictorId(0),
            kind: "zero-shot".into(),
            model,
            adapter: None,
            adapter_kind: None,
            prompt: None,
            revision: revision.id,
            labels: vec!["spam".into(), "ham".into()],
            settings: "{}".into(),
            created_ms: 0,
        };
        let predictor = store.add_predictor(&predictor).unwrap();
        let items: Vec<ItemId> = (1..=count).map(ItemId).collect();
        store.put_predictions(predictor, &items, &[0.9, 0.1].repeat(items.len()), 2).unwrap();
        store.activate(predictor).unwrap();
        let case = |n| Proposal {
            item: ItemId(n),
            split: Split::Train,
            reason: Reason::Margin,
            partner: None,
            margin: 0.1,
            inclusion: None,
        };
        let cases: Vec<Proposal> = (1..=3).map(case).collect();
        let round = NewRound {
            strategy: "margin",
            budget: 3,
            seed: 1,
            predictor,
            note: None,
            cases: &cases,
            overlap: Overlap::default(),
            incomplete: Incomplete::Closes,
        };
        store.open_round(&round).unwrap();
        path
    }

    fn reading(project: &Path, expert: &str) -> Reading {
        Reading::open(project, expert).unwrap()
    }

    fn found(reading: &Reading, line: &str) -> Vec<i64> {
        let resolved = reading.resolve(Query::parse(line).unwrap()).unwrap();
        let all = reading.store.items_after(ItemId(0), 1_000).unwrap();
        let among = reading.store.find_among(&resolved.conditions, resolved.among.as_ref().unwrap_or(&all));
        let mut items: Vec<i64> = among.unwrap().into_iter().map(|item| item.0).collect();
        items.retain(|item| resolved.without.binary_search(&ItemId(*item)).is_err());
        items
    }

    #[test]
    fn an_item_is_found_by_its_prelabel_only_once_this_expert_has_answered_it_and_seen_the_view() {
        let dir = tempfile::tempdir().unwrap();
        let path = project(&dir, 5);
        let mut ann = Session::open(&path, "ann", Leaving::FreesCases).unwrap();
        let mut bob = Session::open(&path, "bob", Leaving::FreesCases).unwrap();
        let (of_ann, of_bob) = (reading(&path, "ann"), reading(&path, "bob"));
        assert_eq!(found(&of_ann, "prelabel:spam"), [0; 0]);
        bob.answer_and_reveal(ItemId(1), "ham", Remarks::default()).unwrap();
        ann.answer(ItemId(2), "ham", Remarks::default()).unwrap();
        ann.answer_and_reveal(ItemId(3), "ham", Remarks::default()).unwrap();
        ann.reveal(CaseId(1)).unwrap();
        assert_eq!(found(&of_ann, "prelabel:spam"), [3], "1 is not answered, 2 not revealed");
        assert_eq!(found(&of_ann, "prelabel:ham"), [0; 0]);
        assert_eq!(found(&of_bob, "prelabel:spam"), [1]);
        let view = |reading: &Reading, item| reading.whole(ItemId(item)).unwrap().unwrap().view;
        assert_eq!(
            (1..=5).map(|n| view(&of_ann, n).is_some()).collect::<Vec<_>>(),
            [false, false, true, false, false]
        );
        assert_eq!(view(&of_bob, 1).unwrap().prelabel, Some(("spam".into(), 0.9)));
        ann.undo().unwrap();
        assert_eq!(found(&of_ann, "prelabel:spam"), [0; 0], "an answer that was taken back is none");
    }

    #[test]
    fn a_suspected_answer_is_found_by_whoever_gave_it_until_that_expert_answers_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = project(&dir, 5);
        let mut ann = Session::open(&path, "ann", Leaving::FreesCases).unwrap();
        let mut bob = Session::open(&path, "bob", Leaving::FreesCases).unwrap();
        for (item, label) in [(1, "spam"), (2, "spam"), (3, "ham"), (4, "ham")] {
            ann.answer(ItemId(item), label, Remarks::default()).unwrap();
        }
        bob.answer(ItemId(1), "ham", Remarks::default()).unwrap();
        assert_eq!(found(&reading(&path, "ann"), "suspect"), [0; 0], "nothing was tuned");
        let mut store = Store::open(&path, Access::Job).unwrap();
        let current = store.active_predictor().unwrap().unwrap();
        let suspects: Vec<_> = [(5, "spam"), (2, "spam"), (4, "ham"), (1, "spam")]
            .map(|(item, label)| serde_json::json!({ "item": item, "label": label }))
            .into();
        let head = crate::store::pool::adapters::NewAdapter {
            kind: "head",
            model: current.model,
            parent: None,
            round: None,
            revision: current.revision,
            labels: current.labels,
            settings: serde_json::json!({ "suspects": suspects }).to_string(),
            training_hash: [0; 32],
            training_n: 4,
            bytes: vec![],
        };
        store.add_adapter(&head).unwrap();
        assert_eq!(found(&reading(&path, "ann"), "suspect"), [1, 2, 4], "5 has no answer");
        assert_eq!(found(&reading(&path, "bob"), "suspect"), [0; 0], "bob said ham of 1");
        ann.answer(ItemId(2), "spam", Remarks::default()).unwrap();
        ann.answer(ItemId(4), "spam", Remarks::default()).unwrap();
        assert_eq!(found(&reading(&path, "ann"), "suspect"), [1], "one was confirmed and one changed");
        let status = crate::insight::status::status(&path, "ann").unwrap();
        assert_eq!(status.label_issues_by_expert, [("ann".to_owned(), 1)].into());
        assert!(status.to_string().contains("1 answer may be wrong (1 of ann)"), "{status}");
        ann.undo().unwrap();
        assert_eq!(found(&reading(&path, "ann"), "suspect"), [1, 4]);
    }

    #[test]
    fn filters_speak_of_what_this_expert_did() {
        let dir = tempfile::tempdir().unwrap();
        let path = project(&dir, 5);
        let mut ann = Session::open(&path, "ann", Leaving::FreesCases).unwrap();
        let mut bob = Session::open(&path, "bob", Leaving::FreesCases).unwrap();
        ann.answer(ItemId(1), "spam", Remarks::default()).unwrap();
        ann.answer(ItemId(4), "ham", Remarks::default()).unwrap();
        ann.skip(ItemId(2)).unwrap();
        ann.toggle_flag(ItemId(5)).unwrap();
        ann.toggle_flag(ItemId(4)).unwrap();
        ann.toggle_flag(ItemId(4)).unwrap();
        bob.answer(ItemId(3), "spam", Remarks::default()).unwrap();
        let ann = reading(&path, "ann");
        let of = |line| found(&ann, line);
        assert_eq!(of("label:spam"), [1]);
        assert_eq!(of("label:any"), [1, 4]);
        assert_eq!(of("label:none"), [2, 3, 5]);
        assert_eq!(of("skipped"), [2]);
        assert_eq!(of("flagged"), [5]);
        assert_eq!(of("round:1"), [1, 2, 3]);
        assert_eq!(of("round:1 label:none text"), [2, 3]);
        assert_eq!(of("source:A.csv 5"), [5]);
        let refused = |line: &str| ann.resolve(Query::parse(line).unwrap()).err().unwrap().to_string();
        assert!(refused("label:egg").contains("search the items"), "{}", refused("label:egg"));
        assert_eq!(refused("source:z"), "cannot search the items: no import is called 'z'. There are a.csv");
        let whole = |item| ann.whole(ItemId(item)).unwrap().unwrap();
        assert_eq!((whole(2).case, whole(2).may_answer), (Some(CaseId(2)), true));
        assert_eq!((whole(3).case, whole(3).may_answer), (Some(CaseId(3)), false), "bob has answered it");
        assert_eq!((whole(5).case, whole(5).may_answer), (None, false));
    }

    #[test]
    fn a_newer_search_replaces_the_one_that_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = project(&dir, 1_000);
        let ann = Session::open(&path, "ann", Leaving::FreesCases).unwrap();
        let (to, told) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        let browser = Browser::start(&path, "ann", move |said| {
            to.send(said).unwrap();
            gate.lock().unwrap().recv().unwrap();
        })
        .unwrap();
        let search = |number, line| Request::Search(Search { number, query: Query::parse(line).unwrap() });
        browser.ask(search(1, ""));
        let next = || match told.recv().unwrap() {
            Response::Found(found) => found,
            other => panic!("{other:?}"),
        };
        let first = next();
        assert_eq!((first.number, first.items.len(), first.pool), (1, FIRST_PIECE, 1_000));
        assert_eq!(first.state, State::Searching { done: FIRST_PIECE, of: 1_000 });
        // The first search waits to be heard: both that follow come while it goes on.
        browser.ask(search(2, "text 1"));
        browser.ask(search(3, "text 99"));
        let mut items = Vec::new();
        loop {
            go.send(()).unwrap();
            let found = next();
            assert_eq!(found.number, 3);
            items.extend(found.items);
            if found.state == State::Done {
                break;
            }
        }
        go.send(()).unwrap();
        let want: Vec<ItemId> = [99].into_iter().chain(990..=999).map(ItemId).collect();
        assert_eq!(items, want);
        drop(browser);
        ann.close().unwrap();
    }
}
