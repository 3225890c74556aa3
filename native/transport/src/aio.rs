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
//!
//! That end is late: the kernel takes two grace periods of RCU for a context, though nothing is under way any more. Whoever
//! shares the process's memory can tell earlier ([`drain`]).

use crate::served::Direction;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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

/// `struct aio_ring`, to which a context's number is the address: the kernel keeps the ends there that were not asked
/// for yet. libaio reads it as well.
#[repr(C)]
struct Ring {
    id: u32,
    /// How many there is room for.
    room: u32,
    head: u32,
    /// Where the next goes: each transfer that ends takes it one on, and from the last place to the first.
    tail: u32,
    magic: u32,
}

const MAGIC: u32 = 0xa10a_10a1;

/// A context of the kernel's, and how many transfers were begun in it. Whatever instant the process dies at, no more
/// are under way than its ring and this tell.
pub struct Context {
    number: libc::c_ulong,
    begun: AtomicU64,
}

/// All that this process has made. They stay in memory: [`drain`] may look at them at any time.
static CONTEXTS: Mutex<Vec<&'static Context>> = Mutex::new(Vec::new());

/// Those that this process has made so far.
pub fn contexts() -> Vec<&'static Context> {
    let all = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    all.clone()
}

/// For a process that shares the memory of one that has died: waits until nothing is under way any more. False if
/// that cannot be told, or nothing ended for `patience`. Allocates nothing and takes no lock.
pub fn drain(contexts: &[&Context], patience: Duration) -> bool {
    let mut events = [Event::default(); Batch::MOST];
    contexts.iter().all(|context| {
        while context.under_way() != Some(0) {
            if context.under_way().is_none() || context.events(1, &mut events, Some(patience)) == 0
            {
                return context.under_way() == Some(0);
            }
        }
        true
    })
}

impl Context {
    /// Transfers that were begun and have not ended; more, where a thread was killed that began some. None: the kernel's
    /// ring is not what it is known as.
    fn under_way(&self) -> Option<u64> {
        let ring = self.number as *const Ring;
        // SAFETY: mapped by the kernel as long as the context is there; only its head is ever written by a process.
        let (magic, room, tail) = unsafe {
            let field = |field: *const u32| u64::from(field.read_volatile());
            (
                field(&raw const (*ring).magic),
                field(&raw const (*ring).room),
                field(&raw const (*ring).tail),
            )
        };
        // What is under way fits into the ring, so the count of all that ended need not be known, only where it is in it.
        let is_known = magic == u64::from(MAGIC) && tail < room;
        is_known.then(|| (self.begun.load(Ordering::SeqCst) + room - tail) % room)
    }

    /// At least `least` of those that have ended, unless the time is over or a signal comes.
    fn events(&self, least: usize, events: &mut [Event], patience: Option<Duration>) -> usize {
        let patience = patience.map(|p| libc::timespec {
            tv_sec: p.as_secs() as libc::time_t,
            tv_nsec: p.subsec_nanos().into(),
        });
        // SAFETY: writes at most as many events as there is room for; the time lives through the call.
        let ended = unsafe {
            libc::syscall(
                libc::SYS_io_getevents,
                self.number,
                least,
                events.len(),
                events.as_mut_ptr(),
                patience
                    .as_ref()
                    .map_or(std::ptr::null(), std::ptr::from_ref),
            )
        };
        usize::try_from(ended).unwrap_or(0)
    }
}

/// Transfers of a number of files, in a context of their own.
pub struct Aio {
    context: &'static Context,
    /// An eventfd.
    bell: Option<OwnedFd>,
}

impl Aio {
    /// Fails with EAGAIN where the system's limit is reached (`fs.aio-max-nr`). `bell`: an eventfd that is written to
    /// whenever a transfer has ended, for who waits for other things as well.
    pub fn new(most: usize, bell: Option<OwnedFd>) -> io::Result<Self> {
        let mut number: libc::c_ulong = 0;
        // SAFETY: writes one word.
        let made = unsafe { libc::syscall(libc::SYS_io_setup, most, &raw mut number) };
        if made < 0 {
            return Err(io::Error::last_os_error());
        }
        let context = Context {
            number,
            begun: AtomicU64::new(0),
        };
        let context: &'static Context = Box::leak(Box::new(context));
        let mut all = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(context);
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
        let counted = &self.context.begun;
        // Before: who dies in the call leaves those that were not begun as if they were.
        counted.fetch_add(count as u64, Ordering::SeqCst);
        let number = self.context.number;
        // SAFETY: so many blocks, which the kernel copies in the call; the memory is the caller's promise.
        let begun = unsafe { libc::syscall(libc::SYS_io_submit, number, count, blocks.as_ptr()) };
        let begun = usize::try_from(begun).unwrap_or(0);
        counted.fetch_sub((count - begun) as u64, Ordering::SeqCst);
        batch.blocks.drain(..).skip(begun).map(|b| b.data).collect()
    }

    /// Waits until one has ended, and tells of all that have and that `events` has room for.
    pub fn wait<'a>(&self, events: &'a mut [Event]) -> &'a [Event] {
        loop {
            // Only a signal ends it without one.
            if let ended @ 1.. = self.context.events(1, events, None) {
                return &events[..ended];
            }
        }
    }

    /// Those that have ended and that `events` has room for.
    pub fn ended<'a>(&self, events: &'a mut [Event]) -> &'a [Event] {
        let ended = self.context.events(0, events, None);
        &events[..ended]
    }
}

impl Drop for Aio {
    fn drop(&mut self) {
        // SAFETY: the context of `new`, given back once; the call waits for what is under way.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.context.number) };
        let mut all = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| !std::ptr::eq(*other, self.context));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_anything_is_under_way_is_known_also_of_ends_that_nobody_asked_for() {
        let path = std::env::temp_dir().join(format!("stillframe-drain-{}", std::process::id()));
        std::fs::write(&path, vec![7u8; 4096]).unwrap();
        let file = File::open(&path).unwrap();
        let aio = Aio::new(3, None).unwrap();
        let known = contexts().into_iter().any(|c| std::ptr::eq(c, aio.context));
        assert!(known);
        let drained = || drain(&[aio.context], Duration::ZERO);
        assert!(drained());
        let mut page = vec![0u8; 4096];
        // SAFETY: waited for before the memory goes.
        let mut read = |batch: &mut Batch| unsafe {
            let what = Transfer {
                direction: Direction::FromStore,
                offset: 0,
                memory: page.as_mut_ptr(),
                length: 4096,
            };
            aio.add(batch, what, &file, 1);
            assert_eq!(aio.begin(batch), []);
        };
        let (mut batch, mut events) = (Batch::default(), [Event::default(); 1]);
        // More than the ring has room for.
        for round in 0..1000 {
            read(&mut batch);
            if round % 2 == 0 {
                // A file in the page cache is read in the call.
                assert_eq!(aio.context.under_way(), Some(0));
                assert_eq!(aio.ended(&mut events).len(), 1);
            }
            assert!(drained());
            aio.context.begun.fetch_add(1, Ordering::SeqCst);
            assert_eq!(aio.context.under_way(), Some(1));
            assert!(!drained(), "it is not known to have ended");
            aio.context.begun.fetch_sub(1, Ordering::SeqCst);
        }
        std::fs::remove_file(&path).unwrap();
        let context = aio.context;
        drop(aio);
        assert!(!contexts().into_iter().any(|c| std::ptr::eq(c, context)));
    }

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
