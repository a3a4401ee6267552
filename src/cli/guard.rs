//! Work with llama.cpp runs in a child process: a crash there ends the job with a report and leaves every finished batch.

use std::process::{Command, ExitCode};

use super::output::complain;

/// Set in the child, so that it does the work itself.
const IN_CHILD: &str = "HARDCASE_IN_CHILD";

/// Where candle looks for how many threads share the small work inside one operation. Trainings run beside each other, a core each: with more
/// threads than one their cores wait for each other, and an epoch takes a fifth longer (`benches/lora.rs`).
const CANDLE_THREADS: &str = "CANDLE_NUM_THREADS";

/// Runs this same command line in a child process and returns its exit code. None in the child itself, and where no child can be started:
/// the caller then does the work.
pub(super) fn in_child(what: &str) -> Option<ExitCode> {
    if std::env::var_os(IN_CHILD).is_some() {
        die_with_the_parent();
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(IN_CHILD, "1").env(CANDLE_THREADS, "1");
    let mut child = command.spawn().ok()?;
    // The handler that the watcher installed keeps this process alive on Ctrl-C; the child got the same signal and ends in order.
    let status = child.wait().ok()?;
    if let Some(code) = status.code() {
        return Some(ExitCode::from(u8::try_from(code).unwrap_or(1)));
    }
    complain(&format!(
        "cannot finish {what}: the model's process was ended by {}. Every finished batch is kept; run the same command again to go \
         on, or name another model with --model if it happens again",
        cause(status)
    ));
    Some(ExitCode::FAILURE)
}

#[cfg(unix)]
fn cause(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(4) => "an instruction this processor does not have (SIGILL)".into(),
        Some(6) => "llama.cpp itself (SIGABRT)".into(),
        Some(9) => "the system or a person (SIGKILL), perhaps for want of memory".into(),
        Some(11 | 7) => "a crash inside llama.cpp (SIGSEGV)".into(),
        Some(15) => "a request to stop (SIGTERM)".into(),
        Some(n) => format!("signal {n}"),
        None => "the system".into(),
    }
}

#[cfg(not(unix))]
fn cause(_status: std::process::ExitStatus) -> String {
    "the system".into()
}

/// A parent that is killed takes its child along: the child is told to stop, and ends after its batch.
fn die_with_the_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
}
