//! Searches the pool piece by piece, in the order of ids, and sends what it finds while it goes on.

use super::messages::{Found, Search, State};
use super::reader::PoolReader;
use crate::desk::query::{Filter, Query, pattern};
use crate::desk::worker::Inbox;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::insight::label_issues::label_issues;
use crate::store::pool::browse::{Conditions, Own};

/// Items in the first piece of a search, so that the first rows appear at once.
pub(super) const FIRST_PIECE: usize = 250;
/// Items in later pieces. An obsolete search ends within one.
const PIECE: usize = 4_000;
/// No id that is searched for is longer, in bytes: a longer text is looked for in the texts alone.
const LONGEST_ID: usize = 100;
/// Shortest time between two reports of progress: each causes a redraw, which may go over a slow line.
const REPORTS: usize = 20;

/// A query as the file knows it.
pub(super) struct Resolved {
    pub conditions: Conditions,
    /// The only items that can match, by id.
    pub among: Option<Vec<ItemId>>,
    /// Items that cannot match, by id.
    pub without: Vec<ItemId>,
    /// Items whose own id is the text that is searched for, by id: they match without having it in them.
    pub named: Vec<ItemId>,
}

impl Resolved {
    /// What was found in a piece that reaches from one item to another, and what is meant there by its own id.
    fn with_named(&self, mut found: Vec<ItemId>, (first, last): (ItemId, ItemId)) -> Vec<ItemId> {
        let named = self.named.iter().filter(|item| (first..=last).contains(*item));
        let before = found.len();
        found.extend(named);
        if found.len() > before {
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    fn narrow(&mut self, items: Vec<ItemId>) {
        self.among = Some(match self.among.take() {
            Some(among) => among.into_iter().filter(|item| items.binary_search(item).is_ok()).collect(),
            None => items,
        });
    }
}

impl PoolReader {
    /// Searches until everything is found or a newer search arrives.
    pub fn find(&self, search: Search, inbox: &Inbox<Search>, respond: impl Fn(Found)) -> Result<()> {
        let Search { number, query } = search;
        let pool = self.store.item_count()?;
        let resolved = self.resolve(query)?;
        let of = resolved.among.as_ref().map_or(pool, Vec::len);
        let (mut piece, mut after, mut done) = (FIRST_PIECE, ItemId(i64::MIN), 0);
        let (mut items, mut sent) = (Vec::new(), 0);
        let mut shown_any = false;
        loop {
            let (found, ended) = match &resolved.among {
                None => {
                    let found = self.store.find_items(&resolved.conditions, after, piece)?;
                    let first = ItemId(after.0.saturating_add(1));
                    after = found.last.unwrap_or(after);
                    let last = found.last.unwrap_or(ItemId(i64::MAX));
                    (resolved.with_named(found.items, (first, last)), found.last.is_none())
                }
                Some(among) => {
                    let these = &among[done.min(of)..(done + piece).min(of)];
                    let found = self.store.find_among(&resolved.conditions, these)?;
                    let reach = these.first().copied().zip(these.last().copied());
                    let found = reach.map_or_else(Vec::new, |reach| resolved.with_named(found, reach));
                    (found, done + piece >= of)
                }
            };
            items.extend(found.into_iter().filter(|item| resolved.without.binary_search(item).is_err()));
            done = (done + piece).min(of);
            if inbox.is_outdated() {
                return Ok(());
            }
            let first = !items.is_empty() && !shown_any;
            if ended || first || done * REPORTS / of.max(1) > sent {
                shown_any |= first;
                sent = done * REPORTS / of.max(1);
                let state = if ended { State::Done } else { State::Searching { done, of } };
                respond(Found { number, items: std::mem::take(&mut items), pool, state });
            }
            if ended {
                return Ok(());
            }
            piece = (piece * 2).min(PIECE);
        }
    }

    /// Turns names into ids and keys.
    pub fn resolve(&self, query: Query) -> Result<Resolved> {
        let conditions = Conditions { text: query.text, ..Conditions::default() };
        let mut resolved = Resolved { conditions, among: None, without: Vec::new(), named: Vec::new() };
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
                Filter::Id(id) => resolved.narrow(self.store.items_of_external_id(&id)?),
                Filter::Pattern(typed) => {
                    let compiled = pattern(&typed).map_err(|why| Fault::usage("search the texts", why))?;
                    resolved.conditions.patterns.push(compiled);
                }
                Filter::Prelabel(name) => {
                    let key = self.key_of(&name)?;
                    let mut items = Vec::new();
                    // Only what was answered and revealed: a prelabel that can be searched for can be read.
                    for item in self.own(Own::LabelledAndRevealed)? {
                        if self.prelabel(item)?.is_some_and(|(answer, _)| answer.has(&key)) {
                            items.push(item);
                        }
                    }
                    resolved.narrow(items);
                }
            }
        }
        resolved.named = self.named(&resolved)?;
        Ok(resolved)
    }

    /// The items whose own id is what is searched for, of those that meet all other conditions.
    fn named(&self, resolved: &Resolved) -> Result<Vec<ItemId>> {
        let text = &resolved.conditions.text;
        if text.is_empty() || text.len() > LONGEST_ID {
            return Ok(Vec::new());
        }
        let mut named = self.store.items_of_external_id(text)?;
        if let Some(among) = &resolved.among {
            named.retain(|item| among.binary_search(item).is_ok());
        }
        let others = Conditions { text: String::new(), ..resolved.conditions.clone() };
        self.store.find_among(&others, &named)
    }

    fn own(&self, own: Own<'_>) -> Result<Vec<ItemId>> {
        self.store.own_items(self.expert, own)
    }

    fn key_of(&self, name: &str) -> Result<String> {
        let label = self.task.find_label(name).map_err(|fault| fault.while_trying("search the texts"))?;
        Ok(label.id.clone())
    }

    fn source(&self, name: String) -> Result<String> {
        let sources: Vec<String> = self.store.sources()?.into_iter().map(|s| s.name).collect();
        if sources.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Ok(name);
        }
        Err(Fault::usage("search the texts", format!("no import is called '{name}'"))
            .hint(format!("There are {}", sources.join(", "))))
    }
}
