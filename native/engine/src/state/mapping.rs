//! The memory file as words.

use cow::store::Words;
use std::io;
use std::ops::Range;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A shared mapping of a whole memory file, for the life of this value.
pub struct Mapping {
    address: *mut u8,
    length: usize,
    file: RawFd,
}

// SAFETY: the memory is only ever seen as atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// `file` must stay open as long as the mapping is used, and not shrink.
    pub fn new(file: RawFd, length: usize) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_NORESERVE,
                file,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Mapping {
            address: address.cast(),
            length,
            file,
        })
    }

    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: mapped for the life of self, page-aligned, and atomics may be shared by processes.
        unsafe { std::slice::from_raw_parts(self.address.cast(), self.length / 8) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, unmapped once.
        unsafe { libc::munmap(self.address.cast(), self.length) };
    }
}

/// A part of the mapping, in whole pages.
#[derive(Clone)]
pub struct Region {
    mapping: Arc<Mapping>,
    at: usize,
    bytes: usize,
}

impl Region {
    pub fn new(mapping: Arc<Mapping>, at: usize, bytes: usize) -> Self {
        debug_assert!(at.is_multiple_of(4096) && bytes.is_multiple_of(4096));
        Region { mapping, at, bytes }
    }

    /// Makes all pages present, so that a later store needs no memory.
    pub fn populate(&self) {
        // SAFETY: the range lies in the mapping. It only adds pages; where the kernel cannot, they
        // are added when touched.
        unsafe {
            libc::madvise(
                self.mapping.address.add(self.at).cast(),
                self.bytes,
                libc::MADV_POPULATE_WRITE,
            )
        };
    }
}

impl Region {
    /// Where the next data, or the next hole, of the memory file begins.
    fn seek(&self, from: usize, what: libc::c_int) -> Option<usize> {
        // SAFETY: the descriptor is open as long as the mapping is used; its position means nothing.
        let found = unsafe { libc::lseek(self.mapping.file, from as i64, what) };
        (found >= 0).then_some(found as usize)
    }
}

impl Words for Region {
    fn words(&self) -> &[AtomicU64] {
        &self.mapping.words()[self.at / 8..(self.at + self.bytes) / 8]
    }

    fn clear(&self) {
        let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        // SAFETY: the descriptor is open as long as the mapping is used.
        let punched =
            unsafe { libc::fallocate(self.mapping.file, mode, self.at as i64, self.bytes as i64) };
        if punched != 0 {
            for word in self.words() {
                word.store(0, std::sync::atomic::Ordering::Release);
            }
        }
    }

    fn occupied(&self, word: usize) -> Option<Range<usize>> {
        let (from, end) = (self.at + word * 8, self.at + self.bytes);
        let start = self.seek(from, libc::SEEK_DATA)?.max(from);
        if start >= end {
            return None;
        }
        let stop = self.seek(start, libc::SEEK_HOLE).unwrap_or(end).min(end);
        Some((start - self.at) / 8..(stop - self.at) / 8)
    }
}
