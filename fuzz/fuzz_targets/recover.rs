//! A dead run with any of its bytes changed: read in place and recovered, never a panic, never an invented event.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tapelog::__fuzz::recover(bytes));
