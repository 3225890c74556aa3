//! No I/O of a dead engine lands once its successor serves.
//!
//! What a thread waits for is over when the process can be reaped, which the keeper does before it lets the next
//! engine serve. I/O that goes on behind threads (`transport::aio`) is over when the process's memory is gone: the
//! kernel waits for it before it takes the mappings down. Mostly that is before the reaping, but whoever looks at
//! the process just then (`ps`, a monitoring agent) holds its memory a little longer.
//!
//! So each engine that serves holds a lock that only a mapping of its keeps: the lock belongs to an open file, and the
//! mapping is the last that refers to it. The next engine gets it when the mappings of the one before are gone. A dead
//! engine's memory may stay for long after its reaping: its undertaker shares it (`crate::undertaker`), which takes the
//! mapping away when nothing is under way any more.
//!
//! The file is the memory of request buffers, which all engines of a volume share; nothing else locks it.

use crate::log;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use transport::fuse::buffer::PAGE;

/// Held until it is taken down, or the process's memory is.
pub struct Fence {
    mapping: *mut libc::c_void,
}

// SAFETY: an address, at which nobody reads or writes.
unsafe impl Send for Fence {}
// SAFETY: the same.
unsafe impl Sync for Fence {}

impl Fence {
    /// Waits until nothing of an earlier engine can land any more, and holds the next one back. `memory`: that of the
    /// request buffers.
    pub fn close(memory: &File) -> io::Result<Fence> {
        Fence::hold(memory.as_raw_fd())
    }

    fn hold(memory: RawFd) -> io::Result<Fence> {
        // An open file of its own, as locks belong to those.
        let opened = File::options()
            .read(true)
            .write(true)
            .open(format!("/proc/self/fd/{memory}"))?;
        if !lock(&opened, libc::LOCK_EX | libc::LOCK_NB)? {
            log::line("the engine before has I/O under way; waiting for its end");
            lock(&opened, libc::LOCK_EX)?;
        }
        // SAFETY: a fresh mapping, no address asked for; nobody reads or writes it.
        let mapping = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_NONE,
                libc::MAP_SHARED,
                opened.as_raw_fd(),
                0,
            )
        };
        if mapping == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // A child between its fork and its program must not keep it.
        // SAFETY: exactly the mapping just made; only advice.
        unsafe { libc::madvise(mapping, PAGE, libc::MADV_DONTFORK) };
        Ok(Fence { mapping })
    }

    /// Nothing of this process can land any more, and nobody works in it. One system call; once.
    pub fn take_down(&self) {
        // SAFETY: the mapping of `hold`, to which nothing refers.
        unsafe { libc::munmap(self.mapping, PAGE) };
    }
}

/// False: somebody else has it, and `how` says not to wait.
fn lock(file: &File, how: libc::c_int) -> io::Result<bool> {
    loop {
        // SAFETY: takes numbers only.
        if unsafe { libc::flock(file.as_raw_fd(), how) } == 0 {
            return Ok(true);
        }
        let e = io::Error::last_os_error();
        match e.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::EWOULDBLOCK) => return Ok(false),
            _ => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn the_next_one_waits_until_the_mapping_of_the_one_before_is_gone() {
        let memory = transport::fuse::buffer::memory_file().unwrap();
        memory.set_len(PAGE as u64).unwrap();
        let fd = memory.as_raw_fd();
        let first = Fence::hold(fd).unwrap();
        let (got, told) = mpsc::channel();
        let second = thread::spawn(move || {
            let second = Fence::hold(fd).unwrap();
            got.send(()).unwrap();
            second.take_down();
        });
        told.recv_timeout(Duration::from_millis(100))
            .expect_err("held by the mapping alone");
        first.take_down();
        told.recv_timeout(Duration::from_secs(10)).unwrap();
        second.join().unwrap();
        Fence::hold(fd).unwrap().take_down();
    }
}
