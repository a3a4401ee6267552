//! What must hold of any task file: the oracle that seeded tests and `fuzz/` share.

#[cfg(test)]
use super::fuzzing::Fuzzer;
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

#[test]
fn any_task_file_is_read_back_as_it_was_written_or_refused_in_one_sentence() {
    let plain = b"name = \"t\"\nquestion = \"Is it?\"\n[[label]]\nname = \"a\"\nkey = \"1\"\n[[label]]\nname = \"b\"\nkey = \"2\"\nshare = 0.1\n";
    let seeds = vec![include_bytes!("../../assets/demo/task.toml").to_vec(), plain.to_vec()];
    Fuzzer::new("tasks", 3).over(&seeds, task_file);
}
