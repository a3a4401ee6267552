//! The workstation through a real pseudo-terminal: a journey, slow lines, hang-ups, kills.

use std::time::Duration;

use hardcase::domain::ids::CaseId;
use hardcase::store::log::runs::{Begun, Outcome};
use hardcase::store::{Access, Store};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;

use super::project::Project;
use super::seat::{Seat, Setup, case_on, is_saving, one_line};

/// A round of `cases` from `texts` advertisements, mined already.
fn mined(texts: usize, cases: usize) -> Project {
    let project = Project::scouted_elsewhere(texts);
    project.run("mine", &["--budget", &cases.to_string()]).done();
    project
}

/// The cases with a standing label, by the log.
fn labelled(project: &Project) -> Vec<(i64, String)> {
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let answers = store.current_answers().unwrap();
    answers.into_iter().filter_map(|a| Some((a.event.case?.0, a.event.label()?.to_owned()))).collect()
}

/// The kappa of a model, with its interval and n, as the screen of progress says it.
fn kappa(screen: &str, model: &str) -> Option<String> {
    let row = screen.lines().find(|line| line.trim_start().starts_with(&format!("{model}  ")))?;
    Some(row.split_once(')')?.0.split_whitespace().skip_while(|word| !word.contains('.')).collect())
}

#[test]
fn a_journey_from_the_first_opening_to_the_second_round() {
    let project = mined(120, 20);
    let seat = Seat::open(&project, &[]);
    seat.see("Your name, recorded with your labels [ada]:");
    seat.press("Grace\r");
    let screen = seat.see("round 1: 0 of 20 by you");
    assert!(screen.contains("Grace") && screen.contains("1 clickbait"), "{screen}");

    seat.press("?");
    let help = seat.see("undo what you did last");
    assert!(help.contains("label: clickbait"), "{help}");
    seat.press("\x1b");
    seat.see_that("the help gone", |s| !s.contains("undo what you did last"));

    let mut cases = Vec::new();
    for i in 0..10 {
        let before = seat.bytes();
        cases.push(seat.answer(if i % 2 == 0 { '1' } else { '2' }));
        assert!(seat.bytes() - before <= 4_096, "{} bytes for an answer", seat.bytes() - before);
    }
    let screen = seat.see("10 of 20 by you");
    assert!(one_line(&screen).contains("u undoes · the model thought"), "{screen}");
    assert_eq!(labelled(&project).len(), 10);

    seat.press("u");
    seat.see(&format!("undone: label fine on case {}", cases[9]));
    assert_eq!(seat.case(), Some(cases[9]), "undo returns to the case");
    seat.press_again("u");
    seat.see(&format!("undone: label clickbait on case {}", cases[8]));
    assert_eq!(seat.case(), Some(cases[8]));
    seat.see("8 of 20 by you");

    seat.press("n");
    seat.see("ctrl-s saves");
    seat.press("either, really\x13");
    seat.see("The note is saved");
    seat.see("your note: either, really");

    seat.press("s");
    seat.see("Skipped: this case comes back once");
    assert_ne!(seat.case(), Some(cases[8]));

    // What was skipped comes back once, at the end.
    let mut last = 0;
    for i in 0..12 {
        last = seat.answer(if i % 2 == 0 { '2' } else { '1' });
    }
    assert_eq!(last, cases[8]);
    seat.see("Round 1 is done");
    seat.press("\x0f");
    let first = seat.see_that("kappa before labelling", |s| kappa(s, "before labelling, in use").is_some());
    seat.press("\x0b");
    seat.see("Nothing has run since");
    seat.press("\x0e");
    // Tuning, mining and, where this build has the models, the training that finds too few labels.
    let ends_with = if cfg!(feature = "engine") { "lora" } else { "mine" };
    seat.see_that("the last job is done", |s| {
        s.lines().any(|line| line.trim_start().starts_with(ends_with) && line.contains(" done"))
    });
    seat.press("\x1b[F");
    seat.see("A head trained on");
    seat.press("\x0f");
    let then = seat.see_that("kappa after round 1", |s| kappa(s, "after round 1, in use").is_some());
    assert_eq!(kappa(&first, "before labelling, in use"), kappa(&then, "before labelling"), "{then}");
    assert_ne!(kappa(&then, "before labelling"), kappa(&then, "after round 1, in use"), "{then}");
    seat.press("\x1b");
    seat.see("round 2: 0 of");
    seat.press("q");
    assert_eq!(seat.end().0, 0);
    assert_eq!(labelled(&project).len(), 20);

    // Everything is where it was, the name too.
    let again = Seat::open(&project, &[]);
    let screen = again.see("round 2: 0 of");
    assert!(screen.contains("Grace"), "{screen}");
    again.press("u");
    again.see("undone: label clickbait on case");
    assert_eq!(again.case(), Some(last), "undo reaches across rounds and restarts");
    again.press("U");
    again.see("redone: label clickbait on case");
    again.press("q");
    again.end();
    project.is_whole();
}

#[test]
fn over_a_slow_line_no_case_is_labelled_that_was_not_on_the_screen() {
    let project = mined(120, 24);
    let setup = Setup { delay: Duration::from_millis(150), ..Setup::default() };
    let seat = Seat::open_as(&project, &["--as", "ada"], setup, &[]);
    // For each press the case that the person had before the eyes.
    let mut seen_at_press = Vec::new();
    let press = |keys: &str, seen: &mut Vec<i64>| {
        seen.extend(seat.case());
        seat.press(keys);
    };
    for round in 0..8 {
        seat.see_that("a case, all saved", |s| case_on(s).is_some() && !is_saving(s));
        match round % 4 {
            // Doubled at once, doubled after a moment's bounce, pasted with and without marks.
            0 => press("11", &mut seen_at_press),
            1 => {
                press("1", &mut seen_at_press);
                press("2", &mut seen_at_press);
            }
            2 => press("\x1b[200~1 2 1 2\x1b[201~", &mut seen_at_press),
            _ => press("12121212", &mut seen_at_press),
        }
        seat.see_that("a dropped key", |s| one_line(s).contains("dropped"));
        // Over and done with before the next: what is typed now comes after all that was typed before.
        seat.press("?");
        seat.see("any other key closes");
        seat.press("\x1b");
        seat.see_that("no help", |s| !s.contains("any other key closes"));
    }
    seat.press("q");
    seat.end();
    let labelled = labelled(&project);
    assert!(labelled.len() >= 4, "{labelled:?}");
    for (case, label) in labelled {
        assert!(
            seen_at_press.contains(&case),
            "case {case} was labelled {label} and never seen: {seen_at_press:?}"
        );
    }
}

#[test]
fn a_terminal_that_never_says_where_its_cursor_is_can_label_too() {
    let project = mined(60, 10);
    let setup = Setup { answers: false, ..Setup::default() };
    let seat = Seat::open_as(&project, &["--as", "ada"], setup, &[]);
    for _ in 0..3 {
        seat.answer('1');
    }
    seat.press("q");
    assert_eq!(seat.end().0, 0);
    assert_eq!(labelled(&project).len(), 3);
}

#[test]
fn the_first_key_after_a_resize_counts() {
    let project = mined(60, 10);
    let seat = Seat::open(&project, &["--as", "ada"]);
    for (cols, rows) in [(100, 30), (80, 24), (160, 50), (60, 16), (81, 25)] {
        seat.see_that("a case", |s| case_on(s).is_some());
        seat.resize(cols, rows);
        seat.see_that("the new width", |s| {
            s.lines().nth(1).is_some_and(|l| l.chars().count() == usize::from(cols))
        });
        seat.press("f");
        seat.see("Flagged for a second look");
        seat.answer('1');
    }
    seat.press("q");
    seat.end();
    assert_eq!(labelled(&project).len(), 5);
}

#[test]
fn only_people_who_share_a_login_are_asked_for_their_name() {
    let project = mined(60, 10);
    let first = Seat::open(&project, &["--as", "ann"]);
    first.answer('1');
    first.press("q");
    first.end();
    // The project was made under the login, so a name that was given once is not taken for the person's.
    let alone = Seat::open(&project, &[]);
    alone.see("Your name, recorded with your labels [ada]:");
    alone.press("ann\r");
    assert!(alone.see("by you").contains("ann"));
    alone.press("q");
    alone.end();
    let second = Seat::open(&project, &["--as", "ben"]);
    second.answer('2');
    second.press("q");
    second.end();
    let asked = Seat::open(&project, &[]);
    asked.see("Your name, recorded with your labels [ben]:");
    asked.press("ann\r");
    assert!(asked.see("1 of 10 by you, 2 by anybody").contains("ann"));
    asked.press("q");
    asked.end();
}

#[test]
fn a_job_started_by_another_process_shows_on_an_open_jobs_screen() {
    let project = mined(60, 10);
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("round 1: 0 of 10 by you");
    seat.press("\x0b");
    seat.see("Nothing has run since");
    let mut store = Store::open(&project.file(), Access::Job).unwrap();
    let Begun::Ours(run) = store.begin_run("scout", "").unwrap() else { panic!("nobody else is at it") };
    seat.see("scout: starting");
    store.end_run(run, Outcome::Done, "60 texts").unwrap();
    seat.see("done");
    seat.see("60 texts");
    seat.press("q");
    seat.end();
}

#[test]
fn a_hang_up_keeps_what_was_confirmed_and_the_half_written_note() {
    let project = mined(60, 10);
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.answer('1');
    seat.press("n");
    seat.see("ctrl-s saves");
    seat.press("half a thou");
    seat.see("half a thou");
    seat.signal(Signal::HUP);
    seat.end();
    assert_eq!(labelled(&project).len(), 1);
    let again = Seat::open(&project, &["--as", "ada"]);
    again.see("You began a note and did not save it");
    again.press("n");
    again.see("half a thou");
    again.press("ght\x13");
    again.see("your note: half a thought");
    again.press("q");
    again.end();
    project.is_whole();
}

#[test]
fn kills_and_hang_ups_at_random_moments_lose_no_confirmed_label() {
    let project = mined(400, 200);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut confirmed = Vec::new();
    for moment in 0..50 {
        let mut seat = Seat::open(&project, &["--as", "ada"]);
        let wait = Duration::from_millis(rng.gen_range(0..900));
        let signal = if moment % 2 == 0 { Signal::KILL } else { Signal::HUP };
        std::thread::scope(|scope| {
            let (done, ended) = std::sync::mpsc::channel::<()>();
            let struck = &seat;
            scope.spawn(move || {
                struck.see_before_end("a case", |s| case_on(s).is_some());
                // Nobody sends: it is the time that passes which counts.
                let _ = ended.recv_timeout(wait);
                struck.signal(signal);
            });
            let mut keys = ['1', '2'].into_iter().cycle();
            while let Some(case) = keys.next().and_then(|key| seat.answer_before_end(key)) {
                confirmed.push(case);
            }
            drop(done);
        });
        seat.gone();
    }
    let labelled: std::collections::HashSet<i64> =
        labelled(&project).into_iter().map(|(case, _)| case).collect();
    assert!(confirmed.len() >= 20, "only {} labels were confirmed", confirmed.len());
    let store = Store::open(&project.file(), Access::Read).unwrap();
    for case in confirmed {
        // An answer to a repeated case is stored apart from the labels.
        let again = || store.answer_to_repeat(CaseId(case)).unwrap().is_some();
        assert!(labelled.contains(&case) || again(), "case {case} was confirmed and is not in the file");
    }
    project.is_whole();
}

#[test]
fn before_anything_is_scouted_audit_cases_can_be_labelled() {
    let project = Project::with_ads(300);
    let seat = Seat::open(&project, &["--as", "ada"]);
    let case = seat.answer('1');
    seat.press("q");
    // Where this build has a model it is reading by now.
    seat.see_before_end("a question, or the end", |s| s.contains("Something is still running"));
    seat.press("s");
    seat.end();
    let store = project.is_whole();
    let case = store.case(CaseId(case)).unwrap().unwrap();
    assert_eq!((case.round_number, case.split.as_str(), case.partner), (0, "audit", None));
    let answer = &store.first_blind_answers().unwrap()[0];
    assert_eq!(answer.item, case.item);
    assert!(answer.inclusion.is_some_and(|p| p > 0.0 && p <= 1.0), "{answer:?}");
}

#[test]
fn the_mouse_is_asked_for_only_where_the_settings_say_so_and_a_click_answers() {
    for is_used in [false, true] {
        let project = Project::scouted_elsewhere(40);
        project.run("mine", &["--budget", "20"]).done();
        std::fs::create_dir_all(project.path("config/hardcase")).unwrap();
        project.write("config/hardcase/settings.toml", format!("mouse = {is_used}\n"));
        let seat = Seat::open(&project, &["--as", "ada"]);
        let screen = seat.see("by you");
        let asks = |seat: &Seat, what: &[u8]| seat.heard().windows(what.len()).any(|bytes| bytes == what);
        assert_eq!(asks(&seat, b"\x1b[?1000h"), is_used);
        if is_used {
            let row = screen.lines().position(|line| line.contains("1 clickbait")).unwrap() + 1;
            seat.press_again(&format!("\x1b[<0;5;{row}M\x1b[<0;5;{row}m"));
            seat.see("saved: clickbait");
        }
        seat.press("q");
        seat.see_other_screen(false);
        assert_eq!(asks(&seat, b"\x1b[?1000l"), is_used, "it is given back");
        assert_eq!(seat.end().0, 0);
    }
}
