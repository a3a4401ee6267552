//! What a screen requests of the pool, and the responses: ids that a search found, rows of a list, one item in full.

use crate::desk::query::Query;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ItemId};

/// A search. Its results carry its number.
#[derive(Clone, Debug)]
pub struct Search {
    pub number: u64,
    pub query: Query,
}

/// The items that a screen needs: those it shows as rows, and the one it shows in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetch {
    pub rows: Vec<ItemId>,
    pub full: Option<ItemId>,
    /// What was searched for, which the rows show where it stands in their texts.
    pub query: Query,
}

#[derive(Clone, Debug)]
pub enum Request {
    /// Search, in place of a running search.
    Search(Search),
    /// Fetch items. Of the waiting requests only the newest is answered.
    Fetch(Fetch),
}

#[derive(Debug)]
pub enum Response {
    /// More results of a search.
    Found(Found),
    /// The search of this number ended early, and why.
    Refused { number: u64, fault: Fault },
    /// The items that were asked for.
    Fetched(Result<Fetched>),
}

/// More results of a search, by id, after those sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The search's number.
    pub number: u64,
    pub items: Vec<ItemId>,
    /// Items of the whole pool.
    pub pool: usize,
    pub state: State,
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has looked at `done` of `of` items.
    Searching { done: usize, of: usize },
    /// Everything has been sent.
    Done,
}

/// An item as a row of a list, as this expert may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub item: ItemId,
    /// The file's own id.
    pub id: Option<String>,
    /// Its newest case.
    pub case: Option<CaseId>,
    /// The beginning of its text, or the passage with what was searched for.
    pub passage: String,
    /// This expert's standing answer, by name.
    pub label: Option<String>,
    /// Its labels, by name.
    pub labels: Vec<String>,
    /// Whether this expert skipped it.
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
    /// The other columns that were imported; never the gold.
    pub meta: serde_json::Map<String, serde_json::Value>,
}

/// The items that were asked for.
#[derive(Debug)]
pub struct Fetched {
    pub asked: Fetch,
    pub rows: Vec<Row>,
    pub full: Option<Box<FullItem>>,
}

/// An item in full, as this expert may see it.
#[derive(Clone, Debug)]
pub struct FullItem {
    pub row: Row,
    /// The text exactly as imported.
    pub text: String,
    /// This expert's last note.
    pub note: Option<String>,
    /// The rows that brought it.
    pub origins: Vec<Origin>,
    /// Whether this expert may answer its newest case.
    pub may_answer: bool,
    /// Whether this expert's answer may be a mistake.
    pub is_suspect: bool,
    /// The model's view, once this expert has answered and been shown it.
    pub view: Option<ModelView>,
    pub others: Others,
}

/// What others answered to an item, as far as this expert may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Others {
    /// Their answers: the case is closed, or a lead looks who has answered it.
    Shown(Vec<OtherAnswer>),
    /// There are some, but the case is open to this expert, whose answer must be independent of them.
    Hidden,
}

/// Another expert's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherAnswer {
    pub name: String,
    /// The label by name; none where the case was skipped.
    pub label: Option<String>,
    pub note: Option<String>,
}

/// What the model thinks of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelView {
    /// What it says by name, with its probability where that is one label.
    pub prelabel: Option<(String, Option<f32>)>,
    /// Why the item became a case, in plain words.
    pub chosen: Option<&'static str>,
}
