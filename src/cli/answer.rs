//! `answer`: records an answer.

use std::path::PathBuf;

use super::setting::Setting;
use crate::desk::session::{OnClose, Remarks, Session};
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;

#[derive(clap::Args)]
pub(super) struct Answer {
    /// The project file
    file: PathBuf,
    /// The item's number, as `next` shows it
    #[arg(long, value_name = "INT")]
    item: i64,
    /// The label, by name or key
    #[arg(long, value_name = "L")]
    label: String,
    /// A note to keep with the answer
    #[arg(long, value_name = "T")]
    note: Option<String>,
}

impl Answer {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let mut session = Session::open(&self.file, &setting.expert_on(&self.file)?, OnClose::KeepCases)?;
        let remarks = Remarks { note: self.note, ..Remarks::default() };
        let saved = session.answer_and_count(ItemId(self.item), &self.label, remarks);
        let closed = session.close();
        setting.print(&saved?)?;
        closed
    }
}
