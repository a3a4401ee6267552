//! The experts of a project, as a person reads and changes them: roles, names that are one person, logins.

use std::path::Path;

use serde::Serialize;

use crate::domain::expert::{Change, Changed, Role};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ExpertId;
use crate::domain::moment;
use crate::store::{Access, Store};

/// A name under which answers were given.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The person's first name, where this is another.
    pub same_as: Option<String>,
    /// Standing labels given under it.
    pub labels: usize,
    /// When it was enrolled, UTC.
    pub since: String,
    /// The logins under which it was used.
    pub logins: Vec<Login>,
    /// Standing labels of it from a login that it is not tied to.
    pub untied_labels: usize,
    /// Whether it has none of these.
    pub tied: bool,
}

/// A login under which a name was used.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    /// Its name.
    pub login: String,
    /// Whether the name is tied to it.
    pub tied: bool,
}

/// What is to be changed, by names.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Two names are one person.
    Same(String, String),
    /// They are not.
    Apart(String, String),
    /// A person has this role from now on.
    Role(String, Role),
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Settled {
    /// Whether anything was written: not where it was so already.
    pub changed: bool,
    /// In one sentence.
    pub says: String,
}

impl std::fmt::Display for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.says)
    }
}

/// All names, in the order in which they were enrolled.
pub fn list(project: &Path) -> Result<Vec<Listed>> {
    let enrolled = Store::open(project, Access::Read)?.enrolled()?;
    let name_of = |id: ExpertId| enrolled.iter().find(|e| e.expert == id).map(|e| e.name.clone());
    let listed = enrolled.iter().map(|e| Listed {
        name: e.name.clone(),
        role: e.role,
        same_as: name_of(e.person).filter(|_| e.person != e.expert),
        labels: e.labels,
        since: moment::exact(e.since_ms).unwrap_or_default(),
        logins: e.logins.iter().map(|(login, tied)| Login { login: login.clone(), tied: *tied }).collect(),
        untied_labels: e.untied,
        tied: e.untied == 0,
    });
    Ok(listed.collect())
}

/// Changes what a lead may change of experts. When this returns, it is on disk.
///
/// # Errors
/// No such expert, a speaker who does not lead, or a change that would leave nobody to lead.
pub fn settle(project: &Path, speaker: &str, wanted: &Wanted) -> Result<Settled> {
    let mut store = Store::open(project, Access::Session)?;
    let attempted = match wanted {
        Wanted::Same(one, other) => format!("say that {one} and {other} are one person"),
        Wanted::Apart(one, other) => format!("say that {one} and {other} are two persons"),
        Wanted::Role(name, role) => format!("make {name} {}", with_article(*role)),
    };
    let find = |name: &str| -> Result<ExpertId> {
        store.find_expert(name)?.ok_or_else(|| {
            let known = store.experts().unwrap_or_default();
            let names: Vec<String> = known.into_iter().map(|(_, name)| name).collect();
            Fault::usage(&attempted, format!("the project knows no expert called {name}"))
                .hint(format!("It knows {}", names.join(", ")))
        })
    };
    let change = match wanted {
        Wanted::Same(one, other) | Wanted::Apart(one, other) if one.trim() == other.trim() => {
            return Err(Fault::usage(attempted, "that is one name").hint("Give two names"));
        }
        Wanted::Same(one, other) => Change::Same(find(one)?, find(other)?),
        Wanted::Apart(one, other) => Change::Apart(find(one)?, find(other)?),
        Wanted::Role(name, role) => Change::Role(find(name)?, *role),
    };
    let not_lead = |store: &Store| -> Result<Fault> {
        Ok(Fault::usage(&attempted, format!("only a lead may, and {speaker} does not lead"))
            .hint(format!("{} does; whoever that is says it with --as NAME", store.leads()?.join(" and "))))
    };
    // Whoever may not change anything is not enrolled by trying.
    let Some(expert) = store.find_expert(speaker)? else { return Err(not_lead(&store)?) };
    if store.role(expert)? != Role::Lead {
        return Err(not_lead(&store)?);
    }
    let (expert, session) = store.begin_session(speaker)?;
    let changed = store.change_experts((expert, session), change);
    store.end_session(session, false)?;
    let changed = changed?;
    let says = match (changed, wanted) {
        (Changed::NotLead, _) => return Err(not_lead(&store)?),
        (Changed::LastLead, _) => {
            return Err(Fault::usage(attempted, "a project always has a lead, and there is no other")
                .hint("Make another expert a lead first: `hardcase expert FILE role NAME lead`"));
        }
        (Changed::TiedByOthers, _) => {
            return Err(Fault::usage(
                attempted,
                "other names tie them: each of the two is the same as a third",
            )
            .hint("Take that apart: `hardcase expert FILE list` shows which names are one person"));
        }
        (Changed::Already, Wanted::Same(one, other)) => format!("{one} and {other} were one person already"),
        (Changed::Already, Wanted::Apart(one, other)) => {
            format!("{one} and {other} were two persons already")
        }
        (Changed::Already, Wanted::Role(name, role)) => {
            format!("{name} was {} already", with_article(*role))
        }
        (Changed::Yes, Wanted::Same(one, other)) => {
            format!("{one} and {other} are one person: of two answers to a text the later one counts")
        }
        (Changed::Yes, Wanted::Apart(one, other)) => {
            format!("{one} and {other} are two persons, and their answers count apart")
        }
        (Changed::Yes, Wanted::Role(name, Role::Lead)) => {
            format!("{name} leads: sees all answers, and may close rounds and change roles")
        }
        (Changed::Yes, Wanted::Role(name, Role::Expert)) => {
            format!("{name} is an expert: sees the own answers alone until a case is closed")
        }
    };
    Ok(Settled { changed: changed == Changed::Yes, says })
}

fn with_article(role: Role) -> &'static str {
    match role {
        Role::Lead => "a lead",
        Role::Expert => "an expert",
    }
}

/// The name under which this process's login reads the project, where it gives none: its own, else the one under which it always labelled.
///
/// # Errors
/// The project cannot be opened.
pub fn reader(project: &Path, login: &str) -> Result<String> {
    let store = Store::open(project, Access::Read)?;
    Ok(match &store.experts_of_login()?[..] {
        [name] => name.clone(),
        _ => login.to_owned(),
    })
}
