//! `adjudicate`: lists disagreements, shows one, decides it, undoes a decision, sends cases out for re-annotation.

use std::path::PathBuf;

use super::output::{print, print_json};
use super::setting::Setting;
use crate::desk::adjudication::{DisagreementDetail, Which};
use crate::desk::session::{OnClose, Session};
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::ids::ItemId;
use crate::domain::sanitize::sanitize;
use crate::insight::disputes::Dispute;

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("decides").args(["label", "none"])))]
pub(super) struct Adjudicate {
    /// The project file
    file: PathBuf,
    /// List the items on which experts disagree
    #[arg(long, conflicts_with_all = ["item", "label", "again"])]
    list: bool,
    /// The item. Given alone, it is shown with everybody's answers; an answer of yours to it no longer counts as blind
    #[arg(long, value_name = "INT")]
    item: Option<i64>,
    /// Decide for this label, by name or key; repeat it where a text may have several
    #[arg(long, value_name = "L", requires_all = ["item", "reason"], action = clap::ArgAction::Append)]
    label: Vec<String>,
    /// Decide that none of the labels is right, where a text may have several
    #[arg(long, requires_all = ["item", "reason"], conflicts_with_all = ["undo", "again"])]
    none: bool,
    /// The reason for the decision
    #[arg(long, value_name = "TEXT", requires = "decides")]
    reason: Option<String>,
    /// Undo the decision on the item
    #[arg(long, requires = "item", conflicts_with = "label")]
    undo: bool,
    /// Send cases that were labelled under an older revision of the task out for re-annotation: the item, or all undecided disagreements
    #[arg(long, conflicts_with_all = ["label", "undo"])]
    again: bool,
    /// With --again: send every case that was labelled under an older revision
    #[arg(long, requires = "again", conflicts_with = "item")]
    all: bool,
}

impl Adjudicate {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let mut session = Session::open(&self.file, &setting.expert_on(&self.file)?, OnClose::KeepCases)?;
        let done = self.act(&mut session, setting);
        let closed = session.close();
        done?;
        closed
    }

    fn act(&self, session: &mut Session, setting: &Setting) -> Result<()> {
        let item = self.item.map(ItemId);
        match (item, self.none || !self.label.is_empty()) {
            _ if self.again => {
                let which = match item {
                    Some(item) => Which::Item(item),
                    None if self.all => Which::All,
                    None => Which::Undecided,
                };
                let sent = session.reannotate(which)?;
                if setting.wants_json() {
                    return print_json(&serde_json::json!({ "items": sent.items, "cases": sent.cases }));
                }
                setting.say(&format!(
                    "Sent out for re-annotation: {}, {} to answer.",
                    counted(sent.items, "item", "items"),
                    counted(sent.cases, "case", "cases")
                ))
            }
            (Some(item), true) => setting.print(&session.decide(
                item,
                self.label.clone(),
                self.reason.as_deref().unwrap_or_default(),
            )?),
            (Some(item), false) if self.undo => {
                let Some(label) = session.undo_decision(item)? else {
                    return Err(Fault::new(
                        format!("undo the decision on item {item}"),
                        "there is no decision on it",
                    ));
                };
                if setting.wants_json() {
                    return print_json(&serde_json::json!({ "item": item, "took_back": label }));
                }
                setting.say(&format!("Undid the decision for {} on item {item}.", sanitize(&label)))
            }
            (Some(item), false) => {
                let disagreement_detail = session.disagreement_detail(item)?;
                if setting.wants_json() {
                    print_json(&disagreement_detail)
                } else {
                    print(&sanitize(&all_said(&disagreement_detail)))
                }
            }
            (None, _) => {
                let disputes = session.disputes()?;
                if setting.wants_json() {
                    return print_json(&disputes);
                }
                if disputes.is_empty() {
                    return print("No disagreements, among the items that you may see.");
                }
                print(&sanitize(&disputes.iter().map(row).collect::<Vec<_>>().join("\n")))
            }
        }
    }
}

fn row(dispute: &Dispute) -> String {
    let said = match dispute.yours_to_answer {
        true => "you have not answered yet".to_owned(),
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

fn all_said(disagreement_detail: &DisagreementDetail) -> String {
    let mut out = format!("item {}\n\n{}\n", disagreement_detail.item, disagreement_detail.text);
    for answer in &disagreement_detail.answers {
        let label = answer.label.as_deref().unwrap_or("skipped");
        let first = answer.first.as_ref().map(|first| format!(", first {first}")).unwrap_or_default();
        let over = if answer.overtaken { ", superseded" } else { "" };
        let note = answer.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        out.push_str(&format!(
            "\n{}: {label}{first} (revision {}{over}){note}",
            answer.expert, answer.revision
        ));
    }
    if let Some(decided) = &disagreement_detail.decision {
        let over = if decided.overtaken { " (superseded)" } else { "" };
        let reason = decided.reason.as_deref().unwrap_or_default();
        out.push_str(&format!("\n\ndecided by {}: {}{over}: {reason}", decided.by, decided.label));
    }
    if let Some(label) = disagreement_detail.model.as_ref().and_then(|view| view.prelabel.as_ref()) {
        out.push_str(&format!("\n\nthe model: {label}"));
    }
    out
}
