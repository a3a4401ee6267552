//! Whether this processor has what the binary was compiled for: one sentence instead of an illegal instruction.

/// Refuses a processor that lacks an instruction set this binary was built to use.
///
/// The standard library's own detection answers `true` at compile time for what the target has, so the processor itself is asked.
///
/// # Errors
/// The sentence to print.
#[cfg(target_arch = "x86_64")]
pub(super) fn check() -> Result<(), String> {
    let cpu = raw_cpuid::CpuId::new();
    let basic = cpu.get_feature_info();
    let extended = cpu.get_extended_feature_info();
    let has = |f: fn(&raw_cpuid::FeatureInfo) -> bool| basic.as_ref().is_some_and(f);
    let has_more = |f: fn(&raw_cpuid::ExtendedFeatures) -> bool| extended.as_ref().is_some_and(f);
    let missing: Vec<&str> = [
        ("SSE4.2", cfg!(target_feature = "sse4.2"), has(raw_cpuid::FeatureInfo::has_sse42)),
        ("AVX", cfg!(target_feature = "avx"), has(raw_cpuid::FeatureInfo::has_avx)),
        ("FMA", cfg!(target_feature = "fma"), has(raw_cpuid::FeatureInfo::has_fma)),
        ("F16C", cfg!(target_feature = "f16c"), has(raw_cpuid::FeatureInfo::has_f16c)),
        ("AVX2", cfg!(target_feature = "avx2"), has_more(raw_cpuid::ExtendedFeatures::has_avx2)),
        ("BMI2", cfg!(target_feature = "bmi2"), has_more(raw_cpuid::ExtendedFeatures::has_bmi2)),
        ("AVX-512F", cfg!(target_feature = "avx512f"), has_more(raw_cpuid::ExtendedFeatures::has_avx512f)),
        ("AVX-512BW", cfg!(target_feature = "avx512bw"), has_more(raw_cpuid::ExtendedFeatures::has_avx512bw)),
        ("AVX-512VL", cfg!(target_feature = "avx512vl"), has_more(raw_cpuid::ExtendedFeatures::has_avx512vl)),
        ("AVX-512DQ", cfg!(target_feature = "avx512dq"), has_more(raw_cpuid::ExtendedFeatures::has_avx512dq)),
        (
            "AVX-512VNNI",
            cfg!(target_feature = "avx512vnni"),
            has_more(raw_cpuid::ExtendedFeatures::has_avx512vnni),
        ),
        (
            "AVX-512BF16",
            cfg!(target_feature = "avx512bf16"),
            has_more(raw_cpuid::ExtendedFeatures::has_avx512_bf16),
        ),
    ]
    .into_iter()
    .filter(|(_, wanted, there)| *wanted && !there)
    .map(|(name, ..)| name)
    .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "cannot start: this processor lacks {}, which this binary was built for. Build it on this machine with \
         `cargo build --release`, or take one built for x86-64-v2",
        missing.join(", ")
    ))
}

/// Other processors are built for as they are.
///
/// # Errors
/// Never.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn check() -> Result<(), String> {
    Ok(())
}
