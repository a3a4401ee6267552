//! Each label by itself, where a text may have several, on the Progress page.

use unicode_width::UnicodeWidthStr;

use super::Page;
use crate::insight::status::Status;
use crate::tui::widgets::text_layout::{cut, drawable};

/// Labels shown where room is short.
const SHOWN: usize = 8;
/// The longest name of a label, in columns.
const NAME: usize = 30;

impl Page<'_> {
    /// Nothing where each text has one label, or before there is a figure of one.
    pub(super) fn each_label(&mut self, status: &Status) {
        let Some(several) = &status.kappa.several else { return };
        if several.model_expert.iter().all(|kappa| kappa.value().is_none()) {
            return;
        }
        let theme = self.look.theme;
        self.gap();
        self.title("Each label by itself (kappa of the model with the experts on hard cases)".into());
        let most = if self.roomy { usize::MAX } else { SHOWN };
        let rows: Vec<(String, usize)> =
            status.label_names.iter().map(|name| cut(&drawable(name), NAME)).zip(0..).take(most).collect();
        let wide = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        for (name, at) in &rows {
            let Some(kappa) = several.model_expert.get(*at) else { continue };
            let style = if kappa.value().is_some() { theme.text } else { theme.quiet };
            self.figure(name, wide, kappa, style);
        }
        let left = status.label_names.len().saturating_sub(rows.len());
        if left > 0 {
            let says = format!("… {left} more; a taller window shows them");
            self.sentence(vec![ratatui::text::Span::raw("   ")], &says, theme.quiet);
        }
        self.figure("micro F1", wide, &several.micro_f1, theme.text);
        self.figure("macro F1", wide, &several.macro_f1, theme.text);
    }
}
