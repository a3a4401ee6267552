//! Draws the progress, in words for people who label: what to do next, the round, the figures, the labels.
//!
//! Every figure has its n and interval or says why it is not known. Nothing here is about a single case.

use ratatui::layout::Size;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::insight::advice::Advice;
use crate::insight::ceiling::Ceiling;
use crate::insight::next_round::NextRound;
use crate::insight::status::Status;
use crate::insight::targets::about;
use crate::tui::keys::Action;
use crate::tui::screens::{agree, case, items, jobs};
use crate::tui::widgets::frame::{Look, hanging};
use crate::tui::widgets::interval::Scale;
use crate::tui::widgets::text_layout::{cut, drawable};

/// From this height on there is room for more than the most important.
const ROOMY: u16 = 36;
/// If room is short, the first model and this many of the last ones are shown.
const LAST: usize = 2;
/// A wider chart would show nothing more.
const CHART: usize = 80;
/// The longest bar of a label.
const BAR: usize = 40;

/// The page for a size; `running` is the running job in a few words.
pub(super) fn page(status: &Status, size: Size, running: Option<&str>, look: Look<'_>) -> Vec<Line<'static>> {
    let roomy = size.height >= ROOMY;
    let mut page = Page { lines: Vec::new(), width: size.width, roomy, look };
    page.next(status, running);
    page.round(status);
    page.finish_line(status);
    page.gap();
    page.hard_cases(status);
    page.each_label(status);
    page.weak_slices(status);
    page.gap();
    page.pool(status);
    page.gap();
    page.labels(status);
    page.label_issues(status);
    // Where the room is short, what is not known yet comes after what is.
    if !page.roomy && status.gain.difference.value().is_none() && !status.gain.says.is_empty() {
        page.gap();
        page.gain(status);
    }
    page.lines
}

struct Page<'a> {
    lines: Vec<Line<'static>>,
    width: u16,
    roomy: bool,
    look: Look<'a>,
}

impl Page<'_> {
    fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    fn title(&mut self, says: String) {
        self.sentence(vec![Span::raw(" ")], &says, self.look.theme.title);
    }

    fn sentence(&mut self, head: Vec<Span<'static>>, says: &str, style: Style) {
        self.lines.extend(hanging(head, says, self.width, style));
    }

    fn next(&mut self, status: &Status, running: Option<&str>) {
        let theme = self.look.theme;
        let labels = matches!(status.advice, Advice::Label { .. });
        if let Some(running) = running.filter(|_| !labels) {
            let says = format!("{running}: what to do next shows here once that is done");
            return self.sentence(vec![Span::styled(" Next  ", theme.title)], &says, theme.text);
        }
        let keys = self.look.keys;
        let (action, says) = next_step(&status.advice, |action| keys.key_or_name(action));
        let head = vec![
            Span::styled(" Next  ", theme.title),
            Span::styled(keys.key_or_name(action), theme.key),
            Span::raw(" "),
        ];
        self.sentence(head, &says, theme.text);
    }

    fn round(&mut self, status: &Status) {
        let theme = self.look.theme;
        let Some(round) = status.round_cases else { return };
        let mut says = format!("{} of {} cases left", round.left, round.cases);
        if round.left > 0 {
            says += &format!(": {}", time_left(round.left, status.seconds_per_case.get(&status.you)));
        }
        if round.skipped > 0 {
            says += &format!("; {} skipped", round.skipped);
        }
        let head = vec![Span::styled(format!(" Round {}  ", status.round), theme.title)];
        self.sentence(head, &says, theme.text);
        for outstanding in status.open_rounds.iter().filter(|_| status.needs_several_annotators()) {
            let head = vec![Span::raw("   ")];
            self.sentence(head, &format!("round {}: {outstanding}", outstanding.round), theme.quiet);
        }
    }

    /// A row of a table: a name, and a figure with its interval or the reason why it is not known.
    fn figure(&mut self, name: &str, names: usize, figure: &Figure, style: Style) {
        let name = format!("   {}{}  ", name, " ".repeat(names.saturating_sub(name.width())));
        self.sentence(vec![Span::styled(name, style)], &figure.to_string(), style);
    }

    /// A row with a figure and its interval drawn next to it. If the whole figure does not fit, it is wrapped and not drawn: its n is never cut off.
    fn drawn(&mut self, head: String, (figure, wide): (&Figure, usize), chart: &str, style: Style) {
        let said = figure.to_string();
        if head.width() + said.width() < usize::from(self.width) {
            self.lines.push(Line::styled(format!("{head}{said:<wide$}  {chart}"), style));
        } else {
            self.sentence(vec![Span::styled(head, style)], &said, style);
        }
    }

    fn hard_cases(&mut self, status: &Status) {
        let theme = self.look.theme;
        let kappa = status.kappa.kind.kappa();
        self.title(format!("Hard cases: do model and experts agree? ({kappa}: 0 = by chance, 1 = always)"));
        let names: Vec<String> = status
            .curve
            .iter()
            .map(|point| {
                let after = match (point.after_round, point.audit) {
                    (Some(round), _) => format!("after round {round}"),
                    (None, 0) => "before labelling".to_owned(),
                    (None, n) => counted(n, "audit answer", "audit answers"),
                };
                // Heads and zero-shot prelabels need no name of their own: there is one of each.
                let kind = Some(&point.kind).filter(|k| !["zero-shot", "head"].contains(&k.as_str()));
                let kind = kind.map(|k| format!(", {}", drawable(k.as_str()))).unwrap_or_default();
                format!("{after}{kind}{}", if point.active { ", in use" } else { "" })
            })
            .collect();
        let held_against = status.ceiling();
        let ceiling = held_against.and_then(|ceiling| ceiling.figure().value());
        let wide =
            names.iter().map(|n| n.width()).max().unwrap_or(0).max("people, the most to reach".width());
        let figures = status.curve.iter().map(|p| p.kappa.to_string().width()).max().unwrap_or(0).min(30);
        let figures = if status.kappa.kind.is_one() { figures } else { figures.max(kappa.width()) };
        let before = 3 + wide + 2 + "labels".width() + 2 + figures + 2;
        let width = usize::from(self.width).saturating_sub(before + 1).min(CHART);
        let lows = status
            .curve
            .iter()
            .map(|p| &p.kappa)
            .chain([&status.kappa.expert_expert, &status.kappa.self_agreement])
            .filter_map(low);
        let scale = Scale::holding(lows, width);
        let header = format!("   {:<wide$}  labels  {:<figures$}  {}", "model", kappa, scale.axis());
        if status.curve.is_empty() {
            return self.figure("the model", wide, &status.kappa.model_expert, theme.quiet);
        }
        self.lines.push(Line::styled(header, theme.quiet));
        let many = !self.roomy && status.curve.len() > LAST + 2;
        let first_of_last = status.curve.len().saturating_sub(LAST);
        let between = |i: usize| many && i > 0 && i < first_of_last && !status.curve[i].active;
        for (i, (point, name)) in status.curve.iter().zip(&names).enumerate() {
            if between(i) {
                if i == 1 {
                    let n = (0..status.curve.len()).filter(|i| between(*i)).count();
                    let says = format!("   … {n} more in between; a taller window shows them");
                    self.lines.push(Line::styled(says, theme.quiet));
                }
                continue;
            }
            let style = if point.active { theme.good } else { theme.text };
            let head = format!("   {name}{}  {:>6}  ", " ".repeat(wide - name.width()), point.training);
            match &point.kappa {
                Figure::Known { value, lo, hi, .. } => {
                    let chart = scale.draw((*lo, *value, *hi), ceiling);
                    self.drawn(head, (&point.kappa, figures), &chart, style);
                }
                Figure::Undefined { .. } => {
                    self.sentence(vec![Span::styled(head, style)], &point.kappa.to_string(), theme.quiet);
                }
            }
        }
        let (experts, own) = (&status.kappa.expert_expert, &status.kappa.self_agreement);
        let mut rows = Vec::new();
        if experts.value().is_some() || own.value().is_none() {
            let only = experts.value().is_some() && !matches!(held_against, Some(Ceiling::Experts(_)));
            rows.push((if only { "people with each other" } else { "people, the most to reach" }, experts));
        }
        if experts.value().is_some() {
            rows.push(("model, same cases", &status.kappa.model_on_shared));
        }
        if own.value().is_some() {
            rows.push(("you with yourself", own));
        }
        for (name, figure) in rows {
            match figure {
                Figure::Known { value, lo, hi, .. } => {
                    let chart = scale.draw((*lo, *value, *hi), ceiling);
                    self.drawn(
                        format!("   {name:<wide$}  {:>6}  ", ""),
                        (figure, figures),
                        &chart,
                        theme.text,
                    );
                }
                Figure::Undefined { .. } => self.figure(name, wide, figure, theme.quiet),
            }
        }
        let errors = [
            ("model: mean error, in levels", &status.kappa.model_error),
            ("people: mean error, in levels", &status.kappa.experts_error),
        ];
        for (name, figure) in errors {
            if let Some(figure) = figure {
                let style = if figure.value().is_some() { theme.text } else { theme.quiet };
                self.figure(name, wide, figure, style);
            }
        }
        if let Some(Ceiling::Own(Figure::Known { n, .. })) = held_against {
            let says =
                format!("the most to reach is how well you agree with yourself, on {n} cases shown again");
            self.sentence(vec![Span::raw("   ")], &says, theme.quiet);
        }
        if let Some(says) = &status.no_ceiling {
            self.sentence(vec![Span::raw("   ")], says, theme.quiet);
        }
        if let Some(says) = &status.unclear {
            self.sentence(vec![Span::raw("   ")], says, theme.warning);
        }
        if self.roomy || status.gain.difference.value().is_some() {
            self.gain(status);
        }
    }

    fn gain(&mut self, status: &Status) {
        let quiet = self.look.theme.quiet;
        self.sentence(vec![Span::raw("   ")], &status.gain.says, quiet);
        // The advice to stop says it already.
        let said = matches!(status.advice, Advice::StopOrMine { .. });
        if let Some(outlook) = status.next_round.as_ref().and_then(NextRound::by_curve).filter(|_| !said) {
            self.sentence(vec![Span::raw("   ")], &outlook.to_string(), quiet);
        }
    }

    fn pool(&mut self, status: &Status) {
        let theme = self.look.theme;
        let n = status.audit.n;
        if n == 0 {
            self.title("All texts".into());
            let says =
                "nothing known yet: each round has a few cases drawn at random, which look like any other";
            return self.sentence(vec![Span::raw("   ")], says, theme.quiet);
        }
        self.title(format!("All texts, by {} drawn at random", counted(n, "case", "cases")));
        let rows: Vec<(String, String)> = status
            .audit
            .labels
            .iter()
            .zip(&status.label_names)
            .flat_map(|(audit, name)| {
                let name = cut(&drawable(name), 24);
                let mut rows = vec![
                    (
                        format!("of 100 the model calls {name}"),
                        share(&audit.precision, &format!("are {name}")),
                    ),
                    (format!("of 100 that are {name}"), share(&audit.recall, "are found by it")),
                ];
                if self.roomy {
                    rows.push(("of 100 texts".into(), share(&audit.prevalence, &format!("are {name}"))));
                }
                rows
            })
            .collect();
        let wide = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        if self.roomy {
            let agree = share(&status.audit.accuracy, "get the experts' label from the model");
            let mut all = vec![("of 100 texts".to_owned(), agree)];
            all.extend(rows);
            self.shares(&all, wide);
            self.figure(status.kappa.kind.kappa(), wide, &status.audit.kappa, theme.text);
            match &status.audit.absolute_error {
                None => self.figure("AC1", wide, &status.audit.ac1, theme.text),
                Some(error) => self.figure("mean error, in levels", wide, error, theme.text),
            }
        } else {
            self.shares(&rows, wide);
        }
    }

    fn shares(&mut self, rows: &[(String, String)], wide: usize) {
        let theme = self.look.theme;
        for (name, says) in rows {
            let head = format!("   {name}{}  ", " ".repeat(wide.saturating_sub(name.width())));
            self.sentence(vec![Span::styled(head, theme.quiet)], says, theme.text);
        }
    }

    fn label_issues(&mut self, status: &Status) {
        if let Some(says) = label_issues(status, &self.look.keys.key_or_name(items::TAB.action())) {
            self.sentence(vec![Span::raw("   ")], &says, self.look.theme.warning);
        }
    }

    fn labels(&mut self, status: &Status) {
        let theme = self.look.theme;
        let says = if status.labels > 0 { " (some teach the model, the rest test it)" } else { "" };
        self.title(format!("Labels: {}{says}", status.labels));
        let rows: Vec<(String, usize, usize)> = status
            .label_names
            .iter()
            .filter_map(|name| {
                let b = status.balance.get(name)?;
                Some((
                    cut(&drawable(name), usize::from(self.width).saturating_sub(50).max(24)),
                    b.labels,
                    b.training,
                ))
            })
            .collect();
        let wide = rows.iter().map(|(name, ..)| name.width()).max().unwrap_or(0);
        let most = rows.iter().map(|(_, n, _)| *n).max().unwrap_or(0).max(1);
        let bar = usize::from(self.width).saturating_sub(wide + 36).clamp(10, BAR);
        for (name, labels, training) in rows {
            let filled = (labels * bar).div_ceil(most);
            self.lines.push(Line::from(vec![
                Span::styled(
                    format!("   {name}{}  {labels:>5}  ", " ".repeat(wide - name.width())),
                    theme.text,
                ),
                Span::styled("█".repeat(filled), theme.good),
                Span::styled(
                    format!("{}  {}", " ".repeat(bar - filled), used(labels, training)),
                    theme.quiet,
                ),
            ]));
        }
        let skipped: usize = status.skipped.values().sum();
        if skipped > 0 {
            let says =
                format!("{}, not counted above", counted(skipped, "case was skipped", "cases were skipped"));
            self.sentence(vec![Span::raw("   ")], &says, theme.quiet);
        }
        if self.roomy && status.experts > 1 {
            for (name, n) in &status.labels_by_expert {
                self.lines.push(Line::styled(format!("   {n:>5} by {}", drawable(name)), theme.quiet));
            }
        }
    }
}

/// How many answers of this person may be mistakes, and how to see them; nothing where none may.
fn label_issues(status: &Status, items: &str) -> Option<String> {
    let n = *status.label_issues_by_expert.get(&status.you)?;
    let says = counted(n, "answer of yours may be a mistake", "answers of yours may be mistakes");
    Some(format!("{says}: press {items} and search for suspect to look again"))
}

/// What a label's answers are used for.
fn used(labels: usize, training: usize) -> String {
    match labels {
        0 => String::new(),
        n => format!("{training} teach, {} test", n.saturating_sub(training)),
    }
}

fn low(figure: &Figure) -> Option<f64> {
    match figure {
        Figure::Known { lo, .. } => Some(*lo),
        Figure::Undefined { .. } => None,
    }
}

/// Which key to press next, what it does, and why.
fn next_step(advice: &Advice, key: impl Fn(Action) -> String) -> (Action, String) {
    match advice {
        Advice::Import => {
            (Action::Quit, "quits; then add texts with `hardcase import FILE DATA`: there are none yet".into())
        }
        Advice::Scout => (Action::GoOn, "lets the model read all texts, then chooses the first cases".into()),
        Advice::MineFirst => (Action::GoOn, "chooses the first cases to label".into()),
        Advice::Label { left, round, unscouted } => {
            let unread = match unscouted {
                true => format!("; the model has not read all texts yet: {} starts that", key(jobs::TAB.action())),
                false => String::new(),
            };
            let cases = if *left == 1 { "case" } else { "cases" };
            (case::TAB.action(), format!("goes back to the cases: {left} {cases} left in round {round}{unread}"))
        }
        Advice::GiveBack => (
            Action::Quit,
            "quits: all cases assigned to you are done; give this copy back to the person who sent it, to be merged"
                .into(),
        ),
        Advice::Wait { outstanding } => (
            Action::GoOn,
            format!(
                "lets the model learn and starts the next round meanwhile; or wait for the others: in round {}, which stays \
                 open, {outstanding}",
                outstanding.round
            ),
        ),
        Advice::FollowAudit { missing } => (
            Action::GoOn,
            format!(
                "adjusts the model by the answers drawn at random, then starts another round: fewer than 2 of the answers that \
                 teach it say '{missing}', too few to learn that label"
            ),
        ),
        Advice::MineFor { missing } => (
            Action::GoOn,
            format!(
                "starts another round: fewer than 2 of the answers that teach the model say '{missing}', too few to learn that \
                 label"
            ),
        ),
        Advice::Tune { new } => {
            let answers = if *new == 1 { "new answer" } else { "new answers" };
            (Action::GoOn, format!("lets the model learn from {new} {answers}, then starts the next round"))
        }
        Advice::TuneAgain => (
            Action::GoOn,
            "lets the model learn again: what imported labels say or count has changed. Then it starts the next round".into(),
        ),
        Advice::AllAsked { texts } => {
            (Action::Open, format!("writes the results: you are done, every one of the {texts} texts was asked about"))
        }
        Advice::Finish { targets } => {
            let all = if *targets == 1 { "the target".into() } else { format!("all {targets} targets") };
            (Action::Open, format!("writes the results: you are done, {all} of the task {} met", if *targets == 1 { "is" } else { "are" }))
        }
        Advice::BudgetSpent { budget, open } => {
            let open = if open.is_empty() { String::new() } else { format!(", and not yet met: {}", open.join(", ")) };
            (Action::Open, format!("writes the results: stop here, {budget}{open}"))
        }
        Advice::MendGuideline { why } => {
            (agree::TAB.action(), format!("shows where people disagree: mend the guideline before you label on. {why}"))
        }
        Advice::Stop { model, ceiling, by } => (
            Action::Quit,
            format!("quits, if you like: {}; {} starts another round", by.in_words(*model, *ceiling), key(Action::GoOn)),
        ),
        Advice::StopOrMine { outlook, audit } => {
            let narrower = audit.map(|narrower| format!("; {narrower}")).unwrap_or_default();
            (Action::GoOn, format!("starts another round, or stop here: {outlook}{narrower}"))
        }
        Advice::Mine => (
            Action::GoOn,
            "starts the next round. It is not known yet whether more answers would still make the model better".into(),
        ),
    }
}

/// How long the cases that are left will take this expert, with what that rests on.
fn time_left(left: usize, seconds: Option<&Figure>) -> String {
    match seconds {
        Some(Figure::Known { value, lo, hi, n }) => format!(
            "{} at {} s a case ({} to {}, n = {n})",
            about(left as f64 * value),
            seconds_of(value),
            seconds_of(lo),
            seconds_of(hi)
        ),
        Some(Figure::Undefined { undefined }) => format!("how long that takes is not known: {undefined}"),
        None => "how long that takes is not known: you have not labelled here yet".into(),
    }
}

/// Seconds of one case: tenths matter below ten only.
fn seconds_of(seconds: &f64) -> String {
    if *seconds < 9.95 { format!("{seconds:.1}") } else { format!("{seconds:.0}") }
}

/// A share of 100 in words, with its interval and n.
fn share(figure: &Figure, says: &str) -> String {
    match figure {
        Figure::Known { value, lo, hi, n } => {
            let of_100 = |v: &f64| (100.0 * v).round();
            format!("about {} {says} ({} to {}, n = {n})", of_100(value), of_100(lo), of_100(hi))
        }
        Figure::Undefined { undefined } => format!("not known: {undefined}"),
    }
}

mod each_label;
mod finish_line;
mod weak_slices;

#[cfg(test)]
mod tests;
