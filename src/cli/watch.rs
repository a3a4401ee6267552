//! Shows a job's progress on standard error, for a person or for a program, and passes requests to stop to the job.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::arguments::ProgressKind;
#[cfg(feature = "engine")]
use super::guard::is_child;
use super::output::json;
use super::stop_signals;
use crate::domain::progress::{Progress, Watcher};
use crate::domain::sanitize::sanitize;

/// Least time between JSON lines, except for the last of a stage.
const LINE_EVERY: Duration = Duration::from_millis(100);

#[cfg(not(feature = "engine"))]
fn is_child() -> bool {
    false
}

const SPINNER_TICK: Duration = Duration::from_millis(120);

pub(super) struct Watch {
    shown: Shown,
    stopping: Arc<Stopping>,
}

/// Whether the user asked to stop, and what to do then.
#[derive(Default)]
struct Stopping {
    asked: AtomicBool,
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
        // A second request kills the process: jobs may be killed at any time. In a child, the parent does so.
        stop_signals::each_time(move || {
            let again = stopping.asked.swap(true, Ordering::Relaxed);
            stopping.act();
            if again && !is_child() {
                let _ =
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            }
        });
    }

    /// Runs `then` once, on another thread, when the user asks to stop: for code that blocks and cannot poll [`Watcher::stopped`].
    pub fn on_stop(&self, then: impl FnOnce() + Send + 'static) {
        self.prepare();
        if let Ok(mut place) = self.stopping.then.lock() {
            *place = Some(Box::new(then));
        }
        if self.stopping.asked.load(Ordering::Relaxed) {
            self.stopping.act();
        }
    }
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
                    bar.suspend(|| drop(writeln!(io::stderr().lock(), "{}", sanitize(line))));
                    return;
                }
                let _ = writeln!(io::stderr().lock(), "{}", sanitize(line));
            }
            Shown::Notes => drop(writeln!(io::stderr().lock(), "{}", sanitize(line))),
            Shown::Lines(_) => {
                let line = serde_json::json!({ "note": line }).to_string();
                let _ = writeln!(io::stderr().lock(), "{}", json(&line));
            }
            Shown::Nothing => {}
        }
    }

    fn stopped(&self) -> bool {
        self.stopping.asked.load(Ordering::Relaxed)
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
