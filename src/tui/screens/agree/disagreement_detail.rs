//! One case on which experts differ: the text, what each said with notes, what was decided, how to decide, and the model's view.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::desk::adjudication::{Answer, DisagreementDetail};
use crate::domain::task::Task;
use crate::tui::widgets::frame::Look;
use crate::tui::widgets::text_layout::{drawable, lay_out};

/// No line of text is longer.
const MEASURE: u16 = 110;

/// The page for a width; a lead is told the keys that decide.
pub(in crate::tui) fn page(
    disagreement_detail: &DisagreementDetail,
    (task, lead): (&Task, bool),
    width: u16,
    look: Look<'_>,
) -> Vec<Line<'static>> {
    let mut page = Page { lines: Vec::new(), width: width.min(MEASURE), look };
    let theme = look.theme;
    let round = disagreement_detail.round.map(|round| format!(" · round {round}")).unwrap_or_default();
    let case = disagreement_detail.case.map(|case| format!(" · case {case}")).unwrap_or_default();
    page.lines.push(Line::styled(format!(" item {}{round}{case}", disagreement_detail.item), theme.title));
    page.says("   ", &disagreement_detail.text, theme.text);
    page.title("What each says");
    for answer in &disagreement_detail.answers {
        page.answer(answer, disagreement_detail.revision);
    }
    if disagreement_detail.waiting > 0 {
        let says = match disagreement_detail.waiting {
            1 => "sent round again: 1 answer is still to come".to_owned(),
            n => format!("sent round again: {n} answers are still to come"),
        };
        page.says("   ", &says, theme.warning);
    }
    match &disagreement_detail.decision {
        Some(decided) => {
            let over = if decided.overtaken { " (answered again since: counts no more)" } else { "" };
            page.title(&format!("Decided: {} by {}{over}", drawable(&decided.label), drawable(&decided.by)));
            page.says("   ", decided.reason.as_deref().unwrap_or_default(), theme.good);
        }
        None if lead => page.title("Not decided: press a label's key, then say why"),
        None => page.title("Not decided"),
    }
    if lead {
        let keys = task.labels.iter().map(|l| format!("{} {}", l.key, l.name));
        page.says("   ", &keys.collect::<Vec<_>>().join("   "), theme.key);
    }
    page.title("The model");
    let thought =
        match disagreement_detail.model.as_ref().map(|view| (view.prelabel.as_ref(), view.certainty(), view))
        {
            Some((Some(label), Some(p), view)) => {
                format!("thinks {label} ({:.0} %); the case was chosen because {}", 100.0 * p, view.in_words)
            }
            _ => "has no view of it".to_owned(),
        };
    page.says("   ", &thought, theme.quiet);
    if let Some((label, p)) = disagreement_detail.model.as_ref().and_then(|view| view.judged()) {
        page.says("   ", &format!("the judge thinks {label} ({:.0} %)", 100.0 * p), theme.quiet);
    }
    page.title(&format!("How to decide (revision {})", disagreement_detail.revision));
    page.says("   ", &task.question, theme.text);
    let guideline = if task.guideline.trim().is_empty() {
        "no guideline is written yet"
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

    fn says(&mut self, indent: &str, says: &str, style: Style) {
        let room = self.width.saturating_sub(indent.len() as u16 + 1).max(10);
        for mut line in lay_out(&drawable(says), &[], room, (style, style)) {
            line.spans.insert(0, Span::raw(indent.to_owned()));
            self.lines.push(line);
        }
    }

    fn answer(&mut self, answer: &Answer, revision: i64) {
        let theme = self.look.theme;
        let mut says = match &answer.label {
            Some(label) => format!("{}: {label}", answer.expert),
            None => format!("{} left it unanswered", answer.expert),
        };
        if let Some(sure) = answer.confidence {
            says += [", unsure", ", fairly sure", ", sure"]
                .get(usize::from(sure.saturating_sub(1)))
                .unwrap_or(&"");
        }
        if let Some(first) = &answer.first {
            says += &format!(" (first, blind: {first})");
        }
        if answer.overtaken {
            says += " (before it was answered again: counts no more)";
        } else if answer.revision < revision {
            says += &format!(" (under revision {})", answer.revision);
        }
        self.says("   ", &says, if answer.overtaken { theme.quiet } else { theme.text });
        if let Some(note) = &answer.note {
            self.says("     ", &format!("“{note}”"), theme.good);
        }
    }
}
