//! Names that become parts of paths.

use crate::failure::{Failure, Outcome};

/// 1 to 64 of `A–Z a–z 0–9 . _ -`, not starting with a dot.
pub fn check(what: &str, name: &str) -> Outcome<()> {
    let fits = (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fits {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "the {what} {name:?} must be 1 to 64 letters, digits, dots, underscores or hyphens"
    )))
}
