//! `--version`: which build this is, so that a report of a fault says what it was seen with.

/// Instructions that the program was compiled for, the widest of them.
pub(super) fn instructions() -> Option<&'static str> {
    if cfg!(target_feature = "avx512f") {
        Some("AVX-512")
    } else if cfg!(target_feature = "avx2") {
        Some("AVX2")
    } else if cfg!(target_arch = "aarch64") {
        Some("NEON")
    } else {
        None
    }
}

/// The number, then a line each for the commit (where a release was built), the system, and what the build can do.
pub(super) fn long() -> String {
    let commit = option_env!("HARDCASE_COMMIT").map_or(String::new(), |commit| format!(" ({commit})"));
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    let instructions = instructions().unwrap_or("baseline instructions");
    format!(
        "{}{commit}\n{system} {processor}, {instructions}\n{}\nSQLite {}",
        env!("CARGO_PKG_VERSION"),
        models(),
        crate::upkeep::sqlite_version()
    )
}

#[cfg(feature = "engine")]
fn models() -> String {
    let cards = [
        (cfg!(feature = "cuda"), "CUDA"),
        (cfg!(feature = "metal"), "Metal"),
        (cfg!(feature = "vulkan"), "Vulkan"),
    ];
    let cards: Vec<&str> = cards.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
    let on = if cards.is_empty() { "the processor".to_owned() } else { cards.join(", ") };
    format!("with models: {}, on {on}", crate::learn::model::engine_version())
}

#[cfg(not(feature = "engine"))]
fn models() -> String {
    "without models: it labels, mines, tunes, merges and exports".to_owned()
}
