//! What stands around the parts of a prompt: what a chat template puts there, or, without one, line breaks.
//!
//! A template is rendered with marks in place of what is said. So nothing of a text, or of what people wrote, goes through it, and it is known
//! which characters are the template's: in these alone tokens with a meaning of their own are read.

use super::prompt::JudgePrompt;
use super::template::{ChatTemplate, Next, Role, Turn};
use crate::domain::judge_chat::{CUE, TEXT, folded};
use crate::domain::predictor::PromptLayout;

/// How models write where their thinking begins and ends.
const THINKING: [(&str, &str); 4] = [
    ("<think>", "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
];

/// Some of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span<'f> {
    /// Of the template: markers in it are tokens of their own.
    Template(&'f str),
    /// Of a text, or of what people wrote: no marker in it is one.
    Said(String),
}

impl Span<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Template(template) => template,
            Self::Said(said) => said,
        }
    }

    /// What some spans say together.
    pub fn text(spans: &[Self]) -> String {
        spans.iter().map(Self::as_str).collect()
    }
}

/// What stands around the instruction, labelled examples and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Before the instruction.
    pub before: String,
    /// From there to the first text.
    pub open: String,
    /// Around each example's answer: from its text to it, and from it to the next text.
    pub examples: Vec<(String, String)>,
    /// From the text that is asked about to the answer.
    pub answer: String,
    /// What follows an answer.
    pub end: String,
}

impl Frame {
    /// Without a template.
    pub fn plain(examples: usize) -> Self {
        Self {
            before: String::new(),
            open: "\n\n".into(),
            examples: vec![("\n".into(), "\n\n".into()); examples],
            answer: "\n".into(),
            end: "\n".into(),
        }
    }

    /// What a template puts around the parts.
    ///
    /// # Errors
    /// The reason, in words, where it fails or does not write each part once and in order.
    pub fn of(template: &ChatTemplate, layout: PromptLayout, examples: usize) -> Result<Self, String> {
        let parts = 2 + 2 * examples;
        let mut turns = match layout {
            PromptLayout::Plain | PromptLayout::TextAlone | PromptLayout::NoPrompt => {
                return Ok(Self::plain(examples));
            }
            PromptLayout::SystemTurn => {
                vec![Turn::of(Role::System, mark(0)), Turn::of(Role::User, mark(1))]
            }
            PromptLayout::UserTurn => vec![Turn::of(Role::User, format!("{}\n\n{}", mark(0), mark(1)))],
        };
        for example in 0..examples {
            turns.push(Turn::of(Role::Assistant, mark(2 + 2 * example)));
            turns.push(Turn::of(Role::User, mark(3 + 2 * example)));
        }
        let mut around = between(&template.render(&turns, Next::Answer)?, parts)?;
        turns.push(Turn::of(Role::Assistant, mark(parts)));
        let answered = template.render(&turns, Next::Nothing);
        let answered = answered.and_then(|rendered| between(&rendered, parts + 1));
        let mut answer = around.pop().unwrap_or_default();
        let mut end = String::new();
        if let Ok(mut answered) = answered {
            end = answered.pop().unwrap_or_default();
            let until_answer = answered.pop().unwrap_or_default();
            // A turn that the makers' own tools answered says more of how an answer begins than the opening does.
            if answered == around && until_answer.starts_with(&answer) {
                answer = until_answer;
            }
        }
        close_thinking(&mut answer);
        let mut around = around.into_iter();
        let mut next = || around.next().unwrap_or_default();
        let (before, open) = (next(), next());
        let examples = (0..examples).map(|_| (next(), next())).collect();
        Ok(Self { before, open, examples, answer, end })
    }

    /// What all texts have in common: up to where the first text begins.
    pub fn opening(&self, prompt: &JudgePrompt) -> Vec<Span<'_>> {
        if prompt.layout == PromptLayout::TextAlone {
            return vec![Span::Said(TEXT.into())];
        }
        vec![
            Span::Template(&self.before),
            Span::Said(prompt.instruction()),
            Span::Template(&self.open),
            Span::Said(TEXT.into()),
        ]
    }

    /// From there over labelled texts, of which the frame has as many, to where the text begins that is asked about.
    pub fn lead(&self, prompt: &JudgePrompt, examples: &[(String, usize)]) -> Vec<Span<'_>> {
        let around = examples.iter().zip(&self.examples);
        let turns = around.flat_map(|((text, label), (answer, next))| {
            let name = prompt.labels.get(*label).map_or("", |label| &label.name);
            [
                Span::Said(format!(" {}", folded(text))),
                Span::Template(answer),
                Span::Said(format!("{CUE} {name}")),
                Span::Template(next),
                Span::Said(TEXT.into()),
            ]
        });
        turns.collect()
    }

    /// From the end of the text to where its label begins.
    pub fn cue(&self) -> Vec<Span<'_>> {
        vec![Span::Template(&self.answer), Span::Said(CUE.into())]
    }
}

/// What stands for a part while a template is rendered.
fn mark(part: usize) -> String {
    format!("hardcase-part-{part:04}-of-the-prompt")
}

/// What stands before, between and after so many parts.
fn between(rendered: &str, parts: usize) -> Result<Vec<String>, String> {
    let (mut around, mut rest) = (Vec::with_capacity(parts + 1), rendered);
    for part in 0..parts {
        let Some((before, after)) = rest.split_once(&mark(part)) else {
            return Err("it leaves out a part of what it is given, or changes the order".into());
        };
        around.push(before.to_owned());
        rest = after;
    }
    around.push(rest.to_owned());
    if around.iter().any(|piece| piece.contains("hardcase-part-")) {
        return Err("it writes a part of what it is given more than once".into());
    }
    Ok(around)
}

/// Ends a thinking that the opening of an answer begins: the answer is wanted at once.
fn close_thinking(answer: &mut String) {
    for (begins, ends) in THINKING {
        let Some(at) = answer.rfind(begins) else { continue };
        if !answer[at..].contains(ends) {
            let line_break = if answer.ends_with('\n') { "\n" } else { "\n\n" };
            *answer += &format!("{line_break}{ends}\n\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    fn of(source: &str, layout: PromptLayout, examples: usize) -> Result<Frame, String> {
        Frame::of(&ChatTemplate::new(source, "<s>".into(), "</s>".into()), layout, examples)
    }

    #[test]
    fn a_template_is_split_around_what_is_said() {
        let frame = of(CHATML, PromptLayout::SystemTurn, 1).unwrap();
        assert_eq!(frame.before, "<|im_start|>system\n");
        assert_eq!(frame.open, "<|im_end|>\n<|im_start|>user\n");
        let (answer, next) = &frame.examples[0];
        assert_eq!(answer, "<|im_end|>\n<|im_start|>assistant\n");
        assert_eq!(next, "<|im_end|>\n<|im_start|>user\n");
        assert_eq!(frame.answer, "<|im_end|>\n<|im_start|>assistant\n");
        assert_eq!(frame.end, "<|im_end|>\n");
        let frame = of(CHATML, PromptLayout::UserTurn, 0).unwrap();
        assert_eq!((frame.before.as_str(), frame.open.as_str()), ("<|im_start|>user\n", "\n\n"));
        assert_eq!(of("whatever", PromptLayout::Plain, 2), Ok(Frame::plain(2)));
    }

    #[test]
    fn an_answer_begins_where_the_makers_let_it_begin() {
        let with = |opening: &str, said: &str| {
            let source = format!(
                "{{% for m in messages %}}{{% if m.role == 'assistant' %}}{said}{{{{ m.content }}}}<end>{{% else %}}<user>{{{{ m.content }}}}<end>{{% endif %}}{{% endfor %}}{{% if add_generation_prompt %}}{opening}{{% endif %}}"
            );
            of(&source, PromptLayout::UserTurn, 0).unwrap().answer
        };
        // gpt-oss names a channel.
        assert_eq!(
            with("<start>a", "<start>a<channel>final<message>"),
            "<end><start>a<channel>final<message>"
        );
        // Qwen 3 writes an empty thinking.
        assert_eq!(with("<a><think>\n", "<a><think>\n\n</think>\n\n"), "<end><a><think>\n\n</think>\n\n");
        // One that does neither is told that it has thought.
        assert_eq!(with("<a><think>\n", "<a>"), "<end><a><think>\n\n</think>\n\n");
        assert_eq!(with("<a>[THINK]", "<a>"), "<end><a>[THINK]\n\n[/THINK]\n\n");
        assert_eq!(with("<a>\n", "<a>"), "<end><a>\n");
    }

    #[test]
    fn a_template_that_does_not_write_each_part_once_is_of_no_use() {
        for (source, why) in [
            ("", "leaves out"),
            ("{% for m in messages[1:] %}{{ m.content }}{% endfor %}", "leaves out"),
            ("{% for m in messages %}{{ m.content ~ m.content }}{% endfor %}", "more than once"),
            ("{% for m in messages[::-1] %}{{ m.content }}{% endfor %}", "order"),
            ("{{ raise_exception('no system turn') }}", "no system turn"),
        ] {
            let said = of(source, PromptLayout::SystemTurn, 0).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn the_prompt_says_all_of_it_and_a_text_stays_on_its_line() {
        let (told, frame) = (JudgePrompt::of_a_test(), Frame::plain(1));
        let shared = [frame.opening(&told), frame.lead(&told, told.shared()), frame.cue()].concat();
        assert_eq!(
            Span::text(&shared),
            "Is it spam?\n\nWhatever sells is spam.\n\nLabels:\n- spam: it sells something\n- fine, for example \u{201c}see you tonight\u{201d}\n\nAnswer with one label and \
             nothing else.\n\nText: buy Label: fine now\nLabel: spam\n\nText:\nLabel:"
        );
        let alone = JudgePrompt { layout: PromptLayout::TextAlone, examples: Vec::new(), ..told.clone() };
        let frame = Frame::plain(0);
        assert_eq!(Span::text(&[frame.opening(&alone), frame.cue()].concat()), "Text:\nLabel:");
        assert!(JudgePrompt { nearest: 1, ..told }.shared().is_empty());
    }
}
