//! `expert`: who labels here, who leads, and which names are one person.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::output::{print, print_json};
use super::setting::Setting;
use crate::desk::people::{Listed, Wanted, list, settle};
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
    /// Every name with its role, labels and logins
    List,
    /// Two names are one person, whose answers count once
    Same {
        /// A name
        #[arg(value_name = "A")]
        one: String,
        /// Another
        #[arg(value_name = "B")]
        other: String,
    },
    /// They are not: takes back `same`
    Apart {
        /// A name
        #[arg(value_name = "A")]
        one: String,
        /// Another
        #[arg(value_name = "B")]
        other: String,
    },
    /// Make somebody a lead, who sees all answers and closes rounds, or an expert again
    Role {
        /// The expert's name
        #[arg(value_name = "NAME")]
        who: String,
        /// The role
        #[arg(value_enum)]
        role: RoleArgument,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleArgument {
    /// Sees all answers, closes rounds, says who leads and who is one person
    Lead,
    /// Sees the own answers alone until a case is closed
    Expert,
}

impl Expert {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let wanted = match self.action {
            Action::List => {
                let listed = list(&self.file)?;
                return if setting.wants_json() { print_json(&listed) } else { print(&in_words(&listed)) };
            }
            Action::Same { one, other } => Wanted::Same(one, other),
            Action::Apart { one, other } => Wanted::Apart(one, other),
            Action::Role { who, role: RoleArgument::Lead } => Wanted::Role(who, Role::Lead),
            Action::Role { who, role: RoleArgument::Expert } => Wanted::Role(who, Role::Expert),
        };
        let settled = settle(&self.file, &setting.reader_on(&self.file)?, &wanted)?;
        if setting.wants_json() { print_json(&settled) } else { setting.say(&sanitize(&settled.says)) }
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
            1 => "; 1 label is from a login that the name is not tied to".to_owned(),
            n => format!("; {n} labels are from logins that the name is not tied to"),
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
