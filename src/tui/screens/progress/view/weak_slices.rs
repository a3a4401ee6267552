//! The slices of the texts in which model and experts agree less, on the Progress page.

use unicode_width::UnicodeWidthStr;

use super::Page;
use crate::domain::grouped::counted;
use crate::insight::slices::WeakSlices;
use crate::insight::status::Status;
use crate::tui::widgets::text_layout::{cut, drawable};

/// Slices shown where room is short, and where it is not.
const SHOWN: (usize, usize) = (3, 8);
/// The longest name of a slice, in columns.
const NAME: usize = 40;

impl Page<'_> {
    /// Nothing while there are too few cases to tell, or nothing to slice by.
    pub(super) fn weak_slices(&mut self, status: &Status) {
        let Some(weak) = status.weak_slices.as_ref().filter(|weak| !weak.slices.is_empty()) else { return };
        let theme = self.look.theme;
        self.gap();
        self.title("Where model and experts agree less (share of hard cases)".into());
        let most = if self.roomy { SHOWN.1 } else { SHOWN.0 };
        let names: Vec<String> =
            weak.slices.iter().take(most).map(|slice| cut(&drawable(&slice.name()), NAME)).collect();
        let wide = names.iter().map(|name| name.width()).max().unwrap_or(0).max("all hard cases".width());
        for (slice, name) in weak.slices.iter().zip(&names) {
            let style = if slice.below_all { theme.warning } else { theme.text };
            self.figure(name, wide, &slice.agreement, style);
        }
        self.figure("all hard cases", wide, &weak.all, theme.quiet);
        self.sentence(vec![ratatui::text::Span::raw("   ")], &how_sure(weak, most), theme.quiet);
    }
}

/// What the intervals allow to say, and how many slices are not shown.
fn how_sure(weak: &WeakSlices, most: usize) -> String {
    let certain = weak.slices.iter().filter(|slice| slice.below_all).count();
    let mut says = match (certain, weak.looked_at) {
        (0, n) => {
            format!("none of {n} slices is certainly worse than the rest: the worst of many is bad by chance")
        }
        (1, n) => {
            format!("1 of {n} slices is certainly worse; the intervals allow for looking at all of them")
        }
        (certain, n) => {
            format!(
                "{certain} of {n} slices are certainly worse; the intervals allow for looking at all of them"
            )
        }
    };
    if weak.slices.len() > most {
        let more = counted(weak.slices.len() - most, "more slice is", "more slices are");
        says += &format!("; {more} below the share of all");
    }
    says
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::figure::Figure;
    use crate::insight::slices::WeakSlice;

    #[test]
    fn what_cannot_be_told_is_not_called_worse() {
        let slice = |name: &str, below_all: bool| WeakSlice {
            by: "placement".into(),
            slice: name.into(),
            agreement: Figure::Known { value: 0.4, lo: 0.2, hi: 0.6, n: 20 },
            below_all,
        };
        let all = Figure::Known { value: 0.7, lo: 0.6, hi: 0.8, n: 60 };
        let weak = |slices: Vec<WeakSlice>| WeakSlices { all: all.clone(), looked_at: 9, slices };
        assert!(
            how_sure(&weak(vec![slice("feed", false)]), 3).starts_with("none of 9 slices is certainly worse")
        );
        let two = weak(vec![slice("search", true), slice("feed", false)]);
        assert!(how_sure(&two, 3).starts_with("1 of 9 slices is certainly worse"));
        assert!(
            how_sure(&two, 1).ends_with("1 more slice is below the share of all"),
            "{}",
            how_sure(&two, 1)
        );
        assert_eq!(two.slices[0].name(), "placement: search");
    }
}
