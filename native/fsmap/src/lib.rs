//! To whom the places of a mounted file system's device belong, as the file system itself tells it (FS_IOC_GETFSMAP).
//!
//! ext4 tells free space and the fixed places of its structures; xfs also tells the owners of all other places where it
//! keeps a reverse map (`rmapbt`). Each call makes ext4 gather the fixed places of all its groups again, and xfs walk
//! its trees from where the last call ended, so who wants all of it asks for many at once.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

const FS_IOC_GETFSMAP: u32 = 0xC0C0_583B;
const SHARED: u32 = 0x8;
const SPECIAL_OWNER: u32 = 0x10;
const LAST: u32 = 0x20;
const FREE: u64 = 1;

/// Records of one answer: of those for the whole device, and of the one for a range.
const MANY: usize = 4096;
const FEW: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Bytes of the device.
    pub range: Range<u64>,
    pub owner: Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Free,
    /// Of the file system itself, or not known: `FMR_OWN_…`, `EXT4_FMR_OWN_…` or `XFS_FMR_OWN_…` of the kernel's headers.
    Special(u64),
    Inode(u64),
    /// Several files.
    Shared,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Record {
    device: u32,
    flags: u32,
    physical: u64,
    owner: u64,
    offset: u64,
    length: u64,
    reserved: [u64; 3],
}

#[repr(C)]
struct Request<const ROOM: usize> {
    iflags: u32,
    oflags: u32,
    count: u32,
    entries: u32,
    reserved: [u64; 6],
    keys: [Record; 2],
    records: [Record; ROOM],
}

const _: () = assert!(size_of::<Record>() == 64 && size_of::<Request<0>>() == 192);

/// All extents of the device, in order of place.
pub fn each(mount: &File, mut each: impl FnMut(Extent)) -> io::Result<()> {
    ask::<MANY>(mount, &(0..u64::MAX), usize::MAX, &mut each)
}

/// The extents that touch this range, as far as they fit into one answer.
pub fn first_in(mount: &File, range: &Range<u64>) -> io::Result<Vec<Extent>> {
    let mut told = vec![];
    if !range.is_empty() {
        ask::<FEW>(mount, range, 1, &mut |extent| told.push(extent))?;
    }
    Ok(told)
}

fn ask<const ROOM: usize>(
    mount: &File,
    range: &Range<u64>,
    answers: usize,
    each: &mut dyn FnMut(Extent),
) -> io::Result<()> {
    // The device is the file system's own; another one of it (log, real-time) comes with other numbers.
    let device = new_encode(mount.metadata()?.dev());
    let mut request = Box::new(Request {
        iflags: 0,
        oflags: 0,
        count: ROOM as u32,
        entries: 0,
        reserved: [0; 6],
        keys: [
            Record {
                device,
                physical: range.start,
                ..Record::default()
            },
            Record {
                device,
                flags: u32::MAX,
                physical: range.end - 1,
                owner: u64::MAX,
                offset: u64::MAX,
                ..Record::default()
            },
        ],
        records: [Record::default(); ROOM],
    });
    for _ in 0..answers {
        // SAFETY: the structure has the kernel's layout, with room for `count` records behind it.
        let asked = unsafe {
            libc::ioctl(
                mount.as_raw_fd(),
                FS_IOC_GETFSMAP as libc::Ioctl,
                &raw mut *request,
            )
        };
        if asked != 0 {
            return Err(io::Error::last_os_error());
        }
        let told = &request.records[..(request.entries as usize).min(ROOM)];
        for record in told.iter().filter(|record| record.device == device) {
            each(Extent {
                range: record.physical..record.physical.saturating_add(record.length),
                owner: owner_of(record),
            });
        }
        match told.last() {
            Some(last) if last.flags & LAST == 0 => request.keys[0] = *last,
            _ => break,
        }
    }
    Ok(())
}

fn owner_of(record: &Record) -> Owner {
    let is = |flag: u32| record.flags & flag != 0;
    match record.owner {
        FREE if is(SPECIAL_OWNER) => Owner::Free,
        code if is(SPECIAL_OWNER) => Owner::Special(code),
        _ if is(SHARED) => Owner::Shared,
        inode => Owner::Inode(inode),
    }
}

/// As the kernel writes device numbers in structures of 32 bits (`new_encode_dev`).
fn new_encode(device: u64) -> u32 {
    let (major, minor) = (libc::major(device), libc::minor(device));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_minors_are_encoded_as_the_kernel_does() {
        assert_eq!(new_encode(libc::makedev(7, 3)), 0x0703);
        assert_eq!(new_encode(libc::makedev(259, 300)), 0x0011_032c);
    }

    #[test]
    fn what_is_numbered_as_free_space_but_is_an_inode_is_not_free() {
        let of = |flags, owner| {
            owner_of(&Record {
                flags,
                owner,
                ..Record::default()
            })
        };
        assert_eq!(of(SPECIAL_OWNER, 1), Owner::Free);
        assert_eq!(of(SPECIAL_OWNER | LAST, 2), Owner::Special(2));
        assert_eq!(of(0, 1), Owner::Inode(1));
        assert_eq!(of(SHARED, 131), Owner::Shared);
    }

    #[test]
    fn a_file_system_that_does_not_tell_is_an_error() {
        let proc = File::open("/proc").unwrap();
        let errno = each(&proc, |_| {}).unwrap_err().raw_os_error();
        assert_eq!(errno, Some(libc::ENOTTY));
        assert_eq!(first_in(&proc, &(4096..4096)).unwrap(), []);
    }
}
