//! The fuzz target `stream_frame`: see `tests/src/fuzz/`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| (system_tests::fuzz::target("stream_frame").run)(data));
