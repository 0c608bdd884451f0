//! What all fuzz targets do; what must hold is in the crate mmm-fuzz.

/// A panic that a helper catches is no crash; libFuzzer's own hook would end the process. One that leaves the target is,
/// and libFuzzer ends the process then.
pub fn begin() {
    let _ = std::panic::take_hook();
    mmm_fuzz::be_quiet_about_caught_panics();
}

/// Reads one input.
pub fn read(name: &str, input: &[u8]) {
    mmm_fuzz::target(name).expect("a target").read(input);
}
