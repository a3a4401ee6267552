//! Passes the embedded model to the command line and exits with its code.

/// multilingual-e5-small as Q4_0, with 108,000 pieces of its vocabulary (`assets/model/NOTICE`). Here only, so that no test binary contains it.
#[cfg(feature = "engine")]
static MODEL: &[u8] = include_bytes!("../assets/model/encoder.gguf");
/// A label-only build has no model.
#[cfg(not(feature = "engine"))]
static MODEL: &[u8] = &[];

fn main() -> std::process::ExitCode {
    hardcase::cli::run(MODEL)
}
