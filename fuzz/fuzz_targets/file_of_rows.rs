//! CSV, TSV, JSONL and plain lines: rows exactly as they stand, or one clear sentence.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(why) = hardcase::formats::fuzzed::file_of_rows(bytes) {
        panic!("{why}");
    }
});
