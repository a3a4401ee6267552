//! Tests of the Progress page's wording and layout.

use super::*;
use crate::domain::task_kind::TaskKind;
use crate::insight::ceiling::StopBy;
use crate::insight::next_round::{Basis, Narrower, Outlook};
use crate::insight::targets::Budget;
use crate::tui::keys::Keymap;
use crate::tui::theme::{Theme, ThemeName};

#[test]
fn the_time_left_is_said_as_roughly_as_it_is_known() {
    let said = [0.0, 29.0, 31.0, 360.0, 3_560.0, 3_580.0, 5_400.0, 7_000.0].map(about);
    let want = [
        "under a minute",
        "under a minute",
        "about 1 min",
        "about 6 min",
        "about 59 min",
        "about 1 h",
        "about 1 h 30 min",
        "about 2 h",
    ];
    assert_eq!(said, want);
    let pace = Figure::Known { value: 9.0, lo: 8.0, hi: 12.0, n: 50 };
    assert_eq!(time_left(40, Some(&pace)), "about 6 min at 9.0 s a case (8.0 to 12, n = 50)");
    let early = Figure::undefined("3 of at least 6 answers are timed");
    assert!(time_left(40, Some(&early)).ends_with("not known: 3 of at least 6 answers are timed"));
}

#[test]
fn every_advice_names_a_key_and_no_command_that_a_key_has() {
    let missing = || "spam".to_owned();
    for advice in [
        Advice::Scout,
        Advice::MineFirst,
        Advice::Label { left: 1, round: 2, unscouted: true },
        Advice::GiveBack,
        Advice::FollowAudit { missing: missing() },
        Advice::MineFor { missing: missing() },
        Advice::Tune { new: 23 },
        Advice::TuneAgain,
        Advice::AllAsked { texts: 120 },
        Advice::Stop { model: 0.8, ceiling: 0.7, by: StopBy::Own { cases: 12 } },
        Advice::StopOrMine {
            outlook: Outlook { cases: 60, low: 0.0, high: 0.03, basis: Basis::Curve, kind: TaskKind::One },
            audit: Some(Narrower { cases: 40, from: 0.2, to: 0.15, kind: TaskKind::One }),
        },
        Advice::Finish { targets: 2 },
        Advice::BudgetSpent {
            budget: Budget { spent: 400, of: 400 },
            open: vec!["kappa at least 0.75".into()],
        },
        Advice::MendGuideline { why: "People agree by only 0.40.".into() },
        Advice::Mine,
    ] {
        let (action, says) = next_step(&advice, |action| format!("<{action:?}>"));
        assert!(
            [Action::GoOn, Action::Open, case::TAB.action(), agree::TAB.action(), Action::Quit]
                .contains(&action),
            "{advice:?}"
        );
        assert!(!says.contains("hardcase"), "{says}");
        let jargon = ["tune", "mine", "head", "LoRA", "split", "pool", "train"];
        assert!(!jargon.iter().any(|word| says.split(' ').any(|said| said == *word)), "{says}");
    }
    let (action, says) = next_step(&Advice::Tune { new: 23 }, |_| String::new());
    assert_eq!(action, Action::GoOn);
    assert_eq!(says, "lets the model learn from 23 new answers, then starts the next round");
}

#[test]
fn a_narrow_window_wraps_a_figure_and_cuts_off_no_n() {
    let (theme, keys) = (Theme::of(ThemeName::None), Keymap::with([]));
    let look = Look { theme: &theme, keys: &keys, hits: None };
    let figure = Figure::Known { value: 0.75, lo: 0.6, hi: 0.85, n: 1_234 };
    let head = "   after round 12, in use      60  ";
    for width in [60, 80, 160] {
        let mut page = Page { lines: Vec::new(), width, roomy: false, look };
        page.drawn(head.to_owned(), (&figure, 30), "──┼──", Style::default());
        let seen: Vec<String> =
            page.lines.iter().map(|line| cut(&line.to_string(), usize::from(width))).collect();
        let words: Vec<&str> = seen.iter().flat_map(|line| line.split_whitespace()).collect();
        assert!(words.join(" ").contains("0.75 (0.60 to 0.85, n = 1234)"), "{width}: {seen:?}");
    }
}

#[test]
fn a_share_of_all_texts_has_its_interval_or_its_reason() {
    let known = Figure::Known { value: 0.82, lo: 0.48, hi: 0.97, n: 11 };
    assert_eq!(share(&known, "are spam"), "about 82 are spam (48 to 97, n = 11)");
    assert_eq!(share(&Figure::undefined("too few"), "are spam"), "not known: too few");
}
