//! Resident, page-aligned memory for requests and their payloads.
//!
//! The kernel copies into and out of these buffers while a request is under way. If a page of one
//! were not resident when the engine is killed, the copy would fault under SIGKILL and the request
//! would end with EIO instead of being sent again; so they are populated and locked.

use std::io;
use std::ops::{Deref, DerefMut};

pub const PAGE: usize = 4096;

/// An anonymous private mapping, zeroed, populated, locked where allowed, not inherited by forks.
pub struct Resident {
    address: *mut u8,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone; access follows borrow rules through Deref.
unsafe impl Send for Resident {}

impl Resident {
    /// `length` is rounded up to pages.
    pub fn new(length: usize) -> io::Result<Self> {
        let length = length.next_multiple_of(PAGE);
        // SAFETY: a fresh anonymous mapping, no address asked for.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: exactly the mapping just made. Both calls only advise; without the right to lock,
        // the pages are at least populated.
        unsafe {
            libc::mlock(address, length);
            libc::madvise(address, length, libc::MADV_DONTFORK);
        }
        Ok(Resident {
            address: address.cast(),
            length,
        })
    }
}

impl Deref for Resident {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: mapped, initialised (zeroes), and borrowed as self is.
        unsafe { std::slice::from_raw_parts(self.address, self.length) }
    }
}

impl DerefMut for Resident {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: mapped, initialised, and borrowed exclusively as self is.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.length) }
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, unmapped once.
        unsafe { libc::munmap(self.address.cast(), self.length) };
    }
}
