//! What the workstation says and does of texts that came while it was closed.

use super::app::App;
use super::effect::Effect;
use super::keys::Action;
use super::shared::says_of_change;
use super::widgets::frame::Notice;
use crate::desk::grown::{ChangedFile, Grown};
use crate::desk::jobs::JobKind;

impl App {
    /// Tells of files that have new rows, and has the model read texts that came while the workstation was closed.
    pub(super) fn hear_of_new(&mut self, grown: Grown) -> Vec<Effect> {
        let how = self.settings.keys.how_to(Action::AddTexts);
        if let (Some(file), None) = (grown.files.first(), &self.notice) {
            self.notice = Some(Notice::quiet(says_of_change(file, &how)));
        }
        self.shared.changed_files = grown.files;
        if grown.unread && self.shared.about.has_engine && !self.began.scout {
            self.began.scout = true;
            return self.start(vec![JobKind::Scout]);
        }
        Vec::new()
    }

    pub(super) fn add_texts(&mut self) -> Vec<Effect> {
        let files: Vec<ChangedFile> =
            self.shared.changed_files.iter().filter(|file| file.has_new_rows()).cloned().collect();
        if files.is_empty() {
            let says = "No imported file has new rows. To add another file: hardcase import FILE DATA";
            return self.say(Notice::quiet(says.into()));
        }
        if let Some(busy) = self.shared.jobs.refusal(&[JobKind::Import, JobKind::Scout], true) {
            return self.say(busy);
        }
        self.shared.changed_files.retain(|file| !file.has_new_rows());
        vec![Effect::AddNew(files)]
    }
}
