//! `assign`: a copy of the project with cases for a reviewer elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::part::Models;
use crate::exchange::assign::{Assignment, assign};

/// Write a copy with cases for a reviewer elsewhere, to be merged back later.
///
/// The copy holds the cases, the similar texts shown with them, and the task: no other text, no gold labels, nobody's answers. The reviewer
/// labels it like any project; `hardcase merge PROJECT COPY` brings the answers back.
#[derive(clap::Args)]
pub(super) struct Assign {
    /// The project file
    file: PathBuf,
    /// The reviewer's name
    #[arg(long, value_name = "NAME")]
    to: String,
    /// Greatest number of cases [default: all that are open to the reviewer]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Leave out vectors and adapters, which labelling does not need
    #[arg(long)]
    without_models: bool,
    /// How long the cases are reserved for the reviewer, such as 12h, 14d or 3w
    #[arg(long = "for", value_name = "TIME", default_value = "14d", value_parser = span)]
    reserved: Duration,
    /// The copy to write
    #[arg(short, long, value_name = "COPY")]
    out: PathBuf,
}

impl Assign {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let what = Assignment {
            to: &self.to,
            limit: self.limit.unwrap_or(usize::MAX),
            models: if self.without_models { Models::LeftOut } else { Models::Included },
            reserved: self.reserved,
            out: &self.out,
        };
        setting.print(&assign(&self.file, &setting.expert_on(&self.file)?, &what)?)
    }
}

/// A number and a unit.
fn span(text: &str) -> std::result::Result<Duration, String> {
    let unit = [("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)]
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let number = unit.and_then(|(digits, seconds): (&str, u64)| Some((digits.parse::<u64>().ok()?, seconds)));
    match number {
        Some((n @ 1.., seconds)) if n.saturating_mul(seconds) <= 366 * 86_400 => {
            Ok(Duration::from_secs(n * seconds))
        }
        _ => Err("give a number with m, h, d or w, such as 14d, up to a year".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(span("14d"), Ok(Duration::from_secs(14 * 86_400)));
        assert_eq!(span("90m"), Ok(Duration::from_secs(5_400)));
        for bad in ["", "d", "0d", "-1d", "14", "1y", "99999999999w", "1.5d"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
