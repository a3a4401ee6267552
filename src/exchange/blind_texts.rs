//! Texts that come from outside and are in the pool, too: of those that the reader may still be asked about the model's view is not shown.

use std::collections::HashMap;
use std::path::Path;

use super::export::{Reveal, record_reveal};
use crate::domain::fault::Result;
use crate::domain::ids::{CaseId, ExpertId, ItemId};
use crate::domain::item::ItemKey;
use crate::store::Store;

/// The texts about which a reader may still be asked, by key.
pub(crate) struct BlindTexts {
    keys: HashMap<ItemKey, (ItemId, CaseId)>,
    expert: Option<ExpertId>,
    name: String,
    reveal: Reveal,
    left_out: usize,
}

impl BlindTexts {
    pub fn read(store: &Store, reader: &str, reveal: Reveal) -> Result<Self> {
        let expert = store.find_expert(reader)?;
        let mut keys = HashMap::new();
        for (item, case) in store.blindness(expert)?.to_answer {
            keys.extend(store.key_and_split(item)?.map(|(key, _)| (key, (item, case))));
        }
        Ok(Self { keys, expert, name: reader.to_owned(), reveal, left_out: 0 })
    }

    /// Whether the model's view of each text may be shown. With [`Reveal::Yes`] all may, and what that makes not blind is recorded before this returns.
    ///
    /// # Errors
    /// Those of [`record_reveal`].
    pub fn may_show(&mut self, project: &Path, texts: &[ItemKey]) -> Result<Vec<bool>> {
        if self.reveal == Reveal::Yes {
            let shown = texts.iter().filter_map(|key| self.keys.remove(key)).collect();
            record_reveal(project, (self.expert, &self.name), shown)?;
        }
        let shown: Vec<bool> = texts.iter().map(|key| !self.keys.contains_key(key)).collect();
        self.left_out += shown.iter().filter(|shown| !**shown).count();
        Ok(shown)
    }

    /// How many texts may not have been shown so far.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::domain::split::{Split, SplitShares};
    use crate::domain::task::Task;
    use crate::store::pool::sources::{ImportRow, LoadOptions};
    use crate::store::{Access, NewProject};

    const TASK: &str =
        "question = \"?\"\n[[label]]\nname = \"a\"\nkey = \"1\"\n[[label]]\nname = \"b\"\nkey = \"2\"\n";

    /// A text that is drawn for the audit.
    struct Audit(i64, &'static str);

    impl ImportRow for Audit {
        fn row(&self) -> i64 {
            self.0
        }
        fn text(&self) -> &str {
            self.1
        }
        fn key(&self) -> ItemKey {
            ItemKey::of(self.1)
        }
        fn split(&self) -> Split {
            Split::Audit
        }
        fn external_id(&self) -> Option<&str> {
            None
        }
        fn gold(&self) -> Option<&str> {
            None
        }
        fn meta(&self) -> Option<&str> {
            None
        }
        fn fields(&self, _item_holds_text: bool) -> Cow<'_, str> {
            "{}".into()
        }
    }

    #[test]
    fn a_text_of_an_open_case_is_known_in_any_spelling_and_shown_only_where_that_is_recorded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        let mut store = Store::create(&path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
        let (ada, session) = store.begin_session("ada").unwrap();
        store.set_task(&Task::from_toml(TASK, "t").unwrap(), session).unwrap();
        let mut load = store.begin_source("x", "{}", LoadOptions::default()).unwrap();
        store.add_rows(&mut load, [Audit(1, "one text"), Audit(2, "another")]).unwrap();
        store.finish_source(load, 0, 0).unwrap();
        assert!(store.open_round_0(2, 1).unwrap());
        drop(store);

        let store = Store::open(&path, Access::Read).unwrap();
        let data = ["one  text ", "new", "another", "new"].map(ItemKey::of);
        for name in ["ada", "zoe"] {
            let mut blind = BlindTexts::read(&store, name, Reveal::No).unwrap();
            assert_eq!(blind.may_show(&path, &data).unwrap(), [false, true, false, true], "{name}");
            assert_eq!(blind.left_out(), 2);
        }
        assert!(!store.is_revealed(ada, ItemId(1)).unwrap());
        let mut unknown = BlindTexts::read(&store, "zoe", Reveal::Yes).unwrap();
        assert!(unknown.may_show(&path, &data).unwrap_err().to_string().contains("nobody of that name"));
        let mut blind = BlindTexts::read(&store, "ada", Reveal::Yes).unwrap();
        assert_eq!(blind.may_show(&path, &data[..1]).unwrap(), [true]);
        assert!(store.is_revealed(ada, ItemId(1)).unwrap() && !store.is_revealed(ada, ItemId(2)).unwrap());
    }
}
