//! Shows a job's progress on standard error, for a person or for a program, and passes requests to stop to the job.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::arguments::ProgressKind;
#[cfg(feature = "engine")]
use super::guard::is_child;
use super::output::{json, note};
use super::stop_signals;
use crate::domain::progress::{Progress, Watcher};
use crate::domain::sanitize::sanitize;
use crate::work::output::remove_growing;

/// Least time between JSON lines, except for the last of a stage.
const LINE_EVERY: Duration = Duration::from_millis(100);

#[cfg(not(feature = "engine"))]
fn is_child() -> bool {
    false
}

/// What the workstation may still do, such as a backup, once its session has ended after a request to stop.
const LAST_WORDS: Duration = Duration::from_millis(400);

const SPINNER_TICK: Duration = Duration::from_millis(120);

pub(super) struct Watch {
    shown: Shown,
    stopping: Arc<Stopping>,
}

/// Whether the user asked to stop, and what to do then.
#[derive(Default)]
struct Stopping {
    /// The number of the first signal that asked; 0 for none.
    by: AtomicI32,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

enum Shown {
    Bar(Mutex<Bar>),
    Lines(Mutex<Option<Instant>>),
    Notes,
    Nothing,
}

#[derive(Default)]
struct Bar {
    stage: String,
    bar: Option<ProgressBar>,
}

impl Watch {
    /// Shows nothing when `quiet`, and only notes where a bar has no terminal.
    pub fn new(kind: ProgressKind, quiet: bool) -> Self {
        let shown = match kind {
            ProgressKind::Json => Shown::Lines(Mutex::default()),
            _ if quiet => Shown::Nothing,
            ProgressKind::Bar if io::stderr().is_terminal() => Shown::Bar(Mutex::default()),
            ProgressKind::Bar | ProgressKind::None => Shown::Notes,
        };
        Self { shown, stopping: Arc::default() }
    }

    /// From here on Ctrl-C and termination signals ask the job to stop. The workstation handles signals itself.
    pub fn prepare(&self) {
        let stopping = Arc::clone(&self.stopping);
        // A second request ends the process, and so does the end of the grace: jobs may be killed at any time. In a child, the parent counts.
        stop_signals::each_time(&stop_signals::ALL, move |signal| {
            let first = stopping.by.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed).is_ok();
            stopping.act();
            if first {
                stop_signals::after_grace(move || end_now(signal));
            } else if !is_child() {
                end_now(signal);
            }
        });
    }

    /// From here on Ctrl-C and termination signals end the process at once, without leaving a half-written output behind. For work that does not ask
    /// whether to stop.
    pub fn end_at_once(&self) {
        stop_signals::each_time(&stop_signals::TYPED, end_now);
    }

    /// The user asked the workstation to end, which hears signals by itself: this process ends with the signal's code, and soon.
    pub fn end_by(&self, signal: i32) {
        let _ = self.stopping.by.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
        stop_signals::after(LAST_WORDS, move || end_now(signal));
    }

    /// The signal by which the user asked to stop, if they did.
    pub fn stopped_by(&self) -> Option<i32> {
        Some(self.stopping.by.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Runs `then` once, on another thread, when the user asks to stop: for code that blocks and cannot poll [`Watcher::stopped`].
    pub fn on_stop(&self, then: impl FnOnce() + Send + 'static) {
        self.prepare();
        if let Ok(mut place) = self.stopping.then.lock() {
            *place = Some(Box::new(then));
        }
        if self.stopped() {
            self.stopping.act();
        }
    }
}

/// Ends the process as the signal asked, whatever its other threads are at. In a child nothing may run at its end that llama.cpp has left there, so it
/// is killed, and the parent gives the exit code.
#[expect(
    clippy::disallowed_methods,
    reason = "what the process is at does not end by itself; there is no screen, and leases of a dead process are free"
)]
fn end_now(signal: i32) {
    remove_growing();
    if is_child() {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    std::process::exit(i32::from(stop_signals::exit_code(signal)));
}

impl Stopping {
    fn act(&self) {
        let then = self.then.lock().ok().and_then(|mut then| then.take());
        if let Some(then) = then {
            then();
        }
    }
}

impl Watcher for Watch {
    fn report(&self, progress: &Progress) {
        match &self.shown {
            Shown::Bar(bar) => {
                if let Ok(mut bar) = bar.lock() {
                    bar.show(progress);
                }
            }
            Shown::Lines(last) => {
                let Ok(mut last) = last.lock() else { return };
                let finished = progress.total == Some(progress.done);
                if finished || last.is_none_or(|at| at.elapsed() >= LINE_EVERY) {
                    *last = Some(Instant::now());
                    if let Ok(line) = serde_json::to_string(progress) {
                        let _ = writeln!(io::stderr().lock(), "{}", json(&line));
                    }
                }
            }
            Shown::Notes | Shown::Nothing => {}
        }
    }

    fn note(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => {
                if let Ok(bar) = bar.lock()
                    && let Some(bar) = &bar.bar
                {
                    bar.suspend(|| note(&sanitize(line)));
                    return;
                }
                note(&sanitize(line));
            }
            Shown::Notes => note(&sanitize(line)),
            Shown::Lines(_) => {
                let line = serde_json::json!({ "note": line }).to_string();
                let _ = writeln!(io::stderr().lock(), "{}", json(&line));
            }
            Shown::Nothing => {}
        }
    }

    fn stopped(&self) -> bool {
        self.stopped_by().is_some()
    }
}

impl Bar {
    fn show(&mut self, progress: &Progress) {
        if self.stage != progress.stage || self.bar.is_none() {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
            progress.stage.clone_into(&mut self.stage);
            self.bar = Some(new_bar(progress));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(progress.done);
            if let Some(tokens) = progress.tokens_per_second {
                bar.set_message(format!("{}, {tokens:.0} tokens/s", sanitize(&progress.stage)));
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(progress: &Progress) -> ProgressBar {
    let template = match (progress.total.is_some(), progress.unit.as_str()) {
        (false, _) => "{spinner} {msg}",
        (true, "bytes") => "{msg:<14} {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
        (true, _) => "{msg:<14} {wide_bar} {human_pos}/{human_len}  {rate:>8}  {eta} left",
    };
    let bar = progress.total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let rate = state.per_sec();
            let _ = if rate < 10.0 { write!(out, "{rate:.1}/s") } else { write!(out, "{rate:.0}/s") };
        }));
    }
    if progress.total.is_none() {
        // Without a count, only the spinner shows that the job is alive.
        bar.enable_steady_tick(SPINNER_TICK);
    }
    bar.with_message(sanitize(&progress.stage))
}
