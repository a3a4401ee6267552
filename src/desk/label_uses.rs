//! Which labels an expert gives most often, so that these come first where there are many.

use std::collections::HashMap;

use super::session::Session;
use crate::domain::fault::Result;

impl Session {
    /// How often this expert has given each label, by its name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn label_uses(&self) -> Result<HashMap<String, usize>> {
        let mut uses: HashMap<String, usize> = HashMap::new();
        for (answer, times) in self.store.answer_uses_of(self.expert)? {
            for key in answer.labels() {
                *uses.entry(self.name_of(key)).or_default() += times;
            }
        }
        Ok(uses)
    }
}
