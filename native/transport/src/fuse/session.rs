//! The threads that serve a FUSE connection.
//!
//! Every thread reads one request, handles it to its end and answers it; their number is the depth
//! to which the backing store is driven. None waits for room in a cache: see [`super::held`]. One descriptor serves them all. It is held by the keeper
//! too, so requests that were read but not answered when the engine dies stay known to the kernel,
//! and the next engine asks for them again ([`resend`]) before it reads its first. A request sent
//! again carries bit 63 in `unique`, which must be echoed.
//!
//! Everything that takes time is done before it is known whether this engine will ever serve: a
//! standby has its threads and buffers ([`stand_by`]), and needs only to be told ([`Standing::serve`]).
//!
//! Layout of a thread's buffer: the request's head lies before a page edge so that the payload of a
//! WRITE (80 bytes of headers before it) and of a READ (16 bytes) begin on the same edge, which
//! O_DIRECT needs; neither is ever copied.

use super::abi::{self, Plain};
use super::buffer::{PAGE, Resident};
use super::dispatch::{self, Outcome};
use super::held::{Hands, Held};
use crate::served::{SCRATCH_BYTES, Served};
use std::fs::File;
use std::io;
use std::os::fd::RawFd;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// Largest payload of one request.
pub const MAX_PAYLOAD: usize = 1 << 20;
/// `fuse_in_header` and `fuse_write_in`.
const REQUEST_HEAD: usize = 80;
pub(super) const REPLY_HEAD: usize = 16;

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

/// Request and scratch memory of one thread, in whole pages.
const THREAD_BYTES: usize = PAGE + MAX_PAYLOAD + SCRATCH_BYTES;

/// Threads that have all that they need and wait for the word.
pub struct Standing(Arc<Gate>);

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

/// Makes `threads` threads and one for what must wait, with their buffers in `memory` (which grows if it is
/// too small). None of them reads a request yet. When the connection ends, `ended` is called once per thread.
pub fn stand_by(
    fd: RawFd,
    memory: &File,
    threads: usize,
    ended: impl Fn(io::Error) + Send + Clone + 'static,
) -> io::Result<Standing> {
    let hands_at = threads * THREAD_BYTES;
    let needed = (hands_at + Hands::BYTES) as u64;
    if memory.metadata()?.len() < needed {
        memory.set_len(needed)?;
    }
    let (hold, held) = mpsc::channel();
    let mut workers = Vec::with_capacity(threads);
    for number in 0..threads {
        let at = number * THREAD_BYTES;
        workers.push(Worker {
            fd,
            hold: hold.clone(),
            buffer: Resident::of(memory, at, PAGE + MAX_PAYLOAD)?,
            scratch: Resident::of(memory, at + PAGE + MAX_PAYLOAD, SCRATCH_BYTES)?,
        });
    }
    let gate = Arc::new(Gate::default());
    let (hands, opened) = (Hands::new(memory, hands_at)?, gate.clone());
    spawn("io-held".into(), move || {
        hands.carry_out_all(fd, held, &*opened.wait());
    })?;
    for (number, mut worker) in workers.into_iter().enumerate() {
        let (gate, ended) = (gate.clone(), ended.clone());
        spawn(format!("io-{number}"), move || {
            ended(worker.run(&*gate.wait()));
        })?;
    }
    Ok(Standing(gate))
}

fn spawn(name: String, life: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let builder = thread::Builder::new().name(name).stack_size(256 * 1024);
    builder.spawn(life).map(drop)
}

impl Standing {
    /// From now on the threads serve, until the connection ends.
    pub fn serve(self, served: Arc<dyn Served>) {
        let gate = &self.0;
        *gate.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
        gate.opened.notify_all();
    }
}

struct Worker {
    fd: RawFd,
    hold: Sender<Held>,
    buffer: Resident,
    scratch: Resident,
}

impl Worker {
    fn run(&mut self, served: &dyn Served) -> io::Error {
        loop {
            let length = match self.read_request() {
                Ok(length) => length,
                Err(e) => match e.raw_os_error() {
                    // A signal, a request that was taken back, or nothing there after all.
                    Some(libc::EINTR | libc::ENOENT | libc::EAGAIN) => continue,
                    _ => return e,
                },
            };
            let start = PAGE - REQUEST_HEAD;
            let outcome = dispatch::handle(
                &mut self.buffer[..],
                start,
                length,
                &mut self.scratch[..],
                served,
            );
            let written = match outcome {
                Outcome::Reply(range) => write_all(self.fd, &self.buffer[range]),
                Outcome::Silence => Ok(()),
                Outcome::Held(held) => {
                    // Its thread ends only after this one.
                    let _ = self.hold.send(held);
                    Ok(())
                }
            };
            match written {
                Ok(()) => {}
                // The request was taken back meanwhile.
                Err(e) if e.raw_os_error() == Some(libc::ENOENT) => {}
                Err(e) => return e,
            }
        }
    }

    fn read_request(&mut self) -> io::Result<usize> {
        let room = &mut self.buffer[PAGE - REQUEST_HEAD..];
        // SAFETY: reads into memory that is ours for the length given.
        let n = unsafe { libc::read(self.fd, room.as_mut_ptr().cast(), room.len()) };
        if n < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(n as usize)
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

const _: () = assert!(THREAD_BYTES.is_multiple_of(PAGE));
