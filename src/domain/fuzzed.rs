//! What must hold of any task file: the oracle that seeded tests and `fuzz/` share.

use super::fuzzing::{is_one_sentence, text_of};
use super::sanitize::sanitize_line;
use super::task::Task;

/// A task file is read back as it was written, or refused in one clear sentence.
///
/// # Errors
/// What happens instead.
pub fn task_file(bytes: &[u8]) -> Result<(), String> {
    let task = match Task::from_toml(&text_of(bytes), "t.toml") {
        Ok(task) => task,
        Err(fault) => return is_one_sentence(&sanitize_line(&fault.to_string(), 4_000)),
    };
    let text = task.to_toml().map_err(|f| f.to_string())?;
    match Task::from_toml(&text, "t.toml") {
        Ok(back) if back == task => Ok(()),
        other => Err(format!("it is read back as {other:?}\n{text}")),
    }
}
