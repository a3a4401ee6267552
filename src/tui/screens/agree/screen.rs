//! The screen of agreement: figures, the cases on which experts differ, and one of them with all that was said of it. A lead decides there.
//!
//! It knows what it was told, and asks: which answers this person may see is the desk's to say.

use crate::desk::adjudication::DisagreementDetail;
use crate::desk::request::{AskDispute, Disputed, Outcome, Request};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::task::Task;
use crate::insight::agreement::AgreementReport;
use crate::insight::disputes::Dispute;
use crate::tui::effect::Effect;
use crate::tui::keys::{Action, Stroke};
use crate::tui::widgets::frame::Notice;
use crate::tui::widgets::popup::{Popup, Writing};

/// Lines that a page's key scrolls.
const PAGE: usize = 10;

/// What is on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum Focus {
    /// The figures.
    #[default]
    Figures,
    /// The cases on which experts differ.
    List,
    /// One of them.
    Case,
}

/// What an action leads to.
#[derive(Debug)]
pub(in crate::tui) enum Step {
    Asks(Option<Effect>),
    Says(Notice),
    Opens(Popup),
    Back,
}

/// The screen of agreement.
#[derive(Debug, Default)]
pub(in crate::tui) struct AgreementScreen {
    pub focus: Focus,
    pub report: Option<Box<AgreementReport>>,
    pub failed: Option<Fault>,
    pub waits: bool,
    /// Lines scrolled down in the figures, and in a case.
    pub scroll: usize,
    /// The chosen row of the list, and the first on the screen.
    pub selected: usize,
    pub top: usize,
    pub disagreement_detail: Option<Box<DisagreementDetail>>,
}

impl AgreementScreen {
    /// The report is asked for.
    pub fn asked(&mut self) {
        self.waits = true;
    }

    /// The report is here, or why it is not. The chosen case stays chosen.
    pub fn take(&mut self, report: Result<Box<AgreementReport>>) {
        self.waits = false;
        match report {
            Ok(report) => {
                let chosen = self.chosen().map(|dispute| dispute.item);
                let found = chosen.and_then(|item| report.disputes.iter().position(|d| d.item == item));
                self.selected = found.unwrap_or(self.selected).min(report.disputes.len().saturating_sub(1));
                (self.report, self.failed) = (Some(report), None);
            }
            Err(fault) => self.failed = Some(fault),
        }
    }

    /// The chosen row of the list.
    pub fn chosen(&self) -> Option<&Dispute> {
        self.report.as_ref()?.disputes.get(self.selected)
    }

    fn leads(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.lead)
    }

    /// The item whose case is open.
    fn open(&self) -> Option<ItemId> {
        self.disagreement_detail
            .as_ref()
            .filter(|_| self.focus == Focus::Case)
            .map(|disagreement_detail| disagreement_detail.item)
    }

    /// A label's key on a case that is open asks why; none where it is no label's or no case is open to be decided.
    pub fn label_key(&self, stroke: Stroke, task: &Task) -> Option<Popup> {
        let item = self.open().filter(|_| self.leads())?;
        let pressed = stroke.character()?;
        let label = task.labels.iter().find(|label| label.key == pressed)?;
        Some(Popup::write(Writing::Reason(item, label.name.clone()), ""))
    }

    /// Takes an action.
    pub fn act(&mut self, action: Action, task: &Task) -> Step {
        match (self.focus, action) {
            (Focus::Figures, Action::Back) => return Step::Back,
            (Focus::Figures, Action::Open) => return self.enter_list(),
            (Focus::List, Action::Back) => (self.focus, self.scroll) = (Focus::Figures, 0),
            (Focus::List, Action::Open) => return self.show_chosen(),
            (Focus::Case, Action::Back) => self.focus = Focus::List,
            (Focus::Case, Action::Earlier) => return self.beside(-1),
            (Focus::Case, Action::Later) => return self.beside(1),
            (Focus::Case, Action::Undo | Action::Revise | Action::SendRound) => {
                return self.lead(action, task);
            }
            (_, Action::Undo | Action::Revise | Action::SendRound) => {
                return Step::Says(Notice::quiet("open a case first".into()));
            }
            (Focus::List, _) => self.move_by(lines(action)),
            (Focus::Figures | Focus::Case, _) => {
                self.scroll = self.scroll.saturating_add_signed(lines(action))
            }
        }
        Step::Asks(None)
    }

    fn enter_list(&mut self) -> Step {
        if self.chosen().is_none() {
            let says = "there is no case on which experts differ, as far as you may see";
            return Step::Says(Notice::quiet(says.into()));
        }
        self.focus = Focus::List;
        Step::Asks(None)
    }

    fn show_chosen(&self) -> Step {
        let ask = |dispute: &Dispute| Effect::Desk(Request::Dispute(AskDispute::Show(dispute.item)));
        Step::Asks(self.chosen().map(ask))
    }

    fn beside(&mut self, rows: isize) -> Step {
        let before = self.selected;
        self.move_by(rows);
        if self.selected == before {
            return Step::Says(Notice::quiet("there is no other on this side".into()));
        }
        self.show_chosen()
    }

    fn lead(&self, action: Action, task: &Task) -> Step {
        if !self.leads() {
            return Step::Says(Notice::quiet("only a lead decides".into()));
        }
        let Some(item) = self.open() else { return Step::Asks(None) };
        match action {
            Action::Revise => Step::Opens(Popup::write(Writing::Guideline, &task.guideline)),
            Action::SendRound => {
                let undecided = self.report.as_ref().map_or(0, |report| report.undecided());
                Step::Opens(Popup::Send { item, undecided })
            }
            _ => Step::Asks(Some(Effect::Desk(Request::Dispute(AskDispute::TakeBack(item))))),
        }
    }

    fn move_by(&mut self, rows: isize) {
        let last = self.report.as_ref().map_or(0, |report| report.disputes.len().saturating_sub(1));
        self.selected = self.selected.saturating_add_signed(rows).min(last);
    }

    /// Takes what the desk tells of a disagreement, with what is asked for next and what is said; none where it told of something else.
    pub fn told(&mut self, done: &Result<Outcome>) -> Option<(Option<Effect>, Option<Notice>)> {
        let Ok(Outcome::Disputed(done)) = done else { return None };
        let again = self.open().map(|item| Effect::Desk(Request::Dispute(AskDispute::Show(item))));
        Some(match done {
            Disputed::Shown(disagreement_detail) => {
                let same = self
                    .disagreement_detail
                    .as_ref()
                    .is_some_and(|shown| shown.item == disagreement_detail.item);
                if !same || self.focus != Focus::Case {
                    self.scroll = 0;
                }
                self.disagreement_detail = Some(disagreement_detail.clone());
                self.focus = Focus::Case;
                (None, None)
            }
            Disputed::Decided(decided) => (again, Some(Notice::good(decided.to_string()))),
            Disputed::TakenBack(Some(label)) => {
                (again, Some(Notice::good(format!("took back: the decision for {label}"))))
            }
            Disputed::TakenBack(None) => (None, Some(Notice::quiet("nothing is decided here".into()))),
            Disputed::Revised(number) => {
                let says = format!(
                    "how to decide is at revision {number}; what was labelled before can be sent round again"
                );
                (again, Some(Notice::good(says)))
            }
            Disputed::Sent(sent) => {
                let cases = |n: usize| if n == 1 { "1 case".to_owned() } else { format!("{n} cases") };
                let says = format!("sent round again: {}, {} to answer", cases(sent.items), sent.cases);
                (again, Some(Notice::good(says)))
            }
        })
    }
}

/// What a text that was finished is for.
pub(in crate::tui) fn written(what: Writing, text: String) -> Effect {
    Effect::Desk(Request::Dispute(match what {
        Writing::Reason(item, label) => AskDispute::Decide(item, label, text),
        Writing::Guideline => AskDispute::Revise(text),
    }))
}

fn lines(action: Action) -> isize {
    let page = PAGE as isize;
    match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::Top => isize::MIN,
        Action::Bottom => isize::MAX,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::adjudication::Decided;

    fn task() -> Task {
        let toml = "question='?'\n[[label]]\nname='spam'\nkey='1'\n[[label]]\nname='ham'\nkey='2'";
        Task::from_toml(toml, "t").unwrap()
    }

    fn dispute(item: i64) -> Dispute {
        Dispute {
            item: ItemId(item),
            case: None,
            round: Some(1),
            split: "eval",
            beginning: String::new(),
            answers: Vec::new(),
            yours_to_answer: false,
            decided: None,
        }
    }

    fn disagreement_detail(item: i64) -> Box<DisagreementDetail> {
        Box::new(DisagreementDetail {
            item: ItemId(item),
            case: None,
            round: None,
            text: String::new(),
            answers: Vec::new(),
            decision: None,
            model: None,
            revision: 1,
            waiting: 0,
        })
    }

    fn screen(lead: bool, items: &[i64]) -> AgreementScreen {
        let disputes = items.iter().map(|item| dispute(*item)).collect();
        let report =
            AgreementReport { lead, labels: Vec::new(), uses: Vec::new(), warnings: Vec::new(), disputes };
        let mut screen = AgreementScreen::default();
        screen.take(Ok(Box::new(report)));
        screen
    }

    fn asks(step: Step) -> Option<ItemId> {
        match step {
            Step::Asks(Some(Effect::Desk(Request::Dispute(AskDispute::Show(item))))) => Some(item),
            _ => None,
        }
    }

    #[test]
    fn a_labels_key_decides_only_for_a_lead_and_only_on_a_case_that_is_open() {
        let key = Stroke::from_name("1").unwrap();
        for (lead, decides) in [(true, true), (false, false)] {
            let mut screen = screen(lead, &[7, 9]);
            screen.act(Action::Open, &task());
            assert!(screen.label_key(key, &task()).is_none(), "the list is no case");
            assert_eq!(asks(screen.act(Action::Open, &task())), Some(ItemId(7)));
            screen.told(&Ok(Outcome::Disputed(Disputed::Shown(disagreement_detail(7)))));
            assert_eq!(screen.label_key(key, &task()).is_some(), decides);
            assert!(screen.label_key(Stroke::from_name("3").unwrap(), &task()).is_none());
        }
    }

    #[test]
    fn a_decision_shows_the_case_anew_and_the_chosen_case_stays_chosen_where_the_list_is_sorted_otherwise() {
        let mut open = screen(true, &[7, 9, 12]);
        open.act(Action::Open, &task());
        open.told(&Ok(Outcome::Disputed(Disputed::Shown(disagreement_detail(7)))));
        let decided = Decided {
            item: ItemId(7),
            label: "spam".into(),
            by: "ada".into(),
            reason: None,
            at_ms: 0,
            overtaken: false,
        };
        let (effect, notice) = open.told(&Ok(Outcome::Disputed(Disputed::Decided(decided)))).unwrap();
        assert_eq!(asks(Step::Asks(effect)), Some(ItemId(7)));
        assert!(notice.is_some_and(|notice| notice.says == "Decided: item 7 is spam."));
        let sorted = screen(true, &[9, 12, 7]);
        open.take(Ok(sorted.report.unwrap()));
        assert_eq!(open.chosen().map(|d| d.item), Some(ItemId(7)));
        assert!(matches!(open.act(Action::Later, &task()), Step::Says(_)), "it is the last now");
        assert_eq!(asks(open.act(Action::Earlier, &task())), Some(ItemId(12)));
    }

    #[test]
    fn what_a_lead_does_needs_a_case_and_a_lead() {
        for action in [Action::Undo, Action::Revise, Action::SendRound] {
            assert!(matches!(screen(true, &[7]).act(action, &task()), Step::Says(_)));
            let mut other = screen(false, &[7]);
            other.told(&Ok(Outcome::Disputed(Disputed::Shown(disagreement_detail(7)))));
            assert!(matches!(other.act(action, &task()), Step::Says(_)));
            let mut lead = screen(true, &[7]);
            lead.told(&Ok(Outcome::Disputed(Disputed::Shown(disagreement_detail(7)))));
            assert!(!matches!(lead.act(action, &task()), Step::Says(_)));
        }
        assert!(matches!(screen(true, &[]).act(Action::Open, &task()), Step::Says(_)));
    }
}
