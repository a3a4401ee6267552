//! No text reaches the terminal raw, on whichever screen.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = hardcase::tui::fuzzed::screens(bytes) {
        panic!("{why}");
    }
});
