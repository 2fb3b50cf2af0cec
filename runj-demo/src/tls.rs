//! What TLS takes.

/// Whether the processor has what the TLS of `runj demo download`, graviola, takes for granted.
#[cfg(target_arch = "x86_64")]
pub fn processor_has_tls() -> bool {
    is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("avx")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("adx")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("pclmulqdq")
}

/// Whether the processor has what the TLS of `runj demo download`, graviola, takes for granted.
#[cfg(target_arch = "aarch64")]
pub fn processor_has_tls() -> bool {
    use std::arch::is_aarch64_feature_detected;
    is_aarch64_feature_detected!("aes")
        && is_aarch64_feature_detected!("sha2")
        && is_aarch64_feature_detected!("pmull")
}
