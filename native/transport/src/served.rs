//! The one seam between a transport and the engine.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::time::Instant;

/// An errno, as the kernel is answered. Every failure of a request ends as one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    pub const IO: Errno = Errno(libc::EIO);
    pub const NOT_FOUND: Errno = Errno(libc::ENOENT);
    pub const NOT_SUPPORTED: Errno = Errno(libc::EOPNOTSUPP);
    /// See [`Patience::None`].
    pub const WOULD_WAIT: Errno = Errno(libc::EAGAIN);
}

impl From<io::Error> for Errno {
    fn from(e: io::Error) -> Self {
        Errno(e.raw_os_error().unwrap_or(libc::EIO))
    }
}

/// What one device shows: the live volume, or one frozen image by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    Live,
    /// Numbers are never used twice while a volume is attached.
    Frozen(u64),
}

/// A change of the live volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    Write {
        offset: u64,
        data: &'a [u8],
    },
    /// The range may read as zeroes afterwards, and its room may be given back.
    Discard {
        offset: u64,
        length: u64,
    },
    /// The range reads as zeroes afterwards, and its room may be given back. Not supported where the backing store
    /// promises no zeroes for that.
    PunchHole {
        offset: u64,
        length: u64,
    },
    /// The range reads as zeroes afterwards.
    WriteZeroes {
        offset: u64,
        length: u64,
    },
}

/// Whether a change may wait until a snapshot's cache has room for what it overwrites.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// No: then it fails with [`Errno::WOULD_WAIT`] instead, to be made again by a thread that may wait.
    None,
    /// For as long as the snapshot wants it, counted from this instant.
    Since(Instant),
}

impl Patience {
    pub fn from_now() -> Self {
        Patience::Since(Instant::now())
    }
}

/// Which way data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    ToStore,
    FromStore,
}

/// How the file answers that the live data rests in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// From memory, without having the thread sleep.
    AtOnce,
    /// The thread sleeps until it has.
    Sleeps,
    /// Like that, but what is read or written past the page cache may go on behind the thread ([`crate::aio`]).
    Behind,
}

/// A transfer that has begun, and goes on behind the call that began it.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    pub direction: Direction,
    pub offset: u64,
    pub length: u64,
    /// For whoever is told its end.
    pub since: u64,
}

/// Moves the data of a request between the kernel and the file that the live data rests in, from an offset of it on.
/// Nothing goes on behind it when it returns.
pub type Move<'a> = &'a mut dyn FnMut(&File, u64) -> io::Result<Way>;

/// How data went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ZeroCopy,
    /// Through memory of this process.
    Copied,
}

/// Bytes that may have changed.
#[derive(Debug, PartialEq, Eq)]
pub struct ChangedExtents {
    pub extents: Vec<Range<u64>>,
    /// Where to ask on; the end of the range asked for once all is told.
    pub next: u64,
}

/// What a transport serves. Called by many threads at once; every call is complete when it returns:
/// nothing goes on behind it, but for what [`Served::begin`] says.
///
/// `scratch` is the calling thread's own page-aligned, resident memory of [`SCRATCH_BYTES`].
/// `data` is page-aligned memory; offsets and lengths are any.
pub trait Served: Send + Sync {
    /// Size in bytes, the same for the live volume and every image.
    fn size(&self) -> u64;
    /// The number of the frozen image of this name, if it can be read.
    fn find(&self, snapshot: &str) -> Option<u64>;
    fn read(
        &self,
        image: Image,
        offset: u64,
        data: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), Errno>;
    /// What fails may have been done in part, and can be done again.
    fn change(
        &self,
        change: Change<'_>,
        patience: Patience,
        scratch: &mut [u8],
    ) -> Result<(), Errno>;
    /// Like `read` of the live image, where the transport itself moves the data. None: it is to be read by `read`.
    fn read_by(&self, offset: u64, length: u64, read: Move<'_>) -> Option<Result<(), Errno>> {
        let _ = (offset, length, read);
        None
    }
    /// Like `change` by a write, where the transport itself moves the data, as soon as what it overwrites is preserved.
    /// None: it is to be written by `change`.
    fn write_by(
        &self,
        offset: u64,
        length: u64,
        write: Move<'_>,
        patience: Patience,
        scratch: &mut [u8],
    ) -> Option<Result<(), Errno>> {
        let _ = (offset, length, write, patience, scratch);
        None
    }
    /// The file that the live data rests in, at the same offsets; None: there is none that the transport could use.
    fn store(&self) -> Option<&File> {
        None
    }
    /// Begins a transfer between the transport's memory and `store`, which the transport makes behind this call's
    /// back and whose end it tells by `end`. Each that was begun must end, or else no snapshot is ever taken again.
    /// None: it is to be made by `read` or `change`, as of what it overwrites something must be preserved first, or
    /// somebody be waited for. Neither this nor `end` waits.
    fn begin(&self, direction: Direction, offset: u64, length: u64) -> Option<Begun> {
        let _ = (direction, offset, length);
        None
    }
    /// `made`: all of it was moved.
    fn end(&self, begun: Begun, made: bool) {
        let _ = (begun, made);
    }
    /// The three changes, by a thread that may wait.
    fn write(&self, offset: u64, data: &[u8], scratch: &mut [u8]) -> Result<(), Errno> {
        self.change(
            Change::Write { offset, data },
            Patience::from_now(),
            scratch,
        )
    }
    fn discard(&self, offset: u64, length: u64, scratch: &mut [u8]) -> Result<(), Errno> {
        let discard = Change::Discard { offset, length };
        self.change(discard, Patience::from_now(), scratch)
    }
    fn write_zeroes(&self, offset: u64, length: u64, scratch: &mut [u8]) -> Result<(), Errno> {
        let zeroes = Change::WriteZeroes { offset, length };
        self.change(zeroes, Patience::from_now(), scratch)
    }
    /// All that was answered before is on stable storage when this returns.
    fn flush(&self) -> Result<(), Errno>;
    /// The snapshots, released ones too, since which it is known what changed up to this image; oldest
    /// first. Names as in `find`.
    fn known_since(&self, image: Image) -> Vec<String> {
        let _ = image;
        Vec::new()
    }
    /// Which bytes of `range` may differ between the snapshot `since` and the image: in order, none
    /// adjacent, at most `most` (1 or more). None if it is not known (any more), as of a volume that
    /// does not track its changes.
    fn changed_since(
        &self,
        image: Image,
        since: &str,
        range: Range<u64>,
        most: usize,
    ) -> Option<ChangedExtents> {
        let _ = (image, since, range, most);
        None
    }
}

/// A write of 1 MiB that starts inside a block touches 257 blocks.
pub const SCRATCH_BYTES: usize = (1 << 20) + 2 * 4096;
