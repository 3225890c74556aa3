//! The threads that serve a FUSE connection.
//!
//! Every thread reads one request, handles it to its end and answers it; their number is the depth
//! to which the backing store is driven. One descriptor serves them all. It is held by the keeper
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
use super::dispatch;
use crate::served::{SCRATCH_BYTES, Served};
use std::fs::File;
use std::io;
use std::os::fd::RawFd;
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

/// Makes `threads` threads with their buffers in `memory` (which grows if it is too small). None of
/// them reads a request yet. When the connection ends, `ended` is called once per thread.
pub fn stand_by(
    fd: RawFd,
    memory: &File,
    threads: usize,
    ended: impl Fn(io::Error) + Send + Clone + 'static,
) -> io::Result<Standing> {
    let needed = (threads * THREAD_BYTES) as u64;
    if memory.metadata()?.len() < needed {
        memory.set_len(needed)?;
    }
    let mut workers = Vec::with_capacity(threads);
    for number in 0..threads {
        let at = number * THREAD_BYTES;
        workers.push(Worker {
            fd,
            buffer: Resident::of(memory, at, PAGE + MAX_PAYLOAD)?,
            scratch: Resident::of(memory, at + PAGE + MAX_PAYLOAD, SCRATCH_BYTES)?,
        });
    }
    let gate = Arc::new(Gate::default());
    for (number, mut worker) in workers.into_iter().enumerate() {
        let (gate, ended) = (gate.clone(), ended.clone());
        thread::Builder::new()
            .name(format!("io-{number}"))
            .stack_size(256 * 1024)
            .spawn(move || ended(worker.run(&*gate.wait())))?;
    }
    Ok(Standing(gate))
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
            let reply = dispatch::handle(
                &mut self.buffer[..],
                start,
                length,
                &mut self.scratch[..],
                served,
            );
            if let Some(range) = reply
                && let Err(e) = write_all(self.fd, &self.buffer[range])
            {
                match e.raw_os_error() {
                    // The request was taken back meanwhile.
                    Some(libc::ENOENT) => {}
                    _ => return e,
                }
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
fn write_all(fd: RawFd, message: &[u8]) -> io::Result<()> {
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
