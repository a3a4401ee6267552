//! Hears when a person asks the program to stop: Ctrl-C, a hang-up, a request to end. The workstation hears signals in its own way.

use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Calls `asked` on a thread of its own each time, from here to the end of the process. Only the first caller is heard; where the system
/// allows no handler, the signals end the process as they would have.
pub(super) fn each_time(mut asked: impl FnMut() + Send + 'static) {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return;
    }
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    let listener = std::thread::Builder::new().name("stop signals".into());
    let _ = listener.spawn(move || signals.forever().for_each(|_| asked()));
}
