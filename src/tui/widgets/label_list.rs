//! Labels with their keys: in a bar where they are few, in as many columns as fit where they are many. No name is cut to less than what
//! tells it apart from the others.

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::frame::Look;
use super::text_layout::drawable;
use crate::domain::task::Label;
use crate::tui::hits::Target;

/// More labels than this are easier to read in columns.
const IN_A_BAR: usize = 12;
/// Columns before a name in a list: the key, with a blank on both sides, and one more.
const BEFORE_NAME: usize = 3;
/// Between two columns of a list.
const GAP: usize = 2;
/// The widths that the longest name of a list may have, until all labels fit.
const NAME_WIDTHS: [usize; 6] = [usize::MAX, 32, 26, 21, 17, 13];
/// Names of one group have this between the group's name and their own.
const GROUPS_BY: char = '/';

/// The labels of a task as they can be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct LabelNames(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: String,
    /// The name in one line.
    name: String,
    /// Where the name of its group ends, if it shares one with others.
    group: Option<usize>,
    /// What must be seen of the name, in bytes from its beginning, to tell it from every other; and from others of its group.
    least: usize,
}

/// What of a list is drawn.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Listed {
    pub lines: Vec<Line<'static>>,
    /// The labels in it, as places in the task.
    pub shown: Vec<usize>,
    /// Where each of them stands: its line, its first column and how many it has.
    places: Vec<(u16, u16, u16)>,
}

impl Listed {
    /// Takes a label's place, which begins where the line ends so far.
    fn put(&mut self, at: usize, line: usize, spans: [Span<'static>; 3]) {
        let Some(drawn) = self.lines.get_mut(line) else { return };
        let wide = spans.iter().map(Span::width).sum::<usize>();
        self.places.push((line as u16, drawn.width() as u16, wide.saturating_sub(1) as u16));
        self.shown.push(at);
        drawn.spans.extend(spans);
    }

    /// Puts something before the first line.
    pub fn begin_with(&mut self, span: Span<'static>) {
        let wide = span.width() as u16;
        if let Some(line) = self.lines.first_mut() {
            line.spans.insert(0, span);
        }
        self.places.iter_mut().filter(|(line, ..)| *line == 0).for_each(|(_, from, _)| *from += wide);
    }

    /// Says where its labels can be clicked, if it is drawn there.
    pub fn may_click(&self, area: Rect, look: Look<'_>) {
        for (at, (line, from, wide)) in self.shown.iter().zip(&self.places) {
            let (x, y) = (area.x.saturating_add(*from), area.y.saturating_add(*line));
            look.may_click(Rect::new(x, y, *wide, 1).intersection(area), Target::Label(*at));
        }
    }
}

/// How a label of a list is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Mark {
    Plain,
    Chosen,
    /// It is one of several that are to be given.
    Ticked,
    TickedAndChosen,
}

impl Mark {
    pub fn of(ticked: bool, chosen: bool) -> Self {
        match (ticked, chosen) {
            (false, false) => Self::Plain,
            (false, true) => Self::Chosen,
            (true, false) => Self::Ticked,
            (true, true) => Self::TickedAndChosen,
        }
    }
}

/// Whether the labels of a group stand under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Groups {
    Shown,
    Ignored,
}

impl LabelNames {
    pub fn of(labels: &[Label]) -> Self {
        let names: Vec<String> =
            labels.iter().map(|label| drawable(&label.name).replace('\n', " ")).collect();
        let least = least(&names);
        let group = |name: &str| name.find(GROUPS_BY).filter(|at| *at > 0 && at + 1 < name.len());
        let entries = labels.iter().zip(&names).zip(least).map(|((label, name), least)| {
            let shared = group(name).filter(|at| {
                let has = |other: &&String| group(other) == Some(*at) && other[..*at] == name[..*at];
                names.iter().filter(has).count() > 1
            });
            let key = label.key.map(|key| drawable(&key.to_string())).unwrap_or_default();
            Entry { key, name: name.clone(), group: shared, least }
        });
        Self(entries.collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The name of a label, in one line.
    pub fn name(&self, at: usize) -> &str {
        &self.0[at].name
    }

    /// All labels with whole names in at most `most` lines; none where they do not fit, or where they are many.
    pub fn bar(
        &self,
        (width, most): (u16, usize),
        mark: impl Fn(usize) -> Mark,
        look: Look<'_>,
    ) -> Option<Listed> {
        if self.0.len() > IN_A_BAR {
            return None;
        }
        let mut listed = Listed { lines: vec![Line::default()], ..Listed::default() };
        let mut used = 0;
        for (at, entry) in self.0.iter().enumerate() {
            let long = entry.name.width() + 5;
            if used + long > usize::from(width) && used > 0 {
                listed.lines.push(Line::default());
                used = 0;
            }
            used += long;
            if used > usize::from(width) {
                return None;
            }
            let line = listed.lines.len() - 1;
            listed.put(at, line, entry.spans(&entry.name, mark(at), look));
        }
        (listed.lines.len() <= most).then_some(listed)
    }

    /// Labels in columns from the top down, in this order as far as they fit. A group's labels stand together under its name.
    pub fn list(
        &self,
        order: &[usize],
        (width, height): (u16, u16),
        (groups, mark): (Groups, impl Fn(usize) -> Mark),
        look: Look<'_>,
    ) -> Listed {
        let (width, height) = (usize::from(width), usize::from(height).max(1));
        let rows = self.rows(order, groups);
        let fits = |most: &usize| self.columns(&rows, (width, height), *most);
        let tries: Vec<Vec<Column>> = NAME_WIDTHS.iter().map(fits).collect();
        let labels = |columns: &Vec<Column>| columns.last().map_or(0, |last| last.rows.end);
        let best = tries.iter().map(labels).max().unwrap_or(0);
        let Some(columns) = tries.iter().find(|columns| labels(columns) == best) else {
            return Listed::default();
        };
        let mut listed = Listed { lines: vec![Line::default(); height], ..Listed::default() };
        for (n, column) in columns.iter().enumerate() {
            let names = width.min(column.name).max(1);
            for (n_line, row) in rows[column.rows.clone()].iter().enumerate().take(height) {
                let start: usize = columns[..n].iter().map(Column::width).sum();
                let line = &mut listed.lines[n_line];
                let used = line.width();
                line.push_span(Span::raw(" ".repeat(start.saturating_sub(used))));
                match row {
                    Row::Group(name) => {
                        let name = told_apart(name, name.len(), names + BEFORE_NAME - 1);
                        line.push_span(Span::styled(format!(" {name}"), look.theme.quiet));
                    }
                    Row::Label { at, from } => {
                        let entry = &self.0[*at];
                        let least = entry.least.saturating_sub(*from);
                        let name = told_apart(&entry.name[*from..], least, names);
                        listed.put(*at, n_line, entry.spans(&name, mark(*at), look));
                    }
                }
            }
        }
        listed.lines.truncate(columns.iter().map(|column| column.rows.len()).max().unwrap_or(0));
        listed
    }

    /// The labels in this order with the names of their groups, each group where its first label stands.
    fn rows(&self, order: &[usize], groups: Groups) -> Vec<Row> {
        let mut rows = Vec::with_capacity(order.len());
        let mut done: Vec<&str> = Vec::new();
        for &at in order {
            let entry = &self.0[at];
            let Some(end) = entry.group.filter(|_| groups == Groups::Shown) else {
                rows.push(Row::Label { at, from: 0 });
                continue;
            };
            let name = &entry.name[..=end];
            if done.contains(&name) {
                continue;
            }
            done.push(name);
            let of_group = |other: &&usize| {
                let other = &self.0[**other];
                other.group == Some(end) && other.name.starts_with(name)
            };
            rows.push(Row::Group(name.to_owned()));
            let labels = order.iter().filter(of_group);
            rows.extend(labels.map(|&at| Row::Label { at, from: end + 1 }));
        }
        rows
    }

    /// The columns that fit when no name is wider than `most`, unless it needs more to be told apart.
    fn columns(&self, rows: &[Row], (width, height): (usize, usize), most: usize) -> Vec<Column> {
        let (mut columns, mut used, mut from): (Vec<Column>, usize, usize) = (Vec::new(), 0, 0);
        while from < rows.len() {
            let mut to = (from + height).min(rows.len());
            // A group's name does not stand at the foot of a column, without a label under it.
            if to - from > 1 && matches!(rows[to - 1], Row::Group(_)) {
                to -= 1;
            }
            let wide = |row: &Row| match row {
                Row::Group(name) => (name.width() + 1).saturating_sub(BEFORE_NAME),
                Row::Label { at, from } => {
                    let entry = &self.0[*at];
                    let name = &entry.name[*from..];
                    let end = entry.least.max(*from) - from;
                    let least = name[..end].width() + usize::from(end < name.len());
                    name.width().min(most.max(least))
                }
            };
            let name = rows[from..to].iter().map(wide).max().unwrap_or(0);
            let column = Column { rows: from..to, name };
            // The first column is there however narrow the window is.
            if used + column.width() > width + GAP {
                if columns.is_empty() {
                    columns.push(Column { name: width.saturating_sub(BEFORE_NAME + 1), ..column });
                }
                break;
            }
            used += column.width();
            columns.push(column);
            from = to;
        }
        columns
    }
}

impl Entry {
    fn spans(&self, name: &str, mark: Mark, look: Look<'_>) -> [Span<'static>; 3] {
        // As a level that is called by its digit.
        let is_its_key = self.key == name;
        let style = match mark {
            Mark::Plain if is_its_key => look.theme.key,
            Mark::Plain => look.theme.text,
            Mark::Ticked => look.theme.good,
            Mark::Chosen | Mark::TickedAndChosen => look.theme.chosen,
        };
        // Seen without colours, too, and as wide as what it takes the place of.
        let before = if matches!(mark, Mark::Ticked | Mark::TickedAndChosen) { '✓' } else { ' ' };
        let key = if self.key.is_empty() || is_its_key {
            Span::raw("  ")
        } else {
            Span::styled(format!(" {}", self.key), look.theme.key)
        };
        [key, Span::styled(format!("{before}{name} "), style), Span::raw(" ")]
    }
}

#[derive(Clone, Debug)]
enum Row {
    Group(String),
    /// A label by its place in the task, and where what is drawn of its name begins.
    Label {
        at: usize,
        from: usize,
    },
}

#[derive(Clone, Debug)]
struct Column {
    rows: Range<usize>,
    /// Columns for the names.
    name: usize,
}

impl Column {
    fn width(&self) -> usize {
        BEFORE_NAME + self.name + GAP
    }
}

/// How much of each name, in bytes from its beginning, no other name begins with; all of it where another goes on from there.
fn least(names: &[String]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..names.len()).collect();
    sorted.sort_by_key(|at| &names[*at]);
    let mut least = vec![0; names.len()];
    for pair in sorted.windows(2) {
        let (a, b) = (&names[pair[0]], &names[pair[1]]);
        let common: usize =
            a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
        for (at, name) in [(pair[0], a), (pair[1], b)] {
            let next = name[common..].chars().next().map_or(0, char::len_utf8);
            least[at] = least[at].max(common + next);
        }
    }
    least
}

/// A name in `width` columns: whole, else from its beginning to beyond `least` bytes, else around that place.
fn told_apart(name: &str, least: usize, width: usize) -> String {
    if name.width() <= width {
        return name.to_owned();
    }
    let beginning = beginning(name, width.saturating_sub(1));
    if beginning.len() >= least {
        return format!("{beginning}…");
    }
    // What tells it apart is further on: from a little before that place to as far as there is room.
    let tail = name[..least].char_indices().rev().take(width.saturating_sub(2).clamp(1, 8)).last();
    let rest = &name[tail.map_or(0, |(at, _)| at)..];
    if rest.width() < width {
        return format!("…{rest}");
    }
    format!("…{}…", self::beginning(rest, width.saturating_sub(2).max(1)))
}

/// As much of a name from its beginning as fits in `width` columns.
fn beginning(name: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in name.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return &name[..at];
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::keys::Keymap;
    use crate::tui::theme::{Theme, ThemeName};
    use crate::tui::widgets::banking77;

    fn labels(names: &[&str]) -> Vec<Label> {
        let label = |name: &&str| Label {
            id: String::new(),
            name: (*name).to_owned(),
            key: None,
            description: String::new(),
            examples: Vec::new(),
            share: None,
        };
        names.iter().map(label).collect()
    }

    fn drawn(names: &LabelNames, size: (u16, u16)) -> (Vec<String>, Vec<usize>) {
        let (theme, keys) = (Theme::of(ThemeName::None), Keymap::with([]));
        let look = Look { theme: &theme, keys: &keys, hits: None };
        let order: Vec<usize> = (0..names.len()).collect();
        let listed = names.list(&order, size, (Groups::Shown, |_| Mark::Plain), look);
        (listed.lines.iter().map(Line::to_string).collect(), listed.shown)
    }

    /// What a person sees of each name.
    fn seen(lines: &[String]) -> Vec<String> {
        let cells = lines.iter().flat_map(|line| line.split("   "));
        cells.map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
    }

    /// Whether a name may be what is drawn in this form.
    fn may_be(name: &str, form: &str) -> bool {
        let parts: Vec<&str> = form.split('…').collect();
        match parts.as_slice() {
            [whole] => name == *whole,
            [start, ""] => name.starts_with(start) && name != *start,
            ["", end] => name.ends_with(end),
            ["", middle, ""] => name.contains(middle),
            _ => false,
        }
    }

    #[test]
    fn a_group_stands_under_its_name_and_a_name_alone_is_no_group() {
        let names = LabelNames::of(&labels(&["card/lost", "other", "card/stolen", "pin/forgotten"]));
        let (lines, shown) = drawn(&names, (40, 9));
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(lines, [" card/", "   lost", "   stolen", "   other", "   pin/forgotten"]);
        assert_eq!(shown, [0, 2, 1, 3]);
    }

    #[test]
    fn names_that_differ_only_at_their_ends_are_told_apart_where_no_name_fits() {
        let long = |end: &str| format!("{}{end}", "a very long beginning that all have, ".repeat(3));
        let all = [long("lost"), long("stolen"), long("found")];
        let names = LabelNames::of(&labels(&all.iter().map(String::as_str).collect::<Vec<_>>()));
        let (lines, _) = drawn(&names, (30, 3));
        assert_eq!(lines.len(), 3);
        for (line, end) in lines.iter().zip(["lost", "stolen", "found"]) {
            assert!(line.trim_end().ends_with(end), "{lines:?}");
        }
    }

    #[test]
    fn all_names_of_banking77_can_be_told_apart_where_they_are_drawn() {
        let Some(names) = banking77::names() else { return };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all = LabelNames::of(&labels(&names));
        for size in [(60, 3), (60, 8), (80, 7), (80, 15), (100, 12), (160, 25)] {
            let (lines, shown) = drawn(&all, size);
            let forms = seen(&lines);
            assert_eq!(forms.len(), shown.len(), "{lines:#?}");
            for form in &forms {
                let meant = names.iter().filter(|name| may_be(name, form)).count();
                assert_eq!(meant, 1, "{form} at {size:?}");
            }
        }
        assert_eq!(drawn(&all, (160, 25)).1.len(), 77);
        assert!(drawn(&all, (80, 7)).1.len() >= 21, "{:#?}", drawn(&all, (80, 7)).0);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_list_and_none_is_drawn_twice(
            names in proptest::collection::btree_set("[a-c漢/_ ]{1,30}", 2..60),
            width in 20u16..120,
            height in 1u16..20,
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (lines, shown) = drawn(&LabelNames::of(&labels(&names)), (width, height));
            prop_assert!(lines.len() <= usize::from(height));
            for line in &lines {
                prop_assert!(line.trim_end().width() <= usize::from(width), "{line:?} in {width}");
            }
            let mut once = shown.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), shown.len());
            prop_assert!(!shown.is_empty());
        }
    }
}
