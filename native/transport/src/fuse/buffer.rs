//! Resident, page-aligned memory for requests and their payloads.
//!
//! The kernel copies into and out of these buffers while a request is under way. If a page of one
//! were not resident when the engine is killed, the copy would fault under SIGKILL and the request
//! would end with EIO instead of being sent again; so they are populated and locked.
//!
//! They are parts of a memory file that the keeper holds. So a standby engine maps the very pages that
//! the serving one uses, at no further memory (it touches them only once the other is gone), and an
//! engine's death does not have to free them, which would lengthen the pause.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsRawFd, FromRawFd};

pub const PAGE: usize = 4096;

const NAME: &CStr = c"stillframe-buffers";

/// Makes an empty memory file for buffers. Close-on-exec.
pub fn memory_file() -> io::Result<File> {
    // SAFETY: constant name; the descriptor is owned by the File made of it.
    unsafe {
        match libc::memfd_create(NAME.as_ptr(), libc::MFD_CLOEXEC) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(File::from_raw_fd(fd)),
        }
    }
}

/// A part of a memory file, populated, locked where allowed, not inherited by forks.
pub struct Resident {
    address: *mut u8,
    length: usize,
}

// SAFETY: within this process the mapping belongs to this value alone, and access follows borrow
// rules through Deref; another process that maps it uses it only when this one has ended.
unsafe impl Send for Resident {}

impl Resident {
    /// `length` bytes from `at` on, both in whole pages. The file must be as long, and never shrink.
    pub fn of(file: &File, at: usize, length: usize) -> io::Result<Self> {
        debug_assert!(at.is_multiple_of(PAGE) && length.is_multiple_of(PAGE));
        // SAFETY: a fresh mapping, no address asked for.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                file.as_raw_fd(),
                at as libc::off_t,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: exactly the mapping just made. The calls only advise, and change no content;
        // without the right to lock, the pages are at least populated.
        unsafe {
            libc::madvise(address, length, libc::MADV_POPULATE_WRITE);
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
