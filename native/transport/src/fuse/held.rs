//! Changes that wait for room in a cache, aside from the threads that serve.
//!
//! A snapshot may want writers to wait until its cache has room. The room may come from a backup that reads
//! the image through this very connection, so no thread that serves may wait: it puts the change aside and
//! goes on. One thread carries such changes out, in their order; while there is no room for one, the next would
//! only wait as well.
//!
//! What lies here was never answered, so a kill loses none of it: the kernel sends it again, and the next engine
//! counts its time from then. Its memory is bounded by what the kernel has in flight: a loop device 128 requests.

use super::abi::{self, Plain};
use super::buffer::Resident;
use super::session::{MAX_PAYLOAD, REPLY_HEAD, write_all};
use crate::served::{Change, Errno, Patience, SCRATCH_BYTES, Served};
use std::fs::File;
use std::io;
use std::os::fd::RawFd;
use std::sync::mpsc::Receiver;
use std::time::Instant;

/// A change that was put aside, with its data.
pub struct Held {
    unique: u64,
    since: Instant,
    what: What,
}

enum What {
    Write { offset: u64, data: Vec<u8> },
    Discard { offset: u64, length: u64 },
    PunchHole { offset: u64, length: u64 },
    WriteZeroes { offset: u64, length: u64 },
}

impl Held {
    /// Its data is copied: the buffer that it lies in is needed for the next request.
    pub fn new(unique: u64, change: Change<'_>) -> Self {
        let what = match change {
            Change::Write { offset, data } => What::Write {
                offset,
                data: data.to_vec(),
            },
            Change::Discard { offset, length } => What::Discard { offset, length },
            Change::PunchHole { offset, length } => What::PunchHole { offset, length },
            Change::WriteZeroes { offset, length } => What::WriteZeroes { offset, length },
        };
        Held {
            unique,
            since: Instant::now(),
            what,
        }
    }
}

/// The memory of the thread that waits.
pub(super) struct Hands {
    /// Page-aligned, as direct I/O needs it; a copy on the heap is not.
    data: Resident,
    scratch: Resident,
}

impl Hands {
    pub const BYTES: usize = MAX_PAYLOAD + SCRATCH_BYTES;

    /// In `memory` from `at` on.
    pub fn new(memory: &File, at: usize) -> io::Result<Self> {
        Ok(Hands {
            data: Resident::of(memory, at, MAX_PAYLOAD)?,
            scratch: Resident::of(memory, at + MAX_PAYLOAD, SCRATCH_BYTES)?,
        })
    }

    /// The thread's life: it ends with the last thread that serves.
    pub fn carry_out_all(mut self, fd: RawFd, held: Receiver<Held>, served: &dyn Served) {
        for one in held {
            let result = self.carry_out(&one, served);
            // An error means that the request was taken back, or that the connection has ended, which the
            // threads that serve see as well.
            let _ = answer(fd, one.unique, result);
        }
    }

    /// Waits for room and makes the change. Returns how many bytes the kernel is told were written, None
    /// where it is told no number.
    fn carry_out(&mut self, held: &Held, served: &dyn Served) -> Result<Option<u32>, Errno> {
        let (change, written) = match held.what {
            What::Write { offset, ref data } => {
                let aligned = &mut self.data[..data.len()];
                aligned.copy_from_slice(data);
                let data = &*aligned;
                (Change::Write { offset, data }, Some(data.len() as u32))
            }
            What::Discard { offset, length } => (Change::Discard { offset, length }, None),
            What::PunchHole { offset, length } => (Change::PunchHole { offset, length }, None),
            What::WriteZeroes { offset, length } => (Change::WriteZeroes { offset, length }, None),
        };
        served.change(change, Patience::Since(held.since), &mut self.scratch)?;
        Ok(written)
    }
}

fn answer(fd: RawFd, unique: u64, result: Result<Option<u32>, Errno>) -> io::Result<()> {
    let written = result
        .ok()
        .flatten()
        .map(|size| abi::WriteOut { size, padding: 0 });
    let body = written.as_ref().map_or(&[][..], Plain::bytes);
    let head = abi::OutHeader {
        len: (REPLY_HEAD + body.len()) as u32,
        error: result.err().map_or(0, |errno| -errno.0),
        unique,
    };
    write_all(fd, &[head.bytes(), body].concat())
}
