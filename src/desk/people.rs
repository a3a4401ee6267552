//! Lists and changes the experts of a project: roles, names that are one person, logins.

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
    pub name: String,
    pub role: Role,
    /// The person's first name, if it is another one.
    pub same_as: Option<String>,
    /// Current labels given under this name.
    pub labels: usize,
    /// When the name was first used, UTC.
    pub since: String,
    /// The logins under which the name was used.
    pub logins: Vec<Login>,
    /// Current labels from a login that is not tied to this name.
    pub untied_labels: usize,
    /// Whether there are no such labels.
    pub tied: bool,
}

/// A login under which a name was used.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    pub login: String,
    /// Whether the name is tied to it.
    pub tied: bool,
}

/// A requested change, by names.
#[derive(Clone, Debug)]
pub enum ChangeRequest {
    /// Two names are one person.
    Same(String, String),
    /// Two names are two people.
    Apart(String, String),
    /// A person has this role from now on.
    Role(String, Role),
}

#[derive(Clone, Debug, Serialize)]
pub struct ChangeReport {
    /// Whether anything was written.
    pub changed: bool,
    /// The outcome in one sentence.
    pub says: String,
}

impl std::fmt::Display for ChangeReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.says)
    }
}

/// All names, in the order in which they were first used.
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

/// Changes roles, or which names are one person, as the lead `speaker`. When this returns, it is on disk.
///
/// # Errors
/// No such expert, a speaker who is not a lead, or a change that would leave the project without a lead.
pub fn change_experts(project: &Path, speaker: &str, request: &ChangeRequest) -> Result<ChangeReport> {
    let mut store = Store::open(project, Access::Session)?;
    let attempted = match request {
        ChangeRequest::Same(one, other) => format!("declare {one} and {other} to be one person"),
        ChangeRequest::Apart(one, other) => format!("declare {one} and {other} to be two people"),
        ChangeRequest::Role(name, role) => format!("make {name} {}", with_article(*role)),
    };
    let find = |name: &str| -> Result<ExpertId> {
        store.find_expert(name)?.ok_or_else(|| {
            let known = store.experts().unwrap_or_default();
            let names: Vec<String> = known.into_iter().map(|(_, name)| name).collect();
            Fault::usage(&attempted, format!("the project has no expert called {name}"))
                .hint(format!("Its experts are {}", names.join(", ")))
        })
    };
    let change = match request {
        ChangeRequest::Same(one, other) | ChangeRequest::Apart(one, other) if one.trim() == other.trim() => {
            return Err(
                Fault::usage(attempted, "the two names are the same").hint("Give two different names")
            );
        }
        ChangeRequest::Same(one, other) => Change::Same(find(one)?, find(other)?),
        ChangeRequest::Apart(one, other) => Change::Apart(find(one)?, find(other)?),
        ChangeRequest::Role(name, role) => Change::Role(find(name)?, *role),
    };
    let not_lead = |store: &Store| -> Result<Fault> {
        let leads = store.leads()?;
        let who = if leads.len() == 1 { "The lead is" } else { "The leads are" };
        Ok(Fault::usage(&attempted, format!("only a lead may do that, and {speaker} is not a lead"))
            .hint(format!("{who} {}; if that is you, add --as NAME", leads.join(" and "))))
    };
    // A failed attempt must not add the speaker to the experts.
    let Some(expert) = store.find_expert(speaker)? else { return Err(not_lead(&store)?) };
    if store.role(expert)? != Role::Lead {
        return Err(not_lead(&store)?);
    }
    let (expert, session) = store.begin_session(speaker)?;
    let changed = store.change_experts((expert, session), change);
    store.end_session(session, false)?;
    let changed = changed?;
    let says = match (changed, request) {
        (Changed::NotLead, _) => return Err(not_lead(&store)?),
        (Changed::LastLead, _) => {
            return Err(Fault::usage(attempted, "a project must have a lead, and there is no other")
                .hint("Make another expert a lead first: `hardcase expert FILE role NAME lead`"));
        }
        (Changed::TiedByOthers, _) => {
            return Err(Fault::usage(attempted, "both are the same person as a third name").hint(
                "Undo one of those first; `hardcase expert FILE list` shows which names are one person",
            ));
        }
        (Changed::Already, ChangeRequest::Same(one, other)) => {
            format!("{one} and {other} are one person already.")
        }
        (Changed::Already, ChangeRequest::Apart(one, other)) => {
            format!("{one} and {other} are two people already.")
        }
        (Changed::Already, ChangeRequest::Role(name, role)) => {
            format!("{name} is {} already.", with_article(*role))
        }
        (Changed::Yes, ChangeRequest::Same(one, other)) => {
            format!("{one} and {other} are now one person. If both answered a text, the later answer counts.")
        }
        (Changed::Yes, ChangeRequest::Apart(one, other)) => {
            format!("{one} and {other} are now two people. Their answers count separately.")
        }
        (Changed::Yes, ChangeRequest::Role(name, Role::Lead)) => {
            format!("{name} is now a lead, who sees all answers, closes rounds and changes roles.")
        }
        (Changed::Yes, ChangeRequest::Role(name, Role::Expert)) => {
            format!("{name} is now an expert, who sees others' answers only after a case is closed.")
        }
    };
    Ok(ChangeReport { changed: changed == Changed::Yes, says })
}

fn with_article(role: Role) -> &'static str {
    match role {
        Role::Lead => "a lead",
        Role::Expert => "an expert",
    }
}

/// Who works under this login if nobody says who: the lead who does, else the one name under which it has labelled, else the login name.
/// A name that was given once on a command line is thus never the default of the lead.
///
/// # Errors
/// The project cannot be opened.
pub fn usual_expert(project: &Path, login: &str) -> Result<String> {
    let store = Store::open(project, Access::Read)?;
    if let Some(lead) = store.lead_of_login()? {
        return Ok(lead);
    }
    Ok(match &store.experts_of_login()?[..] {
        [name] => name.clone(),
        _ => login.to_owned(),
    })
}

/// Somebody works here under a name. If the project was made under the login alone, nobody has labelled yet and this is somebody at the same
/// login, then the name leads instead of the login: the person who makes a project leads it.
///
/// # Errors
/// The project cannot be opened or written, or the name is not one.
pub fn lead_under_a_name(project: &Path, name: &str) -> Result<()> {
    let mut store = Store::open(project, Access::Session)?;
    let Some(unnamed) = store.unnamed_lead()? else { return Ok(()) };
    if store.find_expert(name)? == Some(unnamed) {
        return Ok(());
    }
    let (expert, session) = store.begin_session(name)?;
    let login = crate::store::db::process::login();
    let (_, by) = store.begin_session(&login)?;
    let changed = store
        .change_experts((unnamed, by), Change::Role(expert, Role::Lead))
        .and_then(|_| store.change_experts((unnamed, by), Change::Role(unnamed, Role::Expert)));
    store.end_session(by, false)?;
    store.end_session(session, false)?;
    changed.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;

    #[test]
    fn who_types_a_name_first_at_the_login_that_made_the_project_leads_it() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("p.hardcase");
        let login = crate::store::db::process::login();
        let mut store =
            Store::create(&project, NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
        store.begin_session(&login).unwrap();
        drop(store);
        assert_eq!(usual_expert(&project, &login).unwrap(), login);
        lead_under_a_name(&project, &login).unwrap();
        lead_under_a_name(&project, "Grace").unwrap();
        lead_under_a_name(&project, "Bob").unwrap();
        let store = Store::open(&project, Access::Read).unwrap();
        assert_eq!(store.leads().unwrap(), ["Grace"]);
        assert_eq!(usual_expert(&project, &login).unwrap(), "Grace", "before anybody has labelled");
    }
}
