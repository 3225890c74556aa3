//! Where files and a file system's own structures lie on the device, as the file system tells it.

use crate::sys;
use std::fs::File;
use std::io;
use std::ops::Range;

const FS_IOC_FIEMAP: u32 = 0xC020_660B;
const FS_IOC_GETFSMAP: u32 = 0xC0C0_583B;
const XFS_IOC_FSGEOMETRY_V1: u32 = 0x8070_5864;

const FIEMAP_LAST: u32 = 0x1;
const FIEMAP_UNKNOWN: u32 = 0x2;
const FIEMAP_NOT_YET: u32 = 0x4;
/// Compressed, inside another structure, at the end of one, or shared with another file: writes elsewhere than there,
/// or of somebody else.
const FIEMAP_ELSEWHERE: u32 = 0x8 | 0x100 | 0x200 | 0x400 | 0x2000;

const FIEMAP_BATCH: usize = 512;
const FSMAP_BATCH: usize = 256;
const FSMAP_LAST: u32 = 0x20;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct FileExtent {
    logical: u64,
    physical: u64,
    length: u64,
    reserved: [u64; 2],
    flags: u32,
    more: [u32; 3],
}

#[repr(C)]
struct FileMapRequest {
    start: u64,
    length: u64,
    flags: u32,
    mapped: u32,
    count: u32,
    reserved: u32,
    extents: [FileExtent; FIEMAP_BATCH],
}

/// A file's extents on its device.
pub struct FileExtents {
    pub ranges: Vec<Range<u64>>,
    /// Whether all of it has its place; else writing back gives more of it one.
    pub settled: bool,
}

/// Up to `most` extents; more are an error.
pub fn file_extents(file: &File, most: usize) -> io::Result<FileExtents> {
    let mut request = Box::new(FileMapRequest {
        start: 0,
        length: u64::MAX,
        flags: 0,
        mapped: 0,
        count: FIEMAP_BATCH as u32,
        reserved: 0,
        extents: [FileExtent::default(); FIEMAP_BATCH],
    });
    let mut found = FileExtents {
        ranges: Vec::new(),
        settled: true,
    };
    loop {
        // SAFETY: the structure is that of the request, with room for `count` extents.
        unsafe { sys::ioctl(file, FS_IOC_FIEMAP, &raw mut *request)? };
        let told = &request.extents[..(request.mapped as usize).min(FIEMAP_BATCH)];
        for extent in told {
            if extent.flags & (FIEMAP_UNKNOWN | FIEMAP_NOT_YET) != 0 {
                found.settled = false;
            } else if extent.flags & FIEMAP_ELSEWHERE == 0 {
                let end = extent.physical.saturating_add(extent.length);
                found.ranges.push(extent.physical..end);
            }
        }
        if found.ranges.len() > most {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        match told.last() {
            Some(last) if last.flags & FIEMAP_LAST == 0 => {
                request.start = last.logical.saturating_add(last.length);
                request.length = u64::MAX - request.start;
            }
            _ => return Ok(found),
        }
    }
}

pub const SHARED: u32 = 0x8;
pub const SPECIAL_OWNER: u32 = 0x10;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Owned {
    device: u32,
    flags: u32,
    physical: u64,
    owner: u64,
    offset: u64,
    length: u64,
    reserved: [u64; 3],
}

#[repr(C)]
struct OwnersRequest {
    iflags: u32,
    oflags: u32,
    count: u32,
    entries: u32,
    reserved: [u64; 6],
    keys: [Owned; 2],
    records: [Owned; FSMAP_BATCH],
}

/// To whom a range of the device belongs.
pub struct Owner {
    pub range: Range<u64>,
    pub flags: u32,
    /// An inode number unless `SPECIAL_OWNER`.
    pub owner: u64,
}

/// The owners in this range, as far as they fit into one answer: what is not told counts as somebody else's.
pub fn owners(mount: &File, range: &Range<u64>) -> io::Result<Vec<Owner>> {
    let mut told = vec![];
    ask_owners(mount, range, 1, &mut |owner| told.push(owner))?;
    Ok(told)
}

/// All owners of the device, in order of place. It reads all of the file system's lists of free space.
pub fn all_owners(mount: &File, each: &mut dyn FnMut(Owner)) -> io::Result<()> {
    ask_owners(mount, &(0..u64::MAX), usize::MAX, each)
}

fn ask_owners(
    mount: &File,
    range: &Range<u64>,
    answers: usize,
    each: &mut dyn FnMut(Owner),
) -> io::Result<()> {
    // The device is the file system's own; another one of it (log, real-time) comes with other numbers.
    let device = new_encode(sys::stat(mount)?.st_dev);
    let mut request = Box::new(OwnersRequest {
        iflags: 0,
        oflags: 0,
        count: FSMAP_BATCH as u32,
        entries: 0,
        reserved: [0; 6],
        keys: [
            Owned {
                device,
                physical: range.start,
                ..Owned::default()
            },
            Owned {
                device,
                flags: u32::MAX,
                physical: range.end - 1,
                owner: u64::MAX,
                offset: u64::MAX,
                ..Owned::default()
            },
        ],
        records: [Owned::default(); FSMAP_BATCH],
    });
    for _ in 0..answers {
        // SAFETY: the structure is that of the request, with room for `count` records.
        unsafe { sys::ioctl(mount, FS_IOC_GETFSMAP, &raw mut *request)? };
        let told = &request.records[..(request.entries as usize).min(FSMAP_BATCH)];
        for record in told.iter().filter(|record| record.device == device) {
            each(Owner {
                range: record.physical..record.physical.saturating_add(record.length),
                flags: record.flags,
                owner: record.owner,
            });
        }
        match told.last() {
            Some(last) if last.flags & FSMAP_LAST == 0 => request.keys[0] = *last,
            _ => break,
        }
    }
    Ok(())
}

/// As the kernel writes device numbers in structures of 32 bits (`new_encode_dev`).
fn new_encode(device: u64) -> u32 {
    let (major, minor) = (libc::major(device), libc::minor(device));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct XfsGeometry {
    pub block_size: u32,
    pub realtime_extent: u32,
    pub group_blocks: u32,
    pub groups: u32,
    pub log_blocks: u32,
    pub sector_size: u32,
    pub inode_size: u32,
    pub inode_percent: u32,
    pub data_blocks: u64,
    pub realtime_blocks: u64,
    pub realtime_extents: u64,
    /// 0: on a device of its own.
    pub log_start: u64,
    pub uuid: [u8; 16],
    pub stripe: [u32; 2],
    pub version: u32,
    pub flags: u32,
    pub sectors: [u32; 2],
    pub directory_block: u32,
    pub padding: u32,
}

pub fn xfs_geometry(mount: &File) -> io::Result<XfsGeometry> {
    let mut geometry = XfsGeometry::default();
    // SAFETY: the structure is that of the request (112 bytes).
    unsafe { sys::ioctl(mount, XFS_IOC_FSGEOMETRY_V1, &raw mut geometry)? };
    Ok(geometry)
}

const _: () = assert!(size_of::<XfsGeometry>() == 112);
const _: () = assert!(size_of::<Owned>() == 64 && size_of::<FileExtent>() == 56);

#[cfg(test)]
mod tests {
    #[test]
    fn large_minors_are_encoded_as_the_kernel_does() {
        assert_eq!(super::new_encode(libc::makedev(7, 3)), 0x0703);
        assert_eq!(super::new_encode(libc::makedev(259, 300)), 0x0011_032c);
    }
}
