//! Draws what the project is made of: the task and its versions, models, adapters, imports, experts, the file.

use std::ffi::OsStr;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::domain::grouped::{counted, size};
use crate::domain::hex::hex;
use crate::domain::task::{Assist, Label, Task};
use crate::insight::project::{File, Project, SetTask, Tuned};
use crate::tui::widgets::frame::{Look, hanging};
use crate::tui::widgets::text_layout::{cut, drawable};

/// No line of text is longer: the eye loses its way back.
const MEASURE: u16 = 110;

/// The page for a width.
pub(super) fn page(project: &Project, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let mut page = Page { lines: Vec::new(), width: width.min(MEASURE), look };
    page.task(&project.task);
    page.revisions(&project.revisions);
    page.sources(project);
    page.experts(&project.experts);
    page.models(project);
    page.adapters(&project.adapters, project.prelabels.as_deref());
    page.file(&project.file);
    page.lines
}

struct Page<'a> {
    lines: Vec<Line<'static>>,
    width: u16,
    look: Look<'a>,
}

impl Page<'_> {
    fn title(&mut self, says: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::styled(format!(" {says}"), self.look.theme.title));
    }

    /// A name and what belongs to it, over as many lines as that needs.
    fn row(&mut self, name: &str, wide: usize, says: &str) {
        let name = cut(&drawable(name).replace('\n', " "), wide);
        let head = format!("   {name}{}  ", " ".repeat(wide.saturating_sub(name.width())));
        let theme = self.look.theme;
        self.lines.extend(hanging(vec![Span::styled(head, theme.quiet)], says, self.width, theme.text));
    }

    fn nothing(&mut self, says: &str) {
        self.lines.push(Line::styled(format!("   {says}"), self.look.theme.quiet));
    }

    fn task(&mut self, task: &Task) {
        self.title("Task");
        // The names of all rows are whole.
        let wide = if task.asked_about.is_some() { 11 } else { 10 };
        if task.name != task.question {
            self.row("name", wide, &task.name);
        }
        self.row("question", wide, &task.question);
        if task.kind.is_scale() {
            self.row("asked for", wide, "a level of a scale: the labels in order, the lowest first");
        }
        if task.kind.is_several() {
            self.row("asked for", wide, "any number of the labels, or none of them");
        }
        if !task.guideline.is_empty() {
            self.row("guideline", wide, task.guideline.trim_end());
        }
        if task.assist == Assist::Before {
            self.row("assistance", wide, "cases that teach the model show its view before you answer them");
        }
        if let Some(part) = &task.asked_about {
            self.row("asked about", wide, part);
        }
        if let Some(columns) = &task.columns {
            let none = "no other column of the data".to_owned();
            self.row("shown", wide, &if columns.is_empty() { none } else { columns.join(", ") });
        }
        self.title("Labels");
        let names: Vec<String> =
            task.labels.iter().map(|l| drawable(&l.after_key("  ")).replace('\n', " ")).collect();
        // Where nothing stands beside the names, they have the whole line.
        let is_bare = |label: &Label| {
            label.description.is_empty() && label.share.is_none() && label.examples.is_empty()
        };
        let room = usize::from(self.width).saturating_sub(6);
        let most = if task.labels.iter().all(is_bare) { room } else { (room / 2).max(28) };
        let wide = names.iter().map(|n| n.width()).max().unwrap_or(0).min(most);
        for (label, name) in task.labels.iter().zip(&names) {
            let mut says = label.description.clone();
            if let Some(share) = label.share {
                let gap = if says.is_empty() { "" } else { "; " };
                says += &format!("{gap}expected about {} in 100 texts", in_100(share));
            }
            self.row(name, wide, &says);
            for example in &label.examples {
                self.row("", wide, &format!("for example: {example}"));
            }
        }
    }

    fn revisions(&mut self, revisions: &[SetTask]) {
        self.title("Versions of the task");
        for revision in revisions.iter().rev() {
            let changed = match &revision.changed[..] {
                [] => String::new(),
                parts => format!(": changed {}", parts.join(", ")),
            };
            let says = format!("{} by {}{changed}", when(revision.at_ms), revision.by);
            self.row(&format!("{:>4}", revision.number), 4, &says);
        }
    }

    fn sources(&mut self, project: &Project) {
        self.title("Texts");
        if project.sources.is_empty() {
            self.nothing("none yet: add some with `hardcase import FILE DATA`");
        }
        for source in &project.sources {
            let refused = match source.rejected {
                0 => String::new(),
                n => format!(", {n} refused"),
            };
            let says = format!(
                "{} rows{refused}, {} new texts; imported {} from {}",
                source.rows,
                source.items,
                when(source.finished_ms),
                source.name
            );
            let name = Path::new(&source.name).file_name().unwrap_or(OsStr::new(&source.name));
            self.row(&name.to_string_lossy(), 24, &says);
        }
    }

    fn experts(&mut self, experts: &[(String, usize)]) {
        self.title("Experts");
        for (name, labels) in experts {
            self.row(name, 24, &counted(*labels, "label", "labels"));
        }
    }

    fn models(&mut self, project: &Project) {
        self.title("Models");
        if project.models.is_empty() {
            self.nothing("none yet: no model has read the texts");
        }
        for model in &project.models {
            let place = if model.path.is_empty() { "inside the program" } else { model.path.as_str() };
            let hash: String = hex(&model.sha256).chars().take(12).collect();
            let says = format!(
                "{}, {}, {} values a text, {}; sha256 {hash}…; {place}",
                model.architecture,
                model.quantisation,
                model.dimensions,
                size(model.bytes)
            );
            self.row(&model.name, 24, &says);
        }
    }

    fn adapters(&mut self, adapters: &[Tuned], prelabels: Option<&str>) {
        self.title("What the model learned, and when");
        match (adapters.is_empty(), prelabels) {
            (true, _) => self.nothing("nothing yet"),
            (false, Some("zero-shot")) => {
                self.nothing("none of it is in use: the model labels by the names and descriptions of the labels alone");
            }
            _ => {}
        }
        for tuned in adapters.iter().rev() {
            let round =
                tuned.round.map_or("before the first round".to_owned(), |n| format!("after round {n}"));
            let active = if tuned.active { "; in use" } else { "" };
            let from = counted(tuned.training, "answer", "answers");
            let says = format!("{round}, from {from}, {}{active}", when(tuned.at_ms));
            self.row(&tuned.kind, 6, &says);
        }
    }

    fn file(&mut self, file: &File) {
        self.title("File");
        self.row("path", 7, &file.path.display().to_string());
        self.row("size", 7, &format!("{}, format version {}", size(file.bytes), file.version));
        let journal = match file.journal.as_str() {
            "wal" => "a write-ahead log next to it while it is open",
            _ => "a rollback journal next to it while it is written",
        };
        self.row("journal", 7, &format!("{journal}; file system: {}", file.file_system));
    }
}

/// A share in hundredths, with a decimal only where it needs one.
fn in_100(share: f64) -> String {
    let hundredths = 100.0 * share;
    if (hundredths - hundredths.round()).abs() < 0.05 {
        format!("{hundredths:.0}")
    } else {
        format!("{hundredths:.1}")
    }
}

/// A time as the clock on this machine's wall shows it.
fn when(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or("at an unknown time".into(), |t| {
        t.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_said_as_people_say_them() {
        assert_eq!([0.05, 0.134, 0.5, 0.005].map(in_100), ["5", "13.4", "50", "0.5"]);
    }
}
