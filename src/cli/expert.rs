//! `expert`: lists the experts, sets their roles, and says which names are one person.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::output::{print, print_json};
use super::setting::Setting;
use crate::desk::people::{ChangeRequest, Listed, change_experts, list};
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::grouped::grouped;
use crate::domain::sanitize::sanitize;

#[derive(clap::Args)]
pub(super) struct Expert {
    /// The project file
    file: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List all names with their roles, labels and logins
    List,
    /// Declare that two names are one person, whose answers count once
    Same {
        /// One name
        #[arg(value_name = "A")]
        one: String,
        /// The other name
        #[arg(value_name = "B")]
        other: String,
    },
    /// Declare that two names are two people: undoes `same`
    Apart {
        /// One name
        #[arg(value_name = "A")]
        one: String,
        /// The other name
        #[arg(value_name = "B")]
        other: String,
    },
    /// Set somebody's role
    Role {
        /// The expert's name
        #[arg(value_name = "NAME")]
        who: String,
        /// The new role
        #[arg(value_enum)]
        role: RoleArgument,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleArgument {
    /// Sees all answers, closes rounds, decides disagreements, manages experts
    Lead,
    /// Labels, and sees other experts' answers only after a case is closed
    Expert,
}

impl Expert {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let request = match self.action {
            Action::List => {
                let listed = list(&self.file)?;
                return if setting.wants_json() { print_json(&listed) } else { print(&in_words(&listed)) };
            }
            Action::Same { one, other } => ChangeRequest::Same(one, other),
            Action::Apart { one, other } => ChangeRequest::Apart(one, other),
            Action::Role { who, role: RoleArgument::Lead } => ChangeRequest::Role(who, Role::Lead),
            Action::Role { who, role: RoleArgument::Expert } => ChangeRequest::Role(who, Role::Expert),
        };
        let report = change_experts(&self.file, &setting.expert_on(&self.file)?, &request)?;
        if setting.wants_json() { print_json(&report) } else { setting.say(&sanitize(&report.says)) }
    }
}

fn in_words(listed: &[Listed]) -> String {
    let name = |e: &Listed| match &e.same_as {
        Some(first) => format!("{} (is {})", sanitize(&e.name), sanitize(first)),
        None => sanitize(&e.name),
    };
    let width = listed.iter().map(|e| name(e).chars().count()).max().unwrap_or(0).max("expert".len());
    let mut lines = vec![format!("{:<width$}  role    {:>7}  since       logins", "expert", "labels")];
    for e in listed {
        let logins: Vec<String> = e
            .logins
            .iter()
            .map(|l| format!("{}{}", sanitize(&l.login), if l.tied { "" } else { " (not tied)" }))
            .collect();
        let untied = match e.untied_labels {
            0 => String::new(),
            1 => "; 1 label is from a login not tied to this name".to_owned(),
            n => format!("; {n} labels are from logins not tied to this name"),
        };
        let since = e.since.get(..10).unwrap_or(&e.since);
        lines.push(format!(
            "{:<width$}  {:<6}  {:>7}  {since}  {}{untied}",
            name(e),
            e.role.as_str(),
            grouped(e.labels as u64),
            logins.join(", ")
        ));
    }
    lines.join("\n")
}
