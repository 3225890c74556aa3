//! Reads and writes of a file that go on behind the thread that began them: Linux AIO.
//!
//! With O_DIRECT a thread hands its I/O to the disk and takes the next request, where a `pread` would have it sleep:
//! half the processor time for a request on a disk.
//!
//! # An engine's death
//!
//! Nothing of a dead engine may land after its successor serves: a write would undo a newer one. The kernel waits
//! for all AIO of a process while it takes its memory down (`exit_aio`, before the mappings go), and whoever waits for
//! that has a fence (`engine::fence`). An io_uring has no such end: what it has begun goes on when the process is
//! gone, and nobody can tell when it is over.

use crate::served::Direction;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

const CMD_PREAD: u16 = 0;
const CMD_PWRITE: u16 = 1;

/// `struct iocb` of linux/aio_abi.h, little endian.
#[repr(C)]
#[derive(Clone, Copy)]
struct ControlBlock {
    data: u64,
    key: u32,
    rw_flags: u32,
    opcode: u16,
    priority: i16,
    descriptor: u32,
    buffer: u64,
    bytes: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    event_descriptor: u32,
}

const _: () = assert!(size_of::<ControlBlock>() == 64);

/// `struct io_event`: one that has ended.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Event {
    /// As it was given.
    pub tag: u64,
    block: u64,
    result: i64,
    result_2: i64,
}

impl Event {
    /// Bytes that were moved, which may be too few.
    pub fn result(&self) -> io::Result<usize> {
        usize::try_from(self.result)
            .map_err(|_| io::Error::from_raw_os_error(self.result.unsigned_abs() as i32))
    }
}

/// What is to be moved between memory and file.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    pub direction: Direction,
    /// In the file.
    pub offset: u64,
    pub memory: *mut u8,
    pub length: usize,
}

impl Transfer {
    /// Completes one of which `moved` bytes were moved, without which it may have ended: where the file ends, or where
    /// a disk had no room, which is told by trying.
    ///
    /// # Safety
    /// The memory is as long as it says, and nobody else's.
    pub unsafe fn complete(&self, moved: io::Result<usize>, file: &File) -> io::Result<()> {
        let moved = moved?;
        if moved == self.length {
            return Ok(());
        }
        // SAFETY: the caller's promise.
        let memory = unsafe { std::slice::from_raw_parts_mut(self.memory, self.length) };
        let (rest, at) = (&mut memory[moved..], self.offset + moved as u64);
        match self.direction {
            Direction::FromStore => file.read_exact_at(rest, at),
            Direction::ToStore => file.write_all_at(rest, at),
        }
    }
}

/// Transfers that begin together: the disk is told of all of them at once, which costs a virtual machine more than all
/// the rest of a request.
pub struct Batch {
    blocks: Vec<ControlBlock>,
}

impl Batch {
    /// More save little, and the first one waits for them.
    pub const MOST: usize = 4;

    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Nothing may be added any more before it is begun.
    pub fn is_full(&self) -> bool {
        self.blocks.len() == Batch::MOST
    }
}

impl Default for Batch {
    fn default() -> Self {
        Batch {
            blocks: Vec::with_capacity(Batch::MOST),
        }
    }
}

/// The kernel rings the bell of a context when a transfer has ended.
const FLAG_BELL: u32 = 1;

/// A context of the kernel's, with room for a number of transfers.
pub struct Aio {
    context: libc::c_ulong,
    /// An eventfd.
    bell: Option<OwnedFd>,
}

impl Aio {
    /// Fails with EAGAIN where the system's limit is reached (`fs.aio-max-nr`). `bell`: an eventfd that is written to
    /// whenever a transfer has ended, for who waits for other things as well.
    pub fn new(most: usize, bell: Option<OwnedFd>) -> io::Result<Self> {
        let mut context: libc::c_ulong = 0;
        // SAFETY: writes one word.
        let made = unsafe { libc::syscall(libc::SYS_io_setup, most, &raw mut context) };
        if made < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Aio { context, bell })
    }

    /// Adds a transfer to those of a batch; [`Aio::wait`] will tell its end by `tag`.
    pub fn add(&self, batch: &mut Batch, what: Transfer, file: &File, tag: u64) {
        let bell = self.bell.as_ref().map(AsRawFd::as_raw_fd);
        batch.blocks.push(ControlBlock {
            data: tag,
            key: 0,
            rw_flags: 0,
            opcode: match what.direction {
                Direction::FromStore => CMD_PREAD,
                Direction::ToStore => CMD_PWRITE,
            },
            priority: 0,
            descriptor: file.as_raw_fd() as u32,
            buffer: what.memory as u64,
            bytes: what.length as u64,
            offset: what.offset as i64,
            reserved: 0,
            flags: bell.map_or(0, |_| FLAG_BELL),
            event_descriptor: bell.unwrap_or(0) as u32,
        });
    }

    /// Begins a batch, in order, and empties it. Returns the tags of those that were not begun.
    ///
    /// # Safety
    /// The files must be open, and the memory of each transfer must stay, and be left alone, until its end is told.
    pub unsafe fn begin(&self, batch: &mut Batch) -> Vec<u64> {
        let count = batch.blocks.len();
        if count == 0 {
            return Vec::new();
        }
        let mut blocks = [std::ptr::null::<ControlBlock>(); Batch::MOST];
        for (place, block) in blocks.iter_mut().zip(&batch.blocks) {
            *place = block;
        }
        // SAFETY: so many blocks, which the kernel copies in the call; the memory is the caller's promise.
        let begun =
            unsafe { libc::syscall(libc::SYS_io_submit, self.context, count, blocks.as_ptr()) };
        let begun = usize::try_from(begun).unwrap_or(0);
        batch.blocks.drain(..).skip(begun).map(|b| b.data).collect()
    }

    /// Waits until one has ended, and tells of all that have and that `events` has room for.
    pub fn wait<'a>(&self, events: &'a mut [Event]) -> &'a [Event] {
        loop {
            // Only a signal ends it without one.
            if let ended @ 1.. = self.get(1, events) {
                return &events[..ended];
            }
        }
    }

    /// Those that have ended and that `events` has room for.
    pub fn ended<'a>(&self, events: &'a mut [Event]) -> &'a [Event] {
        let ended = self.get(0, events);
        &events[..ended]
    }

    fn get(&self, least: usize, events: &mut [Event]) -> usize {
        // SAFETY: writes at most as many events as there is room for; no time-out is given.
        let ended = unsafe {
            libc::syscall(
                libc::SYS_io_getevents,
                self.context,
                least,
                events.len(),
                events.as_mut_ptr(),
                std::ptr::null::<libc::timespec>(),
            )
        };
        usize::try_from(ended).unwrap_or(0)
    }
}

impl Drop for Aio {
    fn drop(&mut self) {
        // SAFETY: the context of `new`, given back once; the call waits for what is under way.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.context) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_told_with_its_tag_and_bytes() {
        let path = std::env::temp_dir().join(format!("stillframe-aio-{}", std::process::id()));
        std::fs::write(&path, vec![7u8; 8192]).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let aio = Aio::new(4, None).unwrap();
        let (mut read, mut written) = (vec![0u8; 8192], vec![9u8; 4096]);
        let transfer = |direction, offset, memory: &mut Vec<u8>| Transfer {
            direction,
            offset,
            memory: memory.as_mut_ptr(),
            length: memory.len(),
        };
        let (mut events, mut batch) = ([Event::default(); 4], Batch::default());
        // SAFETY: each is waited for before its memory is looked at.
        unsafe {
            let second_half = transfer(Direction::FromStore, 4096, &mut read);
            aio.add(&mut batch, second_half, &file, 5);
            assert_eq!(aio.begin(&mut batch), []);
            let [event] = aio.wait(&mut events) else {
                panic!("one was begun");
            };
            // The file ends there.
            assert_eq!((event.tag, event.result().unwrap()), (5, 4096));
            assert!(read[..4096].iter().all(|byte| *byte == 7));
            let write = transfer(Direction::ToStore, 0, &mut written);
            aio.add(&mut batch, write, &file, u64::MAX);
            assert_eq!(aio.begin(&mut batch), []);
            assert_eq!(aio.wait(&mut events)[0].tag, u64::MAX);
            assert!(aio.ended(&mut events).is_empty());
            assert_eq!(aio.begin(&mut batch), [], "it is empty");
            assert!(aio.ended(&mut events).is_empty());
        }
        let mut content = [0; 1];
        file.read_exact_at(&mut content, 4095).unwrap();
        assert_eq!(content, [9]);
        let whole = transfer(Direction::ToStore, 0, &mut written);
        // SAFETY: of memory that nothing else uses meanwhile.
        let completed = |what: Transfer, moved| unsafe { what.complete(Ok(moved), &file) };
        completed(whole, 4096).unwrap();
        completed(
            Transfer {
                offset: 8192,
                ..whole
            },
            1024,
        )
        .unwrap();
        assert_eq!(file.metadata().unwrap().len(), 8192 + 4096);
        let beyond = transfer(Direction::FromStore, 8192, &mut read);
        assert_eq!(
            completed(beyond, 4096).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        // The one in the middle is refused, as its file cannot be written, and the last one is not begun.
        let read_only = File::open(&path).unwrap();
        let write = transfer(Direction::ToStore, 0, &mut written);
        for (file, tag) in [(&file, 1), (&read_only, 2), (&file, 3)] {
            aio.add(&mut batch, write, file, tag);
        }
        // SAFETY: told before the memory goes.
        let told: Vec<u64> = unsafe {
            assert_eq!(aio.begin(&mut batch), [2, 3]);
            assert!(batch.is_empty());
            aio.wait(&mut events).iter().map(|e| e.tag).collect()
        };
        assert_eq!(told, [1]);
        std::fs::remove_file(&path).unwrap();
    }
}
