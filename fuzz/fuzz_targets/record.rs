//! Any bytes as records: values or an end, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tapelog::__fuzz::record(bytes));
