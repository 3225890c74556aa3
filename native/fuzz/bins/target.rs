//! libFuzzer's program; the target is chosen by the environment variable `FUZZ_TARGET`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    found.expect("FUZZ_TARGET names a target").1
});

fuzz_target!(|input: &[u8]| (*TARGET)(input));
