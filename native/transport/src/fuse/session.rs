//! The threads that serve a FUSE connection.
//!
//! A thread reads one request, handles it to its end and answers it ([`super::worker`]). How many wait for requests at once is up to the
//! load ([`super::door`]), how many handle one at once is what attach was asked for: it is the depth to which the
//! backing store is driven, unless that lets reads and writes go on behind the threads ([`super::behind`]). None
//! waits for room in a cache: see [`super::held`]. One descriptor serves them all. It is held by the keeper
//! too, so requests that were read but not answered when the engine dies stay known to the kernel,
//! and the next engine asks for them again ([`resend`]) before it reads its first. A request sent
//! again carries bit 63 in `unique`, which must be echoed.
//!
//! Everything that takes time is done before it is known whether this engine will ever serve: a
//! standby has its threads and buffers ([`stand_by`]), and needs only to be told ([`Standing::serve`]).

use super::abi::{self, Plain};
use super::behind::Behind;
use super::buffer::Resident;
use super::desk::{Desk, Desks};
use super::door::Door;
use super::held::Hands;
use super::worker::Worker;
use crate::served::{Pace, SCRATCH_BYTES, Served};
use std::fs::File;
use std::io;
use std::os::fd::RawFd;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// Largest payload of one request.
pub const MAX_PAYLOAD: usize = 1 << 20;
pub(super) const REPLY_HEAD: usize = 16;
/// Desks for each thread where requests go on behind them.
const DESKS_A_THREAD: usize = 2;

/// Asks the kernel to send all requests again that were read but never answered. Must come before
/// the first read of every engine but the first. Fails with EINVAL before Linux 6.9.
pub fn resend(fd: RawFd) -> io::Result<()> {
    let notify = abi::OutHeader {
        len: REPLY_HEAD as u32,
        error: abi::NOTIFY_RESEND,
        unique: 0,
    };
    write_all(fd, notify.bytes())
}

/// Threads that have all that they need and wait for the word.
pub struct Standing {
    fd: RawFd,
    /// Whether they wait where they read a request.
    wait: bool,
    gate: Arc<Gate>,
    /// Why they will sleep over requests where they need not.
    pub sleeps_because: Option<io::Error>,
}

#[derive(Default)]
struct Gate {
    served: Mutex<Option<Arc<dyn Served>>>,
    opened: Condvar,
}

impl Gate {
    fn wait(&self) -> Arc<dyn Served> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(served) = &*served {
                return served.clone();
            }
            served = self
                .opened
                .wait(served)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Hands out the memory file of buffers part by part.
struct Parts<'a> {
    memory: &'a File,
    next: usize,
}

impl Parts<'_> {
    fn take<T>(
        &mut self,
        bytes: usize,
        make: impl FnOnce(&File, usize) -> io::Result<T>,
    ) -> io::Result<T> {
        let at = self.next;
        self.next += bytes;
        make(self.memory, at)
    }

    fn scratch(&mut self) -> io::Result<Resident> {
        self.take(SCRATCH_BYTES, |memory, at| {
            Resident::of(memory, at, SCRATCH_BYTES)
        })
    }
}

/// What the threads of a connection share.
pub(super) struct Session {
    pub fd: RawFd,
    pub pace: Pace,
    pub door: Door,
    pub desks: Desks,
    pub behind: Option<Behind>,
}

/// Makes `threads` threads for requests, one for what must wait, and one for what goes on behind the others, with
/// their buffers in `memory` (which grows if it is too small). None of them reads a request yet. When the connection
/// ends, `ended` is called by the threads that see it. Where the kernel has no room for I/O that
/// goes on behind threads, they sleep.
pub fn stand_by(
    fd: RawFd,
    memory: &File,
    threads: usize,
    pace: Pace,
    ended: impl Fn(io::Error) + Send + Clone + 'static,
) -> io::Result<Standing> {
    let (behind, sleeps_because) = match pace {
        Pace::Behind => match Behind::new(threads * DESKS_A_THREAD) {
            Ok(behind) => (Some(behind), None),
            Err(e) => (None, Some(e)),
        },
        Pace::AtOnce | Pace::Sleeps => (None, None),
    };
    let pace = match (pace, &behind) {
        (Pace::Behind, None) => Pace::Sleeps,
        _ => pace,
    };
    let desks = match pace {
        Pace::Behind => threads * DESKS_A_THREAD,
        _ => threads,
    };
    let needed = desks * Desk::BYTES + threads * SCRATCH_BYTES + Hands::BYTES;
    if memory.metadata()?.len() < needed as u64 {
        memory.set_len(needed as u64)?;
    }
    let mut parts = Parts { memory, next: 0 };
    let session = Arc::new(Session {
        fd,
        pace,
        door: door(threads, pace),
        desks: Desks::default(),
        behind,
    });
    for number in (0..desks).rev() {
        let desk = parts.take(Desk::BYTES, |memory, at| Desk::new(memory, at, number))?;
        session.desks.give_back(desk);
    }
    let gate = Arc::new(Gate::default());
    let (hold, held) = mpsc::channel();
    let (hands, opened) = (parts.take(Hands::BYTES, Hands::new)?, gate.clone());
    spawn("io-held".into(), move || {
        hands.carry_out_all(fd, held, &*opened.wait());
    })?;
    for number in 0..threads {
        let mut worker = Worker::new(hold.clone(), parts.scratch()?);
        let (session, gate, ended) = (session.clone(), gate.clone(), ended.clone());
        spawn(format!("io-{number}"), move || {
            ended(worker.run(&session, &*gate.wait()));
        })?;
    }
    if session.behind.is_some() {
        let gate = gate.clone();
        spawn("io-behind".into(), move || {
            let served = gate.wait();
            if let Some(behind) = &session.behind {
                ended(behind.answer_all(fd, &session.desks, &*served));
            }
        })?;
    }
    Ok(Standing {
        fd,
        wait: pace != Pace::Behind,
        gate,
        sleeps_because,
    })
}

/// As many threads as there are may sleep over a request. Where they need not, more than processors would only
/// take them from each other; twice as many, as some may find the cache or a lock slow.
fn door(threads: usize, pace: Pace) -> Door {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    match pace {
        Pace::Sleeps => Door::new(threads..=threads),
        Pace::Behind => Door::new(1..=threads.min(processors.max(2))),
        Pace::AtOnce => Door::new(1..=threads.min(2 * processors)),
    }
}

fn spawn(name: String, life: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name(name).stack_size(256 * 1024);
    builder.spawn(life).map(drop)
}

impl Standing {
    /// From now on the threads serve, until the connection ends.
    pub fn serve(self, served: Arc<dyn Served>) -> io::Result<()> {
        set_waiting(self.fd, self.wait)?;
        let gate = &self.gate;
        *gate.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
        gate.opened.notify_all();
        Ok(())
    }
}

/// Whether reading a request waits for one. All that have the connection open have that in common.
fn set_waiting(fd: RawFd, waits: bool) -> io::Result<()> {
    // SAFETY: takes and returns numbers only.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        let wanted = match waits {
            true => flags & !libc::O_NONBLOCK,
            false => flags | libc::O_NONBLOCK,
        };
        if flags < 0 || libc::fcntl(fd, libc::F_SETFL, wanted) < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Whether there is a request, or the connection has ended. Waits for that so many milliseconds; less than 0: until
/// there is, or a signal comes.
pub(super) fn has_request(fd: RawFd, within_ms: i32) -> io::Result<bool> {
    let mut asked = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one structure, which the call fills in.
    let ready = unsafe { libc::poll(&raw mut asked, 1, within_ms) };
    if ready >= 0 {
        return Ok(ready > 0);
    }
    let e = io::Error::last_os_error();
    match e.raw_os_error() {
        Some(libc::EINTR) => Ok(false),
        _ => Err(e),
    }
}

/// The device takes a message whole or not at all.
pub(super) fn write_all(fd: RawFd, message: &[u8]) -> io::Result<()> {
    loop {
        // SAFETY: writes from initialised memory of the length given.
        let n = unsafe { libc::write(fd, message.as_ptr().cast(), message.len()) };
        if n >= 0 {
            return Ok(());
        }
        let e = io::Error::last_os_error();
        if e.raw_os_error() != Some(libc::EINTR) {
            return Err(e);
        }
    }
}
