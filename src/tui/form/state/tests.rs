//! The form by its keys: what can be typed where, what is taken back, and when it can be confirmed.

use proptest::prelude::*;

use super::*;
use crate::desk::survey::{Beginning, Facts};
use crate::tui::form::cells::MOST_LABELS;

fn press(form: &mut Form, code: KeyCode) -> Turn {
    form.key(&KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_in(form: &mut Form, text: &str) {
    for c in text.chars() {
        press(form, KeyCode::Char(c));
    }
}

/// The form for a file with a column of labels and one of texts, read to its end.
fn form() -> Form {
    let mut form = Form::new(ProjectDraft { expert: "ada".into(), ..ProjectDraft::default() }, &Page::ALL);
    let number = form.question(&ReadOptions::default()).number;
    let beginning = Beginning {
        format: "CSV with ','".into(),
        encoding: "windows-1252".into(),
        has_cells: true,
        header: true,
        columns: vec![("kind".into(), ColumnUse::Out), ("text".into(), ColumnUse::Text)],
        unclear: None,
        rows: Vec::new(),
    };
    let values = vec![("ham".to_owned(), 3), ("spam".to_owned(), 1)];
    let facts = Facts { rows: 4, values: vec![Some(values), None], ..Facts::default() };
    assert!(!form.hear(Answer { number, says: Says::Begins(Box::new(beginning)) }));
    form.hear(Answer { number, says: Says::Whole(Box::new(facts)) });
    form
}

fn names(form: &Form) -> Vec<&str> {
    form.sheet.draft.task.labels.iter().map(|label| label.name.as_str()).collect()
}

#[test]
fn labels_are_added_changed_moved_removed_and_every_step_is_taken_back() {
    let mut form = form();
    press(&mut form, KeyCode::Char('4'));
    for name in ["spam", "ham", "odd"] {
        press(&mut form, KeyCode::Char('a'));
        type_in(&mut form, name);
        press(&mut form, KeyCode::Enter);
    }
    assert_eq!(names(&form), ["spam", "ham", "odd"]);
    press(&mut form, KeyCode::Char('<'));
    assert_eq!(names(&form), ["spam", "odd", "ham"]);
    press(&mut form, KeyCode::Char('d'));
    assert_eq!(names(&form), ["spam", "ham"]);
    for before in [vec!["spam", "odd", "ham"], vec!["spam", "ham", "odd"], vec!["spam", "ham"], vec!["spam"]]
    {
        press(&mut form, KeyCode::Char('u'));
        assert_eq!(names(&form), before);
    }
    press(&mut form, KeyCode::Char('U'));
    assert_eq!(names(&form), ["spam", "ham"]);
    press(&mut form, KeyCode::Char('a'));
    press(&mut form, KeyCode::Esc);
    assert_eq!(names(&form), ["spam", "ham"], "a label without a name is none");
}

#[test]
fn a_step_back_leads_to_the_page_that_it_changes() {
    let mut form = form();
    press(&mut form, KeyCode::Enter);
    type_in(&mut form, "x");
    press(&mut form, KeyCode::Enter);
    press(&mut form, KeyCode::Char('3'));
    press(&mut form, KeyCode::Down);
    press(&mut form, KeyCode::Down);
    press(&mut form, KeyCode::Enter);
    type_in(&mut form, "y");
    press(&mut form, KeyCode::Enter);
    let says = |form: &Form| form.notice.as_ref().map(|notice| notice.says.clone());
    press(&mut form, KeyCode::Char('5'));
    press(&mut form, KeyCode::Char('u'));
    assert_eq!((form.page(), form.row, says(&form)), (Page::Task, 2, Some("Undone on this page.".into())));
    press(&mut form, KeyCode::Char('u'));
    assert_eq!((form.page(), form.row), (Page::File, 0));
    assert_eq!(form.sheet.draft.expert, "ada");
    press(&mut form, KeyCode::Char('U'));
    assert_eq!((form.page(), says(&form)), (Page::File, None), "what is in view needs no word");
    press(&mut form, KeyCode::Char('U'));
    assert_eq!((form.page(), says(&form)), (Page::Task, Some("Redone on this page.".into())));
}

#[test]
fn what_is_wrong_stays_to_be_corrected_and_tab_goes_from_cell_to_cell() {
    let mut form = form();
    press(&mut form, KeyCode::Char('4'));
    press(&mut form, KeyCode::Char('a'));
    type_in(&mut form, "spam");
    press(&mut form, KeyCode::Tab);
    type_in(&mut form, "u");
    press(&mut form, KeyCode::Tab);
    assert!(form.notice.as_ref().is_some_and(|notice| notice.says.contains("uses the key u itself")));
    type_in(&mut form, "x");
    press(&mut form, KeyCode::Tab);
    type_in(&mut form, "sells something");
    press(&mut form, KeyCode::Enter);
    let label = &form.sheet.draft.task.labels[0];
    assert_eq!((label.key, label.meaning.as_str()), (Some('x'), "sells something"));
}

#[test]
fn a_letter_of_a_word_never_leaves_and_enter_changes_no_columns_role() {
    for (key, page) in [(KeyCode::Char('q'), '1'), (KeyCode::Char('q'), '4'), (KeyCode::Esc, '1')] {
        let mut form = form();
        press(&mut form, KeyCode::Char(page));
        assert_eq!(press(&mut form, key), Turn::Stays, "{key:?}");
        let says = form.notice.as_ref().map(|notice| notice.says.clone()).unwrap_or_default();
        assert!(says.starts_with("Leave? Your answers are kept"), "{says}");
        assert_eq!(
            press(&mut form, KeyCode::Char('u')),
            Turn::Stays,
            "any other key stays, and does nothing else"
        );
        press(&mut form, key);
        assert_eq!(press(&mut form, KeyCode::Char('y')), Turn::Leaves);
    }
    let mut form = form();
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!([form.key(&ctrl_c), form.key(&ctrl_c)], [Turn::Stays, Turn::Leaves]);
    press(&mut form, KeyCode::Char('2'));
    let before = form.sheet.draft.clone();
    for key in [KeyCode::Enter, KeyCode::Char(' '), KeyCode::Char('x')] {
        assert_eq!(press(&mut form, key), Turn::Stays);
        assert!(form.notice.is_some(), "{key:?} says nothing");
    }
    assert_eq!(form.sheet.draft, before);
    press(&mut form, KeyCode::Char('i'));
    let says = form.notice.as_ref().map(|notice| notice.says.clone()).unwrap_or_default();
    assert!(says.contains("only 2 different values"), "{says}");
}

#[test]
fn several_pasted_lines_are_a_label_each_and_no_control_gets_into_a_name() {
    let mut form = form();
    press(&mut form, KeyCode::Char('4'));
    press(&mut form, KeyCode::Char('a'));
    let turn = form.paste("lost card\r\tcard\u{7} linking\r\n\nLost Card\nother\n");
    assert_eq!(turn, Turn::Changed { rereads: false });
    assert_eq!(names(&form), ["lost card", "card linking", "other"]);
    let says = form.notice.as_ref().map(|notice| notice.says.clone()).unwrap_or_default();
    assert!(
        says.starts_with("3 labels from what you pasted") && says.contains("1 line stood there"),
        "{says}"
    );
    press(&mut form, KeyCode::Char('u'));
    assert!(names(&form).is_empty(), "a paste is one change");
    press(&mut form, KeyCode::Char('a'));
    form.paste("one\tname\u{1b}[31m");
    press(&mut form, KeyCode::Enter);
    assert_eq!(names(&form), ["one name [31m"]);
    press(&mut form, KeyCode::Char('a'));
    let many: Vec<String> = (0..250).map(|n| format!("label {n}")).collect();
    form.paste(&many.join("\n"));
    assert_eq!(names(&form).len(), MOST_LABELS);
    assert!(form.notice.as_ref().is_some_and(|notice| notice.says.contains("51 lines were left out")));
    form.paste("dropped");
    assert!(
        form.notice.as_ref().is_some_and(|notice| notice.says.starts_with("What you pasted was dropped"))
    );
}

#[test]
fn esc_leaves_every_cell_as_it_was_and_what_was_typed_can_be_brought_back() {
    let mut form = form();
    press(&mut form, KeyCode::Char('4'));
    press(&mut form, KeyCode::Char('a'));
    type_in(&mut form, "spam");
    press(&mut form, KeyCode::Enter);
    press(&mut form, KeyCode::Right);
    press(&mut form, KeyCode::Right);
    press(&mut form, KeyCode::Right);
    press(&mut form, KeyCode::Enter);
    type_in(&mut form, "win money");
    press(&mut form, KeyCode::Esc);
    assert!(form.sheet.draft.task.labels[0].examples.is_empty() && form.editing.is_none());
    press(&mut form, KeyCode::Char('U'));
    assert_eq!(form.sheet.draft.task.labels[0].examples, ["win money"]);
    press(&mut form, KeyCode::Enter);
    press(&mut form, KeyCode::Tab);
    assert!(matches!(form.editing, Some(Editing::Line(_))), "tab goes on to the last cell");
    type_in(&mut form, "10");
    press(&mut form, KeyCode::Esc);
    assert_eq!(form.sheet.draft.task.labels[0].share, None);
}

#[test]
fn the_values_of_a_column_become_the_labels_up_to_200_of_them_and_beyond_it_is_said() {
    let with = |count: Option<usize>| {
        let mut form = form();
        let values = count.map(|n| (0..n).map(|i| (format!("value {i}"), 2)).collect());
        form.sheet.facts = Some(Facts { rows: 900, values: vec![values, None], ..Facts::default() });
        press(&mut form, KeyCode::Char('2'));
        press(&mut form, KeyCode::Char('l'));
        form
    };
    assert_eq!(with(Some(77)).sheet.draft.task.labels.len(), 77);
    assert_eq!(with(Some(200)).sheet.draft.task.labels.len(), 200);
    let beyond = with(None);
    assert!(beyond.notice.as_ref().is_some_and(|notice| notice.says.contains("more than 200")));
}

#[test]
fn a_column_of_known_labels_gives_the_labels() {
    let mut form = form();
    press(&mut form, KeyCode::Char('2'));
    assert_eq!(press(&mut form, KeyCode::Char('l')), Turn::Changed { rereads: true });
    assert_eq!(names(&form), ["ham", "spam"]);
    assert_eq!(form.sheet.draft.task.labels[0].share, Some(0.75));
    press(&mut form, KeyCode::Char('u'));
    assert!(names(&form).is_empty());
}

#[test]
fn a_column_of_earlier_labels_asks_whose_they_are_and_says_which_values_are_no_label() {
    let mut form = form();
    press(&mut form, KeyCode::Char('2'));
    assert_eq!(press(&mut form, KeyCode::Char('e')), Turn::Changed { rereads: true });
    assert_eq!(names(&form), ["ham", "spam"]);
    assert!(form.sheet.lacks().iter().any(|(page, says)| *page == Page::Columns && says.contains("whose")));
    press(&mut form, KeyCode::End);
    press(&mut form, KeyCode::Char('e'));
    assert!(form.notice.as_ref().is_some_and(|notice| notice.says.contains("up to a column")));
    press(&mut form, KeyCode::Enter);
    type_in(&mut form, "the old team");
    press(&mut form, KeyCode::Enter);
    let lacks = form.sheet.lacks();
    assert!(!lacks.iter().any(|(page, _)| *page == Page::Columns), "{lacks:?} {:?}", form.notice);
    assert_eq!(form.sheet.options(&ReadOptions::default()).labels.as_deref(), Some("kind"));
    // A label that is renamed keeps its value, and one that is removed leaves its rows without a label.
    form.sheet.draft.task.question = "What is it?".into();
    form.sheet.draft.task.labels[0].name = "fine".into();
    assert_eq!(form.sheet.map(), [""; 0]);
    form.sheet.draft.task.insert_label(2, "odd");
    form.sheet.draft.task.labels.remove(1);
    assert_eq!(form.sheet.map(), ["spam="]);
    assert_eq!(form.sheet.values_without_label().unwrap(), "spam. 1 row is without a label from the file.");
}

#[test]
fn it_is_confirmed_only_when_nothing_is_missing_and_leads_to_what_is() {
    let mut form = form();
    press(&mut form, KeyCode::Char('5'));
    assert_eq!(press(&mut form, KeyCode::Enter), Turn::Stays);
    assert_eq!(form.page(), Page::Task);
    press(&mut form, KeyCode::Enter);
    type_in(&mut form, "Is it spam?");
    press(&mut form, KeyCode::Enter);
    press(&mut form, KeyCode::Tab);
    for name in ["spam", "ham"] {
        press(&mut form, KeyCode::Char('a'));
        type_in(&mut form, name);
        press(&mut form, KeyCode::Enter);
    }
    press(&mut form, KeyCode::Tab);
    assert_eq!(press(&mut form, KeyCode::Enter), Turn::Confirms);
    form.question(&ReadOptions::default());
    assert_eq!(press(&mut form, KeyCode::Enter), Turn::Stays, "while the file is read again");
}

#[test]
fn an_answer_to_an_earlier_question_is_not_taken_and_other_columns_are_asked_for_again() {
    let mut form = form();
    let late = Answer { number: 0, says: Says::Failed("it is gone".into()) };
    assert!(!form.hear(late) && form.sheet.unreadable.is_none());
    let mut kept = Form::new(form.sheet.draft.clone(), &Page::ALL);
    let number = kept.question(&ReadOptions::default()).number;
    assert!(kept.hear(Answer { number, says: Says::Failed("it has no column 'text'".into()) }));
    assert!(kept.sheet.draft.columns.is_empty());
}

proptest! {
    #[test]
    fn whatever_is_pressed_undo_leads_back_to_the_beginning(
        keys in proptest::collection::vec(prop_oneof![
            Just(KeyCode::Enter), Just(KeyCode::Esc), Just(KeyCode::Tab), Just(KeyCode::BackTab), Just(KeyCode::Up),
            Just(KeyCode::Down), Just(KeyCode::Right), Just(KeyCode::Delete),
            "[a-z1-9<>UU ]".prop_map(|c| KeyCode::Char(c.chars().next().unwrap_or('a'))),
        ], 0..80),
    ) {
        let mut form = form();
        let before = form.sheet.draft.clone();
        for key in keys {
            press(&mut form, key);
            prop_assert!(form.row <= form.rows().len());
        }
        form.finish_typing();
        for _ in 0..200 {
            press(&mut form, KeyCode::Char('u'));
        }
        prop_assert_eq!(form.sheet.draft, before);
    }
}
