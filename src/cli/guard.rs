//! Runs work with llama.cpp in a child process: a crash there ends the job with a message and keeps every finished batch.

use std::process::{Child, Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::output::complain;
use super::stop_signals;

/// How much longer than its own grace a child is left alone.
const MARGIN: Duration = Duration::from_millis(300);
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
    if let Some(signal) = requests.end()
        && !status.success()
    {
        return Some(ExitCode::from(stop_signals::exit_code(signal)));
    }
    if let Some(code) = status.code() {
        return Some(ExitCode::from(u8::try_from(code).unwrap_or(1)));
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

/// The first signal by which the user asked to stop, and the child, while it runs. At the first request the child ends after its batch, and at the second,
/// or when its time is over, at once. A terminal sends Ctrl-C to the child as well, so only this process counts.
#[derive(Clone)]
struct StopRequests(Arc<Mutex<(Option<i32>, Option<Pid>)>>);

impl StopRequests {
    /// Forwards Ctrl-C and termination signals to the child from here on.
    fn forward_to(child: &Child) -> Self {
        let requests = Self(Arc::new(Mutex::new((None, Some(Pid::from_child(child))))));
        let seen = requests.clone();
        stop_signals::each_time(&stop_signals::ALL, move |signal| {
            let is_first = {
                let mut state = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
                let is_first = state.0.is_none();
                state.0.get_or_insert(signal);
                is_first
            };
            seen.send(if is_first { Signal::TERM } else { Signal::KILL });
            if is_first {
                let late = seen.clone();
                // The child's own time is over before, so that it removes what it has half written.
                stop_signals::after(stop_signals::GRACE + MARGIN, move || late.send(Signal::KILL));
            }
        });
        requests
    }

    fn send(&self, signal: Signal) {
        if let Some(child) = self.0.lock().unwrap_or_else(PoisonError::into_inner).1 {
            // Fails only where the child has just ended.
            let _ = kill_process(child, signal);
        }
    }

    /// Stops forwarding, because the child's process id may be reused, and returns the first request.
    fn end(&self) -> Option<i32> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = None;
        state.0
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
