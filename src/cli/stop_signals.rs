//! Hears when a person asks the program to stop: Ctrl-C, a hang-up, a request to end. The workstation hears signals in its own way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long work may take to end by itself after a request to stop. Together with what a system needs to end a process, that is below two seconds.
pub(super) const GRACE: Duration = Duration::from_millis(1_500);

/// The signals by which a person asks work to stop.
pub(super) const ALL: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];
/// The same without the hang-up, which a person may have told the program to ignore.
pub(super) const TYPED: [i32; 2] = [SIGINT, SIGTERM];

/// Calls `asked` with the signal's number on a thread of its own each time, from here to the end of the process. Only the first caller is heard;
/// where the system allows no handler, the signals end the process as they would have.
pub(super) fn each_time(of: &[i32], mut asked: impl FnMut(i32) + Send + 'static) {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return;
    }
    let Ok(mut signals) = Signals::new(of) else { return };
    let listener = std::thread::Builder::new().name("stop signals".into());
    let _ = listener.spawn(move || signals.forever().for_each(&mut asked));
}

/// The exit code of a program that a signal has ended, as shells count it.
pub(super) fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

/// Runs `then` when the time for ending by oneself is over.
pub(super) fn after_grace(then: impl FnOnce() + Send + 'static) {
    after(GRACE, then);
}

/// Runs `then` after that time.
pub(super) fn after(time: Duration, then: impl FnOnce() + Send + 'static) {
    let timer = std::thread::Builder::new().name("grace".into());
    let spawned = timer.spawn(move || {
        wait(time);
        then();
    });
    drop(spawned);
}

#[expect(clippy::disallowed_methods, reason = "the time is what is waited for")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
