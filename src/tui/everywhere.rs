//! What holds on every screen and in every popup: `?` shows the keys, and what moves moves. And how the popups look that ask for results.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;
use ratatui_textarea::TextArea;

use super::about::About;
use super::app::App;
use super::effect::Effect;
use super::hits::Target;
use super::keys::Action;
use super::message::Message;
use super::questions::{go_on_with_cases_left, leave_now, leave_while_a_job_runs};
use super::screens::LIST;
use super::settings::Settings;
use super::terminal::Mouse;
use super::theme::ThemeName;
use super::widgets::changes::Changes;
use super::widgets::help::{KeysHelp, Under};
use super::widgets::outcome::Subject;
use super::widgets::popup::{Field, Popup};
use super::widgets::results_form::ResultsForm;
use crate::desk::browse;
use crate::desk::browse::{Fetched, Found, FullItem, Others, Row, State};
use crate::desk::jobs::{JobKind, News};
use crate::desk::request::Request;
use crate::desk::results::{Results, Wanted, Written};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::task::Task;
use crate::insight::quality::Quality;

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (100, 30), (160, 50)];
const SHOWN: &str = "any other key closes";

fn task() -> Task {
    let toml = "question='Is it?'\n[[label]]\nname='spam'\nkey='1'\n[[label]]\nname='ham'";
    Task::from_toml(toml, "t").unwrap()
}

fn app() -> App {
    let about = About {
        project: "pool.hardcase".into(),
        file: "/home/ada/letters/pool.hardcase".into(),
        expert: "ada".into(),
        task: task(),
        label_uses: HashMap::new(),
        has_engine: true,
    };
    App::new(about, Settings { mouse: Mouse::Used, ..Settings::default() })
}

fn frame(app: &mut App, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| app.draw(frame)).unwrap();
    terminal.backend().buffer().clone()
}

fn drawn(app: &mut App, (width, height): (u16, u16)) -> String {
    let buffer = frame(app, (width, height));
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

/// Answers as the desk and the terminal do.
fn answer(app: &mut App, effects: Vec<Effect>) {
    let row = |item: &ItemId| Row {
        labels: Vec::new(),
        item: *item,
        id: None,
        case: None,
        passage: format!("Dear Sir, letter {item}"),
        label: None,
        skipped: false,
        flagged: false,
        noted: false,
        round: None,
    };
    let full = |item: &ItemId| FullItem {
        row: row(item),
        text: format!("Dear Sir, letter {item} is about a parcel.{}", "\nIt never came.".repeat(80)),
        note: None,
        origins: Vec::new(),
        may_answer: false,
        is_suspect: false,
        view: None,
        others: Others::Shown(Vec::new()),
    };
    for effect in effects {
        let message = match effect {
            Effect::Browse(browse::Request::Search(search)) => {
                let items = (1..=9).map(ItemId).collect();
                let found = Found { number: search.number, items, pool: 9, state: State::Done };
                Message::Browse(browse::Response::Found(found))
            }
            Effect::Browse(browse::Request::Fetch(asked)) => {
                let rows = asked.rows.iter().map(row).collect();
                let full = asked.full.as_ref().map(|item| Box::new(full(item)));
                Message::Browse(browse::Response::Fetched(Ok(Fetched { asked, rows, full })))
            }
            Effect::AskCursor(nonce) => Message::CursorReported(nonce),
            _ => continue,
        };
        let more = app.update(message, Instant::now());
        answer(app, more);
    }
}

/// The Items screen with nine letters, the first of them in full.
fn items(size: (u16, u16)) -> App {
    let mut app = app();
    let effects = app.act(Action::Show("items"));
    answer(&mut app, effects);
    press(&mut app, KeyCode::Enter);
    for _ in 0..3 {
        frame(&mut app, size);
        let effects = app.drawn(Instant::now());
        answer(&mut app, effects);
    }
    app
}

fn press(app: &mut App, code: KeyCode) -> Vec<Effect> {
    app.update(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)), Instant::now())
}

fn hear(app: &mut App, news: News) -> Vec<Effect> {
    app.update(Message::Job(news), Instant::now())
}

fn results() -> Popup {
    Popup::Results(ResultsForm::new("/home/ada/letters/pool.hardcase".into()))
}

/// One of each kind, some with another text in it.
fn popups() -> Vec<Popup> {
    let changes = Changes::new(vec!["\"spam\" now has the key 3.".into()], task());
    vec![
        Popup::palette(),
        Popup::editor(Subject::Note(CaseId(1)), ""),
        Popup::editor(Subject::Reason(ItemId(1), "spam".into()), ""),
        Popup::editor(Subject::Guideline, ""),
        Popup::field(Field::CaseNumber),
        Popup::field(Field::Word),
        Popup::model(Vec::new()),
        Popup::labels(&task().labels, &HashMap::new()),
        leave_while_a_job_runs(),
        leave_now(),
        go_on_with_cases_left(3, vec![JobKind::Mine]),
        Popup::Changes(changes),
        results(),
    ]
}

/// Its kind. A new kind does not compile here before it is named.
fn kind(popup: &Popup) -> &'static str {
    match popup {
        Popup::Help(_) => "help",
        Popup::Palette { .. } => "palette",
        Popup::Editor { .. } => "editor",
        Popup::Field { .. } => "field",
        Popup::Model(_) => "model",
        Popup::Labels(_) => "labels",
        Popup::Choice(_) => "choice",
        Popup::Changes(_) => "changes",
        Popup::Results(_) => "results",
    }
}

const MOVES: [KeyCode; 6] =
    [KeyCode::Up, KeyCode::Down, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home, KeyCode::End];

#[test]
fn a_question_mark_shows_the_keys_of_every_popup_and_leads_back_to_it() {
    let kinds: BTreeSet<&str> = popups().iter().map(kind).collect();
    assert_eq!(kinds.len(), 8, "each but the help itself: {kinds:?}");
    for size in SIZES {
        for popup in popups() {
            let name = kind(&popup);
            let mut app = app();
            app.popups.open(popup);
            let before = drawn(&mut app, size);
            press(&mut app, KeyCode::Char('?'));
            let keys = drawn(&mut app, size);
            assert!(keys.contains(SHOWN), "{name} at {size:?}:\n{keys}");
            for code in MOVES {
                press(&mut app, code);
                assert!(drawn(&mut app, size).contains(SHOWN), "{code:?} closes the keys of {name}");
            }
            press(&mut app, KeyCode::Esc);
            assert_eq!(drawn(&mut app, size), before, "{name} is there again");
        }
    }
}

#[test]
fn a_question_mark_is_a_letter_where_something_is_typed_and_a_second_one_on_an_empty_line() {
    for popup in popups() {
        let name = kind(&popup);
        let mut app = app();
        app.popups.open(popup);
        press(&mut app, KeyCode::Char('?'));
        press(&mut app, KeyCode::Char('?'));
        let typed = match app.popups.top() {
            Some(Popup::Palette { input, .. } | Popup::Field { input, field: Field::Word }) => {
                input.value().to_owned()
            }
            Some(Popup::Editor { editor, .. }) => TextArea::lines(editor).join("\n"),
            // Nothing is typed there, or not seen from here.
            Some(_) => continue,
            None => panic!("{name} is closed"),
        };
        assert_eq!(typed, "?", "{name}");
        press(&mut app, KeyCode::Char('?'));
        assert!(!drawn(&mut app, (80, 24)).contains(SHOWN), "{name}");
    }
}

#[test]
fn a_question_mark_shows_the_keys_of_every_screen_and_what_moves_leaves_them_open() {
    for size in SIZES {
        for (tab, _) in LIST {
            let mut app = app();
            app.act(tab.action());
            press(&mut app, KeyCode::Char('?'));
            assert!(drawn(&mut app, size).contains(SHOWN), "{} at {size:?}", tab.title);
            for code in MOVES {
                press(&mut app, code);
                assert!(drawn(&mut app, size).contains(SHOWN), "{code:?} closes the keys of {}", tab.title);
            }
            press(&mut app, KeyCode::Esc);
            assert!(!drawn(&mut app, size).contains(SHOWN));
        }
    }
    // In the line that says what to search for, too.
    let mut app = app();
    app.act(Action::Search);
    press(&mut app, KeyCode::Char('?'));
    assert!(drawn(&mut app, (80, 24)).contains(SHOWN));
    press(&mut app, KeyCode::Char('?'));
    press(&mut app, KeyCode::Char('x'));
    press(&mut app, KeyCode::Char('?'));
    assert!(drawn(&mut app, (80, 24)).contains("/ ?x?"));
}

#[test]
fn a_theme_is_used_at_once_and_asked_to_be_kept() {
    for theme in ThemeName::ALL {
        let mut app = app();
        press(&mut app, KeyCode::Char(':'));
        for c in format!("theme {}", theme.name()).chars() {
            press(&mut app, KeyCode::Char(c));
        }
        let screen = drawn(&mut app, (80, 24));
        assert!(screen.contains(&format!("Theme: {}", theme.name())), "{screen}");
        let effects = press(&mut app, KeyCode::Enter);
        assert!(matches!(effects[..], [Effect::KeepTheme(kept)] if kept == theme), "{effects:?}");
    }
}

/// The question which results to write, opened from the palette, with what the desk says of it.
fn asked(rows: &str) -> App {
    let mut app = app();
    let effects = app.act(Action::Results);
    assert!(
        matches!(&effects[..], [Effect::CountResults(Results::Final), Effect::AssessResults]),
        "how much and how good is asked for: {effects:?}"
    );
    hear(&mut app, News::Counted(Results::Final, Ok(rows.into())));
    let quality = Quality {
        labels: "60 answers by 2 people; they agree with each other, kappa 0.81 (0.70 to 0.90, n = 40)."
            .into(),
        predictions: "How good the model is, is not known yet: too few test cases are answered.".into(),
    };
    hear(&mut app, News::Quality(Ok(quality)));
    app
}

fn written(app: &mut App) -> Wanted {
    match &press(app, KeyCode::Enter)[..] {
        [Effect::WriteResults(wanted)] => (**wanted).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn results_are_written_once_they_were_shown_and_a_file_that_exists_is_asked_about() {
    let mut app = asked("1,234 rows.");
    let wanted = written(&mut app);
    assert!(!wanted.replaces);
    hear(&mut app, News::Results(Written::Exists(Box::new(wanted.clone()))));
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("This file exists") && screen.contains("pool.final.csv"), "{screen}");
    press(&mut app, KeyCode::Char('?'));
    press(&mut app, KeyCode::Esc);
    assert!(press(&mut app, KeyCode::Enter).is_empty(), "enter replaces nothing");
    press(&mut app, KeyCode::Esc);
    assert!(drawn(&mut app, (80, 24)).contains("1,234 rows."), "the question which results is there again");
    let again = written(&mut app);
    hear(&mut app, News::Results(Written::Exists(Box::new(again))));
    let effects = press(&mut app, KeyCode::Char('r'));
    assert!(matches!(&effects[..], [Effect::WriteResults(wanted)] if wanted.replaces), "{effects:?}");
    hear(&mut app, News::Results(Written::Failed("cannot write it: the disk is full".into())));
    assert!(drawn(&mut app, (80, 24)).contains("the disk is full"));
    written(&mut app);
    hear(&mut app, News::Results(Written::Done("1,234 rows written to /x".into())));
    let screen = drawn(&mut app, (80, 24));
    assert!(screen.contains("1,234 rows written") && !screen.contains("Format"), "{screen}");
}

#[test]
fn whoever_closes_the_question_is_told_what_became_of_it() {
    let mut app = asked("1 row.");
    let wanted = written(&mut app);
    press(&mut app, KeyCode::Esc);
    hear(&mut app, News::Results(Written::Exists(Box::new(wanted))));
    let screen = drawn(&mut app, (160, 50));
    assert!(screen.contains("Nothing was written") && !screen.contains("This file exists"), "{screen}");
}

fn take(name: &str, picture: impl Fn() -> App) {
    take_at(name, |_| picture());
}

fn take_at(name: &str, picture: impl Fn((u16, u16)) -> App) {
    let of = |size: &(u16, u16)| format!("{}×{}\n\n{}", size.0, size.1, drawn(&mut picture(*size), *size));
    let all: Vec<String> = SIZES.iter().map(of).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/loop/snapshots");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => folder }, {
        insta::assert_snapshot!(name, all.join("\n\n"));
    });
}

#[test]
fn the_question_which_results() {
    take("results", || {
        asked("1,234 rows. Left out because you may not see it yet: what others or the model say of 3 texts.")
    });
    take("results_on_their_way", app_with_results);
    take("results_not_written", || {
        let mut app = asked("1,234 rows.");
        written(&mut app);
        let why = "cannot write /home/ada/letters/pool.final.csv: there is no such directory. Make it, or choose another place";
        hear(&mut app, News::Results(Written::Failed(why.into())));
        app
    });
    take("results_that_exist", || {
        let mut app = asked("1,234 rows.");
        let wanted = written(&mut app);
        hear(&mut app, News::Results(Written::Exists(Box::new(wanted))));
        app
    });
    take("results_keys", || {
        let mut app = asked("1,234 rows.");
        press(&mut app, KeyCode::Char('?'));
        app
    });
}

fn app_with_results() -> App {
    let mut app = app();
    app.act(Action::Results);
    press(&mut app, KeyCode::Char('5'));
    press(&mut app, KeyCode::Tab);
    press(&mut app, KeyCode::Tab);
    app
}

#[test]
fn the_themes_in_the_palette() {
    take("themes", || {
        let mut app = app();
        press(&mut app, KeyCode::Char(':'));
        for c in "theme".chars() {
            press(&mut app, KeyCode::Char(c));
        }
        app
    });
}

#[test]
fn the_help_of_a_popup_is_the_last_thing_to_open_and_the_first_to_close() {
    let mut app = app();
    app.popups.open(Popup::Help(KeysHelp::new(Vec::new(), Under::Keys)));
    press(&mut app, KeyCode::Char('x'));
    assert!(app.popups.is_empty());
}

/// Clicks where the last frame, of this size, has something to click.
fn click(app: &mut App, (width, height): (u16, u16), target: Target) -> Vec<Effect> {
    let mut places = Rect::new(0, 0, width, height).positions();
    let at = places.find(|at| app.hits.at(at.x, at.y) == Some(target));
    let at = at.unwrap_or_else(|| panic!("{target:?} is not to be clicked at {width}×{height}"));
    let kind = MouseEventKind::Down(MouseButton::Left);
    let mouse = MouseEvent { kind, column: at.x, row: at.y, modifiers: KeyModifiers::NONE };
    app.update(Message::Mouse(mouse), Instant::now())
}

#[test]
fn a_click_on_a_screens_name_goes_there_and_one_in_a_list_selects() {
    for size in SIZES {
        let mut app = app();
        for at in (0..LIST.len()).rev() {
            drawn(&mut app, size);
            click(&mut app, size, Target::Tab(at));
            assert_eq!(app.at, at, "{size:?}");
        }
        app.act(LIST[2].0.action());
        let before = frame(&mut app, size);
        click(&mut app, size, Target::Row(2));
        assert_ne!(frame(&mut app, size), before, "a click chooses what to start");

        press(&mut app, KeyCode::Char(':'));
        drawn(&mut app, size);
        assert!(matches!(app.popups.top(), Some(Popup::Palette { chosen: 0, .. })));
        click(&mut app, size, Target::Row(3));
        assert!(matches!(app.popups.top(), Some(Popup::Palette { chosen: 3, .. })), "it is chosen, not done");
        app.popups.open(leave_now());
        drawn(&mut app, size);
        click(&mut app, size, Target::Row(1));
        assert!(app.popups.is_empty() && !app.is_leaving(), "the line of esc");
        app.popups.open(leave_now());
        drawn(&mut app, size);
        click(&mut app, size, Target::Row(0));
        assert!(app.is_leaving());
    }
}

#[test]
fn the_mouse_belongs_to_the_terminal_unless_the_settings_say_otherwise() {
    let mut app = app();
    app.settings.mouse = Mouse::Left;
    drawn(&mut app, (80, 24));
    let all = Rect::new(0, 0, 80, 24);
    assert!(all.positions().all(|at| app.hits.at(at.x, at.y).is_none()));
    let mouse = |kind| MouseEvent { kind, column: 30, row: 0, modifiers: KeyModifiers::NONE };
    for kind in [MouseEventKind::Down(MouseButton::Left), MouseEventKind::ScrollDown] {
        assert!(app.update(Message::Mouse(mouse(kind)), Instant::now()).is_empty());
    }
    assert_eq!(app.at, 0);
}

#[test]
fn a_text_that_was_found_gets_a_label_without_a_key_by_its_name() {
    for size in SIZES {
        let mut app = items(size);
        let later = Instant::now() + Duration::from_secs(1);
        let mut press = |code| {
            let effects = app.update(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)), later);
            let screen = drawn(&mut app, size);
            (effects, screen)
        };
        let (_, screen) = press(KeyCode::Enter);
        assert!(screen.contains("Which label?") && screen.contains("letter 1"), "{screen}");
        press(KeyCode::Char('h'));
        let (effects, _) = press(KeyCode::Enter);
        let [Effect::Session(Request::LabelFound { item, labels })] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!((*item, &labels.0[..]), (ItemId(1), &["ham".to_owned()][..]), "{size:?}");
    }
}

#[test]
fn a_text_whose_first_row_was_not_drawn_gets_no_label() {
    for size in SIZES {
        let mut app = items(size);
        press(&mut app, KeyCode::Right);
        press(&mut app, KeyCode::End);
        let mut later = Instant::now();
        for (code, labels) in [(KeyCode::Char('1'), 0), (KeyCode::Home, 0), (KeyCode::Char('1'), 1)] {
            for _ in 0..3 {
                frame(&mut app, size);
                let effects = app.drawn(later);
                answer(&mut app, effects);
            }
            later += Duration::from_secs(2);
            let effects = app.update(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)), later);
            let given = effects.iter().filter(|e| matches!(e, Effect::Session(Request::LabelFound { .. })));
            assert_eq!(given.count(), labels, "{code:?} at {size:?}");
        }
    }
}

#[test]
fn a_click_in_the_list_of_texts_selects_and_the_wheel_moves_what_is_under_it() {
    for size in SIZES {
        let mut app = items(size);
        press(&mut app, KeyCode::Esc);
        frame(&mut app, size);
        click(&mut app, size, Target::Row(3));
        let screen = drawn(&mut app, size);
        assert!(screen.contains("text 4 of 9"), "{screen}");
        let wheel =
            MouseEvent { kind: MouseEventKind::ScrollDown, column: 5, row: 5, modifiers: KeyModifiers::NONE };
        app.update(Message::Mouse(wheel), Instant::now());
        let screen = drawn(&mut app, size);
        assert!(screen.contains("text 7 of 9"), "{screen}");
    }
}

#[test]
fn a_label_that_is_looked_for_on_items() {
    take_at("items_label_looked_for", |size| {
        let mut app = items(size);
        press(&mut app, KeyCode::Enter);
        frame(&mut app, size);
        press(&mut app, KeyCode::Char('a'));
        app
    });
}
