//! Labelling what was found: a label's key answers for the text that is shown in full, whatever its split, and only once it was drawn.

use std::time::Instant;

use super::screen::ItemsScreen;
use crate::desk::found::LabelledFound;
use crate::desk::query::Filter;
use crate::desk::request::Request;
use crate::desk::shown::FOUND;
use crate::domain::answer::SaidLabels;
use crate::domain::task::Task;
use crate::tui::effect::Effect;
use crate::tui::screen::Then;
use crate::tui::screens::case::attention::{Press, Verdict};
use crate::tui::screens::case::choosing::toggle;
use crate::tui::shared::Shared;
use crate::tui::widgets::frame::Notice;
use crate::tui::widgets::popup::Popup;

impl ItemsScreen {
    /// A label's key was pressed.
    pub(super) fn label_key(
        &mut self,
        key: impl Into<Press>,
        repeat: bool,
        task: &Task,
        now: Instant,
    ) -> Vec<Then> {
        let key = key.into();
        let warns = |says: String| vec![Notice::warning(says).into()];
        let Some(item) = self.chosen() else {
            let says = match key {
                Press::Key(_) => format!("{key} is a label's key, and there is no text here"),
                _ => "There is no text here.".to_owned(),
            };
            return vec![Notice::quiet(says).into()];
        };
        if !self.shows_full {
            return warns(format!("{key} was dropped: open the text first, to see all of it"));
        }
        let verdict = self.labelling.attention.label_key(key, repeat, now);
        match verdict {
            Verdict::Held => warns(format!("{key} is held down: it counted once")),
            _ if self.labelling.pending => {
                warns(format!("{key} was dropped: the last answer is still being saved"))
            }
            _ if self.labelling.seen != Some(item) => too_early(key),
            Verdict::TooEarly => too_early(key),
            Verdict::Wait(_) => Vec::new(),
            Verdict::Counts => self.pressed(key, task).into_iter().map(Then::Do).collect(),
        }
    }

    /// A label key that waited was a press of its own.
    pub(super) fn waited(&mut self, task: &Task, now: Instant) -> Option<Effect> {
        let key = self.labelling.attention.waited(now)?;
        if self.labelling.pending || self.labelling.seen.is_none() || self.labelling.seen != self.chosen() {
            return None;
        }
        self.pressed(key, task)
    }

    /// A key that counts: it gives its label; of several it puts it in or takes it out, and enter gives those that are chosen.
    fn pressed(&mut self, press: Press, task: &Task) -> Option<Effect> {
        if !task.kind.is_several() {
            return self.give((&press.label(task)?.name).into());
        }
        let mut chosen = self.labels_chosen();
        let Some(label) = press.label(task) else { return self.give(chosen.into()) };
        toggle(&mut chosen, &label.name);
        self.labelling.chosen = self.chosen().map(|item| (item, chosen));
        None
    }

    /// The labels that are chosen for the text in view: at first those that it has.
    pub(super) fn labels_chosen(&self) -> Vec<String> {
        let item = self.chosen();
        match &self.labelling.chosen {
            Some((of, chosen)) if Some(*of) == item => chosen.clone(),
            _ => {
                let full = self.full.as_ref().filter(|full| Some(full.row.item) == item);
                full.map(|full| full.row.labels.clone()).unwrap_or_default()
            }
        }
    }

    pub(super) fn give(&mut self, labels: SaidLabels) -> Option<Effect> {
        let item = self.chosen()?;
        self.labelling.pending = true;
        Some(Effect::Session(Request::LabelFound { item, labels }))
    }

    /// Looks for a label for the text that is shown in full.
    pub(super) fn find_label(&mut self, shared: &Shared) -> Vec<Then> {
        let seen = self.labelling.seen.filter(|seen| Some(*seen) == self.chosen());
        if seen.is_none() {
            return vec![Notice::warning("This text is not on your screen yet.".into()).into()];
        }
        self.labelling.finding = seen;
        let (task, uses) = (&shared.about.task, &shared.about.label_uses);
        vec![Then::Open(match task.kind.is_several() {
            true => Popup::several(&task.labels, uses, task.places_of(&self.labels_chosen())),
            false => Popup::labels(&task.labels, uses),
        })]
    }

    /// A label was found by its name, or several were chosen.
    pub(super) fn give_found_labels(&mut self, labels: &SaidLabels, task: &Task, now: Instant) -> Vec<Then> {
        let warns = |says: &str| vec![Notice::warning(says.into()).into()];
        let sought = self.labelling.finding.take();
        if sought.is_none() || sought != self.chosen() || sought != self.labelling.seen {
            return warns("Nothing was labelled: another text is on the screen now.");
        }
        if self.labelling.pending {
            return warns("Not yet: the last answer is still being saved.");
        }
        if !self.labelling.attention.seen(now) {
            return warns("Nothing was labelled: this text was not on your screen yet.");
        }
        if task.places_of(&labels.0).len() != labels.0.len() {
            return warns("Nothing was labelled: the labels of the task were changed.");
        }
        if task.kind.is_several() {
            // It must not be the same press that opened the list or chose the last label.
            self.labelling.chosen = self.chosen().map(|item| (item, labels.0.clone()));
            return self.label_key(Press::Enter, false, task, now);
        }
        self.give(labels.clone()).into_iter().map(Then::Do).collect()
    }

    /// Takes what became of a label. The text stays chosen; of suspects the next one follows.
    pub(super) fn labelled(&mut self, labelled: Result<Box<LabelledFound>, String>) -> Vec<Then> {
        self.labelling.pending = false;
        if labelled.is_ok() {
            self.labelling.chosen = None;
        }
        self.stale = true;
        let labelled = match labelled {
            Ok(labelled) => labelled,
            Err(why) => return vec![Notice::bad(why).into()],
        };
        if self.query.filters.contains(&Filter::Suspect) {
            self.select(self.selected + 1);
        }
        // The next cases may be others now.
        vec![Notice::good(says(&labelled)).into(), Effect::Session(Request::Window).into()]
    }
}

fn says(labelled: &LabelledFound) -> String {
    let saved = &labelled.saved;
    let verb = if saved.changed { "changed" } else { "saved" };
    match labelled.case {
        Some(case) => format!("{verb}: {}, case {case}", saved.label),
        None => format!("{verb}: {}. {FOUND}", saved.label),
    }
}

fn too_early(key: Press) -> Vec<Then> {
    vec![Notice::warning(format!("{key} was dropped: this text was not on your screen yet")).into()]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::desk::query::Query;
    use crate::desk::shown::Saved;
    use crate::domain::ids::ItemId;
    use crate::tui::about::About;

    const TASK: &str = "question='?'\n[[label]]\nname='spam'\nkey='1'\n[[label]]\nname='ham'\nkey='2'";

    fn screen() -> (ItemsScreen, Task) {
        let mut screen = ItemsScreen::default();
        screen.items = (1..=9).map(ItemId).collect();
        screen.shows_full = true;
        (screen, Task::from_toml(TASK, "t").unwrap())
    }

    fn seen(screen: &mut ItemsScreen, item: i64, now: Instant) {
        screen.labelling.drawn = Some(ItemId(item));
        if let Some(Effect::AskCursor(nonce)) = screen.labelling.after_drawing(now) {
            screen.labelling.attention.answered(nonce, now);
        }
    }

    fn asked(then: &[Then]) -> Option<(i64, &str)> {
        then.iter().find_map(|then| match then {
            Then::Do(Effect::Session(Request::LabelFound { item, labels })) => {
                Some((item.0, labels.0[0].as_str()))
            }
            _ => None,
        })
    }

    fn saved(item: i64, case: Option<i64>) -> Result<Box<LabelledFound>, String> {
        let saved = Saved {
            item: ItemId(item),
            label: "spam".into(),
            labels: None,
            changed: false,
            found: case.is_none(),
        };
        Ok(Box::new(LabelledFound { saved, case: case.map(crate::domain::ids::CaseId), reveal: None }))
    }

    #[test]
    fn a_label_counts_only_for_a_text_that_was_drawn_in_full() {
        let (mut screen, task) = screen();
        let t = Instant::now();
        let later = |ms| t + Duration::from_millis(ms);
        assert_eq!(asked(&screen.label_key('1', false, &task, t)), None, "nothing was drawn");
        seen(&mut screen, 1, later(1_000));
        assert_eq!(asked(&screen.label_key('2', false, &task, later(1_100))), None, "nobody reads so fast");
        screen.select(1);
        assert_eq!(asked(&screen.label_key('1', false, &task, later(3_000))), None, "the next is not drawn");
        seen(&mut screen, 2, later(3_100));
        assert_eq!(asked(&screen.label_key('2', false, &task, later(4_000))), Some((2, "ham")));
        assert_eq!(
            asked(&screen.label_key('1', false, &task, later(5_000))),
            None,
            "the last is being saved"
        );
        screen.labelled(saved(2, None));
        assert_eq!(screen.selected, 1, "it stays chosen");
        screen.labelling.forget();
        assert_eq!(
            asked(&screen.label_key('1', false, &task, later(7_000))),
            None,
            "another screen was there"
        );
        seen(&mut screen, 2, later(7_100));
        screen.shows_full = false;
        assert_eq!(
            asked(&screen.label_key('1', false, &task, later(9_000))),
            None,
            "only its beginning is shown"
        );
    }

    #[test]
    fn a_key_that_is_held_down_labels_one_text() {
        let (mut screen, task) = screen();
        let t = Instant::now();
        seen(&mut screen, 1, t);
        let mut labels = 0;
        for ms in std::iter::once(400).chain((0..40).map(|n| 900 + n * 33)) {
            let now = t + Duration::from_millis(ms);
            let then = screen.label_key('1', false, &task, now);
            if asked(&then).is_some() {
                labels += 1;
                screen.labelled(saved(1, None));
            }
        }
        assert_eq!(labels, 1);
    }

    #[test]
    fn what_was_found_says_that_it_is_in_no_figure_and_a_suspect_leads_to_the_next() {
        let (mut screen, _) = screen();
        let said = |then: &[Then]| match then {
            [Then::Say(notice), Then::Do(Effect::Session(Request::Window))] => notice.says.clone(),
            other => panic!("{other:?}"),
        };
        assert!(said(&screen.labelled(saved(1, None))).ends_with("does not count as a test of the model."));
        assert_eq!(said(&screen.labelled(saved(1, Some(7)))), "saved: spam, case 7");
        assert_eq!(screen.selected, 0);
        screen.query = Query::parse("suspect").unwrap();
        screen.labelled(saved(1, Some(7)));
        assert_eq!(screen.selected, 1);
    }

    #[test]
    fn a_label_without_a_key_is_given_by_its_name_to_the_text_that_was_drawn() {
        let (mut screen, _) = screen();
        let task = Task::from_toml(&TASK.replace("\nkey='2'", ""), "t").unwrap();
        let about = About {
            project: "x".into(),
            file: "/p/x.hardcase".into(),
            expert: "ada".into(),
            task: task.clone(),
            label_uses: Default::default(),
            has_engine: false,
        };
        let shared = Shared::new(about);
        let t = Instant::now();
        let later = |ms| t + Duration::from_millis(ms);
        let opens = |then: Vec<Then>| matches!(then[..], [Then::Open(Popup::Labels(_))]);
        assert!(!opens(screen.find_label(&shared)), "nothing was drawn");
        seen(&mut screen, 1, t);
        assert!(opens(screen.find_label(&shared)));
        assert_eq!(
            asked(&screen.give_found_labels(&"ham".into(), &task, later(100))),
            None,
            "nobody reads so fast"
        );
        assert_eq!(
            asked(&screen.give_found_labels(&"ham".into(), &task, later(900))),
            None,
            "it was looked for once"
        );
        assert!(opens(screen.find_label(&shared)));
        assert_eq!(asked(&screen.give_found_labels(&"gone".into(), &task, later(900))), None);
        assert!(opens(screen.find_label(&shared)));
        assert_eq!(asked(&screen.give_found_labels(&"ham".into(), &task, later(900))), Some((1, "ham")));
        screen.labelled(saved(1, None));
        assert!(opens(screen.find_label(&shared)));
        screen.select(1);
        assert_eq!(
            asked(&screen.give_found_labels(&"ham".into(), &task, later(2_000))),
            None,
            "another text"
        );
    }
}
