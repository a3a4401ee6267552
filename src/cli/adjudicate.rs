//! `adjudicate`: lists disagreements, shows one, decides it, takes a decision back, sends cases round again.

use std::path::PathBuf;

use super::output::{harmless, print, print_json};
use super::setting::Setting;
use crate::desk::adjudication::{Dispute, Dossier, Which};
use crate::desk::sitting::{Leaving, Sitting};
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::ids::ItemId;

#[derive(clap::Args)]
pub(super) struct Adjudicate {
    /// The project file
    file: PathBuf,
    /// List the items on which experts differ
    #[arg(long, conflicts_with_all = ["item", "label", "again"])]
    list: bool,
    /// The item: alone it is shown with all that was said of it, and your answer to it is no blind one any more
    #[arg(long, value_name = "INT")]
    item: Option<i64>,
    /// Decide: the label, its name or its key
    #[arg(long, value_name = "L", requires_all = ["item", "reason"])]
    label: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "label")]
    reason: Option<String>,
    /// Take back the decision on the item
    #[arg(long, requires = "item", conflicts_with = "label")]
    undo: bool,
    /// Send cases round again that were labelled under an older revision of the task: the item, or those on which experts differ and nobody
    /// has decided
    #[arg(long, conflicts_with_all = ["label", "undo"])]
    again: bool,
    /// With --again: all that were labelled under an older revision
    #[arg(long, requires = "again", conflicts_with = "item")]
    all: bool,
}

impl Adjudicate {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let mut sitting = Sitting::open(&self.file, &setting.expert_on(&self.file)?, Leaving::KeepsCases)?;
        let done = self.act(&mut sitting, setting);
        let closed = sitting.close();
        done?;
        closed
    }

    fn act(&self, sitting: &mut Sitting, setting: &Setting) -> Result<()> {
        let item = self.item.map(ItemId);
        match (item, &self.label) {
            _ if self.again => {
                let which = match item {
                    Some(item) => Which::Item(item),
                    None if self.all => Which::All,
                    None => Which::Undecided,
                };
                let sent = sitting.send_round(which)?;
                if setting.wants_json() {
                    return print_json(&serde_json::json!({ "items": sent.items, "cases": sent.cases }));
                }
                setting.say(&format!(
                    "sent round again: {}, {} to answer",
                    counted(sent.items, "item", "items"),
                    counted(sent.cases, "case", "cases")
                ))
            }
            (Some(item), Some(label)) => {
                setting.print(&sitting.decide(item, label, self.reason.as_deref().unwrap_or_default())?)
            }
            (Some(item), None) if self.undo => {
                let Some(label) = sitting.take_back_decision(item)? else {
                    return Err(Fault::new(
                        format!("take back the decision on item {item}"),
                        "nothing is decided there",
                    ));
                };
                if setting.wants_json() {
                    return print_json(&serde_json::json!({ "item": item, "took_back": label }));
                }
                setting.say(&format!("took back: the decision for {} on item {item}", harmless(&label)))
            }
            (Some(item), None) => {
                let dossier = sitting.dossier(item)?;
                if setting.wants_json() {
                    print_json(&dossier)
                } else {
                    print(&harmless(&all_said(&dossier)))
                }
            }
            (None, _) => {
                let disputes = sitting.disputes()?;
                if setting.wants_json() {
                    return print_json(&disputes);
                }
                if disputes.is_empty() {
                    return print("experts differ on no item that you may see");
                }
                print(&harmless(&disputes.iter().map(row).collect::<Vec<_>>().join("\n")))
            }
        }
    }
}

fn row(dispute: &Dispute) -> String {
    let said = match dispute.yours_to_answer {
        true => "you have not answered it".to_owned(),
        false => dispute
            .answers
            .iter()
            .map(|said| format!("{} {}", said.expert, said.label.as_deref().unwrap_or("-")))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let decided = dispute.decided.as_ref().map(|label| format!("; decided: {label}")).unwrap_or_default();
    let text: String = dispute.beginning.chars().take(60).collect();
    format!("item {}: {said}{decided}: {}", dispute.item, text.replace(['\n', '\r'], " "))
}

fn all_said(dossier: &Dossier) -> String {
    let mut out = format!("item {}\n\n{}\n", dossier.item, dossier.text);
    for answer in &dossier.answers {
        let label = answer.label.as_deref().unwrap_or("skipped");
        let first = answer.first.as_ref().map(|first| format!(", first {first}")).unwrap_or_default();
        let over = if answer.overtaken { ", counts no more" } else { "" };
        let note = answer.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        out.push_str(&format!(
            "\n{}: {label}{first} (revision {}{over}){note}",
            answer.expert, answer.revision
        ));
    }
    if let Some(decided) = &dossier.decision {
        let over = if decided.overtaken { " (counts no more)" } else { "" };
        let reason = decided.reason.as_deref().unwrap_or_default();
        out.push_str(&format!("\n\ndecided by {}: {}{over}: {reason}", decided.by, decided.label));
    }
    if let Some(label) = dossier.model.as_ref().and_then(|view| view.prelabel.as_ref()) {
        out.push_str(&format!("\n\nthe model: {label}"));
    }
    out
}
