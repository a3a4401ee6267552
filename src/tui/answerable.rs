//! What may be answered, whatever the window and however many labels there are: only a case whose first row was drawn. And how the Case
//! screen looks with many labels, a long text and a conversation.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::{Color, Modifier};

use super::about::About;
use super::app::App;
use super::effect::Effect;
use super::hits::Target;
use super::message::Message;
use super::settings::Settings;
use super::terminal::Mouse;
use super::theme::ThemeName;
use super::widgets::banking77;
use crate::desk::request::{Outcome, Request, Response, Window};
use crate::desk::shown::{Card, RoundProgress, Saved, ShownCase, ShownPartner};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::task::{Label, Task};
use crate::domain::task_kind::TaskKind;
use crate::domain::turn::Turn;

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (100, 30), (160, 50)];

/// A person at a terminal of some size. Time passes only as told.
struct Seat {
    app: App,
    terminal: Terminal<TestBackend>,
    now: Instant,
    /// The cases to come, the first of them in view.
    next: i64,
    lines: usize,
    /// The cases whose first row was in a frame.
    begun: BTreeSet<CaseId>,
    /// What the last frame showed.
    frame: String,
    /// What went to the desk for a case.
    events: Vec<CaseId>,
    /// The labels that were given, in their order.
    given: Vec<Vec<String>>,
}

impl Seat {
    fn new(task: Task, size: (u16, u16), theme: ThemeName) -> Self {
        let about = About {
            project: "pool.hardcase".into(),
            file: "/p/x.hardcase".into(),
            expert: "ada".into(),
            task,
            label_uses: HashMap::new(),
            has_engine: false,
        };
        let settings = Settings { theme, mouse: Mouse::Used, ..Settings::default() };
        Self {
            app: App::new(about, settings),
            terminal: Terminal::new(TestBackend::new(size.0, size.1)).unwrap(),
            now: Instant::now(),
            next: 1,
            lines: 1,
            begun: BTreeSet::new(),
            frame: String::new(),
            events: Vec::new(),
            given: Vec::new(),
        }
    }

    fn card(&self, case: i64) -> Card {
        let line = |n: usize| if n == 0 { format!("@{case}@ first") } else { format!("@{case}@ line {n}") };
        card(case, &(0..self.lines).map(line).collect::<Vec<_>>().join("\n"))
    }

    fn window(&self) -> Window {
        let cards = (self.next..self.next + 2).map(|case| self.card(case)).collect();
        let progress = RoundProgress { round: 2, cases: 60, answered: 30, mine: 12, left: 48 };
        Window { cards, why: None, progress: Some(progress), lack: None, agreed: None }
    }

    fn draw(&mut self) {
        let app = &mut self.app;
        self.terminal.draw(|frame| app.draw(frame)).unwrap();
        self.frame = self.terminal.backend().to_string();
        for case in self.next - 1..self.next + 3 {
            if self.frame.contains(&format!("@{case}@ first")) {
                self.begun.insert(CaseId(case));
            }
        }
        let effects = self.app.drawn(self.now);
        self.carry_out(effects);
    }

    fn hear(&mut self, message: Message) {
        let effects = self.app.update(message, self.now);
        self.carry_out(effects);
    }

    fn press(&mut self, code: KeyCode) {
        self.hear(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn mouse(&mut self, kind: MouseEventKind, (column, row): (u16, u16)) {
        self.hear(Message::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    fn click(&mut self, place: (u16, u16)) {
        self.mouse(MouseEventKind::Down(MouseButton::Left), place);
    }

    /// Where the last frame has something to click.
    fn place(&self, target: Target) -> Option<(u16, u16)> {
        let area = self.terminal.backend().buffer().area;
        area.positions().map(|at| (at.x, at.y)).find(|(x, y)| self.app.hits.at(*x, *y) == Some(target))
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let (case, outcome) = match effect {
                Effect::AskCursor(nonce) => {
                    self.hear(Message::CursorReported(nonce));
                    continue;
                }
                Effect::Session(Request::Answer { case, labels, .. }) => {
                    self.given.push(labels.0.clone());
                    let saved = Saved {
                        item: ItemId(case.0),
                        label: labels.in_words(),
                        labels: None,
                        changed: false,
                        found: false,
                    };
                    (case, Outcome::Answered { saved, reveal: None })
                }
                Effect::Session(Request::Skip(case)) => (case, Outcome::Skipped),
                Effect::Session(Request::Flag(case)) => (case, Outcome::Flagged(true)),
                Effect::Session(Request::Note(case, _)) => (case, Outcome::Noted),
                Effect::Session(Request::Draft(..)) => {
                    self.respond(Outcome::Drafted, false);
                    continue;
                }
                Effect::Session(Request::Undo) => {
                    self.respond(Outcome::NothingToUndo, true);
                    continue;
                }
                Effect::Session(_) => {
                    self.respond(Outcome::Looked, true);
                    continue;
                }
                _ => continue,
            };
            self.events.push(case);
            assert!(
                self.begun.contains(&case),
                "case {case} was not drawn from its first row on:\n{}",
                self.frame
            );
            let is_on_screen = matches!(outcome, Outcome::Noted)
                || self.frame.contains("source: letters")
                || self.frame.contains(&format!("@{case}@"));
            assert!(is_on_screen, "case {case} is not in the last frame:\n{}", self.frame);
            if matches!(outcome, Outcome::Answered { .. } | Outcome::Skipped) {
                self.next += 1;
            }
            self.respond(outcome, true);
        }
    }

    fn respond(&mut self, outcome: Outcome, with_window: bool) {
        let window = Ok(with_window.then(|| self.window()));
        self.hear(Message::Session(Box::new(Response { window, ..Response::of(outcome) })));
    }

    fn resize(&mut self, (width, height): (u16, u16)) {
        self.terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        self.hear(Message::Resized);
        // As the loop does.
        self.draw();
    }

    fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        let effects = self.app.tick(self.now);
        self.carry_out(effects);
    }
}

fn card(case: i64, text: &str) -> Card {
    let shown = ShownCase {
        case: CaseId(case),
        item: ItemId(case),
        id: None,
        text: text.to_owned(),
        turns: Vec::new(),
        asked: None,
        read_up_to: None,
        meta: serde_json::json!({"source": "letters"}),
        partner: Some(ShownPartner { text: "A similar text of one line.".into(), similarity: 0.7 }),
        labels: Vec::new(),
        revealed: None,
    };
    Card { shown, label: None, labels: Vec::new(), skipped: false, flagged: false, note: None, draft: None }
}

fn task(question: &str, names: &[String]) -> Task {
    of_kind(TaskKind::One, question, names)
}

fn of_kind(kind: TaskKind, question: &str, names: &[String]) -> Task {
    let keys = ('1'..='9').chain('A'..='T');
    let keys = keys.map(Some).chain(std::iter::repeat(None));
    let label = |(name, key): (&String, Option<char>)| Label {
        id: String::new(),
        name: name.clone(),
        key,
        description: String::new(),
        examples: Vec::new(),
        share: None,
    };
    let labels = names.iter().zip(keys).map(label).collect();
    Task::of_kind(kind, "t".into(), question.into(), "Read it twice.".into(), labels).unwrap()
}

fn numbered(count: usize, long: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n}. {}", "a long name ".repeat(long).trim_end())).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Draw,
    Resize(u16, u16),
    Press(KeyCode),
    SaveNote,
    Click(u16, u16),
    /// A click on a label, if one is in view.
    ClickLabel(usize),
    Wheel(u16, u16),
    Wait(u64),
    /// The case in view goes to another person.
    Another,
}

fn step() -> impl Strategy<Value = Step> {
    use KeyCode::{Backspace, Char, Down, End, Enter, Esc, Home, PageDown, Tab};
    let keys = vec![
        Char('1'),
        Char('A'),
        Char('s'),
        Char('f'),
        Char('n'),
        Char('u'),
        Char('g'),
        Char('a'),
        Char('?'),
        Enter,
        Enter,
        Down,
        Esc,
        Esc,
        End,
        Home,
        PageDown,
        Backspace,
        Tab,
    ];
    prop_oneof![
        4 => Just(Step::Draw),
        1 => (1u16..200, 1u16..60).prop_map(|(w, h)| Step::Resize(w, h)),
        1 => (55u16..90, 12u16..28).prop_map(|(w, h)| Step::Resize(w, h)),
        6 => proptest::sample::select(keys).prop_map(Step::Press),
        1 => Just(Step::SaveNote),
        1 => (0u16..170, 0u16..55).prop_map(|(x, y)| Step::Click(x, y)),
        3 => (0usize..20).prop_map(Step::ClickLabel),
        1 => (0u16..170, 0u16..55).prop_map(|(x, y)| Step::Wheel(x, y)),
        2 => (0u64..1_000).prop_map(Step::Wait),
        1 => Just(Step::Another),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_event_is_made_for_a_case_whose_first_row_was_not_drawn(
        count in prop_oneof![2usize..13, 13usize..100, 100usize..=500],
        long in 0usize..6,
        question in "[a-z ]{1,300}\\?",
        lines in 1usize..80,
        size in (20u16..170, 6u16..55),
        steps in proptest::collection::vec(step(), 1..60),
        is_several: bool,
    ) {
        let kind = if is_several { TaskKind::Several } else { TaskKind::One };
        let mut seat = Seat::new(of_kind(kind, &question, &numbered(count, long)), size, ThemeName::None);
        seat.lines = lines;
        seat.respond(Outcome::Looked, true);
        for step in steps {
            match step {
                Step::Draw => {
                    seat.draw();
                    seat.wait(300);
                }
                Step::Resize(width, height) => seat.resize((width, height)),
                Step::Press(code) => seat.press(code),
                Step::SaveNote => {
                    seat.hear(Message::Key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL)));
                }
                Step::Click(x, y) => seat.click((x, y)),
                Step::ClickLabel(at) => {
                    if let Some(place) = seat.place(Target::Label(at)) {
                        seat.click(place);
                    }
                }
                Step::Wheel(x, y) => seat.mouse(MouseEventKind::ScrollDown, (x, y)),
                Step::Wait(ms) => seat.wait(ms),
                Step::Another => {
                    seat.next += 1;
                    seat.respond(Outcome::Looked, true);
                }
            }
        }
    }
}

#[test]
fn in_every_window_that_is_large_enough_a_label_can_be_given_by_its_key_and_by_its_name() {
    for count in [2, 5, 12, 13, 77, 200, 500] {
        for (size, long) in SIZES.into_iter().flat_map(|size| [(size, 0), (size, 8)]) {
            let question = "Which of these does the customer want, and why? ".repeat(6);
            let mut seat = Seat::new(task(&question, &numbered(count, long)), size, ThemeName::None);
            seat.lines = 40;
            seat.respond(Outcome::Looked, true);
            seat.draw();
            seat.wait(300);
            seat.press(KeyCode::Char('1'));
            assert_eq!(seat.events, [CaseId(1)], "{count} labels at {size:?}:\n{}", seat.frame);
            seat.draw();
            seat.wait(300);
            seat.press(KeyCode::Enter);
            seat.press(KeyCode::Char('1'));
            seat.draw();
            seat.press(KeyCode::Enter);
            assert_eq!(seat.events, [CaseId(1), CaseId(2)], "{count} labels at {size:?}:\n{}", seat.frame);
        }
    }
}

#[test]
fn a_click_on_a_label_answers_as_its_key_would_and_only_where_the_key_would_be_taken() {
    // The last one has no key where there are many.
    for (count, at) in [(2, 1), (12, 0), (13, 12), (77, 0), (40, 39)] {
        for size in SIZES {
            let mut seat = Seat::new(task("Which?", &numbered(count, 0)), size, ThemeName::None);
            seat.respond(Outcome::Looked, true);
            seat.draw();
            let Some(place) = seat.place(Target::Label(at)) else {
                assert!(count > 13, "label {at} of {count} is not drawn at {size:?}:\n{}", seat.frame);
                continue;
            };
            seat.click(place);
            assert!(seat.events.is_empty(), "nobody is so fast");
            seat.wait(300);
            seat.click(place);
            assert_eq!(seat.events, [CaseId(1)], "label {at} of {count} at {size:?}:\n{}", seat.frame);
            seat.wait(1_000);
            seat.click(place);
            assert_eq!(seat.events, [CaseId(1)], "the next case is not drawn yet");
            seat.draw();
            seat.wait(300);
            seat.press(KeyCode::Char('?'));
            seat.draw();
            seat.wait(1_000);
            seat.click(place);
            assert_eq!(seat.events, [CaseId(1)], "the help lies over it");
            seat.press(KeyCode::Esc);
            seat.draw();
            seat.wait(1_000);
            seat.click(place);
            assert_eq!(seat.events, [CaseId(1), CaseId(2)], "{}", seat.frame);
        }
    }
}

#[test]
fn a_second_click_at_once_labels_no_second_case_and_a_click_on_a_found_label_gives_it() {
    let mut seat = Seat::new(task("Which?", &numbered(40, 0)), (80, 24), ThemeName::None);
    seat.respond(Outcome::Looked, true);
    seat.draw();
    seat.wait(300);
    let place = seat.place(Target::Label(0)).unwrap();
    for _ in 0..2 {
        seat.click(place);
        seat.draw();
        seat.wait(200);
    }
    assert_eq!(seat.events, [CaseId(1)]);
    seat.wait(1_000);
    seat.press(KeyCode::Enter);
    seat.press(KeyCode::Char('9'));
    seat.draw();
    seat.wait(300);
    let place = seat.place(Target::Label(39)).unwrap();
    seat.click(place);
    assert_eq!(seat.events, [CaseId(1), CaseId(2)]);
}

/// A seat at a task in which a text may have several of three labels with keys, or of 40, of which some have none; the first case is seen.
fn seat_of_several(labels: &[&str]) -> Seat {
    let names: Vec<String> = match labels {
        [] => numbered(40, 0),
        names => names.iter().map(|&name| name.to_owned()).collect(),
    };
    let mut seat = Seat::new(of_kind(TaskKind::Several, "Which?", &names), (80, 24), ThemeName::None);
    seat.respond(Outcome::Looked, true);
    seat.draw();
    seat.wait(300);
    seat
}

#[test]
fn the_keys_of_several_labels_put_them_in_and_take_them_out_and_enter_gives_them() {
    let mut seat = seat_of_several(&["billing", "refund", "other"]);
    for key in ['1', '3', '1', '2'] {
        seat.press(KeyCode::Char(key));
    }
    seat.draw();
    assert!(seat.frame.contains("✓refund") && !seat.frame.contains("✓billing"), "{}", seat.frame);
    assert!(seat.frame.contains("enter: save refund, other"), "{}", seat.frame);
    assert!(seat.events.is_empty(), "nothing is saved before enter");
    seat.press(KeyCode::Enter);
    assert_eq!(
        (&seat.events[..], &seat.given[..]),
        (&[CaseId(1)][..], &[vec!["other".into(), "refund".into()]][..])
    );
    seat.press(KeyCode::Enter);
    assert_eq!(seat.given.len(), 1, "the next case was not drawn");
    seat.draw();
    assert!(
        seat.frame.contains("enter: save none of the labels"),
        "what was chosen is of one case: {}",
        seat.frame
    );
    seat.wait(1_000);
    seat.press(KeyCode::Enter);
    assert_eq!(seat.given[1], Vec::<String>::new(), "none is an answer");
}

#[test]
fn an_enter_that_is_held_down_answers_one_case_of_several_labels() {
    for labels in [&["billing", "refund"][..], &[]] {
        let mut seat = seat_of_several(labels);
        seat.press(KeyCode::Enter);
        for ms in std::iter::once(500).chain(std::iter::repeat_n(33, 60)) {
            seat.draw();
            seat.wait(ms);
            seat.press(KeyCode::Enter);
        }
        seat.wait(1_000);
        assert!(seat.given.len() <= usize::from(!labels.is_empty()), "{:?}", seat.given);
    }
}

#[test]
fn labels_without_keys_are_put_in_by_their_names_and_an_empty_line_gives_them() {
    let mut seat = seat_of_several(&[]);
    seat.press(KeyCode::Char('1'));
    seat.press(KeyCode::Enter);
    seat.draw();
    assert!(seat.frame.contains("enter: save 0."), "the list has what was chosen before: {}", seat.frame);
    for key in ['3', '9'] {
        seat.press(KeyCode::Char(key));
    }
    seat.draw();
    seat.wait(1_000);
    seat.press(KeyCode::Enter);
    assert!(seat.given.is_empty());
    seat.press(KeyCode::Enter);
    assert!(seat.given.is_empty(), "what stands on the screen as chosen was not drawn yet");
    seat.draw();
    assert!(seat.frame.contains("✓39."), "{}", seat.frame);
    seat.wait(1_000);
    seat.press(KeyCode::Enter);
    assert_eq!(seat.given, [vec!["0.".to_owned(), "39.".to_owned()]]);
}

#[test]
fn several_labels_are_chosen_and_given_by_clicks() {
    let mut seat = seat_of_several(&["billing", "refund"]);
    let label = seat.place(Target::Label(1)).unwrap();
    seat.click(label);
    assert!(seat.given.is_empty());
    seat.draw();
    seat.wait(300);
    let saves = seat.place(Target::Save).unwrap();
    seat.click(saves);
    assert_eq!(seat.given, [vec!["refund".to_owned()]]);
    seat.click(saves);
    seat.draw();
    seat.wait(100);
    seat.click(saves);
    assert_eq!(seat.given.len(), 1, "the next case was only just drawn");
}

#[test]
fn the_wheel_scrolls_the_text_that_is_under_it() {
    let mut seat = Seat::new(task("Which?", &numbered(2, 0)), (160, 20), ThemeName::None);
    let mut card = card(1, &(0..90).map(|n| format!("left {n}")).collect::<Vec<_>>().join("\n"));
    let similar = (0..90).map(|n| format!("right {n}")).collect::<Vec<_>>().join("\n");
    card.shown.partner = Some(ShownPartner { text: similar, similarity: 0.7 });
    let window = Window { cards: vec![card], ..seat.window() };
    seat.hear(Message::Session(Box::new(Response {
        window: Ok(Some(window)),
        ..Response::of(Outcome::Looked)
    })));
    seat.draw();
    assert!(seat.frame.contains("left 0") && seat.frame.contains("right 0"), "{}", seat.frame);
    seat.mouse(MouseEventKind::ScrollDown, (120, 8));
    seat.draw();
    assert!(seat.frame.contains("left 0") && !seat.frame.contains("right 0"), "{}", seat.frame);
    seat.mouse(MouseEventKind::ScrollDown, (10, 8));
    seat.draw();
    assert!(!seat.frame.contains("left 0") && seat.frame.contains("left 3"), "{}", seat.frame);
    seat.mouse(MouseEventKind::ScrollUp, (120, 8));
    seat.draw();
    assert!(seat.frame.contains("right 0"), "{}", seat.frame);
}

#[test]
fn below_the_smallest_window_no_key_answers() {
    let mut seat = Seat::new(task("Which?", &numbered(3, 0)), (80, 24), ThemeName::None);
    seat.respond(Outcome::Looked, true);
    seat.draw();
    seat.wait(300);
    seat.resize((30, 8));
    for key in ['1', '2', 's', 'f', 'n'] {
        seat.wait(400);
        seat.press(KeyCode::Char(key));
        seat.draw();
    }
    assert!(seat.events.is_empty(), "{:?}", seat.events);
    seat.resize((80, 24));
    seat.draw();
    seat.wait(300);
    seat.press(KeyCode::Char('1'));
    assert_eq!(seat.events, [CaseId(1)]);
}

#[test]
fn what_is_typed_at_a_question_reaches_no_case() {
    let mut seat = Seat::new(task("Which?", &numbered(3, 0)), (80, 24), ThemeName::None);
    seat.respond(Outcome::Looked, true);
    seat.draw();
    seat.wait(300);
    // Cases are left: to go on is asked about.
    seat.hear(Message::Key(KeyEvent::new(KeyCode::Char('n'), KeyModifiers::CONTROL)));
    seat.draw();
    assert!(seat.frame.contains("On to the next round?"), "{}", seat.frame);
    for key in ['1', 's', 'f', '2'] {
        seat.wait(400);
        seat.press(KeyCode::Char(key));
        seat.draw();
    }
    assert!(seat.events.is_empty() && seat.frame.contains("On to the next round?"), "{}", seat.frame);
    seat.press(KeyCode::Esc);
    seat.draw();
    assert!(!seat.frame.contains("On to the next round?"));
}

#[test]
fn the_way_out_stands_in_the_foot_of_every_window() {
    for size in SIZES {
        let mut seat = Seat::new(task("Which?", &numbered(77, 2)), size, ThemeName::None);
        seat.lines = 300;
        seat.respond(Outcome::Looked, true);
        seat.draw();
        let foot = seat.frame.lines().last().unwrap_or_default().to_owned();
        for hint in ["q quit", "? help", "scroll"] {
            assert!(foot.contains(hint), "{hint} at {size:?}: {foot}");
        }
    }
}

#[test]
fn every_key_that_the_help_lists_as_one_that_moves_leaves_it_open() {
    for code in [KeyCode::Up, KeyCode::Down, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home, KeyCode::End]
    {
        let mut seat = Seat::new(task("Which?", &numbered(3, 0)), (80, 24), ThemeName::None);
        seat.press(KeyCode::Char('?'));
        seat.press(code);
        seat.draw();
        assert!(seat.frame.contains("any other key closes"), "{code:?}");
    }
}

/// The screen with these cards and keys at all sizes, with the styles of each theme at 80×24.
fn take(name: &str, task: &Task, card: &Card, keys: &[KeyCode]) {
    let at = |size, theme| {
        let mut seat = Seat::new(task.clone(), size, theme);
        let window = Window { cards: vec![card.clone()], ..seat.window() };
        seat.hear(Message::Session(Box::new(Response {
            window: Ok(Some(window)),
            ..Response::of(Outcome::Looked)
        })));
        seat.draw();
        for key in keys {
            seat.press(*key);
            seat.draw();
        }
        seat.terminal.backend().buffer().clone()
    };
    let mut all = String::new();
    for (width, height) in SIZES {
        all.push_str(&format!("{width}×{height}\n\n{}\n", text_of(&at((width, height), ThemeName::Dark))));
    }
    for (theme, says) in [
        (ThemeName::Dark, "dark"),
        (ThemeName::Light, "light"),
        (ThemeName::HighContrast, "high-contrast"),
        (ThemeName::None, "none"),
    ] {
        all.push_str(&format!("{says}, 80×24\n\n{}\n", styles_of(&at((80, 24), theme))));
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/loop/snapshots");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => folder }, {
        insta::assert_snapshot!(name, all);
    });
}

fn text_of(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while let Some(cell) = buffer.cell((x, y)).filter(|_| x < buffer.area.width) {
            line.push_str(cell.symbol());
            x += (unicode_width::UnicodeWidthStr::width(cell.symbol()) as u16).max(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Each line's colours and weights, as runs; lines of plain text have none.
fn styles_of(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let style = |x: u16| buffer.cell((x, y)).map(|cell| (cell.fg, cell.modifier)).unwrap_or_default();
        let mut runs = Vec::new();
        let mut from = 0;
        for x in 1..=buffer.area.width {
            if x < buffer.area.width && style(x) == style(from) {
                continue;
            }
            let (colour, modifier) = style(from);
            let mut parts = Vec::new();
            if colour != Color::Reset {
                parts.push(colour.to_string());
            }
            parts.extend(modifier.iter_names().map(|(name, _): (&str, Modifier)| name.to_lowercase()));
            if !parts.is_empty() {
                runs.push(format!("{from}-{} {}", x - 1, parts.join("+")));
            }
            from = x;
        }
        if !runs.is_empty() {
            out.push_str(&format!("{y:>2}: {}\n", runs.join(", ")));
        }
    }
    out
}

const LETTER: &str = "My card was declined twice today, although there is money on the account.";

#[test]
fn twelve_labels() {
    let names = [
        "lost card",
        "stolen card",
        "new card",
        "declined",
        "refund",
        "exchange rate",
        "fee",
        "pin",
        "top up",
        "transfer",
        "limit",
        "other",
    ];
    take(
        "labels_12",
        &task("What does the customer want?", &names.map(str::to_owned)),
        &card(1, LETTER),
        &[],
    );
}

#[test]
fn thirty_labels_in_groups() {
    let of =
        |group: &str, names: &[&str]| names.iter().map(|name| format!("{group}/{name}")).collect::<Vec<_>>();
    let names = [
        of(
            "card",
            &[
                "arrival",
                "linking",
                "lost",
                "stolen",
                "swallowed",
                "declined",
                "about to expire",
                "not working",
                "payment fee",
            ],
        ),
        of(
            "transfer",
            &["pending", "failed", "into account", "fee charged", "timing", "not received by recipient"],
        ),
        of("top up", &["failed", "limits", "reverted", "by cash or cheque", "by card charge", "automatic"]),
        of("account", &["terminate", "verify identity", "edit details", "age limit", "country support"]),
        vec!["pin blocked".into(), "exchange rate".into(), "refund".into(), "other".into()],
    ]
    .concat();
    assert_eq!(names.len(), 30);
    take("labels_30", &task("What does the customer want?", &names), &card(1, LETTER), &[]);
}

#[test]
fn the_labels_of_banking77() {
    let Some(names) = banking77::names() else { return };
    let task = task("What does the customer want?", &names);
    take("labels_77", &task, &card(1, LETTER), &[]);
    let keys = [KeyCode::Enter, KeyCode::Char('c'), KeyCode::Char('a'), KeyCode::Char('r')];
    take("labels_77_one_looked_for", &task, &card(1, LETTER), &keys);
}

#[test]
fn two_hundred_labels() {
    let names: Vec<String> = (1..=200).map(|n| format!("article {n} of the civil code")).collect();
    take("labels_200", &task("Which article does the judgement rest on?", &names), &card(1, LETTER), &[]);
}

#[test]
fn a_long_text() {
    let lines: Vec<String> =
        (1..=160).map(|n| format!("Clause {n}: the parties agree on what clause {n} says.")).collect();
    let names = ["fair", "unfair"].map(str::to_owned);
    let mut card = card(1, &lines.join("\n"));
    let similar = (1..=40).map(|n| format!("Another contract, clause {n}.")).collect::<Vec<_>>().join("\n");
    card.shown.partner = Some(ShownPartner { text: similar, similarity: 0.81 });
    take(
        "a_long_text",
        &task("Is this contract fair?", &names),
        &card,
        &[KeyCode::PageDown, KeyCode::BackTab, KeyCode::Down],
    );
}

#[test]
fn a_conversation() {
    let turn = |speaker: &str, text: &str| Turn { speaker: Some(speaker.into()), text: text.into() };
    let mut card = card(1, "");
    card.shown.turns = vec![
        turn("user", "My parcel is lost."),
        turn("assistant", "Which number does it have?"),
        turn("user", "You have asked that twice already."),
    ];
    card.shown.asked = Some(1);
    let names = ["helpful", "not helpful"].map(str::to_owned);
    take("a_conversation", &task("Does the answer help?", &names), &card, &[]);
}
