//! The engine's log: standard error, which the keeper points at a file and keeps small.

use crate::clock;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Above this size the older half is dropped when an engine starts.
const MAX_BYTES: u64 = 1 << 20;

#[cfg(feature = "fuzzing")]
static SILENT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// No line is written from now on.
#[cfg(feature = "fuzzing")]
pub fn silence() {
    SILENT.store(true, std::sync::atomic::Ordering::Relaxed);
}

/// Writes a line; never fails, never waits for anything but the log file.
pub fn line(text: impl AsRef<str>) {
    use std::io::Write;
    #[cfg(feature = "fuzzing")]
    if SILENT.load(std::sync::atomic::Ordering::Relaxed) {
        return;
    }
    let at = clock::iso(clock::unix_millis());
    let pid = std::process::id();
    let _ = writeln!(io::stderr(), "{at} {pid} {}", text.as_ref());
}

/// Opens the log for appending, shortened if it is long.
pub fn open(path: &Path) -> io::Result<File> {
    if let Ok(metadata) = fs::metadata(path)
        && metadata.len() > MAX_BYTES
    {
        let text = fs::read(path)?;
        let half = text.len() / 2;
        let start = text[half..].iter().position(|b| *b == b'\n');
        fs::write(path, &text[half + start.map_or(0, |n| n + 1)..])?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}
