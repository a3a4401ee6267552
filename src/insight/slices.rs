//! Where the model agrees with the experts less: their agreement on the hard cases by slice of the texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::figures::Figures;
use super::viewer::Viewer;
use crate::domain::fault::{Fault, Result};
use crate::domain::figure::Figure;
use crate::domain::ids::ItemId;
use crate::domain::label_set::LabelSet;
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::stats::agreement::answer_matrix::{labels_of, predicted};
use crate::stats::slices::{Slice, SliceBy, TextFacts, by_slice, by_slices, columns_of, share};
use crate::store::pool::items::TextOrigin;
use crate::store::{Access, Store};

/// Columns that a message names.
const LISTED: usize = 20;

/// The agreement of model and experts, by slice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slices {
    /// What the texts are sliced by.
    pub by: String,
    /// The share of all hard cases on which they agree.
    pub all: Figure,
    /// The worst first; small ones together as `others`, last.
    pub slices: Vec<Slice>,
    /// How the intervals allow for looking at many slices.
    pub correction: &'static str,
}

/// Agreement on the hard cases by `said`: `meta:COLUMN`, `source`, `language` or `length`, as the expert of this name may see it.
///
/// # Errors
/// A usage fault for a slicing that does not exist, or a column that no answered text has.
pub fn slices(project: &Path, expert: &str, said: &str) -> Result<Slices> {
    let attempted = || format!("show the figures by '{said}'");
    let by = SliceBy::parse(said)
        .map_err(|why| Fault::usage(attempted(), why).hint("For example --slice language"))?;
    let store = Store::open(project, Access::Read)?;
    let viewer = Viewer::read(&store, expert)?;
    let task = store.task()?.task;
    let (mut cases, mut columns) = (Vec::new(), BTreeSet::new());
    let mut has_column = !matches!(by, SliceBy::Meta(_));
    for (item, agrees) in agreeing(&store, &task, &Figures::read(&store, &task, &viewer)?)? {
        let Some(known) = store.text_origin(item)? else { continue };
        let facts = facts_of(&known);
        if let SliceBy::Meta(column) = &by {
            let of_text = columns_of(&facts);
            has_column |= of_text.contains(column);
            columns.extend(of_text);
        }
        cases.push((by.slice_of(&facts), agrees));
    }
    if !has_column && !cases.is_empty() {
        let listed: Vec<String> = columns.into_iter().take(LISTED).collect();
        let hint = if listed.is_empty() {
            "`hardcase import --meta COL` keeps a column with the texts".to_owned()
        } else {
            format!("The columns are {}", listed.join(", "))
        };
        return Err(Fault::usage(attempted(), "no answered text has that column").hint(hint));
    }
    store.check_countable("show figures by slice")?;
    let sum: f64 = cases.iter().map(|(_, agrees)| agrees).sum();
    Ok(Slices {
        by: said.trim().to_owned(),
        all: share(sum, cases.len(), 1),
        slices: by_slice(&cases),
        correction: "bonferroni",
    })
}

/// Hard cases below which no slice is shown unasked: their intervals would say nothing.
const LEAST: usize = 20;
/// A column with more values is no way to slice texts: it is their number, their name, or a text of its own.
const MOST_VALUES: usize = 20;

/// A slice among those of all ways of slicing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeakSlice {
    /// `language`, `length`, `source` or the column's name.
    pub by: String,
    pub slice: String,
    pub agreement: Figure,
    /// Whether even the upper end of its interval is below the share of all hard cases.
    pub below_all: bool,
}

/// Where model and experts agree less than on all hard cases together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeakSlices {
    /// The share of all hard cases on which they agree.
    pub all: Figure,
    /// How many slices were looked at: the intervals allow for so many.
    pub looked_at: usize,
    /// The worst first.
    pub slices: Vec<WeakSlice>,
}

/// The slices by every column with few values, by source, language and length in which model and experts agree less than on all hard cases; `None` where
/// there are too few cases, or one slice.
///
/// # Errors
/// The file cannot be read.
pub fn weak_slices(store: &Store, task: &Task, figures: &Figures<'_>) -> Result<Option<WeakSlices>> {
    let cases = agreeing(store, task, figures)?;
    if cases.len() < LEAST {
        return Ok(None);
    }
    let mut texts = Vec::with_capacity(cases.len());
    for (item, agrees) in cases {
        if let Some(known) = store.text_origin(item)? {
            texts.push((known, agrees));
        }
    }
    let columns: BTreeSet<String> =
        texts.iter().flat_map(|(known, _)| columns_of(&facts_of(known))).collect();
    let named = [SliceBy::Source, SliceBy::Language, SliceBy::Length];
    // A column may have the name of another way.
    let mut ways = Vec::new();
    for way in named.into_iter().chain(columns.into_iter().map(SliceBy::Meta)) {
        let sliced: Vec<(String, f64)> =
            texts.iter().map(|(known, agrees)| (way.slice_of(&facts_of(known)), *agrees)).collect();
        let values: BTreeSet<&str> = sliced.iter().map(|(slice, _)| slice.as_str()).collect();
        if values.len() <= MOST_VALUES {
            ways.push((way.to_string(), sliced));
        }
    }
    let found = by_slices(&ways);
    if found.len() < 2 {
        return Ok(None);
    }
    let sum: f64 = texts.iter().map(|(_, agrees)| agrees).sum();
    let all = share(sum, texts.len(), 1);
    let looked_at = found.len();
    let slices = found
        .into_iter()
        .filter_map(|(by, slice)| match (&slice.agreement, &all) {
            (Figure::Known { value, hi, .. }, Figure::Known { value: of_all, .. }) if value < of_all => {
                let below_all = hi < of_all;
                Some(WeakSlice { by, slice: slice.slice, agreement: slice.agreement, below_all })
            }
            _ => None,
        })
        .collect();
    Ok(Some(WeakSlices { all, looked_at, slices }))
}

fn facts_of(known: &TextOrigin) -> TextFacts<'_> {
    TextFacts { text: &known.text, meta: known.meta.as_deref(), source: &known.source }
}

impl WeakSlice {
    /// What is in it: `placement: search`, or the slice's own name where that says it.
    pub fn name(&self) -> String {
        if self.by == "length" { self.slice.clone() } else { format!("{}: {}", self.by, self.slice) }
    }
}

/// The hard cases that were answered blind and have a prediction, each with the share of its answers that the model agrees with: all labels are the same.
fn agreeing(store: &Store, task: &Task, figures: &Figures<'_>) -> Result<Vec<(ItemId, f64)>> {
    let Some(predictor) = store.active_predictor()? else { return Ok(Vec::new()) };
    let known = labels_of(task, &predictor.labels);
    let mut answers: BTreeMap<ItemId, Vec<LabelSet>> = BTreeMap::new();
    for answer in figures.answers().iter().filter(|a| a.split == Split::Eval && a.round.is_some()) {
        if let Some(set) = task.set_of(&answer.answer) {
            answers.entry(answer.item).or_default().push(set);
        }
    }
    let mut cases = Vec::with_capacity(answers.len());
    for (item, given) in answers {
        let Some(p) = store.prediction(predictor.id, item)? else { continue };
        if let Some(predicted) = predicted(&predictor, &known, task.kind, &p) {
            let agree = given.iter().filter(|answer| **answer == predicted).count();
            cases.push((item, agree as f64 / given.len() as f64));
        }
    }
    Ok(cases)
}

impl std::fmt::Display for Slices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "Hard cases by {}: share on which model and experts agree, the worst first", self.by)?;
        let names = self.slices.iter().map(|one| one.slice.chars().count());
        let wide = names.max().unwrap_or(0).clamp("all".len(), 40);
        for one in &self.slices {
            let name: String = one.slice.chars().take(40).collect();
            let gap = " ".repeat(wide.saturating_sub(name.chars().count()));
            let below = match (&one.agreement, &self.all) {
                (Figure::Known { hi, .. }, Figure::Known { value, .. }) if hi < value => {
                    "  certainly below all"
                }
                _ => "",
            };
            writeln!(f, "  {name}{gap}  {}{below}", one.agreement)?;
        }
        writeln!(f, "  {:<wide$}  {}", "all", self.all)?;
        write!(
            f,
            "Intervals are wider for many slices (Bonferroni): in 95 % of samples all of them hold at once. Slices with fewer than 5 cases are \
             counted as others."
        )
    }
}
