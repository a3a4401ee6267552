//! `completions`: what a shell needs to complete verbs and options.

use clap_complete::Shell;

use super::output::print_exact;
use crate::domain::fault::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hardcase completions bash > ~/.local/share/bash-completion/completions/hardcase
  hardcase completions fish > ~/.config/fish/completions/hardcase.fish
  hardcase completions zsh > ~/.zfunc/_hardcase    (with ~/.zfunc in your fpath)")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// `program` is the whole command line.
    pub fn run(self, mut program: clap::Command) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "hardcase", &mut script);
        print_exact(String::from_utf8_lossy(&script).trim_end())
    }
}
