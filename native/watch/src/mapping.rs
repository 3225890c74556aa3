//! Where a file lies on the device, and how an xfs is laid out, as the file system tells it.

use crate::sys;
use std::fs::File;
use std::io;
use std::ops::Range;

const FS_IOC_FIEMAP: u32 = 0xC020_660B;
const XFS_IOC_FSGEOMETRY_V1: u32 = 0x8070_5864;

const FIEMAP_LAST: u32 = 0x1;
const FIEMAP_UNKNOWN: u32 = 0x2;
const FIEMAP_NOT_YET: u32 = 0x4;
/// Compressed, inside another structure, at the end of one, or shared with another file: writes elsewhere than there,
/// or of somebody else.
const FIEMAP_ELSEWHERE: u32 = 0x8 | 0x100 | 0x200 | 0x400 | 0x2000;

const FIEMAP_BATCH: usize = 512;

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
const _: () = assert!(size_of::<FileExtent>() == 56);
