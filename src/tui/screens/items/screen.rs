//! The screen of items: what is looked for, what was found so far, and where in it one is. It holds ids of what was found and rows of what
//! is on the screen; both come from the desk's threads.

use std::collections::HashMap;

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::desk::browse::{Found, Look, Looked, Request, Response, Row, Search, State, Whole};
use crate::desk::query::Query;
use crate::domain::ids::{CaseId, ItemId};
use crate::tui::effect::Effect;
use crate::tui::keys::Action;
use crate::tui::widgets::frame::Notice;
use crate::tui::widgets::text_layout::drawable;

/// Where keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum Focus {
    /// Up and down the list.
    #[default]
    List,
    /// Into the line that says what is looked for.
    Field,
    /// Up and down the item shown whole.
    Whole,
}

/// What becomes of the list when more of a search comes.
#[derive(Debug, Default)]
enum Coming {
    /// It goes on below.
    #[default]
    Follows,
    /// It takes the place of what is shown.
    Replaces,
    /// The same search once more: what is shown stays until all of it is there, and so does the chosen item.
    Renews(Vec<ItemId>),
}

/// Whether the last row stays chosen while more are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hold {
    #[default]
    Row,
    End,
}

/// What an action leads to outside this screen.
#[derive(Debug)]
pub(in crate::tui) enum Step {
    Stays(Option<Notice>),
    Back,
    Jump(CaseId),
}

/// The screen of items.
#[derive(Debug, Default)]
pub(in crate::tui) struct ItemsScreen {
    pub field: Input,
    pub focus: Focus,
    pub query: Query,
    /// Why what is typed is not looked for.
    pub refused: Option<String>,
    pub items: Vec<ItemId>,
    /// Items of the whole pool.
    pub pool: usize,
    /// How far the search is; none before the first.
    pub state: Option<State>,
    pub selected: usize,
    /// The first row on the screen.
    pub top: usize,
    /// Rows that the last drawing had room for.
    pub height: usize,
    /// Whether the last drawing showed an item whole.
    pub shows_whole: bool,
    pub whole: Option<Box<Whole>>,
    pub rows: HashMap<ItemId, Row>,
    /// Lines scrolled down in the item shown whole.
    pub scroll: usize,
    number: u64,
    coming: Coming,
    hold: Hold,
    asked: Option<Look>,
}

impl ItemsScreen {
    /// The screen comes into view: what was done elsewhere meanwhile may change all of it.
    pub fn enter(&mut self) -> Vec<Effect> {
        self.focus = Focus::List;
        if Query::parse(self.field.value()).is_err() {
            return Vec::new();
        }
        self.refused = None;
        self.rows.clear();
        self.whole = None;
        self.asked = None;
        self.coming = if self.state.is_some() { Coming::Renews(Vec::new()) } else { Coming::Replaces };
        self.search()
    }

    /// Puts the cursor into the line that says what is looked for.
    pub fn type_in(&mut self) {
        self.focus = Focus::Field;
    }

    fn search(&mut self) -> Vec<Effect> {
        self.number += 1;
        vec![Effect::Browse(Request::Search(Search { number: self.number, query: self.query.clone() }))]
    }

    /// Takes a key while the cursor is in the line; none where the key is not for it.
    pub fn key(&mut self, key: &KeyEvent) -> Option<Vec<Effect>> {
        if self.focus != Focus::Field {
            return None;
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        if matches!(key.code, KeyCode::Esc | KeyCode::Enter) || ctrl && key.code == KeyCode::Char('c') {
            self.focus = Focus::List;
            return Some(Vec::new());
        }
        let changed = self.field.handle_event(&Event::Key(*key));
        let is_letter = matches!(key.code, KeyCode::Char(_)) && !ctrl;
        match changed {
            Some(change) if change.value => Some(self.typed()),
            None if !is_letter => None,
            _ => Some(Vec::new()),
        }
    }

    /// Takes pasted text into the line; none where the cursor is not in it.
    pub fn paste(&mut self, text: &str) -> Option<Vec<Effect>> {
        if self.focus != Focus::Field {
            return None;
        }
        for c in drawable(text).replace('\n', " ").chars() {
            self.field.handle(tui_input::InputRequest::InsertChar(c));
        }
        Some(self.typed())
    }

    fn typed(&mut self) -> Vec<Effect> {
        match Query::parse(self.field.value()) {
            Err(why) => {
                // What an earlier line found, or is about to find, must not stand beneath this one.
                self.number += 1;
                self.refuse(why);
            }
            Ok(query) => {
                let again = self.refused.take().is_some();
                if query != self.query || again {
                    self.query = query;
                    self.coming = Coming::Replaces;
                    self.state = Some(State::Searching { done: 0, of: self.pool });
                    return self.search();
                }
            }
        }
        Vec::new()
    }

    fn refuse(&mut self, why: String) {
        self.refused = Some(why);
        self.items.clear();
        self.select(0);
    }

    /// Takes an action.
    pub fn act(&mut self, action: Action) -> Step {
        let page = i64::try_from(self.height.max(2) - 1).unwrap_or(i64::MAX);
        if self.focus == Focus::Whole {
            return self.act_on_whole(action);
        }
        match action {
            Action::Up => self.move_by(-1),
            Action::Down => self.move_by(1),
            Action::PageUp => self.move_by(-page),
            Action::PageDown => self.move_by(page),
            Action::Top => self.move_by(i64::MIN),
            Action::Bottom => {
                self.move_by(i64::MAX);
                self.hold = Hold::End;
            }
            Action::Open if !self.items.is_empty() => self.focus = Focus::Whole,
            Action::Back => return Step::Back,
            _ => {}
        }
        Step::Stays(None)
    }

    fn act_on_whole(&mut self, action: Action) -> Step {
        let page = self.height.saturating_sub(2).max(1);
        match action {
            Action::Up => self.scroll = self.scroll.saturating_sub(1),
            Action::Down => self.scroll = self.scroll.saturating_add(1),
            Action::PageUp => self.scroll = self.scroll.saturating_sub(page),
            Action::PageDown => self.scroll = self.scroll.saturating_add(page),
            Action::Top => self.scroll = 0,
            Action::Bottom => self.scroll = usize::MAX,
            Action::Earlier => self.move_by(-1),
            Action::Later => self.move_by(1),
            Action::Back => self.focus = Focus::List,
            Action::Open => return self.go_to_case(),
            _ => {}
        }
        Step::Stays(None)
    }

    fn go_to_case(&self) -> Step {
        let says = match self.whole.as_deref() {
            Some(Whole { case: Some(case), may_answer: true, .. }) => return Step::Jump(*case),
            Some(Whole { case: Some(case), .. }) => format!("case {case} is not yours to answer now"),
            Some(_) => "this item is no case: only what a round chose is put to you".into(),
            None => return Step::Stays(None),
        };
        Step::Stays(Some(Notice::quiet(says)))
    }

    fn move_by(&mut self, rows: i64) {
        let last = self.items.len().saturating_sub(1);
        let to = (self.selected as i64).saturating_add(rows).max(0);
        self.select(usize::try_from(to).map_or(last, |to| to.min(last)));
    }

    fn select(&mut self, row: usize) {
        self.hold = Hold::Row;
        if row != self.selected {
            self.selected = row;
            self.scroll = 0;
        }
    }

    /// Takes what the desk tells.
    pub fn told(&mut self, told: Response) -> Option<Notice> {
        match told {
            Response::Found(found) if found.number == self.number => self.found(found),
            Response::Refused { number, fault } if number == self.number => {
                self.state = Some(State::Done);
                self.refuse(fault.to_string());
            }
            Response::Looked(Ok(looked)) => self.looked(looked),
            Response::Looked(Err(fault)) => return Some(Notice::bad(fault.to_string())),
            Response::Found(_) | Response::Refused { .. } => {}
        }
        None
    }

    fn found(&mut self, found: Found) {
        self.pool = found.pool;
        self.state = Some(found.state);
        match &mut self.coming {
            Coming::Follows => self.items.extend(found.items),
            Coming::Replaces => {
                self.items = found.items;
                self.coming = Coming::Follows;
                self.select(0);
                self.top = 0;
            }
            Coming::Renews(gathered) => {
                gathered.extend(found.items);
                if found.state == State::Done {
                    let items = std::mem::take(gathered);
                    let chosen = self.items.get(self.selected).copied();
                    self.selected = chosen.map_or(0, |chosen| items.partition_point(|item| *item < chosen));
                    self.items = items;
                    self.coming = Coming::Follows;
                }
            }
        }
        let last = self.items.len().saturating_sub(1);
        if self.hold == Hold::End {
            self.selected = last;
        }
        self.selected = self.selected.min(last);
    }

    fn looked(&mut self, looked: Looked) {
        if !looked.asked.rows.is_empty() {
            self.rows = looked.rows.into_iter().map(|row| (row.item, row)).collect();
        }
        self.whole = looked.whole;
    }

    /// The chosen item.
    pub fn chosen(&self) -> Option<ItemId> {
        self.items.get(self.selected).copied()
    }

    /// What the screen lacks, now that it has been drawn: the rows on it with a page before and a page after, and the item shown whole.
    pub fn lacks(&mut self) -> Option<Effect> {
        let on_screen = self.part(self.top, self.height);
        let lacks_rows = on_screen.iter().any(|item| !self.rows.contains_key(item));
        let whole = self.chosen().filter(|_| self.shows_whole);
        let lacks_whole = whole.is_some() && self.whole.as_ref().map(|whole| whole.row.item) != whole;
        if !lacks_rows && !lacks_whole {
            return None;
        }
        let rows = if lacks_rows {
            self.part(self.top.saturating_sub(self.height), 3 * self.height).to_vec()
        } else {
            Vec::new()
        };
        let look = Look { rows, whole };
        if self.asked.as_ref() == Some(&look) {
            return None;
        }
        self.asked = Some(look.clone());
        Some(Effect::Browse(Request::Look(look)))
    }

    fn part(&self, from: usize, count: usize) -> &[ItemId] {
        let from = from.min(self.items.len());
        &self.items[from..(from + count).min(self.items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(effects: &[Effect]) -> u64 {
        match effects {
            [Effect::Browse(Request::Search(search))] => search.number,
            other => panic!("{other:?}"),
        }
    }

    fn found(number: u64, items: std::ops::Range<i64>, state: State) -> Response {
        Response::Found(Found { number, items: items.map(ItemId).collect(), pool: 100, state })
    }

    fn press(screen: &mut ItemsScreen, line: &str) -> Option<Vec<Effect>> {
        let mut last = None;
        for c in line.chars() {
            last = screen.key(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        last
    }

    const MORE: State = State::Searching { done: 1, of: 2 };

    #[test]
    fn letters_are_text_while_the_cursor_is_in_the_line_and_keys_elsewhere() {
        let mut screen = ItemsScreen::default();
        assert!(press(&mut screen, "q").is_none());
        screen.type_in();
        let effects = press(&mut screen, "q?/: label:spam").unwrap();
        assert_eq!(number(&effects), screen.number);
        assert_eq!(screen.field.value(), "q?/: label:spam");
        assert_eq!(screen.query.text, "q?/:");
        assert!(screen.key(&KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE)).is_none());
        assert!(screen.paste("a\u{1b}[31m\nb").is_some());
        assert_eq!(screen.field.value(), "q?/: label:spama\u{fffd}[31m b");
    }

    #[test]
    fn what_an_older_search_finds_is_not_shown() {
        let mut screen = ItemsScreen::default();
        let first = number(&screen.enter());
        screen.type_in();
        let second = number(&press(&mut screen, "x").unwrap());
        screen.told(found(first, 1..50, State::Done));
        assert!(screen.items.is_empty());
        screen.told(found(second, 7..9, MORE));
        screen.told(found(second, 20..21, State::Done));
        assert_eq!(screen.items, [7, 8, 20].map(ItemId));
    }

    #[test]
    fn a_line_that_cannot_be_asks_nothing_and_says_why() {
        let mut screen = ItemsScreen::default();
        screen.type_in();
        assert_eq!(press(&mut screen, "round:x").map(|effects| effects.len()), Some(0));
        assert!(screen.refused.as_deref().is_some_and(|why| why.contains("is not a round")));
        screen.told(found(screen.number - 1, 1..50, State::Done));
        assert!(screen.items.is_empty(), "what 'round' found does not stand beneath 'round:x'");
        screen.key(&KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
        let effects = press(&mut screen, "3").unwrap();
        screen.told(found(number(&effects), 1..50, State::Done));
        assert_eq!(screen.items.len(), 49);
    }

    #[test]
    fn the_end_stays_the_end_while_more_is_found_and_a_row_stays_that_row() {
        let mut screen = ItemsScreen::default();
        let number = number(&screen.enter());
        screen.told(found(number, 1..10, MORE));
        screen.act(Action::Bottom);
        screen.told(found(number, 10..30, MORE));
        assert_eq!(screen.chosen(), Some(ItemId(29)));
        screen.act(Action::Up);
        screen.told(found(number, 30..40, State::Done));
        assert_eq!(screen.chosen(), Some(ItemId(28)));
    }

    #[test]
    fn coming_back_keeps_the_chosen_item_and_shows_the_old_list_until_the_new_one_is_whole() {
        let mut screen = ItemsScreen::default();
        let first = number(&screen.enter());
        screen.told(found(first, 1..50, State::Done));
        (0..20).for_each(|_| drop(screen.act(Action::Down)));
        let again = number(&screen.enter());
        screen.told(found(again, 11..30, MORE));
        assert_eq!((screen.items.len(), screen.chosen()), (49, Some(ItemId(21))));
        screen.told(found(again, 30..60, State::Done));
        assert_eq!((screen.items.len(), screen.chosen()), (49, Some(ItemId(21))));
        assert_eq!(screen.items[0], ItemId(11));
    }

    #[test]
    fn rows_around_the_screen_are_asked_for_once() {
        let mut screen = ItemsScreen { height: 5, ..ItemsScreen::default() };
        let number = number(&screen.enter());
        screen.told(found(number, 1..50, State::Done));
        screen.top = 10;
        let Some(Effect::Browse(Request::Look(look))) = screen.lacks() else { panic!() };
        assert_eq!((look.rows.len(), look.rows[0], look.whole), (15, ItemId(6), None));
        assert!(screen.lacks().is_none(), "it is on its way");
    }
}
