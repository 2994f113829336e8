//! See `system_tests::fuzz`: workbooks through the import.
//!
//! The library that reads workbooks panics on some of them, and the import says that the file
//! is damaged. So a panic counts here only where it comes out of the import.
#![no_main]

use std::panic::{catch_unwind, set_hook};
use std::sync::Once;

use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// The fuzzer's own hook ends the process at any panic.
static OWN_HOOK: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    OWN_HOOK.call_once(|| set_hook(Box::new(|_| {})));
    if catch_unwind(|| (system_tests::fuzz::target("import_xlsx").run)(data)).is_err() {
        eprintln!("a panic came out of the import");
        std::process::abort();
    }
});
