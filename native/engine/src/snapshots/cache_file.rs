//! One cache file: slots of 4 KiB, mode 0600, past the page cache where the file system allows it.

use crate::backing;
use cow::BLOCK;
use cow::gather::Gathering;
use cow::store::SlotStore;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use transport::served::Pace;

pub struct CacheFile {
    file: File,
}

impl CacheFile {
    /// Makes a new one; what lies at the path is a leftover and is removed.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Err(e) = std::fs::remove_file(path)
            && e.kind() != io::ErrorKind::NotFound
        {
            return Err(e);
        }
        CacheFile::open_with(path, true)
    }

    /// Opens the one that the last engine used. The second value: how many slots have room.
    pub fn reopen(path: &Path) -> io::Result<(Self, u64)> {
        let cache = CacheFile::open_with(path, false)?;
        let slots = cache.file.metadata()?.len() / BLOCK as u64;
        Ok((cache, slots))
    }

    fn open_with(path: &Path, new: bool) -> io::Result<Self> {
        let open = |direct: i32| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(new)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW | direct)
                .open(path)
        };
        let file = match open(libc::O_DIRECT) {
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) => {
                // Some kernels make the file before they refuse.
                if new {
                    let _ = std::fs::remove_file(path);
                }
                open(0)?
            }
            other => other?,
        };
        Ok(CacheFile { file })
    }

    /// As writers use it: where they sleep over a write, those that wait together write together.
    pub fn into_store(self) -> Arc<dyn SlotStore> {
        let pace = backing::pace(&self.file);
        let store = Arc::new(self);
        match pace {
            Pace::AtOnce => store,
            Pace::Sleeps | Pace::Behind => Arc::new(Gathering::new(store)),
        }
    }
}

impl SlotStore for CacheFile {
    fn reserve(&self, slots: u64) -> io::Result<()> {
        let length = slots as i64 * BLOCK as i64;
        // SAFETY: takes numbers only.
        if unsafe { libc::fallocate(self.file.as_raw_fd(), 0, 0, length) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    fn read(&self, slot: u32, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, u64::from(slot) * BLOCK as u64)
    }

    fn write(&self, slot: u32, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, u64::from(slot) * BLOCK as u64)
    }
}
