//! The free blocks of a frozen file system, as the file system itself tells them (FS_IOC_GETFSMAP).

use cow::BLOCK;
use cow::bitmap::Bitmap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

const FS_IOC_GETFSMAP: u64 = 0xC0C0_583B;
const SPECIAL_OWNER: u32 = 0x10;
const LAST: u32 = 0x20;
const OWNER_FREE: u64 = 1;
/// Extents asked for at once.
const BATCH: usize = 4096;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Extent {
    device: u32,
    flags: u32,
    physical: u64,
    owner: u64,
    offset: u64,
    length: u64,
    reserved: [u64; 3],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Request {
    iflags: u32,
    oflags: u32,
    count: u32,
    entries: u32,
    reserved: [u64; 6],
    keys: [Extent; 2],
    records: [Extent; BATCH],
}

/// Sets the bit of every block that lies wholly in a free extent; returns how many there are.
pub fn mark(mount: &File, blocks: &Bitmap) -> io::Result<u64> {
    let device = new_encode(mount.metadata()?.dev());
    let mut request = Box::new(Request {
        iflags: 0,
        oflags: 0,
        count: BATCH as u32,
        entries: 0,
        reserved: [0; 6],
        keys: [
            Extent::default(),
            Extent {
                device: u32::MAX,
                flags: u32::MAX,
                physical: u64::MAX,
                owner: u64::MAX,
                offset: u64::MAX,
                length: 0,
                reserved: [0; 3],
            },
        ],
        records: [Extent::default(); BATCH],
    });
    let mut found = 0;
    loop {
        // SAFETY: the structure has the kernel's layout, with room for `count` records behind it.
        let asked = unsafe { libc::ioctl(mount.as_raw_fd(), FS_IOC_GETFSMAP, &mut *request) };
        if asked != 0 {
            return Err(io::Error::last_os_error());
        }
        let records = &request.records[..(request.entries as usize).min(BATCH)];
        for extent in records {
            let free = extent.flags & SPECIAL_OWNER != 0 && extent.owner == OWNER_FREE;
            if free && extent.device == device {
                let from = extent.physical.div_ceil(BLOCK as u64);
                let to = (extent.physical + extent.length) / BLOCK as u64;
                if from < to {
                    blocks.set_range(from, to);
                    found += to - from;
                }
            }
        }
        match records.last() {
            Some(last) if last.flags & LAST == 0 => request.keys[0] = *last,
            _ => return Ok(found),
        }
    }
}

/// `new_encode_dev` of the kernel.
fn new_encode(device: u64) -> u32 {
    let (major, minor) = (libc::major(device), libc::minor(device));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}
