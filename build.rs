//! Compiles the processor check for the baseline processor, and tells it which instruction sets the rest of the binary needs.

use std::env;

/// Instruction sets to check. A processor that has these also has the others that the fast code uses.
const NAMED: [&str; 8] = ["sse4.2", "avx", "fma", "avx2", "bmi2", "avx512f", "avx512bw", "avx512vnni"];

fn main() {
    println!("cargo:rerun-if-changed=src/cpu_check.c");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|v| v == value);
    if !is("CARGO_CFG_TARGET_ARCH", "x86_64") || env::var_os("CARGO_CFG_UNIX").is_none() {
        return;
    }
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let mut build = cc::Build::new();
    build.file("src/cpu_check.c").flag("-march=x86-64").opt_level(1);
    for name in NAMED.iter().filter(|name| features.split(',').any(|f| f == **name)) {
        build.define(&format!("NEEDS_{}", name.to_uppercase().replace('.', "_")), None);
    }
    // Nothing refers to the constructor, so the linker must be told to keep the whole archive.
    build.cargo_metadata(false).compile("cpu_check");
    if let Ok(out) = env::var("OUT_DIR") {
        println!("cargo:rustc-link-search=native={out}");
        println!("cargo:rustc-link-arg-bins=-Wl,{}", whole_archive(&out));
    }
}

/// The linker's flag to keep all of an archive.
fn whole_archive(out: &str) -> String {
    let archive = format!("{out}/libcpu_check.a");
    if env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple") {
        format!("-force_load,{archive}")
    } else {
        format!("--whole-archive,{archive},--no-whole-archive")
    }
}
