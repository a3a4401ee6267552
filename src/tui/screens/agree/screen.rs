//! The Agree screen: figures, the cases on which experts differ, and one of them with everything that was said about it. A lead decides there.
//!
//! It knows what the desk has sent, and asks: which answers this person may see is the desk's to say.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::desk::adjudication::{DisagreementDetail, Which};
use crate::desk::request::{DisputeOutcome, DisputeRequest, Outcome, Request};
use crate::domain::answer::SaidLabels;
use crate::domain::grouped::counted;
use crate::domain::ids::ItemId;
use crate::domain::task::Task;
use crate::insight::agreement::{AgreementReport, agreement};
use crate::insight::disputes::Dispute;
use crate::tui::effect::Effect;
use crate::tui::hits::Target;
use crate::tui::keys::{Action, Stroke};
use crate::tui::message::Message;
use crate::tui::screen::{Pressed, Received, Screen, Then, View};
use crate::tui::screens::case::choosing::{needs_list, toggle};
use crate::tui::shared::Shared;
use crate::tui::widgets::async_page::{AsyncPage, PAGE};
use crate::tui::widgets::choice::{Choice, ChoiceKey, Choosable};
use crate::tui::widgets::frame::Notice;
use crate::tui::widgets::outcome;
use crate::tui::widgets::outcome::{Subject, Written};
use crate::tui::widgets::popup::Popup;
use crate::tui::widgets::scroll::moved;

/// What is in view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    Figures,
    /// The cases on which experts differ.
    List,
    /// One of them.
    Detail,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct AgreementScreen {
    pub(super) focus: Focus,
    pub(super) page: AsyncPage<AgreementReport>,
    /// The chosen row of the list, and the first in view.
    pub(super) selected: usize,
    pub(super) top: usize,
    pub(super) detail: Option<Box<DisagreementDetail>>,
    /// The item for which a label is being looked for.
    finding: Option<ItemId>,
    /// Where a text may have several labels: those to decide for, at first the ones that all experts gave.
    pub(super) chosen: Vec<String>,
}

impl Screen for AgreementScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        self.render(frame, area, view);
    }

    fn own_actions(&self) -> &'static [Action] {
        &[Action::Undo, Action::Earlier, Action::Later, Action::Revise, Action::LabelAgain]
    }

    fn help(&self, shared: &Shared) -> Vec<(String, String)> {
        let (decides, enters) = match shared.about.task.kind.is_several() {
            true => (
                "in an open case: put that label into the decision, or take it out",
                "in an open case: decide for the labels that are chosen, and write why",
            ),
            false => (
                "in an open case: decide for that label, and write why",
                "in an open case: find a label by a part of its name",
            ),
        };
        vec![
            ("a label's key".into(), decides.into()),
            ("enter".into(), enters.into()),
            ("undo".into(), "in an open case: takes back the decision".into()),
        ]
    }

    fn refresh(&mut self) -> Vec<Then> {
        self.page.request(agreement)
    }

    fn key(&mut self, key: Pressed<'_>, shared: &Shared, _: Instant) -> Option<Vec<Then>> {
        self.label_key(key.stroke?, &shared.about.task)
    }

    fn act(&mut self, action: Action, shared: &Shared) -> Vec<Then> {
        match (self.focus, action) {
            (Focus::Figures, Action::Back) => return vec![Then::Home],
            (Focus::Figures, Action::Open) => return self.enter_list(),
            (Focus::List, Action::Back) => (self.focus, self.page.scroll) = (Focus::Figures, 0),
            (Focus::List, Action::Open) => return self.show_chosen(),
            (Focus::Detail, Action::Open) if self.leads() => {
                return self.find(shared);
            }
            (Focus::Detail, Action::Back) => self.focus = Focus::List,
            (Focus::Detail, Action::Earlier | Action::Later) => return self.show_neighbour(action),
            (Focus::Detail, Action::Undo | Action::Revise | Action::LabelAgain) => {
                return self.decide(action, &shared.about.task);
            }
            (_, Action::Undo | Action::Revise | Action::LabelAgain) => return says("Open a case first."),
            (Focus::List, _) => {
                if let Some(to) = moved(self.selected, action, PAGE) {
                    self.select(to);
                }
            }
            (Focus::Figures | Focus::Detail, _) => return self.page.act(action),
        }
        Vec::new()
    }

    fn click(&mut self, target: Target, _: &Shared, _: Instant) -> Vec<Then> {
        if let (Focus::List, Target::Row(row)) = (self.focus, target) {
            self.select(row);
        }
        Vec::new()
    }

    fn labels_found(&mut self, labels: &SaidLabels, _: &Shared, _: Instant) -> Vec<Then> {
        let item = self.finding.take().filter(|item| self.open() == Some(*item));
        self.chosen.clone_from(&labels.0);
        item.map_or_else(
            || says("Nothing was decided: another case is open now."),
            |item| vec![Then::Open(Popup::editor(Subject::Reason(item, labels.clone()), ""))],
        )
    }

    fn labels_ticked(&mut self, labels: &SaidLabels, _: &Shared, _: Instant) {
        self.chosen.clone_from(&labels.0);
    }

    fn written(&mut self, written: Written) -> Vec<Then> {
        asks(match written {
            Written::Text(Subject::Reason(item, labels), why) => DisputeRequest::Decide(item, labels, why),
            Written::Text(Subject::Guideline, text) => DisputeRequest::Revise(text),
            Written::LabelAgain(which) => DisputeRequest::Reannotate(which),
            _ => return Vec::new(),
        })
    }

    fn receive(&mut self, message: Message, _: &Shared, _: Instant) -> Received {
        match message {
            Message::Session(response) => match response.outcome {
                Ok(Outcome::Dispute(outcome)) => Received::Taken(self.take_outcome(outcome)),
                _ => Received::NotMine(Message::Session(response)),
            },
            other => self.take_page(other),
        }
    }
}

fn asks(request: DisputeRequest) -> Vec<Then> {
    vec![Effect::Session(Request::Dispute(request)).into()]
}

fn says(says: &str) -> Vec<Then> {
    vec![Notice::quiet(says.into()).into()]
}

impl AgreementScreen {
    /// The report, or why it is not there. The chosen case stays chosen.
    fn take_page(&mut self, message: Message) -> Received {
        let chosen = self.chosen().map(|dispute| dispute.item);
        let received = self.page.receive(message);
        if let Some(report) = &self.page.content {
            let found = chosen.and_then(|item| report.disputes.iter().position(|d| d.item == item));
            self.selected = found.unwrap_or(self.selected).min(report.disputes.len().saturating_sub(1));
        }
        received
    }

    /// The chosen row of the list.
    pub(super) fn chosen(&self) -> Option<&Dispute> {
        self.page.content.as_ref()?.disputes.get(self.selected)
    }

    pub(super) fn leads(&self) -> bool {
        self.page.content.as_ref().is_some_and(|report| report.lead)
    }

    /// The item whose case is open.
    fn open(&self) -> Option<ItemId> {
        self.detail.as_ref().filter(|_| self.focus == Focus::Detail).map(|detail| detail.item)
    }

    /// Asks why at once where all labels that are to be decided for are chosen, else for the labels.
    fn find(&mut self, shared: &Shared) -> Vec<Then> {
        let (task, uses) = (&shared.about.task, &shared.about.label_uses);
        let Some(item) = self.open() else { return Vec::new() };
        if task.kind.is_several() && !needs_list(task) {
            let labels = SaidLabels(self.chosen.clone());
            return vec![Then::Open(Popup::editor(Subject::Reason(item, labels), ""))];
        }
        self.finding = Some(item);
        vec![Then::Open(match task.kind.is_several() {
            true => Popup::several(&task.labels, uses, task.places_of(&self.chosen)),
            false => Popup::labels(&task.labels, uses),
        })]
    }

    /// For a lead, a label's key on an open case asks why; where a text may have several, it puts the label in or takes it out.
    fn label_key(&mut self, stroke: Stroke, task: &Task) -> Option<Vec<Then>> {
        let item = self.open().filter(|_| self.leads())?;
        let pressed = stroke.character()?;
        let label = task.labels.iter().find(|label| label.key == Some(pressed))?;
        if task.kind.is_several() {
            toggle(&mut self.chosen, &label.name);
            return Some(Vec::new());
        }
        Some(vec![Then::Open(Popup::editor(Subject::Reason(item, (&label.name).into()), ""))])
    }

    fn enter_list(&mut self) -> Vec<Then> {
        if self.chosen().is_none() {
            return says("You all agree so far, or only one of you has answered.");
        }
        self.focus = Focus::List;
        Vec::new()
    }

    fn show_chosen(&self) -> Vec<Then> {
        self.chosen().map_or(Vec::new(), |dispute| asks(DisputeRequest::Show(dispute.item)))
    }

    fn show_neighbour(&mut self, side: Action) -> Vec<Then> {
        let before = self.selected;
        self.select(if side == Action::Earlier { before.saturating_sub(1) } else { before + 1 });
        if self.selected == before {
            return says(if side == Action::Earlier {
                "This is the first case."
            } else {
                "This is the last case."
            });
        }
        self.show_chosen()
    }

    fn decide(&self, action: Action, task: &Task) -> Vec<Then> {
        if !self.leads() {
            return says("Only a lead decides.");
        }
        let Some(item) = self.open() else { return Vec::new() };
        match action {
            Action::Revise => vec![Then::Open(Popup::editor(Subject::Guideline, &task.guideline))],
            Action::LabelAgain => vec![Then::Open(self.label_again_popup(item))],
            _ => asks(DisputeRequest::UndoDecision(item)),
        }
    }

    /// Which cases to have labelled again?
    fn label_again_popup(&self, item: ItemId) -> Popup {
        let option = |key, says: String, which| {
            let outcome = outcome::Outcome::Writes(Written::LabelAgain(which));
            Choosable { key, says, outcome }
        };
        let mut options = vec![option(ChoiceKey::Enter, "this case".into(), Which::Item(item))];
        let undecided = self.page.content.as_ref().map_or(0, |report| report.undecided());
        if undecided > 0 {
            let says =
                format!("all {} without a decision", counted(undecided, "disagreement", "disagreements"));
            options.push(option(ChoiceKey::Char('d'), says, Which::Undecided));
        }
        options.push(option(
            ChoiceKey::Char('a'),
            "all cases labelled under an older guideline".into(),
            Which::All,
        ));
        Popup::Choice(Choice {
            title: " Have cases labelled again? ",
            lead: "Everyone who labelled them under an older guideline gets them once more, without seeing any answer."
                .into(),
            options,
            otherwise: "none",
        })
    }

    fn select(&mut self, row: usize) {
        let last = self.page.content.as_ref().map_or(0, |report| report.disputes.len().saturating_sub(1));
        self.selected = row.min(last);
    }

    fn take_outcome(&mut self, outcome: DisputeOutcome) -> Vec<Then> {
        let notice = match outcome {
            DisputeOutcome::Shown(detail) => {
                let same = self.detail.as_ref().is_some_and(|shown| shown.item == detail.item);
                if !same || self.focus != Focus::Detail {
                    self.page.scroll = 0;
                    self.chosen = detail.shared_labels();
                }
                self.detail = Some(detail);
                self.focus = Focus::Detail;
                return Vec::new();
            }
            DisputeOutcome::DecisionUndone(None) => return says("Nothing is decided here."),
            DisputeOutcome::DecisionUndone(Some(label)) => format!("The decision for {label} is taken back."),
            DisputeOutcome::Decided(decided) => decided.to_string(),
            DisputeOutcome::Revised(number) => {
                format!("The guideline is at version {number}. Cases labelled before can be labelled again.")
            }
            // The screen Project has it.
            DisputeOutcome::TaskChanged(_) => return Vec::new(),
            DisputeOutcome::Reannotating(sent) => {
                let cases = |n: usize| counted(n, "case", "cases");
                format!("{} will be labelled again, {} to answer.", cases(sent.items), cases(sent.cases))
            }
        };
        // What is in view, the case and the figures behind it, has changed.
        let mut then = self.open().map_or(Vec::new(), |item| asks(DisputeRequest::Show(item)));
        then.push(Notice::good(notice).into());
        then.extend(self.refresh());
        then
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::adjudication::Decided;
    use crate::desk::pages::Page;
    use crate::desk::request::Response;
    use crate::tui::about::About;

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

    fn detail(item: i64) -> Box<DisagreementDetail> {
        Box::new(DisagreementDetail {
            item: ItemId(item),
            id: None,
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

    fn shared() -> Shared {
        Shared::new(About {
            project: "x".into(),
            file: "/p/x.hardcase".into(),
            expert: "ada".into(),
            task: task(),
            label_uses: Default::default(),
            has_engine: false,
        })
    }

    fn report(lead: bool, items: &[i64]) -> Message {
        let disputes = items.iter().map(|item| dispute(*item)).collect();
        let report =
            AgreementReport { lead, labels: Vec::new(), uses: Vec::new(), warnings: Vec::new(), disputes };
        Message::Page(Page::new(Ok(report)))
    }

    fn hear(screen: &mut AgreementScreen, message: Message) -> Vec<Then> {
        match screen.receive(message, &shared(), Instant::now()) {
            Received::Taken(then) => then,
            Received::NotMine(message) => panic!("{message:?}"),
        }
    }

    fn hear_outcome(screen: &mut AgreementScreen, outcome: DisputeOutcome) -> Vec<Then> {
        let response = Response::of(Outcome::Dispute(outcome));
        hear(screen, Message::Session(Box::new(response)))
    }

    fn screen(lead: bool, items: &[i64]) -> AgreementScreen {
        let mut screen = AgreementScreen::default();
        hear(&mut screen, report(lead, items));
        screen
    }

    fn shows(then: &[Then]) -> Option<ItemId> {
        then.iter().find_map(|then| match then {
            Then::Do(Effect::Session(Request::Dispute(DisputeRequest::Show(item)))) => Some(*item),
            _ => None,
        })
    }

    fn said(then: &[Then]) -> Option<&str> {
        then.iter().find_map(|then| match then {
            Then::Say(notice) => Some(notice.says.as_str()),
            _ => None,
        })
    }

    #[test]
    fn a_labels_key_decides_only_for_a_lead_and_only_on_a_case_that_is_open() {
        let key = Stroke::from_name("1").unwrap();
        for (lead, decides) in [(true, true), (false, false)] {
            let mut screen = screen(lead, &[7, 9]);
            screen.act(Action::Open, &shared());
            assert!(screen.label_key(key, &task()).is_none(), "no case is open in the list");
            assert_eq!(shows(&screen.act(Action::Open, &shared())), Some(ItemId(7)));
            hear_outcome(&mut screen, DisputeOutcome::Shown(detail(7)));
            assert_eq!(screen.label_key(key, &task()).is_some(), decides);
            assert!(screen.label_key(Stroke::from_name("3").unwrap(), &task()).is_none());
        }
    }

    #[test]
    fn a_decision_shows_the_case_again_and_the_chosen_case_stays_chosen_where_the_list_is_sorted_otherwise() {
        let mut open = screen(true, &[7, 9, 12]);
        open.act(Action::Open, &shared());
        hear_outcome(&mut open, DisputeOutcome::Shown(detail(7)));
        let decided = Decided {
            labels: None,
            item: ItemId(7),
            label: "spam".into(),
            by: "ada".into(),
            reason: None,
            at_ms: 0,
            overtaken: false,
        };
        let then = hear_outcome(&mut open, DisputeOutcome::Decided(decided));
        assert_eq!(shows(&then), Some(ItemId(7)));
        assert_eq!(said(&then), Some("Decided: item 7 is spam."));
        assert!(
            then.iter().any(|then| matches!(then, Then::Do(Effect::Read(_)))),
            "the figures are read again"
        );
        hear(&mut open, report(true, &[9, 12, 7]));
        assert_eq!(open.chosen().map(|d| d.item), Some(ItemId(7)));
        assert!(said(&open.act(Action::Later, &shared())).is_some(), "it is the last now");
        assert_eq!(shows(&open.act(Action::Earlier, &shared())), Some(ItemId(12)));
    }

    #[test]
    fn what_a_lead_does_needs_a_case_and_a_lead() {
        for action in [Action::Undo, Action::Revise, Action::LabelAgain] {
            assert_eq!(said(&screen(true, &[7]).act(action, &shared())), Some("Open a case first."));
            let mut other = screen(false, &[7]);
            hear_outcome(&mut other, DisputeOutcome::Shown(detail(7)));
            assert_eq!(said(&other.act(action, &shared())), Some("Only a lead decides."));
            let mut lead = screen(true, &[7]);
            hear_outcome(&mut lead, DisputeOutcome::Shown(detail(7)));
            let then = lead.act(action, &shared());
            assert!(said(&then).is_none() && !then.is_empty());
        }
        assert!(said(&screen(true, &[]).act(Action::Open, &shared())).is_some());
    }
}
