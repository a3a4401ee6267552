//! Pictures of the form: every page at every size. `INSTA_UPDATE=always cargo test --lib form::view` takes them again.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::desk::survey::{Answer, Beginning, Facts, Says, Shown};
use crate::desk::task_change::Standing;
use crate::domain::project_draft::ProjectDraft;
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::tui::settings::Settings;
use crate::tui::theme::{Theme, ThemeName};

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (100, 30), (160, 50)];

fn press(form: &mut Form, keys: &str) {
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\u{1b}' => KeyCode::Esc,
            '\u{2193}' => KeyCode::Down,
            '\u{2192}' => KeyCode::Right,
            c => KeyCode::Char(c),
        };
        form.key(&KeyEvent::new(code, KeyModifiers::NONE));
    }
}

/// The form for a file of three columns in another encoding, as it is once the file is read.
fn form() -> Form {
    let draft = ProjectDraft {
        project: "complaints.hardcase".into(),
        expert: "Grace".into(),
        ..ProjectDraft::default()
    };
    let mut form = Form::new(draft, &Page::ALL);
    let number = form.question(&ReadOptions::default()).number;
    let shown = |text: &str, who: &str| Shown {
        text: text.into(),
        has_turns: false,
        beside: vec![("channel".into(), who.into())],
    };
    let beginning = Beginning {
        format: "CSV with ';'".into(),
        encoding: "windows-1252".into(),
        has_cells: true,
        header: true,
        columns: vec![
            ("kind".into(), ColumnUse::Out),
            ("channel".into(), ColumnUse::Beside),
            ("text".into(), ColumnUse::Text),
        ],
        unclear: None,
        rows: vec![
            shown("Die Kündigung wurde bestätigt, aber der Betrag wird weiter abgebucht.", "e-mail"),
            shown(
                "Seit drei Wochen warte ich auf eine Antwort. Ich habe zweimal angerufen, und beide Male wurde mir ein Rückruf \
                 versprochen, der nie kam. Jetzt droht die Mahnung, obwohl ich längst bezahlt habe.",
                "letter",
            ),
            shown("Wo finde ich die AGB?\u{1b}[2J", "chat"),
        ],
    };
    let values = |all: &[(&str, u64)]| Some(all.iter().map(|(v, n)| ((*v).to_owned(), *n)).collect());
    let facts = Facts {
        rows: 1_204,
        repeated: Some(17),
        empty: 3,
        values: vec![
            values(&[("complaint", 903), ("question", 301)]),
            values(&[("e-mail", 800), ("chat", 300), ("letter", 104)]),
            None,
        ],
        ..Facts::default()
    };
    form.hear(Answer { number, says: Says::Begins(Box::new(beginning)) });
    form.hear(Answer { number, says: Says::Whole(Box::new(facts)) });
    form
}

fn screen(form: &mut Form, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let (theme, settings) = (Theme::of(ThemeName::Dark), Settings::default());
    let look = Look { theme: &theme, keys: &settings.keys, hits: None };
    terminal.draw(|frame| draw(frame, form, "complaints.csv", look)).unwrap();
    let buffer = terminal.backend().buffer();
    let line = |y: u16| -> String {
        let row: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        row.trim_end().to_owned()
    };
    (0..height).map(line).collect::<Vec<_>>().join("\n")
}

fn pictures(name: &str, form: &mut Form) {
    let all: Vec<String> =
        SIZES.iter().map(|size| format!("{}×{}\n\n{}", size.0, size.1, screen(form, *size))).collect();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, all.join("\n\n"));
    });
}

/// Every page answered.
fn answered() -> Form {
    let mut form = form();
    press(&mut form, "2t");
    press(&mut form, "ob\u{2193}\u{2193}");
    press(
        &mut form,
        "3\nIs this a complaint?\n\u{2193}\nA complaint says that something went wrong and\nwants it put right.\u{1b}",
    );
    press(&mut form, "4acomplaint\tk\tSomething went wrong and is to be put right\n");
    press(&mut form, "aquestion\naother, also praise and what belongs to another department\n");
    form
}

#[test]
fn every_page_at_every_size() {
    let mut form = answered();
    for (key, name) in [("1", "file"), ("2", "columns"), ("3", "task"), ("4", "labels"), ("5", "create")] {
        press(&mut form, key);
        pictures(&format!("form_{name}"), &mut form);
    }
    press(&mut form, "4\u{2193}\n");
    pictures("form_label_being_typed", &mut form);
    press(&mut form, "\u{1b}\u{2192}\u{2192}\u{2192}\n");
    pictures("form_examples", &mut form);
}

#[test]
fn what_is_missing_is_named_before_anything_can_be_made() {
    let mut form = form();
    press(&mut form, "5");
    let shown = screen(&mut form, (80, 24));
    assert!(shown.contains("Task: A task needs a question."), "{shown}");
    assert!(!shown.contains(" Create the project "), "{shown}");
    press(&mut form, "4");
    assert!(screen(&mut form, (60, 16)).contains("Press a to add one"));
}

#[test]
fn a_conversation_is_shown_without_holes_and_what_was_chosen_is_said_before_it_is_made() {
    let mut form = answered();
    if let Some(beginning) = &mut form.sheet.beginning {
        beginning.rows[0].text = "user: Where is it?\n\nagent: On its way.".into();
        beginning.rows[0].has_turns = true;
    }
    press(&mut form, "1");
    let shown = screen(&mut form, (100, 30));
    assert!(shown.contains("user: Where is it?\n   agent: On its way."), "{shown}");
    form.sheet.draft.task.asked_about = Some("agent".into());
    form.sheet.draft.task.assist = Assist::Before;
    form.sheet.draft.set_use(0, ColumnUse::Id);
    form.sheet.draft.task.labels[1].share = Some(0.97);
    press(&mut form, "5");
    let shown = screen(&mut form, (160, 50));
    for says in [
        "Asked about    agent",
        "Model's guess  seen before the answer, of cases that teach it",
        "Your ids       kind",
        "First guess    With 97 of 100 for 'question', the model guesses 'question' for nearly every text until",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    press(&mut form, "4");
    let shown = screen(&mut form, (100, 30));
    assert!(shown.contains("The answer, as it is shown and exported."), "{shown}");
}

#[test]
fn a_part_that_no_text_has_is_told_while_it_can_be_corrected() {
    let mut form = answered();
    if let Some(beginning) = &mut form.sheet.beginning {
        beginning.rows[0].text = "Kunde: Where is it?\n\nagent: On its way.".into();
        beginning.rows[0].has_turns = true;
    }
    for (part, told) in [("kunde", false), ("Last", false), ("customer", true)] {
        form.sheet.draft.task.asked_about = Some(part.into());
        press(&mut form, "3\u{2193}\u{2193}\u{2193}");
        let says = format!("None of the first texts has a part called '{part}'.");
        for page in ["3\u{2193}\u{2193}\u{2193}", "5"] {
            press(&mut form, page);
            let shown = screen(&mut form, (160, 50));
            assert_eq!(shown.contains(&says), told, "{part}: {shown}");
        }
    }
}

#[test]
fn a_column_of_which_every_row_has_another_value_says_so() {
    let mut form = form();
    form.sheet.facts = Some(Facts {
        rows: 2,
        values: vec![Some(vec![("A1".into(), 1), ("A2".into(), 1)]), None, None],
        ..Facts::default()
    });
    press(&mut form, "2");
    let shown = screen(&mut form, (100, 30));
    assert!(shown.contains("another value in every row: A1 · A2"), "{shown}");
}

#[test]
fn no_text_reaches_the_screen_raw_and_many_labels_scroll() {
    let mut form = form();
    assert!(!screen(&mut form, (80, 24)).contains('\u{1b}'));
    let values: Vec<(String, u64)> = (0..77).map(|i| (format!("card_arrival_{i}"), 1)).collect();
    form.sheet.draft.task.take_labels(&values);
    press(&mut form, "4");
    for _ in 0..76 {
        press(&mut form, "\u{2193}");
    }
    for size in SIZES {
        let shown = screen(&mut form, size);
        assert!(shown.contains("card_arrival_76") && shown.contains("77 of 77"), "{shown}");
    }
}

#[test]
fn the_keys_lie_over_every_page_and_every_cell_and_one_more_press_types_the_sign() {
    let mut form = answered();
    for page in ["1", "2", "3", "4", "5"] {
        press(&mut form, page);
        press(&mut form, "?");
        for size in SIZES {
            assert!(screen(&mut form, size).contains("any other key closes"), "page {page} at {size:?}");
        }
        press(&mut form, "?");
        assert!(!screen(&mut form, (80, 24)).contains("any other key closes"), "page {page}");
    }
    press(&mut form, "3\u{2193}\u{2193}\n?");
    assert!(screen(&mut form, (80, 24)).contains("type a ? into the line"));
    press(&mut form, "?");
    press(&mut form, "?why?\n");
    assert_eq!(form.sheet.draft.task.name, "??why?");
    press(&mut form, "4\u{2192}\n?");
    assert!(screen(&mut form, (80, 24)).contains("any other key closes"), "a key cannot be a question mark");
}

#[test]
fn the_columns_that_are_shown_at_every_size() {
    let toml =
        "question='Is this a complaint?'\n[[label]]\nname='yes'\nkey='1'\n[[label]]\nname='no'\nkey='2'";
    let standing = Standing {
        task: Task::from_toml(toml, "t").unwrap(),
        answers: Default::default(),
        may_change: true,
        leads: vec!["Grace".into()],
        columns: vec![("channel".into(), true), ("sender".into(), false)],
    };
    let mut form = Form::of_task(standing);
    press(&mut form, "\u{2193}\u{2193}\u{2193}\u{2193}\u{2193}\u{2193}\u{2193}\u{2193}\n");
    pictures("form_task_with_columns", &mut form);
    press(&mut form, "3");
    let shown = screen(&mut form, (80, 24));
    assert!(shown.contains("Shown next to the text are now: channel, sender."), "{shown}");
}
