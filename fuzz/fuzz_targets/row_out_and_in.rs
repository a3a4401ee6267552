//! Any text that is written in a row is read back to the byte.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = hardcase::formats::fuzzed::row_out_and_in(bytes) {
        panic!("{why}");
    }
});
