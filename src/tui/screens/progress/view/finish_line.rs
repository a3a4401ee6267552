//! The finish line on the Progress page: each target with its figure, and what is missing.

use ratatui::text::Span;

use super::Page;
use crate::domain::rule::Verdict;
use crate::insight::status::Status;
use crate::tui::widgets::text_layout::drawable;

impl Page<'_> {
    /// Nothing where the task asks for nothing.
    pub(super) fn finish_line(&mut self, status: &Status) {
        if status.targets.is_empty() && status.budget.is_none() {
            return;
        }
        let theme = self.look.theme;
        self.gap();
        self.title("Finish line (a target is met once the lower end of its interval reaches it)".into());
        for target in &status.targets {
            let style = match target.rule.verdict {
                Verdict::Met => theme.good,
                Verdict::NotMet => theme.text,
                Verdict::Unknown => theme.quiet,
            };
            let says = drawable(&target.rule.to_string());
            self.sentence(vec![Span::raw("   ")], &says, style);
            if let Some(says) = target.what_is_missing() {
                self.sentence(vec![Span::raw("     ")], &says, theme.quiet);
            }
        }
        if let Some(budget) = status.budget {
            let style = if budget.is_spent() { theme.warning } else { theme.text };
            self.sentence(vec![Span::raw("   ")], &budget.to_string(), style);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::figure::Figure;
    use crate::domain::rule::Rule;
    use crate::insight::targets::{Missing, TargetStatus};

    #[test]
    fn a_line_has_the_value_the_interval_and_the_verdict() {
        let measured = Figure::Known { value: 0.8, lo: 0.7, hi: 0.9, n: 60 };
        let missing = Some(Missing { answers: 240, minutes: Some(40.0) });
        let target =
            TargetStatus { rule: Rule::at_least("kappa on the hard cases", 0.75, measured), missing };
        let says = target.rule.to_string();
        assert!(
            says.starts_with("kappa on the hard cases at least 0.75: not met; 0.8 (0.7 to 0.9, n = 60)"),
            "{says}"
        );
        assert!(target.what_is_missing().unwrap().ends_with("about 40 min at your pace"));
    }
}
