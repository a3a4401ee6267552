//! A merge is a union: idempotent, commutative and associative, by the library on random histories.

use std::path::Path;

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::answer::Answer;
use hardcase::domain::event::{Action, NewEvent};
use hardcase::domain::ids::ItemId;
use hardcase::store::log::events::Reveals;
use hardcase::store::{Access, Store};
use proptest::prelude::*;

use super::merge::{copy, essence, label, merged, text};
use super::project::{Project, hardcase};

/// What somebody does to a copy.
#[derive(Clone, Debug)]
enum Step {
    Label(usize, usize),
    Skip(usize),
    Undo(usize),
    Adjudicate(usize, i64),
    Import(u8),
    Mine,
    SetTask(u8),
    Answer(usize, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..3, 1usize..6).prop_map(|(who, n)| Step::Label(who, n)),
        1 => (0usize..3).prop_map(Step::Skip),
        2 => (0usize..3).prop_map(Step::Undo),
        1 => (0usize..3, 1i64..40).prop_map(|(who, item)| Step::Adjudicate(who, item)),
        2 => any::<u8>().prop_map(|n| Step::Import(n % 4)),
        1 => Just(Step::Mine),
        1 => any::<u8>().prop_map(|n| Step::SetTask(n % 3)),
        2 => (0usize..3, 1i64..40).prop_map(|(who, item)| Step::Answer(who, item)),
    ]
}

const NAMES: [&str; 3] = ["ada", "bob", "cyd"];

fn act(project: &Project, file: &Path, steps: &[Step]) {
    let sit = |who: usize| Session::open(file, NAMES[who], OnClose::ReleaseCases).unwrap();
    for step in steps {
        match step {
            Step::Label(who, n) => {
                label(file, NAMES[*who], *n, if n % 2 == 0 { "fine" } else { "clickbait" });
            }
            Step::Skip(who) => {
                let mut session = sit(*who);
                if let Next::Case(case) = session.next_case().unwrap() {
                    session.skip(case.item).unwrap();
                }
                session.close().unwrap();
            }
            Step::Undo(who) => {
                let mut session = sit(*who);
                let _ = session.undo().unwrap();
                session.close().unwrap();
            }
            Step::Answer(who, item) => {
                let mut session = sit(*who);
                session.answer(ItemId(*item), "fine", Remarks::default()).unwrap();
                session.close().unwrap();
            }
            Step::Adjudicate(who, item) => {
                let mut store = Store::open(file, Access::Session).unwrap();
                let (expert, session) = store.begin_session(NAMES[*who]).unwrap();
                let event = NewEvent {
                    expert,
                    item: ItemId(*item),
                    case: None,
                    action: Action::Adjudicate,
                    target: None,
                    answer: Some(Answer::one("fine")),
                    confidence: None,
                    note: Some("decided".into()),
                    revision: store.task().unwrap().id,
                    duration_ms: None,
                };
                store.append(session, event, Reveals::Yes).unwrap();
                store.end_session(session, false).unwrap();
            }
            Step::Import(n) => {
                // Texts that other copies import too, some with other white space.
                let gap = " ".repeat(1 + usize::from(*n) % 2);
                let rows: String = (0..5).map(|i| format!("number {}{gap}of all\n", i + n)).collect();
                let data = project.write("more.txt", rows);
                hardcase(["import", text(file), text(&data), "--quiet"]).done();
            }
            Step::Mine => {
                hardcase([
                    "mine",
                    text(file),
                    "--budget",
                    "12",
                    "--strategy",
                    "random",
                    "--force",
                    "--quiet",
                ])
                .done();
            }
            Step::SetTask(n) => {
                let mut store = Store::open(file, Access::Session).unwrap();
                let (_, session) = store.begin_session("ada").unwrap();
                let mut task = store.task().unwrap().task;
                task.guideline = format!("guideline {n}");
                store.set_task(&task, session).unwrap();
                store.end_session(session, false).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_is_a_union(
        first in prop::collection::vec(step(), 0..3),
        apart in prop::array::uniform3(prop::collection::vec(step(), 1..7)),
        later in prop::collection::vec(step(), 0..3),
    ) {
        let project = Project::scouted_elsewhere(60);
        hardcase(["mine", text(&project.file()), "--budget", "12", "--quiet"]).done();
        act(&project, &project.file(), &first);
        let [a, b, c] = ["a", "b", "c"].map(|name| copy(&project, name));
        for (file, steps) in [&a, &b, &c].into_iter().zip(&apart) {
            act(&project, file, steps);
        }
        let again = |from: &Path, name: &str| {
            let to = project.path(name);
            std::fs::copy(from, &to).unwrap();
            to
        };
        let union = |x: &Path, y: &Path, name: &str| {
            let to = again(x, name);
            merged(&to, y);
            to
        };
        // Merging a file with itself or the same copy twice adds nothing but the record of the merge.
        let aa = union(&a, &again(&a, "a2"), "aa");
        prop_assert_eq!(essence(&aa), essence(&a));
        let ab = union(&a, &b, "ab");
        let ba = union(&b, &a, "ba");
        prop_assert_eq!(essence(&ab), essence(&ba));
        let abb = union(&ab, &b, "abb");
        prop_assert_eq!(essence(&abb), essence(&ab));
        let ab_c = union(&ab, &c, "ab_c");
        let bc = union(&b, &c, "bc");
        let a_bc = union(&a, &bc, "a_bc");
        prop_assert_eq!(essence(&ab_c), essence(&a_bc));
        let all = essence(&ab_c);
        for (file, name) in [(&a, "a3"), (&b, "b3"), (&c, "c3")] {
            // The union has everything a copy had, and work continues in it.
            prop_assert_eq!(&essence(&union(&ab_c, file, &format!("u{name}"))), &all);
        }
        act(&project, &ab_c, &later);
        essence(&ab_c);
    }
}
