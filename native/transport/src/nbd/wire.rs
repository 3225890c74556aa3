//! Numbers and layouts of the NBD protocol; all integers are big-endian.

/// `NBDMAGIC`
pub const SERVER_MAGIC: u64 = 0x4e42_444d_4147_4943;
/// `IHAVEOPT`
pub const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
pub const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
pub const REQUEST_MAGIC: u32 = 0x2560_9513;
pub const SIMPLE_REPLY_MAGIC: u32 = 0x6744_6698;
pub const CHUNK_MAGIC: u32 = 0x668e_33ef;

/// Handshake flags, ours and the client's.
pub const FIXED_NEWSTYLE: u32 = 1;
pub const NO_ZEROES: u32 = 2;

pub mod option {
    pub const EXPORT_NAME: u32 = 1;
    pub const ABORT: u32 = 2;
    pub const LIST: u32 = 3;
    pub const STARTTLS: u32 = 5;
    pub const INFO: u32 = 6;
    pub const GO: u32 = 7;
    pub const STRUCTURED_REPLY: u32 = 8;
    pub const LIST_META_CONTEXT: u32 = 9;
    pub const SET_META_CONTEXT: u32 = 10;
}

/// Types of replies to options.
pub mod answer {
    pub const ACK: u32 = 1;
    pub const SERVER: u32 = 2;
    pub const INFO: u32 = 3;
    pub const META_CONTEXT: u32 = 4;
    const ERROR: u32 = 1 << 31;
    pub const UNSUPPORTED: u32 = ERROR | 1;
    pub const POLICY: u32 = ERROR | 2;
    pub const INVALID: u32 = ERROR | 3;
    pub const TLS_REQUIRED: u32 = ERROR | 5;
    pub const UNKNOWN: u32 = ERROR | 6;
    pub const TOO_BIG: u32 = ERROR | 9;
}

pub mod info {
    pub const EXPORT: u16 = 0;
    pub const NAME: u16 = 1;
    pub const DESCRIPTION: u16 = 2;
    pub const BLOCK_SIZE: u16 = 3;
}

/// Transmission flags: what an export can do.
pub mod can {
    pub const HAS_FLAGS: u16 = 1 << 0;
    pub const READ_ONLY: u16 = 1 << 1;
    pub const FLUSH: u16 = 1 << 2;
    pub const FUA: u16 = 1 << 3;
    pub const TRIM: u16 = 1 << 5;
    pub const WRITE_ZEROES: u16 = 1 << 6;
    pub const DONT_FRAGMENT: u16 = 1 << 7;
    pub const MULTI_CONN: u16 = 1 << 8;
    pub const CACHE: u16 = 1 << 10;
}

pub mod cmd {
    pub const READ: u16 = 0;
    pub const WRITE: u16 = 1;
    pub const DISCONNECT: u16 = 2;
    pub const FLUSH: u16 = 3;
    pub const TRIM: u16 = 4;
    pub const CACHE: u16 = 5;
    pub const WRITE_ZEROES: u16 = 6;
    pub const BLOCK_STATUS: u16 = 7;

    /// Flags of a request.
    pub const FLAG_FUA: u16 = 1 << 0;
    pub const FLAG_NO_HOLE: u16 = 1 << 1;
    pub const FLAG_DONT_FRAGMENT: u16 = 1 << 2;
    pub const FLAG_ONE_EXTENT: u16 = 1 << 3;
}

/// Types of reply chunks.
pub mod chunk {
    pub const NONE: u16 = 0;
    pub const DATA: u16 = 1;
    pub const HOLE: u16 = 2;
    pub const BLOCK_STATUS: u16 = 5;
    pub const ERROR: u16 = (1 << 15) | 1;
    pub const FLAG_DONE: u16 = 1;
}

/// Flags of an extent in `base:allocation`.
pub const STATE_HOLE: u32 = 1;
pub const STATE_ZERO: u32 = 2;

/// The errors that a reply can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    NotPermitted = 1,
    Io = 5,
    NoMemory = 12,
    Invalid = 22,
    NoSpace = 28,
    TooLarge = 75,
    ShuttingDown = 108,
}

impl From<crate::served::Errno> for Fault {
    fn from(errno: crate::served::Errno) -> Self {
        match errno.0 {
            libc::EPERM | libc::EROFS | libc::EACCES => Fault::NotPermitted,
            libc::ENOMEM => Fault::NoMemory,
            libc::EINVAL => Fault::Invalid,
            libc::ENOSPC | libc::EDQUOT | libc::EFBIG => Fault::NoSpace,
            _ => Fault::Io,
        }
    }
}

/// The longest string that the protocol allows.
pub const MAX_STRING: usize = 4096;

pub const GREETING_BYTES: usize = 18;
pub const OPTION_HEAD_BYTES: usize = 16;
pub const REQUEST_BYTES: usize = 28;
pub const SIMPLE_REPLY_BYTES: usize = 16;
pub const CHUNK_HEAD_BYTES: usize = 20;

/// What the server says first.
pub fn greeting() -> [u8; GREETING_BYTES] {
    let mut bytes = [0; GREETING_BYTES];
    bytes[..8].copy_from_slice(&SERVER_MAGIC.to_be_bytes());
    bytes[8..16].copy_from_slice(&OPTION_MAGIC.to_be_bytes());
    let flags = (FIXED_NEWSTYLE | NO_ZEROES) as u16;
    bytes[16..].copy_from_slice(&flags.to_be_bytes());
    bytes
}

pub fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let end = at.checked_add(2)?;
    bytes.get(at..end)?.try_into().ok().map(u16::from_be_bytes)
}

pub fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    bytes.get(at..end)?.try_into().ok().map(u32::from_be_bytes)
}

pub fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    let end = at.checked_add(8)?;
    bytes.get(at..end)?.try_into().ok().map(u64::from_be_bytes)
}

/// The head of an option, before its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionHead {
    pub option: u32,
    pub length: u32,
}

impl OptionHead {
    /// None: no option, the connection is lost.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if be64(bytes, 0)? != OPTION_MAGIC {
            return None;
        }
        Some(OptionHead {
            option: be32(bytes, 8)?,
            length: be32(bytes, 12)?,
        })
    }
}

/// One request of the transmission phase, before a write's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub flags: u16,
    pub command: u16,
    /// Echoed in every reply.
    pub cookie: u64,
    pub offset: u64,
    pub length: u32,
}

impl Request {
    /// None: no request, the connection is lost.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if be32(bytes, 0)? != REQUEST_MAGIC {
            return None;
        }
        Some(Request {
            flags: be16(bytes, 4)?,
            command: be16(bytes, 6)?,
            cookie: be64(bytes, 8)?,
            offset: be64(bytes, 16)?,
            length: be32(bytes, 24)?,
        })
    }
}

pub fn simple_reply(cookie: u64, fault: Option<Fault>) -> [u8; SIMPLE_REPLY_BYTES] {
    let mut bytes = [0; SIMPLE_REPLY_BYTES];
    bytes[..4].copy_from_slice(&SIMPLE_REPLY_MAGIC.to_be_bytes());
    bytes[4..8].copy_from_slice(&fault.map_or(0, |f| f as u32).to_be_bytes());
    bytes[8..].copy_from_slice(&cookie.to_be_bytes());
    bytes
}

/// The head of a chunk with a payload of `length` bytes.
pub fn chunk_head(cookie: u64, kind: u16, done: bool, length: u32) -> [u8; CHUNK_HEAD_BYTES] {
    let mut bytes = [0; CHUNK_HEAD_BYTES];
    let flags = if done { chunk::FLAG_DONE } else { 0 };
    bytes[..4].copy_from_slice(&CHUNK_MAGIC.to_be_bytes());
    bytes[4..6].copy_from_slice(&flags.to_be_bytes());
    bytes[6..8].copy_from_slice(&kind.to_be_bytes());
    bytes[8..16].copy_from_slice(&cookie.to_be_bytes());
    bytes[16..].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// Adds one reply to an option.
pub fn put_answer(out: &mut Vec<u8>, option: u32, kind: u32, data: &[u8]) {
    out.extend_from_slice(&OPTION_REPLY_MAGIC.to_be_bytes());
    out.extend_from_slice(&option.to_be_bytes());
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    out.extend_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served::Errno;

    #[test]
    fn a_request_is_read_as_the_protocol_lays_it_out() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&REQUEST_MAGIC.to_be_bytes());
        bytes.extend_from_slice(&[0, 1, 0, 6]);
        bytes.extend_from_slice(&7u64.to_be_bytes());
        bytes.extend_from_slice(&8192u64.to_be_bytes());
        bytes.extend_from_slice(&512u32.to_be_bytes());
        let request = Request::parse(&bytes).expect("a request");
        assert_eq!(
            request,
            Request {
                flags: cmd::FLAG_FUA,
                command: cmd::WRITE_ZEROES,
                cookie: 7,
                offset: 8192,
                length: 512
            }
        );
        assert_eq!(Request::parse(&bytes[..27]), None);
        bytes[0] ^= 1;
        assert_eq!(Request::parse(&bytes), None);
    }

    #[test]
    fn an_error_that_the_protocol_does_not_know_is_told_as_an_io_error() {
        assert_eq!(Fault::from(Errno(libc::EDQUOT)), Fault::NoSpace);
        assert_eq!(Fault::from(Errno(libc::ENOTRECOVERABLE)), Fault::Io);
    }
}
