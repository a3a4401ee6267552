//! Paths as SQLite takes them: it was built to read `file:` as the beginning of a URI, and `:memory:` as no file at all.

use std::borrow::Cow;
use std::path::Path;

/// The same file under a name that SQLite takes for nothing but a path.
pub(in crate::store) fn plain(path: &Path) -> Cow<'_, Path> {
    if path.is_absolute() { Cow::Borrowed(path) } else { Cow::Owned(Path::new(".").join(path)) }
}
