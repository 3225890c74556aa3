//! The backing store: a block device or an image file, opened for us alone.

use crate::failure::{Context, Failure, Outcome};
use crate::protocol::ErrorKind;
use cow::store::BlockStore;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use transport::served::Pace;

pub const MIN_BYTES: u64 = 1 << 20;
const BLKGETSIZE64: u64 = 0x8008_1272;
const BLKSSZGET: u64 = 0x1268;
const BLKDISCARD: u64 = 0x1277;
const BLKZEROOUT: u64 = 0x127f;
const TMPFS_MAGIC: i64 = 0x0102_1994;
/// Where nobody tells the alignment, this one is safe.
const SAFE_ALIGNMENT: usize = 4096;

/// What attach found out about a backing store.
pub struct Opened {
    pub file: File,
    pub size: u64,
    /// Of reads and writes; 512 where the page cache is used.
    pub alignment: usize,
    /// The device's own sector size; 512 for an image.
    pub sector_size: u32,
}

/// Opens for us alone: a block device exclusively, an image with a lock. Both last as long as any
/// copy of the descriptor.
pub fn open(path: &Path) -> Outcome<Opened> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).context(|| format!("{shown}"))?;
    let kind = metadata.file_type();
    let is_device = kind.is_block_device();
    if !is_device && !kind.is_file() {
        return Err(Failure::invalid(format!(
            "{shown} is neither a block device nor an image file"
        )));
    }
    let exclusive = if is_device { libc::O_EXCL } else { 0 };
    let with = |direct: i32| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(exclusive | direct)
            .open(path)
    };
    let (file, direct) = match with(libc::O_DIRECT) {
        Ok(file) => (file, true),
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => {
            (with(0).context(|| format!("opening {shown}"))?, false)
        }
        Err(e) if e.raw_os_error() == Some(libc::EBUSY) => {
            return Err(Failure::new(
                ErrorKind::Busy,
                format!("{shown} is in use: mounted, attached, or claimed by another driver"),
            ));
        }
        Err(e) => return Err(Failure::io(format!("opening {shown}"), e)),
    };
    let (size, sector_size) = if is_device {
        device_geometry(&file).context(|| format!("asking {shown} for its size"))?
    } else {
        refuse_image_in_use(path, &file, metadata.dev(), metadata.ino())?;
        (metadata.len(), 512)
    };
    if size < MIN_BYTES {
        return Err(Failure::invalid(format!(
            "{shown} has {size} bytes; a volume needs at least {MIN_BYTES}"
        )));
    }
    let alignment = if direct {
        alignment(&file, sector_size)
    } else {
        512
    };
    Ok(Opened {
        size: size / alignment as u64 * alignment as u64,
        file,
        alignment,
        sector_size,
    })
}

fn device_geometry(file: &File) -> io::Result<(u64, u32)> {
    let mut bytes: u64 = 0;
    let mut sector: libc::c_int = 0;
    // SAFETY: both calls write one value of the type given.
    let failed = unsafe {
        libc::ioctl(file.as_raw_fd(), BLKGETSIZE64, &mut bytes) != 0
            || libc::ioctl(file.as_raw_fd(), BLKSSZGET, &mut sector) != 0
    };
    if failed {
        return Err(io::Error::last_os_error());
    }
    Ok((bytes, sector as u32))
}

/// An image that a loop device serves already may be mounted: two masters would destroy it.
fn refuse_image_in_use(path: &Path, file: &File, device: u64, inode: u64) -> Outcome<()> {
    let shown = path.display();
    // SAFETY: only takes a lock.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
        return Err(Failure::new(
            ErrorKind::Busy,
            format!("{shown} is locked by another program; is it attached already?"),
        ));
    }
    let entries = std::fs::read_dir("/sys/block").context(|| "listing block devices".into())?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(backing) = std::fs::read_to_string(format!("/sys/block/{name}/loop/backing_file"))
        else {
            continue;
        };
        let other = std::fs::symlink_metadata(backing.trim_end_matches('\n'));
        if other.is_ok_and(|m| m.is_file() && m.dev() == device && m.ino() == inode) {
            return Err(Failure::new(
                ErrorKind::Busy,
                format!("{shown} is already the file of /dev/{name}"),
            ));
        }
    }
    Ok(())
}

/// What direct I/O on this file must be a multiple of.
fn alignment(file: &File, sector_size: u32) -> usize {
    // SAFETY: all-zero is a value of the structure; the call writes it.
    unsafe {
        let mut info: libc::statx = std::mem::zeroed();
        let asked = libc::statx(
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_DIOALIGN,
            &mut info,
        );
        if asked == 0 && info.stx_mask & libc::STATX_DIOALIGN != 0 && info.stx_dio_offset_align > 0
        {
            return (info.stx_dio_offset_align as usize).clamp(512, SAFE_ALIGNMENT);
        }
    }
    if in_memory(file) {
        return 512;
    }
    if sector_size > 512 {
        sector_size as usize
    } else {
        SAFE_ALIGNMENT
    }
}

/// How an opened backing store answers. Memory answers at once, and what the page cache stands before may or may not.
pub fn pace(file: &File) -> Pace {
    // SAFETY: takes numbers only.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    if in_memory(file) {
        Pace::AtOnce
    } else if flags != -1 && flags & libc::O_DIRECT != 0 {
        Pace::Behind
    } else {
        Pace::Sleeps
    }
}

/// Whether it is a file of a file system in memory.
fn in_memory(file: &File) -> bool {
    // SAFETY: all-zero is a value of the structure; the call writes it.
    let kind = unsafe {
        let mut fs: libc::statfs = std::mem::zeroed();
        (libc::fstatfs(file.as_raw_fd(), &mut fs) == 0).then_some(fs.f_type)
    };
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    is_file && kind == Some(TMPFS_MAGIC)
}

/// The opened file as the engine uses it.
pub struct FileStore {
    is_device: bool,
    file: File,
    size: u64,
    alignment: usize,
}

impl FileStore {
    pub fn new(file: File, size: u64, alignment: usize) -> Self {
        let kind = file.metadata().map(|metadata| metadata.file_type());
        FileStore {
            is_device: kind.is_ok_and(|kind| kind.is_block_device()),
            file,
            size,
            alignment,
        }
    }

    /// For who reads and writes it past this process's memory.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether a range may be read or written as it is.
    pub fn is_aligned(&self, offset: u64, length: u64) -> bool {
        (offset | length).is_multiple_of(self.alignment as u64)
    }

    /// What is punched out or zeroed of an image; a block device is punched only where that leaves zeroes.
    fn allocate(&self, mode: i32, offset: u64, length: u64) -> io::Result<()> {
        // SAFETY: takes numbers only.
        let done = unsafe {
            libc::fallocate(
                self.file.as_raw_fd(),
                mode | libc::FALLOC_FL_KEEP_SIZE,
                offset as i64,
                length as i64,
            )
        };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// For a block device, whose driver is asked: discards as well that may leave anything.
    fn give(&self, request: u64, range: Range<u64>) -> io::Result<()> {
        let range = [range.start, range.end - range.start];
        // SAFETY: reads two numbers.
        if unsafe { libc::ioctl(self.file.as_raw_fd(), request, range.as_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

impl BlockStore for FileStore {
    fn size(&self) -> u64 {
        self.size
    }

    fn alignment(&self) -> usize {
        self.alignment
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buf, offset).map_err(|e| {
            // An image that somebody cut short.
            if e.kind() == io::ErrorKind::UnexpectedEof {
                io::Error::from_raw_os_error(libc::EIO)
            } else {
                e
            }
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn discard(&self, offset: u64, length: u64) -> io::Result<()> {
        if !self.is_device {
            return self.allocate(libc::FALLOC_FL_PUNCH_HOLE, offset, length);
        }
        // What it cannot discard in whole units may stay.
        let unit = self.alignment as u64;
        let (from, to) = (
            offset.next_multiple_of(unit),
            (offset + length) / unit * unit,
        );
        if from < to {
            self.give(BLKDISCARD, from..to)?;
        }
        Ok(())
    }

    fn punch_hole(&self, offset: u64, length: u64) -> io::Result<()> {
        // Of a block device too: it punches only where its driver promises zeroes for that.
        self.allocate(libc::FALLOC_FL_PUNCH_HOLE, offset, length)
    }

    fn write_zeroes(&self, offset: u64, length: u64) -> io::Result<()> {
        if self.is_device {
            return self.give(BLKZEROOUT, offset..offset + length);
        }
        match self.allocate(libc::FALLOC_FL_ZERO_RANGE, offset, length) {
            Err(e) if e.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                self.allocate(libc::FALLOC_FL_PUNCH_HOLE, offset, length)
            }
            other => other,
        }
    }
}
