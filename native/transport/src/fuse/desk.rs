//! Where requests lie while they are worked at.
//!
//! Layout: the request's head lies before a page edge so that the payload of a WRITE (80 bytes of headers before
//! it) and of a READ (16 bytes) begin on the same edge, which O_DIRECT needs; neither is ever copied.

use super::buffer::{PAGE, Resident};
use super::session::{MAX_PAYLOAD, write_all};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::RawFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// `fuse_in_header` and `fuse_write_in`.
const REQUEST_HEAD: usize = 80;

/// Room for one request with its payload, and then for its reply.
pub struct Desk {
    pub number: usize,
    pub buffer: Resident,
}

impl Desk {
    pub const BYTES: usize = PAGE + MAX_PAYLOAD;
    /// Where the request begins.
    pub const START: usize = PAGE - REQUEST_HEAD;

    /// In `memory` from `at` on.
    pub fn new(memory: &File, at: usize, number: usize) -> io::Result<Self> {
        Ok(Desk {
            number,
            buffer: Resident::of(memory, at, Desk::BYTES)?,
        })
    }

    /// Takes a request and returns its length. Waits for one, or returns None where the descriptor does not let it.
    pub fn read_request(&mut self, fd: RawFd) -> io::Result<Option<usize>> {
        let room = &mut self.buffer[Desk::START..];
        loop {
            // SAFETY: reads into memory that is ours for the length given.
            let n = unsafe { libc::read(fd, room.as_mut_ptr().cast(), room.len()) };
            if n >= 0 {
                return Ok(Some(n as usize));
            }
            let e = io::Error::last_os_error();
            match e.raw_os_error() {
                // A signal, or a request that was taken back.
                Some(libc::EINTR | libc::ENOENT) => {}
                Some(libc::EAGAIN) => return Ok(None),
                _ => return Err(e),
            }
        }
    }

    /// A request that was taken back meanwhile needs no answer.
    pub fn answer(&self, fd: RawFd, reply: Range<usize>) -> io::Result<()> {
        match write_all(fd, &self.buffer[reply]) {
            Err(e) if e.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            other => other,
        }
    }
}

/// Desks that are free. The one used last is given first: its memory is still in the caches.
#[derive(Default)]
pub struct Desks {
    free: Mutex<Vec<Desk>>,
    returned: Condvar,
}

impl Desks {
    fn free(&self) -> MutexGuard<'_, Vec<Desk>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn try_take(&self) -> Option<Desk> {
        self.free().pop()
    }

    /// Waits until there is one.
    pub fn take(&self) -> Desk {
        let mut free = self.free();
        loop {
            match free.pop() {
                Some(desk) => return desk,
                None => {
                    free = self
                        .returned
                        .wait(free)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    pub fn give_back(&self, desk: Desk) {
        let mut free = self.free();
        free.push(desk);
        if free.len() == 1 {
            self.returned.notify_all();
        }
    }
}

const _: () = assert!(Desk::BYTES.is_multiple_of(PAGE));
