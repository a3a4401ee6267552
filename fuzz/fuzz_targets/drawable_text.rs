//! What is drawable is harmless, and stays the same when it is made drawable once more.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = hardcase::tui::fuzzed::drawable_text(bytes) {
        panic!("{why}");
    }
});
