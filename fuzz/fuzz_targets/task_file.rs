//! A task file is read back as it was written, or refused in one clear sentence.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = hardcase::domain::fuzzed::task_file(bytes) {
        panic!("{why}");
    }
});
