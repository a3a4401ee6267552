//! The Items screen: what is searched for, what was found so far, and where in it the person is. It holds ids of what was found and rows of
//! what is in view; both come from the desk's threads.

use std::collections::HashMap;
use std::time::Instant;

use ratatui::Frame;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use super::sight::Labelling;
use crate::desk::browse::{Fetch, Fetched, Found, FullItem, Request, Response, Row, Search, State};
use crate::desk::query::Query;
use crate::desk::request;
use crate::domain::answer::SaidLabels;
use crate::domain::ids::{CaseId, ItemId};
use crate::tui::effect::Effect;
use crate::tui::hits::{Target, WHEEL};
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::screen::{Arrival, Pressed, Received, Screen, Then, View};
use crate::tui::screens::case::attention::Press;
use crate::tui::screens::case::choosing::needs_list;
use crate::tui::shared::Shared;
use crate::tui::widgets::frame::Notice;
use crate::tui::widgets::scroll::moved;
use crate::tui::widgets::text_layout::drawable;

/// What can be typed, for the help.
const TYPED: [(&str, &str); 11] = [
    (
        "label:NAME",
        "search by your label; label:none finds what you have not labelled, label:any what you have",
    ),
    ("flagged", "search for texts you flagged for a second look"),
    ("skipped", "search for texts you skipped"),
    ("suspect", "search for answers of yours that may be mistakes"),
    ("round:N", "search for the cases of a round"),
    ("source:FILE", "search for texts that came from this import"),
    ("meta:COL=VALUE", "search by another column of the data; meta:COL=\"TWO WORDS\""),
    ("id:YOUR-ID", "find a text by the id that its file gives it; the id alone finds it, too"),
    ("regex:PATTERN", "search the text by a regular expression; regex:\"TWO WORDS\""),
    ("prelabel:NAME", "search by the model's label, among the texts you have answered"),
    ("\"words\"", "in quotes: search for exactly this in the text"),
];

/// Where keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Focus {
    /// Up and down the list.
    #[default]
    List,
    /// Into the line that says what to search for.
    Field,
    /// Up and down the item shown in full.
    FullItem,
}

/// What becomes of the list when more of a search comes.
#[derive(Debug, Default)]
enum Arriving {
    /// It goes on below.
    #[default]
    Follows,
    /// It takes the place of what is shown.
    Replaces,
    /// The same search again: what is shown stays until all of it is there, and so does the chosen item.
    Renews(Vec<ItemId>),
}

/// Whether the last row stays chosen while more are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Hold {
    #[default]
    Row,
    End,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct ItemsScreen {
    pub(super) field: Input,
    pub(super) focus: Focus,
    pub(super) query: Query,
    /// Why what is typed is not searched for.
    pub(super) refused: Option<String>,
    pub(super) items: Vec<ItemId>,
    /// Items of the whole pool.
    pub(super) pool: usize,
    /// How far the search is; none before the first.
    pub(super) state: Option<State>,
    pub(super) selected: usize,
    /// The first row in view.
    pub(super) top: usize,
    /// Rows that the last drawing had room for.
    pub(super) height: usize,
    /// Whether the last drawing showed an item in full.
    pub(super) shows_full: bool,
    pub(super) full: Option<Box<FullItem>>,
    pub(super) rows: HashMap<ItemId, Row>,
    /// Lines scrolled down in the item shown in full.
    pub(super) scroll: usize,
    pub(super) labelling: Labelling,
    /// Whether what is shown may have changed in the file.
    pub(super) stale: bool,
    /// Whether the next character takes the place of the whole line.
    pub(super) overtypes: bool,
    number: u64,
    arriving: Arriving,
    hold: Hold,
    fetching: Option<Fetch>,
}

impl Screen for ItemsScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        self.render(frame, area, view);
    }

    fn also_opened_by(&self) -> &'static [Action] {
        &[Action::Search]
    }

    fn own_actions(&self) -> &'static [Action] {
        &[Action::Earlier, Action::Later, Action::Undo, Action::Redo, Action::Jump]
    }

    fn help(&self, _: &Shared) -> Vec<(String, String)> {
        TYPED.map(|(typed, says)| (typed.to_owned(), says.to_owned())).to_vec()
    }

    fn enter(&mut self, by: Action, arrival: Arrival) -> Vec<Then> {
        let then = if arrival == Arrival::FromAnotherScreen { self.renew() } else { Vec::new() };
        if by == Action::Search {
            self.focus = Focus::Field;
            self.overtypes = true;
        }
        then
    }

    fn is_typing(&self) -> bool {
        self.focus == Focus::Field
    }

    /// The text whose answer is gone or back is the one to look at, wherever the cursor was.
    fn reverted(&mut self, item: ItemId) {
        if let Some(row) = self.items.iter().position(|known| *known == item) {
            self.select(row);
        }
    }

    fn refresh(&mut self) -> Vec<Then> {
        self.stale = true;
        Vec::new()
    }

    fn key(&mut self, key: Pressed<'_>, shared: &Shared, now: Instant) -> Option<Vec<Then>> {
        if self.focus == Focus::Field {
            return self.type_key(key.event);
        }
        let (task, repeat) = (&shared.about.task, key.event.kind == KeyEventKind::Repeat);
        if task.kind.is_several() && self.focus == Focus::FullItem && key.event.code == KeyCode::Enter {
            if needs_list(task) {
                self.labelling.attention.also_pressed(Press::Enter, now);
                return Some(self.find_label(shared));
            }
            return Some(self.label_key(Press::Enter, repeat, task, now));
        }
        let c = key.stroke?.character()?;
        task.labels.iter().find(|label| label.key == Some(c))?;
        Some(self.label_key(c, repeat, task, now))
    }

    fn click(&mut self, target: Target, _: &Shared, _: Instant) -> Vec<Then> {
        if let Target::Row(row) = target {
            self.focus = Focus::List;
            self.select(row);
        }
        Vec::new()
    }

    fn wheel(&mut self, way: Action, over: Option<Target>, _: &Shared) -> Vec<Then> {
        let from = if matches!(over, Some(Target::Text(_))) { self.scroll } else { self.selected };
        let to = match way {
            Action::Up => from.saturating_sub(WHEEL),
            _ => from.saturating_add(WHEEL),
        };
        if matches!(over, Some(Target::Text(_))) {
            self.scroll = to;
        } else {
            self.select(to);
        }
        Vec::new()
    }

    fn paste(&mut self, text: &str) -> Option<Vec<Then>> {
        if self.focus != Focus::Field {
            return None;
        }
        self.overtype();
        for c in drawable(text).replace('\n', " ").chars() {
            self.field.handle(tui_input::InputRequest::InsertChar(c));
        }
        Some(self.typed())
    }

    fn act(&mut self, action: Action, shared: &Shared) -> Vec<Then> {
        match action {
            Action::Undo => return vec![Effect::Session(request::Request::Undo).into()],
            Action::Redo => return vec![Effect::Session(request::Request::Redo).into()],
            _ => {}
        }
        if self.focus == Focus::FullItem {
            return self.act_on_full(action, shared);
        }
        match action {
            Action::Open if !self.items.is_empty() => self.focus = Focus::FullItem,
            Action::Back => return vec![Then::Home],
            Action::Earlier => self.select(self.selected.saturating_sub(1)),
            Action::Later => self.select(self.selected + 1),
            _ => {
                if let Some(to) = moved(self.selected, action, self.height.max(2) - 1) {
                    self.select(to);
                }
                if action == Action::Bottom {
                    self.hold = Hold::End;
                }
            }
        }
        Vec::new()
    }

    fn case_here(&self) -> Option<CaseId> {
        let full = self.full.as_ref().filter(|full| self.focus == Focus::FullItem && full.may_answer)?;
        full.row.case.filter(|_| self.chosen() == Some(full.row.item))
    }

    fn labels_found(&mut self, labels: &SaidLabels, shared: &Shared, now: Instant) -> Vec<Then> {
        self.give_found_labels(labels, &shared.about.task, now)
    }

    fn labels_ticked(&mut self, labels: &SaidLabels, _: &Shared, now: Instant) {
        self.labelling.attention.also_pressed(Press::Enter, now);
        self.labelling.chosen = self.labelling.finding.map(|item| (item, labels.0.clone()));
    }

    fn hidden(&mut self) {
        self.labelling.forget();
    }

    fn receive(&mut self, message: Message, _: &Shared, now: Instant) -> Received {
        match message {
            Message::CursorReported(nonce) => self.labelling.attention.answered(nonce, now),
            Message::CursorUnknown => self.labelling.attention.unanswered(now),
            Message::Session(response)
                if matches!(response.outcome, Ok(request::Outcome::LabelledFound(_))) =>
            {
                let labelled = match response.outcome {
                    Ok(request::Outcome::LabelledFound(labelled)) => self.labelled(labelled),
                    _ => Vec::new(),
                };
                return Received::Taken(labelled);
            }
            Message::Browse(response) => {
                return Received::Taken(self.take(response).map(Then::Say).into_iter().collect());
            }
            other => return Received::NotMine(other),
        }
        Received::Taken(Vec::new())
    }

    fn drawn(&mut self, now: Instant) -> Vec<Effect> {
        self.missing().into_iter().chain(self.labelling.after_drawing(now)).collect()
    }

    fn deadline(&self) -> Option<Instant> {
        self.labelling.attention.deadline()
    }

    fn tick(&mut self, shared: &Shared, now: Instant) -> Vec<Effect> {
        self.waited(&shared.about.task, now).into_iter().collect()
    }
}

impl ItemsScreen {
    /// The screen comes into view: what was done elsewhere meanwhile may change all of it.
    fn renew(&mut self) -> Vec<Then> {
        self.focus = Focus::List;
        self.labelling.forget();
        if Query::parse(self.field.value()).is_err() {
            return Vec::new();
        }
        self.refused = None;
        self.rows.clear();
        self.full = None;
        self.fetching = None;
        self.arriving = if self.state.is_some() { Arriving::Renews(Vec::new()) } else { Arriving::Replaces };
        self.search()
    }

    fn search(&mut self) -> Vec<Then> {
        self.number += 1;
        let search = Search { number: self.number, query: self.query.clone() };
        vec![Effect::Browse(Request::Search(search)).into()]
    }

    /// Takes a key while the cursor is in the line; none where the key is not for it.
    fn type_key(&mut self, key: &KeyEvent) -> Option<Vec<Then>> {
        if self.focus != Focus::Field {
            return None;
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        if matches!(key.code, KeyCode::Esc | KeyCode::Enter) || ctrl && key.code == KeyCode::Char('c') {
            self.focus = Focus::List;
            return Some(Vec::new());
        }
        let is_letter = matches!(key.code, KeyCode::Char(_)) && !ctrl;
        // On an empty line it asks for the keys.
        if key.code == KeyCode::Char('?') && (self.field.value().is_empty() || self.overtypes) {
            return None;
        }
        if is_letter {
            self.overtype();
        }
        self.overtypes = false;
        let changed = self.field.handle_event(&Event::Key(*key));
        match changed {
            Some(change) if change.value => Some(self.typed()),
            None if !is_letter => None,
            _ => Some(Vec::new()),
        }
    }

    /// Empties a line that was there when the cursor came to it: a search is begun more often than changed, and an arrow keeps the line.
    fn overtype(&mut self) {
        if std::mem::take(&mut self.overtypes) {
            self.field.reset();
        }
    }

    fn typed(&mut self) -> Vec<Then> {
        match Query::parse(self.field.value()) {
            Err(why) => {
                // What an earlier line found, or is about to find, must not stand below this one.
                self.number += 1;
                self.refuse(why);
            }
            Ok(query) => {
                let was_refused = self.refused.take().is_some();
                if query != self.query || was_refused {
                    self.query = query;
                    // The rows show the passages with what was searched for.
                    self.stale = true;
                    self.arriving = Arriving::Replaces;
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

    fn act_on_full(&mut self, action: Action, shared: &Shared) -> Vec<Then> {
        let page = self.height.saturating_sub(2).max(1);
        match action {
            Action::Earlier => self.select(self.selected.saturating_sub(1)),
            Action::Later => self.select(self.selected + 1),
            Action::Back => self.focus = Focus::List,
            Action::Open => return self.find_label(shared),
            _ => self.scroll = moved(self.scroll, action, page).unwrap_or(self.scroll),
        }
        Vec::new()
    }

    pub(super) fn select(&mut self, row: usize) {
        self.hold = Hold::Row;
        let row = row.min(self.items.len().saturating_sub(1));
        if row != self.selected {
            self.selected = row;
            self.scroll = 0;
        }
    }

    fn take(&mut self, response: Response) -> Option<Notice> {
        match response {
            Response::Found(found) if found.number == self.number => self.found(found),
            Response::Refused { number, fault } if number == self.number => {
                self.state = Some(State::Done);
                self.refuse(fault.to_string());
            }
            Response::Fetched(Ok(fetched)) => self.fetched(fetched),
            Response::Fetched(Err(fault)) => return Some(Notice::bad(fault.to_string())),
            Response::Found(_) | Response::Refused { .. } => {}
        }
        None
    }

    fn found(&mut self, found: Found) {
        self.pool = found.pool;
        self.state = Some(found.state);
        match &mut self.arriving {
            Arriving::Follows => self.items.extend(found.items),
            Arriving::Replaces => {
                self.items = found.items;
                self.arriving = Arriving::Follows;
                self.select(0);
                self.top = 0;
            }
            Arriving::Renews(gathered) => {
                gathered.extend(found.items);
                if found.state == State::Done {
                    let items = std::mem::take(gathered);
                    let chosen = self.items.get(self.selected).copied();
                    self.selected = chosen.map_or(0, |chosen| items.partition_point(|item| *item < chosen));
                    self.items = items;
                    self.arriving = Arriving::Follows;
                }
            }
        }
        let last = self.items.len().saturating_sub(1);
        if self.hold == Hold::End {
            self.selected = last;
        }
        self.selected = self.selected.min(last);
    }

    fn fetched(&mut self, fetched: Fetched) {
        if !fetched.asked.rows.is_empty() {
            self.rows = fetched.rows.into_iter().map(|row| (row.item, row)).collect();
        }
        self.full = fetched.full;
    }

    pub(super) fn chosen(&self) -> Option<ItemId> {
        self.items.get(self.selected).copied()
    }

    /// What is missing on the screen that was drawn: the rows in view with a page before and a page after, and the item shown in full.
    fn missing(&mut self) -> Option<Effect> {
        let in_view = self.slice(self.top, self.height);
        let rows_are_missing = self.stale || in_view.iter().any(|item| !self.rows.contains_key(item));
        let full = self.chosen().filter(|_| self.shows_full);
        let full_is_missing =
            full.is_some() && (self.stale || self.full.as_ref().map(|full| full.row.item) != full);
        if !rows_are_missing && !full_is_missing {
            return None;
        }
        let rows = if rows_are_missing {
            self.slice(self.top.saturating_sub(self.height), 3 * self.height).to_vec()
        } else {
            Vec::new()
        };
        let fetch = Fetch { rows, full, query: self.query.clone() };
        if self.fetching.as_ref() == Some(&fetch) && !self.stale {
            return None;
        }
        self.stale = false;
        self.fetching = Some(fetch.clone());
        Some(Effect::Browse(Request::Fetch(fetch)))
    }

    fn slice(&self, from: usize, count: usize) -> &[ItemId] {
        let from = from.min(self.items.len());
        &self.items[from..(from + count).min(self.items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(then: &[Then]) -> u64 {
        match then {
            [Then::Do(Effect::Browse(Request::Search(search)))] => search.number,
            other => panic!("{other:?}"),
        }
    }

    fn found(number: u64, items: std::ops::Range<i64>, state: State) -> Response {
        Response::Found(Found { number, items: items.map(ItemId).collect(), pool: 100, state })
    }

    fn press(screen: &mut ItemsScreen, line: &str) -> Option<Vec<Then>> {
        let mut last = None;
        for c in line.chars() {
            last = screen.type_key(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        last
    }

    fn act(screen: &mut ItemsScreen, action: Action) {
        if let Some(to) = moved(screen.selected, action, 10) {
            screen.select(to);
        }
        if action == Action::Bottom {
            screen.hold = Hold::End;
        }
    }

    const MORE: State = State::Searching { done: 1, of: 2 };

    #[test]
    fn letters_are_text_while_the_cursor_is_in_the_line_and_keys_elsewhere() {
        let mut screen = ItemsScreen::default();
        assert!(press(&mut screen, "q").is_none());
        screen.focus = Focus::Field;
        let then = press(&mut screen, "q?/: label:spam").unwrap();
        assert_eq!(number(&then), screen.number);
        assert_eq!(screen.field.value(), "q?/: label:spam");
        assert_eq!(screen.query.text, "q?/:");
        assert!(screen.type_key(&KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE)).is_none());
        assert!(screen.paste("a\u{1b}[31m\nb").is_some());
        assert_eq!(screen.field.value(), "q?/: label:spama\u{fffd}[31m b");
    }

    #[test]
    fn what_an_older_search_finds_is_not_shown() {
        let mut screen = ItemsScreen::default();
        let first = number(&screen.renew());
        screen.focus = Focus::Field;
        let second = number(&press(&mut screen, "x").unwrap());
        screen.take(found(first, 1..50, State::Done));
        assert!(screen.items.is_empty());
        screen.take(found(second, 7..9, MORE));
        screen.take(found(second, 20..21, State::Done));
        assert_eq!(screen.items, [7, 8, 20].map(ItemId));
    }

    #[test]
    fn a_line_that_cannot_be_asks_nothing_and_says_why() {
        let mut screen = ItemsScreen { focus: Focus::Field, ..ItemsScreen::default() };
        assert_eq!(press(&mut screen, "round:x").map(|then| then.len()), Some(0));
        assert!(screen.refused.as_deref().is_some_and(|why| why.contains("is not a round")));
        screen.take(found(screen.number - 1, 1..50, State::Done));
        assert!(screen.items.is_empty(), "what 'round' found does not stand below 'round:x'");
        screen.type_key(&KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
        let then = press(&mut screen, "3").unwrap();
        screen.take(found(number(&then), 1..50, State::Done));
        assert_eq!(screen.items.len(), 49);
    }

    #[test]
    fn the_end_stays_the_end_while_more_is_found_and_a_row_stays_that_row() {
        let mut screen = ItemsScreen::default();
        let number = number(&screen.renew());
        screen.take(found(number, 1..10, MORE));
        act(&mut screen, Action::Bottom);
        screen.take(found(number, 10..30, MORE));
        assert_eq!(screen.chosen(), Some(ItemId(29)));
        act(&mut screen, Action::Up);
        screen.take(found(number, 30..40, State::Done));
        assert_eq!(screen.chosen(), Some(ItemId(28)));
    }

    #[test]
    fn coming_back_keeps_the_chosen_item_and_shows_the_old_list_until_the_new_one_is_whole() {
        let mut screen = ItemsScreen::default();
        let first = number(&screen.renew());
        screen.take(found(first, 1..50, State::Done));
        (0..20).for_each(|_| act(&mut screen, Action::Down));
        let renewed = number(&screen.renew());
        screen.take(found(renewed, 11..30, MORE));
        assert_eq!((screen.items.len(), screen.chosen()), (49, Some(ItemId(21))));
        screen.take(found(renewed, 30..60, State::Done));
        assert_eq!((screen.items.len(), screen.chosen()), (49, Some(ItemId(21))));
        assert_eq!(screen.items[0], ItemId(11));
    }

    #[test]
    fn an_undo_leads_to_the_text_whose_answer_it_takes_back() {
        let mut screen = ItemsScreen::default();
        let number = number(&screen.renew());
        screen.take(found(number, 1..50, State::Done));
        (0..20).for_each(|_| act(&mut screen, Action::Down));
        screen.reverted(ItemId(3));
        assert_eq!(screen.chosen(), Some(ItemId(3)));
        screen.reverted(ItemId(99));
        assert_eq!(screen.chosen(), Some(ItemId(3)), "a text that is not in the list moves nothing");
    }

    #[test]
    fn rows_around_the_screen_are_asked_for_once() {
        let mut screen = ItemsScreen { height: 5, ..ItemsScreen::default() };
        let number = number(&screen.renew());
        screen.take(found(number, 1..50, State::Done));
        screen.top = 10;
        let Some(Effect::Browse(Request::Fetch(fetch))) = screen.missing() else { panic!() };
        assert_eq!((fetch.rows.len(), fetch.rows[0], fetch.full), (15, ItemId(6), None));
        assert!(screen.missing().is_none(), "it is on its way");
    }
}
