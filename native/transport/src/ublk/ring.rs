//! The few things that control device and queues both do with an io_uring.

use super::abi;
use crate::fuse::abi::Plain;
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::time::Duration;

/// Commands of ublk take more than the plain entry has.
pub type Ring = IoUring<squeue::Entry128, cqueue::Entry>;

/// An entry that gives a file the command `operation` with `argument`.
pub fn command<T: Plain>(fd: RawFd, operation: u32, argument: &T) -> squeue::Entry128 {
    let mut bytes = [0u8; 80];
    let argument = argument.bytes();
    bytes[..argument.len()].copy_from_slice(argument);
    opcode::UringCmd80::new(Fd(fd), operation)
        .cmd(bytes)
        .build()
}

/// The same with memory that the kernel reads and writes. Where the limit is over it may still do so later, so that
/// the memory is then nobody's for ever.
pub fn exchange(
    device: &File,
    operation: u32,
    argument: &abi::ControlCommand,
    mut memory: Vec<u8>,
    limit: Duration,
) -> io::Result<Vec<u8>> {
    let argument = abi::ControlCommand {
        address: memory.as_mut_ptr() as u64,
        length: memory.len() as u16,
        ..*argument
    };
    match control(device, operation, &argument, limit) {
        Ok(()) => Ok(memory),
        Err(e) => {
            if e.kind() == io::ErrorKind::TimedOut {
                std::mem::forget(memory);
            }
            Err(e)
        }
    }
}

/// Gives the control device one command and waits for its end, at most `limit`.
pub fn control(
    device: &File,
    operation: u32,
    argument: &abi::ControlCommand,
    limit: Duration,
) -> io::Result<()> {
    let mut ring: Ring = IoUring::builder().build(2)?;
    let entry = command(device.as_raw_fd(), operation, argument);
    // SAFETY: the entry is copied; what `argument.address` points to outlives the command (`exchange`).
    unsafe { ring.submission().push(&entry) }.map_err(io::Error::other)?;
    let time = Timespec::from(limit);
    let wait = SubmitArgs::new().timespec(&time);
    loop {
        match ring.submitter().submit_with_args(1, &wait) {
            Err(e) if e.raw_os_error() == Some(libc::EINTR) => continue,
            Err(e) if e.raw_os_error() == Some(libc::ETIME) => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(e) => return Err(e),
            Ok(_) => {}
        }
        if let Some(done) = ring.completion().next() {
            return match done.result() {
                error if error < 0 => Err(io::Error::from_raw_os_error(-error)),
                _ => Ok(()),
            };
        }
    }
}

/// Makes the node of a device where neither udev nor devtmpfs does. `numbers`: its "major:minor" file.
pub fn make_node(path: &Path, kind: libc::mode_t, numbers: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let text = std::fs::read_to_string(numbers)?;
    let parsed = text
        .trim()
        .split_once(':')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let (major, minor) = parsed.ok_or(io::ErrorKind::InvalidData)?;
    crate::loop_device::make_node(path, kind, major, minor)
}
