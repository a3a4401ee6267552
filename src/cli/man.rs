//! `man`: the manual pages of the program and of each verb, from the same words as `--help`.

use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man as Page;

use super::output::{print, print_exact};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::work::output::write_text;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hardcase man | man -l -                                    read the program's page
  hardcase man label | man -l -                              read a verb's page
  hardcase man --folder ~/.local/share/man/man1              install all pages")]
pub(super) struct Man {
    /// The verb whose page you want [default: the page of the program]
    verb: Option<String>,
    /// Write all pages into this folder, which must exist
    #[arg(long, value_name = "FOLDER", conflicts_with = "verb")]
    folder: Option<PathBuf>,
}

impl Man {
    /// `program` is the whole command line.
    pub fn run(self, mut program: Command) -> Result<()> {
        program.build();
        let Some(folder) = self.folder else {
            let page = match &self.verb {
                None => page(&program)?,
                Some(verb) => {
                    let found = pages(&program).find(|p| p.get_name() == verb);
                    let found = found.ok_or_else(|| {
                        Fault::usage("show a manual page", format!("there is no verb '{verb}'"))
                            .hint("`hardcase help` lists the verbs")
                    })?;
                    page(&named(found))?
                }
            };
            return print_exact(page.trim_end());
        };
        let all: Vec<Command> = std::iter::once(program.clone()).chain(pages(&program).map(named)).collect();
        for one in &all {
            write_text(&folder.join(format!("{}.1", one.get_name())), &page(one)?)?;
        }
        print(&format!("{} manual pages written to {}", all.len(), folder.display()))
    }
}

/// The verbs that people are told of.
fn pages(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

/// A verb under the name of its page.
fn named(verb: &Command) -> Command {
    let name = format!("hardcase-{}", verb.get_name());
    verb.clone().name(name.clone()).display_name(name)
}

fn page(of: &Command) -> Result<String> {
    let mut text = Vec::new();
    let rendered = Page::new(of.clone()).render(&mut text);
    rendered.map_err(|e| Fault::new("write a manual page", io_reason(&e)))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
