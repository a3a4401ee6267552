//! A line in which a part of a label's name is typed, and the labels that it finds: the best first, and of equals those that this person
//! has given most often. What the model thinks is not asked.

use std::collections::HashMap;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::Frame;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Span;
use ratatui::widgets::Paragraph;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;
use unicode_width::UnicodeWidthStr;

use super::frame::Look;
use super::input::draw_input;
use super::label_list::{Groups, LabelNames, Listed, Mark};
use super::outcome::Outcome;
use super::text_layout::{cut, drawable};
use crate::domain::label_set::{LabelSet, NONE};
use crate::domain::task::Label;

/// What is said beside the line leaves it so many columns, with the sign before it.
const LEAST_FIELD: usize = 15;

/// What came of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Finding {
    GoesOn,
    /// The label of this name, which the last frame showed as the chosen one.
    Found(String),
    /// Of several labels this one was put in or taken out.
    Toggled,
    /// Those that are ticked are to be given.
    Gives,
    Ends,
}

/// The line, what it finds, and which of that is chosen.
#[derive(Debug)]
pub(in crate::tui) struct LabelFinder {
    /// The names as the task has them, and as they are drawn.
    labels: Vec<String>,
    names: LabelNames,
    keys: Vec<Option<char>>,
    /// How often the person has given each label.
    uses: Vec<usize>,
    input: Input,
    /// Places in the task, the best first.
    found: Vec<usize>,
    /// The chosen one, as a place in `found`.
    chosen: Option<usize>,
    /// The label that the last frame showed as the chosen one.
    drawn: Option<usize>,
    /// Where a text may have several labels: those that are to be given.
    ticked: Option<LabelSet>,
    /// The same as the last frame had them.
    drawn_ticked: Option<LabelSet>,
}

impl LabelFinder {
    pub fn new(labels: &[Label], uses: &HashMap<String, usize>) -> Self {
        let uses = labels.iter().map(|label| uses.get(&label.name).copied().unwrap_or(0)).collect();
        let mut finder = Self {
            labels: labels.iter().map(|label| label.name.clone()).collect(),
            names: LabelNames::of(labels),
            keys: labels.iter().map(|label| label.key).collect(),
            uses,
            input: Input::default(),
            found: Vec::new(),
            chosen: None,
            drawn: None,
            ticked: None,
            drawn_ticked: None,
        };
        finder.find();
        finder
    }

    /// The same where a text may have several, with those that are chosen so far.
    pub fn several(labels: &[Label], uses: &HashMap<String, usize>, ticked: LabelSet) -> Self {
        Self { ticked: Some(ticked), ..Self::new(labels, uses) }
    }

    /// The names of those that are ticked.
    pub fn ticked(&self) -> Vec<String> {
        let places = self.ticked.iter().flat_map(LabelSet::places);
        places.filter_map(|at| self.labels.get(at).cloned()).collect()
    }

    /// What is to be done about what came of a key or a click.
    pub fn outcome(&self, finding: Finding) -> Outcome {
        match finding {
            Finding::GoesOn => Outcome::Stays,
            Finding::Found(label) => Outcome::Finds(label.into()),
            Finding::Toggled => Outcome::Ticks(self.ticked().into()),
            Finding::Gives => Outcome::Finds(self.ticked().into()),
            Finding::Ends => Outcome::Closes,
        }
    }

    fn toggle(&mut self, at: usize) -> Finding {
        match &mut self.ticked {
            Some(ticked) => ticked.toggle(at),
            None => return Finding::Found(self.labels[at].clone()),
        }
        self.input.reset();
        self.find();
        Finding::Toggled
    }

    /// Takes a key.
    pub fn key(&mut self, key: &KeyEvent) -> Finding {
        let is_ctrl_c = key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char('c');
        match key.code {
            KeyCode::Esc => return Finding::Ends,
            _ if is_ctrl_c => return Finding::Ends,
            // A key counts only for what stands on the screen: what was typed faster than it was drawn needs enter once more.
            KeyCode::Enter => {
                let chosen = self.chosen.and_then(|at| self.found.get(at)).copied();
                let drawn = chosen.filter(|at| self.drawn == Some(*at));
                if chosen.is_none() && self.is_empty() && self.ticked.is_some() {
                    // What is given is what stands on the screen as ticked.
                    return if self.drawn_ticked == self.ticked { Finding::Gives } else { Finding::GoesOn };
                }
                return drawn.map_or(Finding::GoesOn, |at| self.toggle(at));
            }
            KeyCode::Down | KeyCode::Tab => self.choose(self.chosen.map_or(0, |at| at + 1)),
            KeyCode::Up | KeyCode::BackTab => self.choose(self.chosen.map_or(0, |at| at.saturating_sub(1))),
            _ => {
                let before = self.input.value().to_owned();
                self.input.handle_event(&Event::Key(*key));
                if self.input.value() != before {
                    self.find();
                }
            }
        }
        Finding::GoesOn
    }

    /// A label was clicked, by its place in the task.
    pub fn clicked(&mut self, at: usize) -> Finding {
        if self.found.contains(&at) { self.toggle(at) } else { Finding::GoesOn }
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.input.value().is_empty()
    }

    fn choose(&mut self, at: usize) {
        self.chosen = self.found.len().checked_sub(1).map(|last| at.min(last));
    }

    /// Finds again. Nothing is chosen before something is typed, so that an enter that is held down gives no label.
    fn find(&mut self) {
        self.found = ranked(&self.names, &self.uses, self.input.value());
        // A label's key finds it, too.
        let mut typed = self.input.value().trim().chars();
        if let (Some(key), None) = (typed.next(), typed.next())
            && let Some(at) = self.keys.iter().position(|known| *known == Some(key))
        {
            self.found.retain(|found| *found != at);
            self.found.insert(0, at);
        }
        let is_typed = !self.input.value().trim().is_empty();
        self.chosen = Some(0).filter(|_| is_typed && !self.found.is_empty());
    }

    /// The lines that it needs at most.
    pub fn height(&self) -> u16 {
        u16::try_from(self.names.len()).unwrap_or(u16::MAX).saturating_add(1)
    }

    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let [typed, list] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let says = match (self.input.value().trim().is_empty(), self.found.len()) {
            (true, _) if self.ticked.is_some() => {
                let ticked = self.ticked();
                let given = if ticked.is_empty() { NONE.to_owned() } else { drawable(&ticked.join(", ")) };
                let room = usize::from(typed.width).saturating_sub(LEAST_FIELD);
                format!("{} ", cut(&format!("enter: save {}", given.replace('\n', " ")), room))
            }
            (true, _) => "type a part of the name, or the key ".to_owned(),
            (false, 0) => "no label has this in its name or as its key ".to_owned(),
            (false, found) => format!("{found} of {} ", self.names.len()),
        };
        let [sign, field, beside] = Layout::horizontal([
            Constraint::Length(3),
            Constraint::Fill(1),
            Constraint::Length(says.width() as u16),
        ])
        .areas(typed);
        frame.render_widget(Paragraph::new(Span::styled(" > ", look.theme.key)), sign);
        frame.render_widget(Paragraph::new(Span::styled(says, look.theme.quiet)), beside);
        draw_input(frame, field, &self.input, look);
        let listed = self.listed((list.width, list.height), look);
        let chosen = self.chosen.and_then(|at| self.found.get(at)).copied();
        self.drawn = chosen.filter(|at| listed.shown.contains(at));
        self.drawn_ticked.clone_from(&self.ticked);
        listed.may_click(list, look);
        frame.render_widget(Paragraph::new(listed.lines), list);
    }

    /// As many of the found as fit, from the best on, or from further on where the chosen one would be left out.
    fn listed(&self, size: (u16, u16), look: Look<'_>) -> Listed {
        let chosen = self.chosen.and_then(|at| self.found.get(at)).copied();
        let is_ticked = |at: usize| self.ticked.as_ref().is_some_and(|ticked| ticked.has(at));
        let mark = |at: usize| Mark::of(is_ticked(at), Some(at) == chosen);
        let mut from = 0;
        loop {
            let listed = self.names.list(&self.found[from..], size, (Groups::Ignored, mark), look);
            let has_it = chosen.is_none_or(|chosen| listed.shown.contains(&chosen));
            if has_it || listed.shown.is_empty() {
                return listed;
            }
            from += listed.shown.len();
        }
    }
}

/// The labels in whose names is what was typed, the best first; of equals the most used, then the shortest.
fn ranked(names: &LabelNames, uses: &[usize], typed: &str) -> Vec<usize> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let typed = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    let mut letters = Vec::new();
    let mut found: Vec<(u32, usize)> = (0..names.len())
        .filter_map(|at| {
            let name = Utf32Str::new(names.name(at), &mut letters);
            typed.score(name, &mut matcher).map(|score| (score, at))
        })
        .collect();
    let is_typed = !typed.atoms.is_empty();
    found.sort_by_key(|(score, at)| {
        let length = if is_typed { names.name(*at).len() } else { 0 };
        (std::cmp::Reverse((*score, uses[*at])), length, *at)
    });
    found.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::seq::SliceRandom;
    use rand_chacha::ChaCha8Rng;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::tui::keys::Keymap;
    use crate::tui::theme::{Theme, ThemeName};
    use crate::tui::widgets::banking77;

    fn labels(names: &[String]) -> Vec<Label> {
        let label = |name: &String| Label {
            id: String::new(),
            name: name.clone(),
            key: None,
            description: String::new(),
            examples: Vec::new(),
            share: None,
        };
        names.iter().map(label).collect()
    }

    fn finder(names: &[&str], uses: &[(&str, usize)]) -> LabelFinder {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let uses = uses.iter().map(|(name, times)| ((*name).to_owned(), *times)).collect();
        LabelFinder::new(&labels(&names), &uses)
    }

    fn draw(finder: &mut LabelFinder) -> String {
        let (theme, keys) = (Theme::of(ThemeName::None), Keymap::with([]));
        let look = Look { theme: &theme, keys: &keys, hits: None };
        let mut terminal = Terminal::new(TestBackend::new(80, 9)).unwrap();
        terminal.draw(|frame| finder.draw(frame, frame.area(), look)).unwrap();
        terminal.backend().to_string()
    }

    fn press(finder: &mut LabelFinder, code: KeyCode) -> Finding {
        finder.key(&KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn types(finder: &mut LabelFinder, text: &str) {
        for c in text.chars() {
            assert_eq!(press(finder, KeyCode::Char(c)), Finding::GoesOn);
        }
    }

    #[test]
    fn the_most_used_comes_first_and_the_order_of_the_task_decides_otherwise() {
        let names = ["card_lost", "card_stolen", "pin", "card_new"];
        let found = |uses: &[(&str, usize)], typed: &str| {
            let mut finder = finder(&names, uses);
            types(&mut finder, typed);
            finder.found.iter().map(|at| names[*at]).collect::<Vec<_>>()
        };
        assert_eq!(found(&[], ""), names);
        assert_eq!(
            found(&[("card_new", 2), ("pin", 5)], ""),
            ["pin", "card_new", "card_lost", "card_stolen"]
        );
        assert_eq!(found(&[("card_stolen", 2)], "card"), ["card_stolen", "card_new", "card_lost"]);
        assert_eq!(found(&[("card_stolen", 9)], "cn")[0], "card_new", "what fits better comes first");
    }

    #[test]
    fn a_labels_key_finds_it_before_any_name() {
        let toml = "question='?'\n[[label]]\nname='1st class'\n[[label]]\nname='complaint'\nkey='1'";
        let labels = crate::domain::task::Task::from_toml(toml, "t").unwrap().labels;
        let mut finder = LabelFinder::new(&labels, &HashMap::new());
        finder.key(&KeyEvent::new(KeyCode::Char('1'), KeyModifiers::NONE));
        assert_eq!(finder.found, [1, 0]);
    }

    #[test]
    fn enter_gives_only_the_label_that_the_last_frame_showed_as_chosen() {
        let mut finder = finder(&["spam", "ham"], &[("spam", 9)]);
        draw(&mut finder);
        assert_eq!(
            press(&mut finder, KeyCode::Enter),
            Finding::GoesOn,
            "an enter that is held down gives nothing"
        );
        types(&mut finder, "h");
        assert_eq!(press(&mut finder, KeyCode::Enter), Finding::GoesOn, "it was not drawn yet");
        draw(&mut finder);
        assert_eq!(press(&mut finder, KeyCode::Enter), Finding::Found("ham".into()));
        types(&mut finder, "z");
        draw(&mut finder);
        assert_eq!(press(&mut finder, KeyCode::Enter), Finding::GoesOn, "nothing is found");
        assert_eq!(press(&mut finder, KeyCode::Esc), Finding::Ends);
    }

    #[test]
    fn the_chosen_label_is_always_drawn_however_far_down() {
        let names: Vec<String> = (0..200).map(|n| format!("a label of some length {n}")).collect();
        let mut finder = LabelFinder::new(&labels(&names), &HashMap::new());
        for at in 0..200 {
            press(&mut finder, KeyCode::Down);
            draw(&mut finder);
            assert_eq!(finder.drawn, Some(at));
        }
    }

    /// What a person may type for a name: its beginning, the beginning of a later word, the first letters of its words, or those of
    /// some of them.
    fn forms(name: &str) -> Vec<String> {
        let words: Vec<&str> = name.split(['_', ' ', '/']).filter(|word| !word.is_empty()).collect();
        let mut forms: Vec<String> =
            words.iter().flat_map(|word| (1..=4).map(|n| word.chars().take(n).collect())).collect();
        for a in &words {
            for b in &words {
                for (n, m) in [(1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1)] {
                    forms.push(a.chars().take(n).chain(b.chars().take(m)).collect());
                }
            }
        }
        let initials: Vec<char> = words.iter().filter_map(|word| word.chars().next()).collect();
        for start in 0..initials.len() {
            for n in 1..=4 {
                forms.push(initials.iter().skip(start).take(n).collect());
            }
        }
        forms.sort_by_key(|form| form.chars().count());
        forms
    }

    /// Keys for a label with what a person may type: enter, the form, enter; with as many presses of down as needed.
    fn keys_for(names: &LabelNames, at: usize) -> (usize, String) {
        let uses = vec![0; names.len()];
        let cost = |form: &String| {
            let down = ranked(names, &uses, form).iter().position(|found| *found == at)?;
            Some((form.chars().count() + 2 + down, form.clone()))
        };
        forms(names.name(at)).iter().filter_map(cost).min().unwrap()
    }

    #[test]
    fn any_label_of_banking77_takes_six_keys_at_most() {
        let Some(names) = banking77::names() else { return };
        let all = LabelNames::of(&labels(&names));
        let mut costs: Vec<(usize, String)> = (0..names.len()).map(|at| keys_for(&all, at)).collect();
        for (name, (keys, form)) in names.iter().zip(&costs) {
            assert!(*keys <= 6, "{name} takes {keys} keys, with {form}");
        }
        // With every label once, and with twenty that a fixed seed draws: what a person who knows the names presses for them.
        let all: usize = costs.iter().map(|(keys, _)| keys).sum();
        costs.shuffle(&mut ChaCha8Rng::seed_from_u64(20));
        let of_twenty: usize = costs.iter().take(20).map(|(keys, _)| keys).sum();
        eprintln!("keys of banking77: 20 labels {of_twenty}, all {} labels {all}", names.len());
        assert!(of_twenty <= 100, "20 labels take {of_twenty} keys");
    }
}
