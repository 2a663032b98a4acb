//! Any bytes are a run that reads again to itself, or mistakes within the text.
#![no_main]

// The plugins of the default program.
use pleach_cli as _;

#[path = "../reader.rs"]
mod reader;

libfuzzer_sys::fuzz_target!(|data: &[u8]| reader::hold(data));
