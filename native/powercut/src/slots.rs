//! Records overwritten in place, direct and synchronous, as a database writes its log.
//!
//! A stream has two slots and writes them in turn, so that a record is never overwritten by its successor:
//! a cut may tear the one being written, never the one claimed. In between come writes of changing size that nobody
//! claims, so that a flush has something else to carry too.

use crate::claims::Claims;
use crate::record;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Instant;
use zerocopy::{FromBytes, IntoBytes};

/// A stream's part of the device: its two slots and the space of its unclaimed writes.
const STREAM_BYTES: u64 = 4 << 20;
pub const SLOT_BYTES: usize = 64 * 1024;
/// Records have one of these lengths.
const LENGTHS: [usize; 4] = [4096, 16 * 1024, 512, SLOT_BYTES];

pub fn write_until(end: Instant, device: &Path, stream: u32, claims: &Claims) -> io::Result<()> {
    let open = |flags| {
        OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_DIRECT | flags)
            .open(device)
    };
    // One stream in two asks for durability with each write, the other with a flush after it.
    let synchronous = stream.is_multiple_of(2);
    let file = open(if synchronous { libc::O_DSYNC } else { 0 })?;
    let unclaimed = open(0)?;
    let start = u64::from(stream) * STREAM_BYTES;
    let mut pages = vec![Page([0; 4096]); SLOT_BYTES / 4096];
    let buffer = pages.as_mut_bytes();
    for number in 1.. {
        if Instant::now() >= end {
            break;
        }
        let length = LENGTHS[number as usize % LENGTHS.len()];
        write_unclaimed(&unclaimed, buffer, start, number)?;
        record::fill(&mut buffer[..length], stream, number);
        let slot = u64::from(number % 2) * SLOT_BYTES as u64;
        file.write_all_at(&buffer[..length], start + slot)?;
        if !synchronous {
            flush(&file)?;
        }
        claims.make("slot", stream, number)?;
    }
    Ok(())
}

/// At a changing place behind the stream's slots.
fn write_unclaimed(file: &File, buffer: &mut [u8], start: u64, number: u32) -> io::Result<()> {
    let room = STREAM_BYTES - 2 * SLOT_BYTES as u64;
    let length = LENGTHS[(number / 3) as usize % LENGTHS.len()];
    let place = u64::from(number.wrapping_mul(0x9e37_79b1)) % (room - SLOT_BYTES as u64);
    record::fill(&mut buffer[..length], u32::MAX, number);
    file.write_all_at(
        &buffer[..length],
        start + 2 * SLOT_BYTES as u64 + place / 512 * 512,
    )
}

fn flush(file: &File) -> io::Result<()> {
    // SAFETY: a descriptor that is open.
    if unsafe { libc::fdatasync(file.as_raw_fd()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Memory for direct I/O: on a page edge.
#[derive(Clone, Copy, FromBytes, IntoBytes)]
#[repr(C, align(4096))]
struct Page([u8; 4096]);
