//! The question which language model is to read: a list to choose from, and a line for any other.

use ratatui::Frame;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{List, ListState, Paragraph};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;
use unicode_width::UnicodeWidthStr;

use super::frame::Look;
use super::input::{draw_input, key_line};
use super::text_layout::{cut, drawable};
use crate::domain::grouped::size;
use crate::domain::local_model::LocalModel;

/// Models in view at a time.
const ROWS: usize = 8;
/// Columns of a name.
const NAME: usize = 40;

/// What is typed, and which of the models that fit it is chosen.
#[derive(Debug, Default)]
pub(in crate::tui) struct ModelChoice {
    input: Input,
    models: Vec<LocalModel>,
    /// Its place among those that fit; none where what is typed counts, or nothing is.
    chosen: Option<usize>,
}

impl ModelChoice {
    pub fn new(models: Vec<LocalModel>) -> Self {
        Self { models, ..Self::default() }
    }

    /// Chooses a row of the list.
    pub fn choose(&mut self, row: usize) {
        self.chosen = Some(row).filter(|row| *row < self.fitting().len());
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.input.value().is_empty()
    }

    /// Takes another list.
    pub fn offer(&mut self, models: Vec<LocalModel>) {
        let before = self.chosen.and_then(|at| Some(self.fitting().get(at)?.name.clone()));
        self.models = models;
        // What the person has chosen stays chosen.
        self.chosen = before.and_then(|name| self.fitting().iter().position(|model| model.name == name));
    }

    /// Takes a key. Returns the model once there is an answer: a name of the list, what is typed, or nothing for the one used last.
    pub fn key(&mut self, key: &KeyEvent) -> Option<String> {
        let last = self.fitting().len().checked_sub(1);
        match key.code {
            KeyCode::Enter => {
                let chosen = self.chosen.and_then(|at| Some(self.fitting().get(at)?.name.clone()));
                return Some(chosen.unwrap_or_else(|| self.input.value().to_owned()));
            }
            KeyCode::Up => self.chosen = self.chosen.and_then(|at| at.checked_sub(1)),
            KeyCode::Down => self.chosen = last.map(|last| self.chosen.map_or(0, |at| at + 1).min(last)),
            _ => {
                self.input.handle_event(&Event::Key(*key));
                self.typed();
            }
        }
        None
    }

    /// Takes pasted text instead of what was typed.
    pub fn paste(&mut self, line: &str) {
        self.input = std::mem::take(&mut self.input).with_value(line.to_owned());
        self.typed();
    }

    /// The first model that fits what is typed is chosen, and none where nothing is typed.
    fn typed(&mut self) {
        self.chosen = (!self.input.value().trim().is_empty() && !self.fitting().is_empty()).then_some(0);
    }

    /// Models whose name has every word typed.
    fn fitting(&self) -> Vec<&LocalModel> {
        let words: Vec<String> =
            self.input.value().to_lowercase().split_whitespace().map(str::to_owned).collect();
        let fits = |model: &&LocalModel| {
            let name = model.name.to_lowercase();
            words.iter().all(|word| name.contains(word.as_str()))
        };
        self.models.iter().filter(fits).collect()
    }

    /// Lines that it takes, with its frame.
    pub fn height(&self) -> u16 {
        6 + self.models.len().min(ROWS) as u16
    }

    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let rows = self.models.len().min(ROWS) as u16;
        let [typed, list, rest] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(rows), Constraint::Fill(1)])
                .areas(area);
        let [_, typed, _] =
            Layout::horizontal([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
                .areas(typed);
        draw_input(frame, typed, &self.input, look);
        let lines = self.fitting().into_iter().map(|model| cut(&row(model), usize::from(list.width)));
        let lines = List::new(lines).style(look.theme.text).highlight_style(look.theme.chosen);
        let mut state = ListState::default().with_selected(self.chosen);
        frame.render_stateful_widget(lines, list, &mut state);
        look.may_click_rows(list, (state.offset(), self.fitting().len()));
        let asks = match self.models.is_empty() {
            true => " The path of a GGUF file, typed or pasted.",
            false => " One of these, by the arrow keys or its name; or the path of a GGUF file.",
        };
        let lines = vec![
            Line::styled(asks, look.theme.quiet),
            key_line("enter", "start; leave empty for the model used last", look),
            key_line("esc", "cancel", look),
        ];
        frame.render_widget(Paragraph::new(lines), rest);
    }
}

fn row(model: &LocalModel) -> String {
    let name = cut(&drawable(&model.name).replace('\n', " "), NAME);
    let blanks = " ".repeat(NAME.saturating_sub(name.width()));
    let kept_by = model.kept_by.as_deref().unwrap_or_default();
    drawable(&format!(" {name}{blanks}  {:>8}  {kept_by}", size(model.bytes)))
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyModifiers;

    use super::*;

    fn choice(names: &[&str]) -> ModelChoice {
        let model = |name: &&str| LocalModel {
            name: (*name).to_owned(),
            also: Vec::new(),
            kept_by: Some("Ollama".into()),
            path: "/m".into(),
            files: 1,
            bytes: 2_000_000_000,
            architecture: None,
            quantisation: None,
            parameters: None,
            context: None,
            can: Vec::new(),
            note: None,
            texts_per_second: None,
        };
        ModelChoice::new(names.iter().map(model).collect())
    }

    fn press(choice: &mut ModelChoice, keys: &[KeyCode]) -> Option<String> {
        keys.iter().fold(None, |_, code| choice.key(&KeyEvent::new(*code, KeyModifiers::NONE)))
    }

    #[test]
    fn a_model_is_chosen_by_arrows_or_by_part_of_its_name_and_nothing_means_the_last_one() {
        let names = ["llama3.2:3b", "qwen3:0.6b", "qwen3:4b"];
        let chosen = |keys: &[KeyCode]| press(&mut choice(&names), keys).unwrap();
        let (down, up, enter) = (KeyCode::Down, KeyCode::Up, KeyCode::Enter);
        assert_eq!(chosen(&[enter]), "");
        assert_eq!(chosen(&[down, down, enter]), "qwen3:0.6b");
        assert_eq!(chosen(&[down, down, down, down, enter]), "qwen3:4b");
        assert_eq!(chosen(&[down, up, enter]), "");
        assert_eq!(chosen(&[KeyCode::Char('4'), enter]), "qwen3:4b");
        assert_eq!(chosen(&[KeyCode::Char('z'), enter]), "z");
        assert_eq!(press(&mut choice(&[]), &[down, enter]).unwrap(), "");
    }

    #[test]
    fn a_pasted_path_counts_and_what_is_chosen_outlives_a_new_list() {
        let mut pasted = choice(&["a"]);
        pasted.paste("'/m/b.gguf'");
        assert_eq!(press(&mut pasted, &[KeyCode::Enter]).unwrap(), "'/m/b.gguf'");
        let mut chosen = choice(&["a", "b"]);
        press(&mut chosen, &[KeyCode::Down, KeyCode::Down]);
        chosen.offer(choice(&["0", "a", "b"]).models);
        assert_eq!(press(&mut chosen, &[KeyCode::Enter]).unwrap(), "b");
    }
}
