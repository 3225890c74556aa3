//! The thread of one queue: it alone may fetch the queue's requests and tell their results.

use super::abi::{self, Request, RequestCommand};
use super::behind::Behind;
use super::ring::{self, Ring};
use super::work::{Hands, Job, Jobs, Service};
use crate::served::Patience;
use io_uring::{IoUring, opcode, squeue, types};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// `user_data` of the read that workers end; requests have their tags.
const WOKEN: u64 = u64::MAX;
/// Results are told to the kernel at the latest after so many requests.
const TELL_AFTER: usize = 8;
/// How many rounds go to the workers once the thread had to wait.
const PATIENCE: u32 = 256;

/// What workers did for this queue.
pub struct Answers {
    given: Mutex<Vec<(u16, i32)>>,
    bell: File,
}

impl Answers {
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes numbers only; the descriptor is owned by the File made of it.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Answers {
            given: Mutex::default(),
            // SAFETY: a fresh descriptor that nobody else owns.
            bell: unsafe { File::from_raw_fd(fd) },
        })
    }

    /// For others that wake the thread.
    pub fn bell(&self) -> io::Result<OwnedFd> {
        Ok(self.bell.try_clone()?.into())
    }

    /// The first since the thread last looked wakes it.
    pub fn give(&self, tag: u16, result: i32) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.push((tag, result));
        if given.len() == 1 {
            let _ = io::Write::write(&mut &self.bell, &1u64.to_ne_bytes());
        }
    }

    fn take(&self) -> Vec<(u16, i32)> {
        std::mem::take(&mut *self.given.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The rows that the kernel writes requests into.
struct Table {
    rows: *const Request,
    bytes: usize,
}

impl Table {
    fn map(character: &File, queue: u16, depth: u16) -> io::Result<Self> {
        let bytes = (usize::from(depth) * size_of::<Request>()).next_multiple_of(4096);
        // SAFETY: a fresh mapping of the device, no address asked for.
        let rows = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                character.as_raw_fd(),
                (usize::from(queue) * abi::DESCRIPTORS_STRIDE) as libc::off_t,
            )
        };
        if rows == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Table {
            rows: rows.cast(),
            bytes,
        })
    }

    /// Only for a tag whose command has just ended: the row is ours until its result is told.
    fn row(&self, tag: u16) -> Request {
        fence(Ordering::Acquire);
        // SAFETY: `tag` is below the depth that was mapped; the kernel writes the row before it ends
        // the tag's command.
        unsafe { self.rows.add(usize::from(tag)).read_volatile() }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: the mapping of `map`, unmapped once.
        unsafe { libc::munmap(self.rows.cast_mut().cast(), self.bytes) };
    }
}

/// By whom a queue has its requests carried out.
pub struct Crew {
    /// Its own thread's.
    pub hands: Hands,
    /// Behind that thread's back, where the store lets it.
    pub behind: Option<Behind>,
    /// The workers.
    pub jobs: Arc<Jobs>,
    /// The worker that waits for room in a cache.
    pub held: Arc<Jobs>,
    /// Where workers answer.
    pub answers: Arc<Answers>,
}

/// Between two tries where the kernel has no memory to take commands.
const MEMORY_PAUSE: Duration = Duration::from_millis(1);

/// It passes, and the queue's commands are still in its ring.
fn is_short_of_memory(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM))
}

pub struct Queue {
    number: u16,
    depth: u16,
    ring: Ring,
    table: Table,
    service: Arc<Service>,
    crew: Crew,
    /// Where the bell's count is read to.
    rung: Box<u64>,
    /// Rounds that still go to the workers, where nothing goes behind the thread.
    patience: u32,
}

impl Queue {
    /// On the thread that will run it: the ring belongs to it.
    pub fn new(number: u16, depth: u16, service: Arc<Service>, crew: Crew) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_defer_taskrun();
        Ok(Queue {
            number,
            depth,
            ring: builder.build(u32::from(depth) + 2)?,
            table: Table::map(&service.character, number, depth)?,
            service,
            crew,
            rung: Box::new(0),
            patience: 0,
        })
    }

    /// Asks for requests and answers them until the device is stopped.
    pub fn run(mut self) -> io::Error {
        self.listen_to_bell();
        for tag in 0..self.depth {
            self.push_command(abi::FETCH_REQ, tag, 0);
        }
        let mut gone = 0;
        while gone < self.depth {
            match self.ring.submit_and_wait(1) {
                Err(e) if is_short_of_memory(&e) => std::thread::sleep(MEMORY_PAUSE),
                Err(e) if !matches!(e.raw_os_error(), Some(libc::EINTR | libc::EBUSY)) => return e,
                _ => {}
            }
            let mut asked = Vec::new();
            let mut rung = false;
            for event in self.ring.completion() {
                match (event.user_data(), event.result()) {
                    (WOKEN, _) => rung = true,
                    (tag, 0) => asked.push(tag as u16),
                    // The device is stopped, or the kernel refuses this thread.
                    _ => gone += 1,
                }
            }
            if rung {
                self.listen_to_bell();
                for (tag, result) in self.crew.answers.take() {
                    self.push_command(abi::COMMIT_AND_FETCH_REQ, tag, result);
                }
                self.end_what_went_behind();
            }
            self.handle(&asked);
        }
        io::Error::from_raw_os_error(libc::ENODEV)
    }

    /// Behind this thread's back where the store lets it: it never stands still then, not even for a disk that does.
    /// Else by itself while the store never makes it wait, which spares two wake-ups a request, or by the workers,
    /// so that the store sees many requests at once.
    fn handle(&mut self, asked: &[u16]) {
        let (mut rest, mut next) = (asked, 1);
        while self.patience == 0 && self.crew.behind.is_none() && !rest.is_empty() {
            let (now, later) = rest.split_at(next.min(rest.len()));
            self.carry_out(now);
            (rest, next) = (later, TELL_AFTER);
            if !rest.is_empty() {
                // Told at the next wait if not now.
                let _ = self.ring.submit();
            }
        }
        if !rest.is_empty() {
            self.patience = self.patience.saturating_sub(1);
            self.hand_over(rest);
            // A quick disk has done it by now.
            self.end_what_went_behind();
        }
    }

    fn carry_out(&mut self, tags: &[u16]) {
        let before = times_waited();
        for &tag in tags {
            let job = self.job(tag);
            match self.crew.hands.carry_out(&self.service, &job) {
                Some(result) => self.push_command(abi::COMMIT_AND_FETCH_REQ, tag, result),
                None => self.crew.held.put(std::iter::once(job.patiently())),
            }
        }
        if times_waited() - before > tags.len() as i64 / 4 {
            self.patience = PATIENCE;
        }
    }

    /// Begins what can go on behind this thread, and gives the workers the rest.
    fn hand_over(&mut self, tags: &[u16]) {
        let jobs: Vec<Job> = tags.iter().map(|&tag| self.job(tag)).collect();
        let left = match &mut self.crew.behind {
            Some(behind) => behind.begin(jobs, &self.service),
            None => jobs,
        };
        self.crew.jobs.put(left.into_iter());
    }

    /// Answers what has ended behind this thread.
    fn end_what_went_behind(&mut self) {
        let Some(behind) = &mut self.crew.behind else {
            return;
        };
        for (tag, result) in behind.ended(&self.service) {
            self.push_command(abi::COMMIT_AND_FETCH_REQ, tag, result);
        }
    }

    /// What the kernel asks for with a tag. Nothing here may wait for room in a cache.
    fn job(&self, tag: u16) -> Job {
        Job {
            queue: self.number,
            tag,
            request: self.table.row(tag),
            answers: self.crew.answers.clone(),
            patience: Patience::None,
        }
    }

    fn push_command(&mut self, operation: u32, tag: u16, result: i32) {
        let command = RequestCommand {
            queue: self.number,
            tag,
            result,
            address: 0,
        };
        let entry = ring::command(self.service.character.as_raw_fd(), operation, &command);
        self.push(entry.user_data(tag.into()));
    }

    fn listen_to_bell(&mut self) {
        let fd = types::Fd(self.crew.answers.bell.as_raw_fd());
        let to = (&raw mut *self.rung).cast();
        let entry = opcode::Read::new(fd, to, size_of::<u64>() as u32).build();
        self.push(squeue::Entry128::from(entry.user_data(WOKEN)));
    }

    fn push(&mut self, entry: squeue::Entry128) {
        // SAFETY: commands carry their data; the bell's count lies in a box that lives as the ring does.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            let _ = self.ring.submit();
        }
    }
}

/// How often this thread gave up the processor because it had to wait for something.
fn times_waited() -> i64 {
    // SAFETY: all-zero is a value; the call writes it.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_nvcsw
    }
}
