//! Hears when a person asks the program to stop: Ctrl-C, a hang-up, a request to end. The workstation hears signals in its own way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::{Handle, Signals};

/// How long work may take to end by itself after a request to stop. Together with what a system needs to end a process, that is below two seconds.
pub(super) const GRACE: Duration = Duration::from_millis(1_500);

/// The signals by which a person asks work to stop.
pub(super) const ALL: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];
/// The same without the hang-up, which a person may have told the program to ignore.
pub(super) const TYPED: [i32; 2] = [SIGINT, SIGTERM];

/// The thread that hears signals, and whether the system is to handle them again.
struct Listener {
    handle: Handle,
    thread: JoinHandle<()>,
    left_to_system: Arc<AtomicBool>,
}

static TAKEN: AtomicBool = AtomicBool::new(false);
static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

/// Calls `asked` with the signal's number on a thread of its own each time, until [`leave_to_system`] or the end of the process. Only the first caller
/// is heard; where the system allows no handler, the signals end the process as they would have.
pub(super) fn each_time(of: &[i32], mut asked: impl FnMut(i32) + Send + 'static) {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return;
    }
    let left_to_system = Arc::new(AtomicBool::new(false));
    for signal in of {
        let _ = register_conditional_default(*signal, Arc::clone(&left_to_system));
    }
    let Ok(mut signals) = Signals::new(of) else {
        left_to_system.store(true, Ordering::SeqCst);
        return;
    };
    let handle = signals.handle();
    let named = std::thread::Builder::new().name("stop signals".into());
    let hear = move || {
        signals.forever().for_each(&mut asked);
        // What came just before the end.
        signals.pending().for_each(asked);
    };
    if let Ok(thread) = named.spawn(hear) {
        let mut place = LISTENER.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Listener { handle, thread, left_to_system });
    }
}

/// From here on signals do what they do by default, and every signal that came before has been told. For a process that is about to become another
/// program: a signal that its handler took just before would be lost.
#[cfg(unix)]
pub(super) fn leave_to_system() {
    let taken = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Listener { handle, thread, left_to_system }) = taken {
        left_to_system.store(true, Ordering::SeqCst);
        handle.close();
        let _ = thread.join();
    }
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
