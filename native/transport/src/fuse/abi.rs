//! Structures and numbers of `linux/fuse.h`, protocol 7.x, in the kernel's layout.

use zerocopy::{FromBytes, Immutable, IntoBytes};

pub const KERNEL_VERSION: u32 = 7;
/// The minor version that these structures are of (Linux 6.9: RESEND).
pub const KERNEL_MINOR_VERSION: u32 = 40;
pub const ROOT_NODE: u64 = 1;

pub const LOOKUP: u32 = 1;
pub const FORGET: u32 = 2;
pub const GETATTR: u32 = 3;
pub const OPEN: u32 = 14;
pub const READ: u32 = 15;
pub const WRITE: u32 = 16;
pub const STATFS: u32 = 17;
pub const RELEASE: u32 = 18;
pub const FSYNC: u32 = 20;
pub const FLUSH: u32 = 25;
pub const INIT: u32 = 26;
pub const OPENDIR: u32 = 27;
pub const READDIR: u32 = 28;
pub const RELEASEDIR: u32 = 29;
pub const INTERRUPT: u32 = 36;
pub const DESTROY: u32 = 38;
pub const BATCH_FORGET: u32 = 42;
pub const FALLOCATE: u32 = 43;

pub const INIT_ASYNC_READ: u64 = 1 << 0;
pub const INIT_BIG_WRITES: u64 = 1 << 5;
pub const INIT_ASYNC_DIO: u64 = 1 << 15;
pub const INIT_MAX_PAGES: u64 = 1 << 22;
pub const INIT_EXT: u64 = 1 << 30;
pub const INIT_HAS_RESEND: u64 = 1 << 39;

pub const OPEN_DIRECT_IO: u32 = 1 << 0;
pub const OPEN_PARALLEL_DIRECT_WRITES: u32 = 1 << 6;

/// Code of the notification that asks for all pending requests again.
pub const NOTIFY_RESEND: i32 = 7;

/// A plain structure of a kernel's protocol: any bit pattern is a value, and no byte of it is padding.
pub trait Plain: FromBytes + IntoBytes + Immutable + Sized {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    /// Reads one from the start of `from`; None if it is too short.
    fn parse(from: &[u8]) -> Option<Self> {
        Some(Self::read_from_prefix(from).ok()?.0)
    }
}

impl<T: FromBytes + IntoBytes + Immutable> Plain for T {}

macro_rules! plain {
    ($($name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        #[repr(C)]
        #[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
        pub struct $name { $(pub $field: $type),* }
    )*};
}

plain! {
    InHeader { len: u32, opcode: u32, unique: u64, nodeid: u64, uid: u32, gid: u32, pid: u32, extra: u32 }
    OutHeader { len: u32, error: i32, unique: u64 }
    InitIn { major: u32, minor: u32, max_readahead: u32, flags: u32, flags2: u32, unused: [u32; 11] }
    InitOut {
        major: u32, minor: u32, max_readahead: u32, flags: u32, max_background: u16,
        congestion_threshold: u16, max_write: u32, time_gran: u32, max_pages: u16, map_alignment: u16,
        flags2: u32, max_stack_depth: u32, request_timeout: u16, unused: [u16; 11],
    }
    Attr {
        ino: u64, size: u64, blocks: u64, atime: u64, mtime: u64, ctime: u64, atimensec: u32,
        mtimensec: u32, ctimensec: u32, mode: u32, nlink: u32, uid: u32, gid: u32, rdev: u32,
        blksize: u32, flags: u32,
    }
    EntryOut {
        nodeid: u64, generation: u64, entry_valid: u64, attr_valid: u64, entry_valid_nsec: u32,
        attr_valid_nsec: u32, attr: Attr,
    }
    AttrOut { attr_valid: u64, attr_valid_nsec: u32, dummy: u32, attr: Attr }
    OpenOut { fh: u64, open_flags: u32, backing_id: i32 }
    ReadIn { fh: u64, offset: u64, size: u32, read_flags: u32, lock_owner: u64, flags: u32, padding: u32 }
    WriteIn { fh: u64, offset: u64, size: u32, write_flags: u32, lock_owner: u64, flags: u32, padding: u32 }
    WriteOut { size: u32, padding: u32 }
    FallocateIn { fh: u64, offset: u64, length: u64, mode: u32, padding: u32 }
    StatfsOut {
        blocks: u64, bfree: u64, bavail: u64, files: u64, ffree: u64, bsize: u32, namelen: u32,
        frsize: u32, padding: u32, spare: [u32; 6],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Under AddressSanitizer (`npm run sanitize`) a read beyond the slice's end is found.
    #[test]
    fn a_structure_is_read_from_its_bytes_wherever_they_begin_and_end() {
        let told = ReadIn {
            fh: 1,
            offset: u64::MAX,
            size: 4096,
            padding: 7,
            ..ReadIn::default()
        };
        let size = size_of::<ReadIn>();
        for lead in 0..8 {
            let bytes = [&vec![0xff; lead], told.bytes()]
                .concat()
                .into_boxed_slice();
            let read = ReadIn::parse(&bytes[lead..]).expect("as long as the structure");
            assert_eq!(read.bytes(), told.bytes());
            for length in 0..size {
                let short = bytes[lead..lead + length].to_vec().into_boxed_slice();
                assert!(ReadIn::parse(&short).is_none());
            }
        }
    }
}
