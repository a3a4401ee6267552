//! Pictures of the screens: keys in, picture out, at 80×24 and 160×50, and the styles of each theme. One line a picture.
//!
//! `INSTA_UPDATE=always cargo test --test loop pictures` takes them again; read the difference before you keep it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::case::{Partner, Proposal, Reason, Side};
use hardcase::domain::ids::ItemId;
use hardcase::domain::overlap::Overlap;
use hardcase::domain::split::Split;
use hardcase::store::rounds::round::{Incomplete, NewRound};
use hardcase::store::{Access, Store};

use super::project::{Project, TASK, ads, hardcase};
use super::seat::{Seat, Setup};
use Step::{Answer, Press, Settle};

/// What a person does, and then sees.
pub enum Step {
    /// Types, and waits for this to stand on the screen.
    Press(&'static str, &'static str),
    /// Types, and waits for this to stand on a screen on which nothing is searched for or read any more.
    Settle(&'static str, &'static str),
    /// Answers the case.
    Answer(char),
}

const THEMES: [&str; 4] = ["dark", "light", "high-contrast", "none"];

/// A project whose cases, neighbours and probabilities are fixed, not mined: no processor rounds them differently.
static PROJECT: LazyLock<(Project, PathBuf)> = LazyLock::new(|| {
    let project = Project::scouted_elsewhere(40);
    let mut store = Store::open(&project.file(), Access::Job).unwrap();
    let predictor = store.active_predictor().unwrap().unwrap().id;
    let items: Vec<ItemId> = (1..=40).map(ItemId).collect();
    let certain = |item: &ItemId| 0.5 + (item.0 % 5) as f32 / 10.0;
    let flat: Vec<f32> = items.iter().flat_map(|item| [certain(item), 1.0 - certain(item)]).collect();
    store.put_predictions(predictor, &items, &flat, 2).unwrap();
    let case = |n: i64| Proposal {
        item: ItemId(n),
        split: [Split::Train, Split::Eval, Split::Audit][n as usize % 3],
        reason: [Reason::NearBoundary, Reason::Overlap, Reason::Audit][n as usize % 3],
        partner: Some(Partner { item: nearest(n), similarity: 0.7, side: Side::Across }),
        margin: 0.1,
        inclusion: None,
    };
    let cases: Vec<Proposal> = (1..=4).map(case).collect();
    let new = NewRound {
        strategy: "boundary",
        budget: 4,
        seed: 1,
        predictor,
        note: None,
        cases: &cases,
        overlap: Overlap::default(),
        incomplete: Incomplete::Closes,
    };
    store.open_round(&new).unwrap();
    drop(store);
    let file = project.file();
    (project, file)
});

/// What a person sees after some steps.
pub struct Picture {
    /// The screen's text.
    pub text: String,
    /// Its styles, line by line.
    pub styles: String,
    /// The screen itself.
    pub screen: vt100::Screen,
}

/// Takes the steps on a copy of the project, at a terminal of that size, in that theme.
pub fn picture(size: (u16, u16), theme: &str, steps: &[Step]) -> Picture {
    picture_of((&PROJECT.1, "round 1: 0 of 4 by you"), size, theme, steps)
}

/// The same on a copy of another project, whose first case says where in the round the person is.
pub fn picture_of((file, place): (&Path, &str), size: (u16, u16), theme: &str, steps: &[Step]) -> Picture {
    let project = Project::none();
    std::fs::copy(file, project.file()).unwrap();
    std::fs::create_dir_all(project.path("config/hardcase")).unwrap();
    project.write("config/hardcase/settings.toml", format!("theme = \"{theme}\"\n"));
    let seat = Seat::open_as(&project, &["--as", "ada"], Setup { size, ..Setup::default() }, &[]);
    seat.see(place);
    for step in steps {
        match step {
            Press(keys, then) => {
                seat.press(keys);
                seat.see(then);
            }
            Settle(keys, then) => {
                seat.press(keys);
                let busy = ["searching …", "reading …"];
                seat.see_that(then, |s| s.contains(then) && !busy.iter().any(|sign| s.contains(sign)));
            }
            Answer(key) => drop(seat.answer(*key)),
        }
    }
    let text = redacted(&seat.screen());
    // Blanks at the end of a line tell what was drawn before, not what is.
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let picture = Picture { text, styles: seat.styles(), screen: seat.drawn() };
    seat.signal(rustix::process::Signal::TERM);
    seat.end();
    picture
}

/// What differs from one run to the next, made the same: moments, and the names of temporary folders.
fn redacted(screen: &str) -> String {
    let mut out: Vec<char> = screen.chars().collect();
    let digits = "dddd-dd-dd dd:dd";
    for at in 0..out.len().saturating_sub(digits.len()) {
        let fits =
            |(have, want): (&char, char)| if want == 'd' { have.is_ascii_digit() } else { *have == want };
        if out[at..at + digits.len()].iter().zip(digits.chars()).all(fits) {
            out[at..at + digits.len()].copy_from_slice(&"2026-01-01 00:00".chars().collect::<Vec<_>>());
        }
        if out[at..].starts_with(&['.', 't', 'm', 'p']) {
            out[at + 4..at + 10].fill('x');
        }
    }
    out.into_iter().collect()
}

/// The advertisement with the most words in common, counted and so the same everywhere.
fn nearest(item: i64) -> ItemId {
    let words = |n: i64| -> std::collections::BTreeSet<String> {
        let row = ads(40).lines().nth(n as usize).unwrap_or_default().to_lowercase();
        row.split(|c: char| !c.is_alphabetic()).filter(|w| w.len() > 3).map(str::to_owned).collect()
    };
    let mine = words(item);
    let common = |other: &i64| (words(*other).intersection(&mine).count(), -other);
    ItemId((1..=40).filter(|other| *other != item).max_by_key(common).unwrap_or(1))
}

/// A project in which ada, who leads it, bob and carl have answered the same cases, each otherwise now and then. Its seed is fixed, and so its
/// intervals.
static TEAM: LazyLock<(Project, PathBuf)> = LazyLock::new(|| {
    let project = Project::none();
    let (task, data) = (project.write("task.toml", TASK), project.write("ads.csv", ads(60)));
    let file = project.file();
    hardcase([
        OsStr::new("new"),
        file.as_os_str(),
        "--task".as_ref(),
        task.as_os_str(),
        "--seed".as_ref(),
        "7".as_ref(),
    ])
    .done();
    project.import_ads(&data).done();
    project.enter_vectors();
    let mut store = Store::open(&file, Access::Job).unwrap();
    let predictor = store.active_predictor().unwrap().unwrap().id;
    let items: Vec<ItemId> = (1..=60).map(ItemId).collect();
    let clickbait = |n: i64| n % 3 == 0;
    let flat: Vec<f32> = items
        .iter()
        .flat_map(|item| if clickbait(item.0) != (item.0 % 8 == 0) { [0.8, 0.2] } else { [0.3, 0.7] })
        .collect();
    store.put_predictions(predictor, &items, &flat, 2).unwrap();
    let case = |item: &ItemId| Proposal {
        item: *item,
        split: store.split_of(*item).unwrap().unwrap(),
        reason: Reason::NearBoundary,
        partner: None,
        margin: 0.1,
        inclusion: None,
    };
    let cases: Vec<Proposal> = items.iter().map(case).collect();
    let new = NewRound {
        strategy: "boundary",
        budget: 60,
        seed: 1,
        predictor,
        note: None,
        cases: &cases,
        overlap: Overlap { eval: 3, audit: 3, train: 3, share: 0.0 },
        incomplete: Incomplete::Closes,
    };
    store.open_round(&new).unwrap();
    drop(store);
    for (name, errs, last) in [("ada", 11, 57), ("bob", 7, 57), ("carl", 5, 45)] {
        let mut session = Session::open(&file, name, OnClose::ReleaseCases).unwrap();
        for n in 1..=last {
            let label = if clickbait(n) != (n % errs == 0) { "clickbait" } else { "fine" };
            let note = (n % 14 == 0).then(|| format!("{name} was in two minds"));
            session.answer(ItemId(n), label, Remarks { note, ..Remarks::default() }).unwrap();
        }
        session.close().unwrap();
    }
    (project, file)
});

fn take(name: &str, steps: &[Step]) {
    taken(name, |size, theme| picture(size, theme, steps));
}

/// The same, of the project of three experts.
fn take_of_team(name: &str, steps: &[Step]) {
    taken(name, |size, theme| picture_of((&TEAM.1, "round 1: 57 of 60 by you"), size, theme, steps));
}

fn taken(name: &str, picture: impl Fn((u16, u16), &str) -> Picture) {
    let small = picture((80, 24), THEMES[0]);
    let large = picture((160, 50), THEMES[0]);
    let mut all = format!(
        "80×24\n\n{}\n\n160×50\n\n{}\n\n{}, 80×24\n\n{}",
        small.text, large.text, THEMES[0], small.styles
    );
    for theme in &THEMES[1..] {
        all.push_str(&format!("\n{theme}, 80×24\n\n{}", picture((80, 24), theme).styles));
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, all);
    });
}

macro_rules! pictures {
    ($($(#[$when:meta])? $name:ident: [$($step:expr),* $(,)?],)*) => {$(
        $(#[$when])?
        #[test]
        fn $name() {
            take(stringify!($name), &[$($step),*]);
        }
    )*};
}

pictures! {
    a_case: [],
    an_answer_and_what_was_hidden: [Answer('1')],
    a_case_gone_back_to: [Answer('2'), Press("\x1b[D", "you said fine")],
    a_label_taken_back: [Answer('1'), Press("u", "undone: label")],
    how_to_decide: [Press("g", "How to decide")],
    how_sure: [Press("\x19\x19", "fairly sure")],
    a_flag: [Press("f", "Flagged for a second look")],
    a_note_being_written: [Press("n", "ctrl-s saves"), Press("either, really", "either, really")],
    a_note_saved: [Press("n", "ctrl-s saves"), Press("either, really\x13", "The note is saved")],
    help: [Press("?", "any other key closes")],
    commands: [Press(":", "What do you want to do"), Press("sk", "> sk")],
    a_case_by_its_number: [Press("\x07", "Go to case number"), Press("3", "3")],
    a_key_that_does_nothing: [Press("x", "does nothing here")],
    something_pasted: [Press("\x1b[200~1 1 1\x1b[201~", "What you pasted was dropped")],
    #[cfg(feature = "engine")]
    the_end_of_a_round: [Answer('1'), Answer('2'), Answer('1'), Answer('2'), Press("\x1b[A", "Round 1 is done")],
    #[cfg(not(feature = "engine"))]
    the_end_of_a_round_without_models: [Answer('1'), Answer('2'), Answer('1'), Answer('2'), Press("\x1b[A", "Round 1 is done")],
    on_to_the_next_round: [Press("\x0e", "On to the next round?")],
    texts: [Answer('1'), Settle("\x14", "text 1 of 40")],
    texts_searched: [Answer('1'), Settle("/label:any", "text 1 of 1 found")],
    a_search_that_cannot_be: [Settle("/round:x", "is not a round")],
    one_text: [Answer('1'), Settle("/label:any", "text 1 of 1 found"), Settle("\r\r", "esc list")],
    progress: [Answer('1'), Press("\x0f", "Hard cases")],
    project: [Press("\x05", "clickbait ads")],
    jobs: [Press("\x0b", "Start")],
}

macro_rules! pictures_of_team {
    ($($name:ident: [$($step:expr),* $(,)?],)*) => {$(
        #[test]
        fn $name() {
            take_of_team(stringify!($name), &[$($step),*]);
        }
    )*};
}

pictures_of_team! {
    agreement: [Press("\x04", "Cohen's kappa")],
    agreement_further_down: [Press("\x04", "Cohen's kappa"), Press("\x1b[F", "n = 40)")],
    where_experts_differ: [Press("\x04", "Cohen's kappa"), Press("\r", "without a decision")],
    a_disagreement: [Press("\x04", "Cohen's kappa"), Press("\r", "without a decision"), Press("\r", "What each expert says")],
    a_decision_being_explained: [
        Press("\x04", "Cohen's kappa"), Press("\r", "without a decision"), Press("\r", "What each expert says"),
        Press("1", "Why?"), Press("it withholds", "it withholds"),
    ],
    a_decision: [
        Press("\x04", "Cohen's kappa"), Press("\r", "without a decision"), Press("\r", "What each expert says"),
        Press("1", "Why?"), Press("it withholds\x13", "Decided: clickbait by ada"),
    ],
    how_to_decide_being_changed: [
        Press("\x04", "Cohen's kappa"), Press("\r", "without a decision"), Press("\r", "What each expert says"),
        Press("\x15", "ctrl-s saves a new version"),
    ],
    what_to_send_round_again: [
        Press("\x04", "Cohen's kappa"), Press("\r", "without a decision"), Press("\r", "What each expert says"),
        Press("\x01", "Have cases labelled again?"),
    ],
}
