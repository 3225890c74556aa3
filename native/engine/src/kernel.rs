//! Which kernel this is.

use std::fs;

/// Its release, as `uname -r` tells it; empty if it is not told.
pub fn release() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_owned()
}

/// The three numbers that a release begins with, the last 0 if there are but two; None: it does not begin so.
pub fn version(release: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?, next().unwrap_or(0)))
}

/// Whether a release is of this version or a later one. One that cannot be read is not.
pub fn is_at_least(release: &str, (major, minor): (u32, u32)) -> bool {
    version(release).is_some_and(|version| version >= (major, minor, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        assert!(!is_at_least("6.9.12", (6, 15)));
        assert!(!is_at_least("6.12.117+deb12-cloud-amd64", (6, 15)));
        assert!(is_at_least("6.15.0-rc1", (6, 15)));
        assert!(is_at_least("7.0.0-28-generic", (6, 15)));
        assert!(!is_at_least("", (6, 15)));
        assert_eq!(version("6.18-rc1"), Some((6, 18, 0)));
        assert_eq!(version("6.12.9_1"), Some((6, 12, 9)));
    }
}
