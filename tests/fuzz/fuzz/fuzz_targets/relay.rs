#![no_main]

libfuzzer_sys::fuzz_target!(init: mmm_cargo_fuzz::begin(), |input: &[u8]| mmm_cargo_fuzz::read("relay", input));
