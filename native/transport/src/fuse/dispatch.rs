//! One request in, one reply out.
//!
//! The file system has a root directory, the file `live` and a file `snap-<id>` for each readable
//! snapshot. FLUSH is answered ENOSYS once, for good; FSYNC never is, because that would turn the
//! device's flushes off. Attributes are valid for ever (nothing changes them), so that no program has
//! to ask an engine that may just be dead; names of snapshots are looked up anew each time.

use super::abi::{self, Plain};
use super::buffer::PAGE;
use super::held::Held;
use super::session::{MAX_PAYLOAD, REPLY_HEAD};
use crate::served::{Change, Direction, Errno, Image, Pace, Patience, Served};
use std::ops::Range;

const LIVE_NODE: u64 = 2;
/// Frozen image n has node FIRST_FROZEN_NODE + n.
const FIRST_FROZEN_NODE: u64 = 16;
const FOR_EVER_SECONDS: u64 = 10 * 365 * 86_400;

fn image_of(node: u64) -> Result<Image, Errno> {
    match node {
        LIVE_NODE => Ok(Image::Live),
        n if n >= FIRST_FROZEN_NODE => Ok(Image::Frozen(n - FIRST_FROZEN_NODE)),
        _ => Err(Errno(libc::EISDIR)),
    }
}

/// What becomes of a request.
pub enum Outcome {
    /// The reply lies in this range of the buffer.
    Reply(Range<usize>),
    /// The protocol wants no reply.
    Silence,
    /// It must wait, and is to be answered later.
    Held(Held),
}

/// Why there is no reply of success.
enum Unfinished {
    Failed(Errno),
    Held(Held),
}

impl From<Errno> for Unfinished {
    fn from(errno: Errno) -> Self {
        Unfinished::Failed(errno)
    }
}

/// Handles the request of `length` bytes at `start`; `buffer[PAGE..]` is where payloads lie. Never waits
/// for room in a cache.
pub fn handle(
    buffer: &mut [u8],
    start: usize,
    length: usize,
    scratch: &mut [u8],
    served: &dyn Served,
) -> Outcome {
    let Some(header) = abi::InHeader::parse(&buffer[start..start + length]) else {
        return Outcome::Silence;
    };
    // The arguments of a WRITE and a READ end where the payload begins; small enough to copy.
    let body = start + size_of::<abi::InHeader>();
    let result = match header.opcode {
        abi::FORGET | abi::BATCH_FORGET | abi::INTERRUPT => return Outcome::Silence,
        abi::READ => read(buffer, body, &header, scratch, served).map_err(Unfinished::from),
        abi::WRITE => write(buffer, body, length, scratch, served),
        abi::FSYNC => served.flush().map(|()| 0).map_err(Unfinished::from),
        abi::FALLOCATE => fallocate(buffer, body, &header, scratch, served).map(|()| 0),
        abi::INIT => init(buffer, body).map_err(Unfinished::from),
        abi::LOOKUP => lookup(buffer, body, length, &header, served).map_err(Unfinished::from),
        abi::GETATTR => Ok(put(
            buffer,
            &abi::AttrOut {
                attr_valid: FOR_EVER_SECONDS,
                attr: attributes(header.nodeid, served.size()),
                ..Default::default()
            },
        )),
        abi::OPEN => open(buffer, &header).map_err(Unfinished::from),
        abi::OPENDIR => Ok(put(buffer, &abi::OpenOut::default())),
        abi::READDIR | abi::RELEASE | abi::RELEASEDIR | abi::DESTROY => Ok(0),
        abi::STATFS => Ok(put(
            buffer,
            &abi::StatfsOut {
                blocks: served.size() / 4096,
                // The loop driver takes its discard granularity from here.
                bsize: 4096,
                frsize: 4096,
                namelen: 255,
                ..Default::default()
            },
        )),
        _ => Err(Errno(libc::ENOSYS).into()),
    };
    match result {
        Ok(payload) => Outcome::Reply(reply(buffer, header.unique, Ok(payload))),
        Err(Unfinished::Failed(errno)) => Outcome::Reply(reply(buffer, header.unique, Err(errno))),
        Err(Unfinished::Held(held)) => Outcome::Held(held),
    }
}

/// Puts a reply's head before its payload of so many bytes; returns where both lie.
fn reply(buffer: &mut [u8], unique: u64, payload: Result<usize, Errno>) -> Range<usize> {
    let (payload, error) = match payload {
        Ok(payload) => (payload, 0),
        Err(errno) => (0, -errno.0),
    };
    let out = abi::OutHeader {
        len: (REPLY_HEAD + payload) as u32,
        error,
        unique,
    };
    buffer[PAGE - REPLY_HEAD..PAGE].copy_from_slice(out.bytes());
    PAGE - REPLY_HEAD..PAGE + payload
}

/// A read or write of the live volume, by itself: its data lies, or shall lie, from the page edge on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    pub unique: u64,
    pub direction: Direction,
    pub offset: u64,
    /// At least 1.
    pub length: usize,
}

impl Transfer {
    /// None: the request is something else, or not as it should be; [`handle`] it.
    pub fn of(buffer: &[u8], start: usize, length: usize, served: &dyn Served) -> Option<Transfer> {
        let header = abi::InHeader::parse(&buffer[start..start + length])?;
        if header.nodeid != LIVE_NODE {
            return None;
        }
        let body = start + size_of::<abi::InHeader>();
        let (direction, offset, size, most) = match header.opcode {
            abi::READ => {
                let ask = abi::ReadIn::parse(&buffer[body..])?;
                (Direction::FromStore, ask.offset, ask.size, MAX_PAYLOAD)
            }
            abi::WRITE => {
                let ask = abi::WriteIn::parse(&buffer[body..])?;
                let heads = size_of::<abi::InHeader>() + size_of::<abi::WriteIn>();
                let received = length.saturating_sub(heads);
                (Direction::ToStore, ask.offset, ask.size, received)
            }
            _ => return None,
        };
        let length = size as usize;
        let inside = offset
            .checked_add(u64::from(size))
            .is_some_and(|end| end <= served.size());
        (inside && (1..=most).contains(&length)).then_some(Transfer {
            unique: header.unique,
            direction,
            offset,
            length,
        })
    }

    /// Where the reply lies once it has ended, all of it done or none.
    pub fn reply(&self, buffer: &mut [u8], done: Result<(), Errno>) -> Range<usize> {
        let payload = done.map(|()| match self.direction {
            Direction::FromStore => self.length,
            Direction::ToStore => {
                let size = self.length as u32;
                put(buffer, &abi::WriteOut { size, padding: 0 })
            }
        });
        reply(buffer, self.unique, payload)
    }
}

/// Whether the thread that handles the request may sleep over it, at this pace of the store.
pub fn may_sleep(buffer: &[u8], start: usize, length: usize, pace: Pace) -> bool {
    let header = abi::InHeader::parse(&buffer[start..start + length]);
    match header.map(|header| header.opcode) {
        Some(abi::FSYNC | abi::FALLOCATE) => true,
        Some(abi::READ | abi::WRITE) => pace != Pace::AtOnce,
        _ => false,
    }
}

/// Makes the change, or puts it aside if it would have to wait.
fn change(
    unique: u64,
    change: Change<'_>,
    scratch: &mut [u8],
    served: &dyn Served,
) -> Result<(), Unfinished> {
    match served.change(change, Patience::None, scratch) {
        Err(Errno::WOULD_WAIT) => Err(Unfinished::Held(Held::new(unique, change))),
        other => Ok(other?),
    }
}

/// Places a reply's structure; returns its length.
fn put<T: Plain>(buffer: &mut [u8], value: &T) -> usize {
    let bytes = value.bytes();
    buffer[PAGE..PAGE + bytes.len()].copy_from_slice(bytes);
    bytes.len()
}

fn malformed() -> Errno {
    Errno(libc::EINVAL)
}

fn read(
    buffer: &mut [u8],
    body: usize,
    header: &abi::InHeader,
    scratch: &mut [u8],
    served: &dyn Served,
) -> Result<usize, Errno> {
    let ask = abi::ReadIn::parse(&buffer[body..]).ok_or_else(malformed)?;
    let left = served.size().saturating_sub(ask.offset);
    let length = (ask.size as usize).min(MAX_PAYLOAD).min(left as usize);
    if length > 0 {
        let data = &mut buffer[PAGE..PAGE + length];
        served.read(image_of(header.nodeid)?, ask.offset, data, scratch)?;
    }
    Ok(length)
}

fn write(
    buffer: &mut [u8],
    body: usize,
    length: usize,
    scratch: &mut [u8],
    served: &dyn Served,
) -> Result<usize, Unfinished> {
    let header =
        abi::InHeader::parse(&buffer[body - size_of::<abi::InHeader>()..]).ok_or_else(malformed)?;
    let ask = abi::WriteIn::parse(&buffer[body..]).ok_or_else(malformed)?;
    let size = ask.size as usize;
    let received = length.saturating_sub(size_of::<abi::InHeader>() + size_of::<abi::WriteIn>());
    if image_of(header.nodeid)? != Image::Live {
        return Err(Errno(libc::EROFS).into());
    }
    if size > received {
        return Err(malformed().into());
    }
    if ask.offset.saturating_add(size as u64) > served.size() {
        return Err(Errno(libc::ENOSPC).into());
    }
    let write = Change::Write {
        offset: ask.offset,
        data: &buffer[PAGE..PAGE + size],
    };
    change(header.unique, write, scratch, served)?;
    Ok(put(
        buffer,
        &abi::WriteOut {
            size: ask.size,
            padding: 0,
        },
    ))
}

fn fallocate(
    buffer: &[u8],
    body: usize,
    header: &abi::InHeader,
    scratch: &mut [u8],
    served: &dyn Served,
) -> Result<(), Unfinished> {
    let ask = abi::FallocateIn::parse(&buffer[body..]).ok_or_else(malformed)?;
    if image_of(header.nodeid)? != Image::Live {
        return Err(Errno(libc::EROFS).into());
    }
    let end = ask.offset.checked_add(ask.length).ok_or_else(malformed)?;
    let keep = libc::FALLOC_FL_KEEP_SIZE as u32;
    if ask.mode & keep == 0 || end > served.size() {
        return Err(Errno::NOT_SUPPORTED.into());
    }
    let (offset, length) = (ask.offset, ask.length);
    let wanted = match (ask.mode & !keep) as i32 {
        // The loop driver asks so for a discard, and for zeroes that may be unmapped (`blkdev_issue_zeroout`, by which
        // ext4 zeroes what it has not written): nobody can tell which of the two it is.
        libc::FALLOC_FL_PUNCH_HOLE => Change::PunchHole { offset, length },
        libc::FALLOC_FL_ZERO_RANGE => Change::WriteZeroes { offset, length },
        _ => return Err(Errno::NOT_SUPPORTED.into()),
    };
    change(header.unique, wanted, scratch, served)
}

/// The negotiated values depend on the kernel alone, so a replaced engine needs to know none of them.
fn init(buffer: &mut [u8], body: usize) -> Result<usize, Errno> {
    let ask = abi::InitIn::parse(&buffer[body..]).ok_or_else(malformed)?;
    if ask.major < abi::KERNEL_VERSION {
        return Err(Errno(libc::EPROTO));
    }
    if ask.major > abi::KERNEL_VERSION {
        // The kernel asks again with the version that we name.
        return Ok(put(
            buffer,
            &abi::InitOut {
                major: abi::KERNEL_VERSION,
                minor: abi::KERNEL_MINOR_VERSION,
                ..Default::default()
            },
        ));
    }
    let offered = u64::from(ask.flags) | u64::from(ask.flags2) << 32;
    let wanted = abi::INIT_ASYNC_READ
        | abi::INIT_BIG_WRITES
        | abi::INIT_ASYNC_DIO
        | abi::INIT_MAX_PAGES
        | abi::INIT_EXT
        | abi::INIT_HAS_RESEND;
    let agreed = offered & wanted;
    Ok(put(
        buffer,
        &abi::InitOut {
            major: abi::KERNEL_VERSION,
            minor: abi::KERNEL_MINOR_VERSION.min(ask.minor),
            max_readahead: ask.max_readahead.min(MAX_PAYLOAD as u32),
            flags: agreed as u32,
            flags2: (agreed >> 32) as u32,
            // A loop device has at most 128 requests in flight. Were this the limit, a live device whose writes
            // wait for room would leave none for the readers of the image that must make it.
            max_background: 1024,
            congestion_threshold: 768,
            max_write: MAX_PAYLOAD as u32,
            time_gran: 1,
            max_pages: (MAX_PAYLOAD / PAGE) as u16,
            ..Default::default()
        },
    ))
}

fn lookup(
    buffer: &mut [u8],
    body: usize,
    length: usize,
    header: &abi::InHeader,
    served: &dyn Served,
) -> Result<usize, Errno> {
    let end = body - size_of::<abi::InHeader>() + length;
    let name = buffer[body..end]
        .split(|b| *b == 0)
        .next()
        .unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| Errno::NOT_FOUND)?;
    if header.nodeid != abi::ROOT_NODE {
        return Err(Errno(libc::ENOTDIR));
    }
    let (node, entry_valid) = match name.strip_prefix("snap-") {
        Some(id) => (
            FIRST_FROZEN_NODE + served.find(id).ok_or(Errno::NOT_FOUND)?,
            0,
        ),
        None if name == "live" => (LIVE_NODE, FOR_EVER_SECONDS),
        None => return Err(Errno::NOT_FOUND),
    };
    Ok(put(
        buffer,
        &abi::EntryOut {
            nodeid: node,
            entry_valid,
            attr_valid: FOR_EVER_SECONDS,
            attr: attributes(node, served.size()),
            ..Default::default()
        },
    ))
}

fn attributes(node: u64, size: u64) -> abi::Attr {
    let (mode, size) = match node {
        abi::ROOT_NODE => (libc::S_IFDIR | 0o500, 0),
        LIVE_NODE => (libc::S_IFREG | 0o600, size),
        _ => (libc::S_IFREG | 0o400, size),
    };
    abi::Attr {
        ino: node,
        size,
        blocks: size / 512,
        mode,
        nlink: 1,
        blksize: 4096,
        ..Default::default()
    }
}

/// The live file bypasses the page cache. A frozen one, where it is read otherwise than by a loop device, goes through it and is
/// dropped at each open.
fn open(buffer: &mut [u8], header: &abi::InHeader) -> Result<usize, Errno> {
    let open_flags = match image_of(header.nodeid)? {
        Image::Live => abi::OPEN_DIRECT_IO | abi::OPEN_PARALLEL_DIRECT_WRITES,
        Image::Frozen(_) => 0,
    };
    Ok(put(
        buffer,
        &abi::OpenOut {
            open_flags,
            ..Default::default()
        },
    ))
}
