//! Descriptors at fixed numbers, which keeper and engine agree on.

use crate::failure::{Context, Outcome};
use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, RawFd};

pub const FUSE: RawFd = 100;
pub const STATE: RawFd = 101;
pub const LISTENER: RawFd = 102;
pub const BACKING: RawFd = 103;
/// Memory of the request buffers, which engines use in turn.
pub const BUFFERS: RawFd = 104;
/// A pidfd of the engine that serves.
pub const ENGINE: RawFd = 105;
/// Where an engine lays down listening sockets for the next one, and where they are found (`nbd`).
pub const SHELF_IN: RawFd = 110;
pub const SHELF_OUT: RawFd = 111;
/// The two ends of what engines and keeper say to each other.
pub const TO_KEEPER: RawFd = 106;
pub const FROM_ENGINES: RawFd = 107;
/// The keeper's lock, while it executes another program.
pub const LOCK: RawFd = 108;

/// Copies a descriptor to a number, inherited by children.
pub fn replace(from: RawFd, number: RawFd) -> io::Result<()> {
    // SAFETY: takes numbers only. The numbers used are 0–2 and those above, which nobody else owns.
    if unsafe { libc::dup2(from, number) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

pub fn place(from: RawFd, number: RawFd) -> Outcome<()> {
    replace(from, number).context(|| format!("descriptor {number}"))
}

/// For a process that a keeper starts and that is no engine: closes what engines inherit. At its beginning only.
pub fn let_go_of_inherited() {
    for number in FUSE..=SHELF_OUT {
        // SAFETY: the numbers are of nobody else, and nothing in this process has taken one of them.
        unsafe { libc::close(number) };
    }
}

/// For a process that may outlive whoever started it: it keeps nothing of theirs.
pub fn keep_standard_only() {
    // SAFETY: takes numbers only; called before this process has opened anything.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

pub fn to_null(number: RawFd) -> Outcome<()> {
    use std::os::fd::AsRawFd;
    let null = File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .context(|| "/dev/null".into())?;
    place(null.as_raw_fd(), number)
}

/// Takes ownership of an inherited descriptor.
///
/// # Safety
/// Nothing else in this process owns `number`; call at most once for each.
pub unsafe fn inherited(number: RawFd) -> File {
    // SAFETY: the caller's promise.
    unsafe { File::from_raw_fd(number) }
}
