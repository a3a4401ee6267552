//! A row of an import that is little more than a text, for tests.

use std::borrow::Cow;

use super::sources::ImportRow;
use crate::domain::item::ItemKey;
use crate::domain::split::Split;

/// All such rows are for training.
pub struct TextRow {
    number: i64,
    text: String,
    meta: Option<&'static str>,
    id: Option<&'static str>,
}

impl TextRow {
    pub fn new(number: i64, text: impl Into<String>) -> Self {
        Self { number, text: text.into(), meta: None, id: None }
    }

    /// The same with columns to show next to the text, as a JSON object.
    pub fn with_meta(self, meta: &'static str) -> Self {
        Self { meta: Some(meta), ..self }
    }

    /// The same with an id of its file.
    pub fn with_id(self, id: &'static str) -> Self {
        Self { id: Some(id), ..self }
    }
}

impl ImportRow for TextRow {
    fn row(&self) -> i64 {
        self.number
    }
    fn text(&self) -> &str {
        &self.text
    }
    fn key(&self) -> ItemKey {
        ItemKey::of(&self.text)
    }
    fn split(&self) -> Split {
        Split::Train
    }
    fn external_id(&self) -> Option<&str> {
        self.id
    }
    fn gold(&self) -> Option<&str> {
        None
    }
    fn meta(&self) -> Option<&str> {
        self.meta
    }
    fn fields(&self, item_holds_text: bool) -> Cow<'_, str> {
        if item_holds_text { "[null]".into() } else { format!("[{:?}]", self.text).into() }
    }
}
