#![no_main]

#[path = "../bodies/topic_filter.rs"]
mod topic_filter;

libfuzzer_sys::fuzz_target!(|input: &[u8]| topic_filter::check(input));
