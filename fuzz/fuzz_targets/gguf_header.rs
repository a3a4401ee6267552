//! Any bytes are the header of a model's file or are refused; no length that they claim is believed.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = hardcase::engine::gguf::read_header(bytes, bytes.len() as u64);
});
