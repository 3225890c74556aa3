//! engine
mod protocol;
fn main() {}
