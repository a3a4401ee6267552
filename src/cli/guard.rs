//! Runs work with llama.cpp in a child process: a crash there ends the job with a message and keeps every finished batch.

use std::process::{Child, Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use super::output::complain;
use super::stop_signals;

/// Set in the child, so that it does the work itself.
const IN_CHILD: &str = "HARDCASE_IN_CHILD";

/// Runs this same command line in a child process and returns its exit code. None in the child itself, and where no child can be started:
/// the caller then does the work.
pub(super) fn in_child(what: &str) -> Option<ExitCode> {
    if is_child() {
        die_with_the_parent();
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(IN_CHILD, "1");
    let mut child = command.spawn().ok()?;
    let requests = StopRequests::forward_to(&child);
    let status = child.wait().ok()?;
    if let Some(code) = status.code() {
        return Some(ExitCode::from(u8::try_from(code).unwrap_or(1)));
    }
    if requests.end() > 0 {
        return Some(ExitCode::from(INTERRUPTED));
    }
    complain(&format!(
        "cannot finish {what}: the model's process was ended by {}. Nothing in the project is damaged. Run the same command again; \
         if it fails again, try another model with --model",
        cause(status)
    ));
    Some(ExitCode::FAILURE)
}

/// Whether this process is the child. Its parent handles requests to stop.
pub(super) fn is_child() -> bool {
    std::env::var_os(IN_CHILD).is_some()
}

/// The exit code of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// How often the user asked to stop. At the first request the child ends after its batch, at the second at once. A terminal sends Ctrl-C to
/// the child as well, so only this process counts.
#[derive(Clone)]
struct StopRequests(Arc<Mutex<(u32, Option<Pid>)>>);

impl StopRequests {
    /// Forwards Ctrl-C and termination signals to the child from here on.
    fn forward_to(child: &Child) -> Self {
        let requests = Self(Arc::new(Mutex::new((0, Some(Pid::from_child(child))))));
        let seen = requests.clone();
        stop_signals::each_time(move || {
            let mut counted = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            counted.0 += 1;
            if let Some(child) = counted.1 {
                // Fails only where the child has just ended.
                let _ = kill_process(child, if counted.0 > 1 { Signal::KILL } else { Signal::TERM });
            }
        });
        requests
    }

    /// Stops forwarding, because the child's process id may be reused, and returns how many requests there were.
    fn end(&self) -> u32 {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.1 = None;
        counted.0
    }
}

#[cfg(unix)]
fn cause(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(4) => "an instruction this processor does not have (SIGILL)".into(),
        Some(6) => "llama.cpp itself (SIGABRT)".into(),
        Some(9) => "SIGKILL, sent by a person or by the system, which may have run out of memory".into(),
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

/// When the parent is killed the child is asked to stop, and ends after its batch.
fn die_with_the_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
}
