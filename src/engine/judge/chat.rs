//! The chat template of a model's file: which layouts of a prompt it can write, and why it is not used where it is not.

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

use super::frame::Frame;
use super::template::ChatTemplate;
use crate::domain::fault::{Fault, Result};
use crate::domain::predictor::PromptLayout;

/// Layouts are tried with so many examples.
const TRIED: [usize; 2] = [0, 2];
/// What every model can have.
const WITHOUT_TEMPLATE: [PromptLayout; 2] = [PromptLayout::Plain, PromptLayout::TextAlone];

/// A model's chat template, where it has one that can be used.
#[derive(Debug)]
pub(super) struct Chat {
    template: Option<ChatTemplate>,
    layouts: Vec<PromptLayout>,
    /// Why the template of the file is not used.
    pub refused: Option<String>,
}

impl Chat {
    /// That of a model.
    pub fn of(model: &LlamaModel) -> Self {
        let Ok(template) = model.chat_template(None) else { return Self::without(None) };
        let Ok(source) = template.to_str() else { return Self::without(Some("it is no text".into())) };
        let vocab = model.vocab();
        let name = |token: LlamaToken| {
            let text = if token.0 < 0 { None } else { vocab.text(token) };
            text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
        };
        Self::read(ChatTemplate::new(source, name(vocab.bos()), name(vocab.eos())))
    }

    fn without(refused: Option<String>) -> Self {
        Self { template: None, layouts: WITHOUT_TEMPLATE.to_vec(), refused }
    }

    fn read(template: ChatTemplate) -> Self {
        let (mut layouts, mut refused) = (Vec::new(), None);
        for layout in [PromptLayout::SystemTurn, PromptLayout::UserTurn] {
            let tried: std::result::Result<Vec<_>, _> =
                TRIED.iter().map(|examples| Frame::of(&template, layout, *examples)).collect();
            match tried {
                Ok(_) => layouts.push(layout),
                Err(why) => refused = Some(why),
            }
        }
        if layouts.is_empty() {
            return Self::without(refused);
        }
        layouts.extend(WITHOUT_TEMPLATE);
        Self { template: Some(template), layouts, refused: None }
    }

    /// The layout that is wanted, or the nearest that the model can have.
    pub fn layout(&self, wanted: PromptLayout) -> PromptLayout {
        let mut nearest = wanted.or_nearest().iter().copied();
        nearest.find(|layout| self.layouts.contains(layout)).unwrap_or(PromptLayout::Plain)
    }

    /// What stands around the parts of a prompt with so many examples.
    ///
    /// # Errors
    /// Where the template refuses so many.
    pub fn frame(&self, layout: PromptLayout, examples: usize) -> Result<Frame> {
        let Some(template) = &self.template else { return Ok(Frame::plain(examples)) };
        Frame::of(template, layout, examples).map_err(|why| {
            Fault::new("prepare the instruction", format!("the model's chat template fails: {why}"))
                .hint("Give fewer examples (--examples 0), or take another model")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Chat {
        Chat::read(ChatTemplate::new(source, String::new(), String::new()))
    }

    #[test]
    fn where_there_is_no_system_turn_the_user_turn_has_the_instruction() {
        let says = "{% for m in messages %}{{ m.role ~ m.content }}{% endfor %}";
        let without_system = format!(
            "{{% if messages[0].role == 'system' %}}{{{{ raise_exception('no') }}}}{{% endif %}}{says}"
        );
        assert_eq!(read(says).layout(PromptLayout::SystemTurn), PromptLayout::SystemTurn);
        let chat = read(&without_system);
        assert_eq!(chat.layout(PromptLayout::SystemTurn), PromptLayout::UserTurn);
        assert_eq!(chat.layout(PromptLayout::Plain), PromptLayout::Plain);
        assert_eq!(chat.layout(PromptLayout::TextAlone), PromptLayout::TextAlone);
        assert_eq!(chat.refused, None);
    }

    #[test]
    fn a_template_that_fails_is_left_out_with_its_reason() {
        let chat = read("{{ raise_exception('only tools') }}");
        assert_eq!(chat.layout(PromptLayout::SystemTurn), PromptLayout::Plain);
        assert!(chat.refused.as_deref().is_some_and(|why| why.contains("only tools")), "{:?}", chat.refused);
        assert_eq!(chat.frame(PromptLayout::Plain, 1).unwrap(), Frame::plain(1));
    }
}
