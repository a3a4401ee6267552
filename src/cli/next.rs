//! `next`: the next case for this expert.

use std::path::PathBuf;

use super::output::{print, print_json};
use super::setting::Setting;
use crate::desk::session;
use crate::desk::session::{OnClose, Session};
use crate::desk::shown::ShownCase;
use crate::domain::fault::Result;
use crate::domain::progress::Watcher;
use crate::domain::sanitize::sanitize;

#[derive(clap::Args)]
pub(super) struct Next {
    /// The project file
    file: PathBuf,
    /// Also show the split, the reason and the model's probabilities; your answer is then recorded as not blind
    #[arg(long)]
    reveal: bool,
}

impl Next {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let expert = setting.expert_on(&self.file)?;
        let mut session = Session::open(&self.file, &expert, OnClose::KeepCases)?;
        if let Some(says) = session.welcome(&expert) {
            setting.watch.note(&says);
        }
        match session.next_case()? {
            session::Next::Case(mut case) => {
                if self.reveal {
                    case.revealed = session.reveal(case.case)?;
                }
                if setting.wants_json() {
                    print_json(&case)?;
                } else {
                    print(&in_words(&case, &session.task().question))?;
                }
            }
            session::Next::None(why) if setting.wants_json() => {
                print_json(
                    &serde_json::json!({ "case": null, "state": why.state(), "why": why.to_string() }),
                )?;
            }
            session::Next::None(why) => print(&why.to_string())?,
        }
        session.close()
    }
}

/// A case as text, with everything from the pool sanitized.
pub(super) fn in_words(case: &ShownCase, question: &str) -> String {
    let shown = text_and_meta(&case.text, &case.meta);
    let id = case.id.as_deref().map(|id| format!("{} · ", sanitize(id))).unwrap_or_default();
    let mut out = format!("{id}case {} (item {})\n\n{shown}", case.case, case.item);
    if let Some(partner) = &case.partner {
        out.push_str(&format!(
            "\nsimilar text ({:.2}):\n\n  {}\n",
            partner.similarity,
            indent(&partner.text)
        ));
    }
    if let Some(r) = &case.revealed {
        let p: Vec<String> = r
            .probabilities
            .iter()
            .map(|(name, p)| format!("{} {:.2}", sanitize(name), p.as_f64().unwrap_or(0.0)))
            .collect();
        let similar = r
            .partner
            .map(|label| format!("; to the model, the similar text has {label}"))
            .unwrap_or_default();
        out.push_str(&format!("\nrevealed: {}; {}{similar}; {}\n", r.split, r.in_words, p.join(", ")));
    }
    let labels: Vec<String> = case
        .labels
        .iter()
        .map(|l| {
            sanitize(&match l.key {
                Some(key) => format!("{key} {}", l.name),
                None => l.name.clone(),
            })
        })
        .collect();
    out.push_str(&format!("\n{}   {}", sanitize(question), labels.join("   ")));
    out
}

/// A text with its metadata, indented and sanitized.
pub(super) fn text_and_meta(text: &str, meta: &serde_json::Value) -> String {
    let mut out = format!("  {}\n", indent(text));
    for (name, value) in meta.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push_str(&format!("  {}: {}\n", sanitize(name), indent(&value)));
    }
    out
}

fn indent(text: &str) -> String {
    sanitize(text).replace('\n', "\n  ")
}
