//! What hostile or damaged input may not do: end the engine, reach memory or disk that is not meant, get an answer
//! that breaks its protocol.
//!
//! Each target takes any bytes and panics when a promise is broken. `tests/corpus.rs` runs the kept inputs and mutations of
//! them with every `cargo test`; `npm run fuzz` searches on with libFuzzer, guided by coverage, and adds what it finds
//! to `corpus/`.

pub mod fuse;
pub mod memory;
pub mod nbd;
pub mod sandbox;
pub mod tls;

/// Takes any bytes; panics when a promise is broken.
pub type Target = fn(&[u8]);

/// The targets by name; `corpus/<name>` holds the inputs of each.
pub const TARGETS: [(&str, Target); 5] = [
    ("fuse", fuse::run),
    ("nbd", nbd::run),
    ("tls", tls::run),
    ("control", sandbox::control),
    ("state", sandbox::state),
];
