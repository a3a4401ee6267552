//! Results from the palette and the Progress screen: the question which, how and where, and what becomes of it.

use super::about::About;
use super::effect::Effect;
use super::popups::Popups;
use super::screen::Then;
use super::widgets::choice::{Choice, ChoiceKey, Choosable};
use super::widgets::frame::Notice;
use super::widgets::outcome::Outcome;
use super::widgets::popup::Popup;
use super::widgets::results_form::ResultsForm;
use crate::desk::results::{Wanted, Written};

/// Asks what to write, how and where.
pub(super) fn results(about: &About) -> Vec<Then> {
    let form = ResultsForm::new(about.file.clone());
    let first = form.results();
    vec![Then::Open(Popup::Results(form)), Effect::CountResults(first).into(), Effect::AssessResults.into()]
}

/// Takes what became of results that were to be written. What to tell the person, where no popup does.
pub(super) fn take_written(popups: &mut Popups, written: Written) -> Option<Notice> {
    let form = popups.results().filter(|form| form.is_writing());
    match (written, form) {
        (Written::Done(says), form) => {
            if form.is_some() {
                popups.close_all();
            }
            Some(Notice::good(says))
        }
        (Written::Exists(wanted), Some(form)) => {
            form.not_written(None);
            popups.lay_over(exists(*wanted));
            None
        }
        (Written::Failed(why), Some(form)) => {
            form.not_written(Some(why));
            None
        }
        // If the question was closed meanwhile, a message tells that nothing came of it.
        (Written::Exists(wanted), None) => {
            Some(Notice::warning(format!("Nothing was written: {} exists.", wanted.place)))
        }
        (Written::Failed(why), None) => Some(Notice::bad(why)),
    }
}

fn exists(wanted: Wanted) -> Popup {
    let lead = wanted.place.clone();
    let outcome = Outcome::Replaces(Box::new(Wanted { replaces: true, ..wanted }));
    Popup::Choice(Choice {
        title: " This file exists ",
        lead,
        options: vec![Choosable {
            key: ChoiceKey::Char('r'),
            says: "replace it: what is in it now is gone".into(),
            outcome,
        }],
        otherwise: "choose another place",
    })
}
