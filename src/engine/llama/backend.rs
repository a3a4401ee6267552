//! Process-wide llama.cpp: its start, its log, and how many threads are worth giving it.
//!
//! Nothing it logs reaches the terminal. Its first error is kept, so that a fault can give its own reason.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::{CStr, c_char, c_void};
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::thread;

use llama_cpp_2::llama_backend::LlamaBackend;

use crate::domain::fault::{Fault, Result};

static BACKEND: OnceLock<Option<LlamaBackend>> = OnceLock::new();

thread_local! {
    /// The first error that llama.cpp logged on this thread since [`with_logged_error`] began: it is the most telling.
    static ERROR: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Starts llama.cpp at the first call.
///
/// # Errors
/// Where it was compiled with AMX, or something else in the process has started it already.
pub fn backend() -> Result<&'static LlamaBackend> {
    refuse_amx(has_amx())?;
    let backend = BACKEND.get_or_init(|| {
        #[expect(unsafe_code, reason = "both callbacks are plain functions that live as long as the process")]
        // SAFETY: the functions have the signatures that llama.cpp asks for, use no user data, and never unwind.
        unsafe {
            llama_cpp_sys_2::llama_log_set(Some(keep_error), std::ptr::null_mut());
            llama_cpp_sys_2::ggml_set_abort_callback(Some(last_words));
        }
        LlamaBackend::init().ok()
    });
    backend
        .as_ref()
        .ok_or_else(|| Fault::new("start llama.cpp", "it has been started by another part of the process"))
}

/// The version of llama.cpp and the commit of its ggml, as they name themselves.
pub fn version() -> String {
    let said = |text: *const c_char| {
        #[expect(unsafe_code, reason = "both functions give strings that are constants of the library")]
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) });
        text.map_or(String::new(), |text| printable(&text.to_string_lossy()))
    };
    #[expect(unsafe_code, reason = "asks how the library was compiled; no arguments, no state")]
    let (llama, ggml) = unsafe { (llama_cpp_sys_2::llama_version(), llama_cpp_sys_2::ggml_version()) };
    format!("llama.cpp {}, ggml {}", said(llama), said(ggml))
}

/// Refuses a build whose llama.cpp uses AMX: it crashes on the first text it reads with a Q8_0 model (ggml-org/llama.cpp issue 20824).
/// `.cargo/config.toml` turns AMX off, but `cargo install` does not read that file.
fn refuse_amx(compiled_in: bool) -> Result<()> {
    if !compiled_in {
        return Ok(());
    }
    let why = "this hardcase was compiled with AMX instructions, with which llama.cpp crashes";
    Err(Fault::new("start llama.cpp", why).hint(
        "Build it again with CFLAGS and CXXFLAGS set to '-mno-amx-tile -mno-amx-int8 -mno-amx-bf16', or run \
         'cargo build --release' in a clone of the repository",
    ))
}

fn has_amx() -> bool {
    #[expect(unsafe_code, reason = "asks how the library was compiled; no arguments, no state")]
    let amx = unsafe { llama_cpp_sys_2::ggml_cpu_has_amx_int8() };
    amx != 0
}

/// Runs `work` and returns with its result the first error that llama.cpp logged on this thread meanwhile, without the
/// name of the function that logged it.
pub fn with_logged_error<T>(work: impl FnOnce() -> T) -> (T, Option<String>) {
    ERROR.take();
    let result = work();
    (result, ERROR.take())
}

extern "C" fn keep_error(level: llama_cpp_sys_2::ggml_log_level, text: *const c_char, _: *mut c_void) {
    if level != llama_cpp_sys_2::GGML_LOG_LEVEL_ERROR || text.is_null() {
        return;
    }
    #[expect(unsafe_code, reason = "llama.cpp hands over a C string that lives until the callback returns")]
    let text = unsafe { CStr::from_ptr(text) };
    let line = without_function(&printable(&text.to_string_lossy())).to_owned();
    // A thread that is ending has nobody left to tell; one that is reading the error logs none.
    let _ = ERROR.try_with(|error| {
        if let Ok(mut error) = error.try_borrow_mut() {
            error.get_or_insert(line);
        }
    });
}

/// The process is about to abort inside ggml: says why in one line, where ggml would print a stack trace.
extern "C" fn last_words(message: *const c_char) {
    if message.is_null() {
        return;
    }
    #[expect(unsafe_code, reason = "ggml hands over a C string that lives until the callback returns")]
    let message = unsafe { CStr::from_ptr(message) };
    let line = format!("llama.cpp gave up: {}\n", printable(&message.to_string_lossy()));
    // Nobody is left to tell if standard error is gone.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// What a log line says may come from a model file, so its control characters are taken out.
fn printable(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn without_function(line: &str) -> &str {
    match line.split_once(": ") {
        Some((function, rest)) if !function.contains(' ') => rest,
        _ => line,
    }
}

/// Whether llama.cpp was compiled for a processor that multiplies BF16 numbers by itself, as those do that have AVX-512 with BF16.
pub fn multiplies_bf16() -> bool {
    #[expect(unsafe_code, reason = "asks how the library was compiled; no arguments, no state")]
    let multiplies = unsafe { llama_cpp_sys_2::ggml_cpu_has_avx512_bf16() };
    multiplies != 0
}

/// Whether llama.cpp was compiled for a processor that has AVX2, as those do that have AVX-512.
pub fn has_avx2() -> bool {
    #[expect(unsafe_code, reason = "asks how the library was compiled; no arguments, no state")]
    let has = unsafe { llama_cpp_sys_2::ggml_cpu_has_avx2() };
    has != 0
}

/// Physical cores that this process may use. Two threads on one core's floating-point units gain nothing.
pub fn physical_cores() -> NonZeroUsize {
    let allowed = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut cores = HashSet::new();
    for cpu in 0.. {
        let topology = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        match std::fs::read_to_string(topology) {
            Ok(siblings) => cores.insert(siblings),
            Err(_) => break,
        };
    }
    NonZeroUsize::new(cores.len()).map_or(allowed, |cores| cores.min(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amx_is_never_compiled_in() {
        assert!(!has_amx(), "llama.cpp was compiled with AMX, which crashes: see .cargo/config.toml");
    }

    #[test]
    fn a_build_with_amx_is_refused_with_the_way_out() {
        refuse_amx(false).unwrap();
        let said = refuse_amx(true).unwrap_err().to_string();
        assert!(said.starts_with("cannot start llama.cpp: ") && said.contains("AMX"), "{said}");
        assert!(said.contains("-mno-amx-int8"), "{said}");
    }

    #[test]
    fn a_logged_error_loses_its_function_and_its_control_characters() {
        assert_eq!(without_function("llama_model_load: error loading model: x"), "error loading model: x");
        assert_eq!(without_function("error loading model: x"), "error loading model: x");
        assert_eq!(printable("a\u{1b}[31mb\n"), "a [31mb");
    }

    #[test]
    fn there_is_at_least_one_core_and_no_more_than_may_be_used() {
        let allowed = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        assert!((1..=allowed).contains(&physical_cores().get()));
    }
}
