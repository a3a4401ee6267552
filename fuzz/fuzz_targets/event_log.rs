//! A log of labels is taken whole, or refused in one clear sentence.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = hardcase::formats::fuzzed::log_of_labels(bytes) {
        panic!("{why}");
    }
});
