//! One case on which experts differ: the text, what each said with notes, what was decided, the guideline, and the model's view.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::desk::adjudication::{Answer, DisagreementDetail};
use crate::domain::grouped::counted;
use crate::domain::task::Task;
use crate::tui::screens::case::choosing::in_words;
use crate::tui::widgets::frame::{Look, hanging};
use crate::tui::widgets::text_layout::drawable;

/// No line of text is longer.
const MEASURE: u16 = 110;

/// The page for a width; a lead also gets the keys that decide.
pub(super) fn page(
    detail: &DisagreementDetail,
    (task, leads, chosen): (&Task, bool, &[String]),
    width: u16,
    look: Look<'_>,
) -> Vec<Line<'static>> {
    let mut page = Page { lines: Vec::new(), width: width.min(MEASURE), look };
    let theme = look.theme;
    let round = detail.round.map(|round| format!(" · round {round}")).unwrap_or_default();
    let case = detail.case.map_or_else(|| "no case".to_owned(), |case| format!("case {case}"));
    let id = detail.id.as_deref().map(|id| format!("{} · ", drawable(id).replace('\n', " ")));
    page.lines.push(Line::styled(format!(" {}{case}{round}", id.unwrap_or_default()), theme.title));
    page.says("   ", &detail.text, theme.text);
    page.title("What each expert says");
    for answer in &detail.answers {
        page.answer(answer, detail.revision);
    }
    for (label, by, not_by) in detail.label_by_label(task) {
        let label = drawable(&label).replace('\n', " ");
        match not_by.is_empty() {
            true => page.says("     ", &format!("{label}: all of them"), theme.quiet),
            false => {
                let says = format!("{label}: {}, not {}", by.join(", "), not_by.join(", "));
                page.says("   ! ", &says, theme.warning);
            }
        }
    }
    if detail.waiting > 0 {
        let says = format!(
            "to be labelled again: {} still to come",
            counted(detail.waiting, "answer is", "answers are")
        );
        page.says("   ", &says, theme.warning);
    }
    match &detail.decision {
        Some(decided) => {
            let over = if decided.overtaken { " (no longer counts: answered again since)" } else { "" };
            page.title(&format!("Decided: {} by {}{over}", drawable(&decided.label), drawable(&decided.by)));
            page.says("   ", decided.reason.as_deref().unwrap_or_default(), theme.good);
        }
        None if leads && task.kind.is_several() => {
            page.title("Not decided: choose the labels by their keys, press enter, then say why");
        }
        None if leads => page.title("Not decided: press a label's key, or enter to find one, then say why"),
        None => page.title("Not decided"),
    }
    if leads && task.kind.is_several() {
        page.says("   ", &format!("enter decides: {}", in_words(chosen, task)), theme.text);
    }
    if leads {
        let keys = task.labels.iter().map(|l| l.after_key(" "));
        page.says("   ", &keys.collect::<Vec<_>>().join("   "), theme.key);
    }
    page.title("The model");
    let view = detail.model.as_ref();
    let thought = match view.and_then(|view| Some((view.said()?, view))) {
        Some((said, view)) => format!("thinks {said}; the case was chosen because {}", view.in_words),
        None => "has not read it".to_owned(),
    };
    page.says("   ", &thought, theme.quiet);
    if let Some(said) = view.and_then(|view| view.judge_said()) {
        page.says("   ", &format!("the language model thinks {said}"), theme.quiet);
    }
    page.title(&format!("How to decide (version {})", detail.revision));
    page.says("   ", &task.question, theme.text);
    let guideline = if task.guideline.trim().is_empty() {
        "There is no guideline yet."
    } else {
        task.guideline.trim_end()
    };
    page.says("   ", guideline, theme.text);
    for label in task.labels.iter().filter(|label| !label.description.trim().is_empty()) {
        page.says("   ", &format!("{}: {}", label.name, label.description), theme.quiet);
    }
    page.lines
}

struct Page<'a> {
    lines: Vec<Line<'static>>,
    width: u16,
    look: Look<'a>,
}

impl Page<'_> {
    fn title(&mut self, says: &str) {
        self.lines.push(Line::default());
        self.lines.push(Line::styled(format!(" {says}"), self.look.theme.title));
    }

    fn says(&mut self, indent: &'static str, says: &str, style: Style) {
        self.lines.extend(hanging(vec![Span::raw(indent)], says, self.width, style));
    }

    fn answer(&mut self, answer: &Answer, revision: i64) {
        let theme = self.look.theme;
        let mut says = match &answer.label {
            Some(label) => format!("{}: {label}", answer.expert),
            None => format!("{} skipped it", answer.expert),
        };
        if let Some(sure) = answer.confidence {
            says += [", unsure", ", fairly sure", ", sure"]
                .get(usize::from(sure.saturating_sub(1)))
                .unwrap_or(&"");
        }
        if let Some(first) = &answer.first {
            says += &format!(" (first answer, given blind: {first})");
        }
        if answer.overtaken {
            says += " (no longer counts: answered again since)";
        } else if answer.revision < revision {
            says += &format!(" (under version {} of the guideline)", answer.revision);
        }
        self.says("   ", &says, if answer.overtaken { theme.quiet } else { theme.text });
        if let Some(note) = &answer.note {
            self.says("     ", &format!("“{note}”"), theme.good);
        }
    }
}
