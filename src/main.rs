//! Passes the embedded model to the command line and exits with its code.

/// all-MiniLM-L6-v2 as Q8_0; see `assets/model/NOTICE`. In the binary only, so that no test binary contains it.
#[cfg(feature = "engine")]
static MODEL: &[u8] = include_bytes!("../assets/model/all-minilm-l6-v2-q8_0.gguf");
/// A label-only build has no model.
#[cfg(not(feature = "engine"))]
static MODEL: &[u8] = &[];

fn main() -> std::process::ExitCode {
    hardcase::cli::run(MODEL)
}
