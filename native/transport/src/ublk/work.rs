//! One request, from its row of the table to its result; and the workers that carry requests out when
//! the backing store makes them wait, or when a change waits for room in a cache: that is for a worker of its
//! own, in order, so that no queue and no other request stands still. The kernel keeps a request's data until
//! it is answered.

use super::MAX_REQUEST_BYTES;
use super::abi::{self, Request};
use super::payload::Payload;
use super::queue::Answers;
use super::zero_copy::ZeroCopy;
use crate::fuse::buffer::Resident;
use crate::served::{Change, Direction, Errno, Image, Patience, SCRATCH_BYTES, Served, Way};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What is known only once this engine serves.
pub struct Service {
    pub character: File,
    pub served: Arc<dyn Served>,
}

/// The memory in which one thread carries requests out.
pub struct Hands {
    buffer: Resident,
    scratch: Resident,
    zero_copy: Option<ZeroCopy>,
}

impl Hands {
    pub const BYTES: usize = MAX_REQUEST_BYTES + SCRATCH_BYTES;

    /// In `memory` from `at` on.
    pub fn new(memory: &File, at: usize) -> io::Result<Self> {
        Ok(Hands {
            buffer: Resident::of(memory, at, MAX_REQUEST_BYTES)?,
            scratch: Resident::of(memory, at + MAX_REQUEST_BYTES, SCRATCH_BYTES)?,
            zero_copy: None,
        })
    }

    /// On the thread whose hands they are, where the device has it. A thread that finds no ring for it copies.
    pub fn learn_zero_copy(&mut self) {
        self.zero_copy = ZeroCopy::new().ok();
    }

    /// The result that the kernel is told: bytes, or a negative errno. None: the request has to wait, and has
    /// no patience.
    pub fn carry_out(&mut self, service: &Service, job: &Job) -> Option<i32> {
        match self.act(service, job) {
            Ok(bytes) => Some(bytes as i32),
            Err(Errno::WOULD_WAIT) if matches!(job.patience, Patience::None) => None,
            Err(errno) => Some(-errno.0),
        }
    }

    fn act(&mut self, service: &Service, job: &Job) -> Result<usize, Errno> {
        let served = &service.served;
        let Job {
            request, patience, ..
        } = *job;
        let offset = request.first_sector << 9;
        let length = u64::from(request.sectors) << 9;
        let synced = request.operation & abi::FLAG_FUA != 0;
        let payload = Payload {
            character: &service.character,
            queue: job.queue,
            tag: job.tag,
            length,
        };
        let scratch = &mut self.scratch[..];
        match request.operation as u8 {
            abi::OP_READ | abi::OP_WRITE if length > MAX_REQUEST_BYTES as u64 => {
                return Err(Errno(libc::EINVAL));
            }
            abi::OP_READ => {
                self.read(&**served, offset, &payload)?;
                return Ok(length as usize);
            }
            abi::OP_WRITE => self.write(&**served, offset, &payload, patience)?,
            abi::OP_DISCARD => {
                served.change(Change::Discard { offset, length }, patience, scratch)?;
            }
            abi::OP_WRITE_ZEROES => {
                served.change(Change::WriteZeroes { offset, length }, patience, scratch)?;
            }
            abi::OP_FLUSH => served.flush()?,
            _ => return Err(Errno::NOT_SUPPORTED),
        }
        if synced {
            served.flush()?;
        }
        match request.operation as u8 {
            abi::OP_WRITE => Ok(length as usize),
            _ => Ok(0),
        }
    }

    fn read(
        &mut self,
        served: &dyn Served,
        offset: u64,
        payload: &Payload<'_>,
    ) -> Result<(), Errno> {
        let data = &mut self.buffer[..payload.length as usize];
        if let Some(zero_copy) = self.zero_copy.as_mut().filter(|z| z.is_for(payload)) {
            let mut read = |store: &File, at| {
                if zero_copy.transfer(payload, Direction::FromStore, store, at) {
                    return Ok(Way::ZeroCopy);
                }
                store.read_exact_at(data, at)?;
                payload.fill(data)?;
                Ok(Way::Copied)
            };
            if let Some(done) = served.read_by(offset, payload.length, &mut read) {
                return done;
            }
        }
        served.read(Image::Live, offset, data, &mut self.scratch)?;
        Ok(payload.fill(data)?)
    }

    fn write(
        &mut self,
        served: &dyn Served,
        offset: u64,
        payload: &Payload<'_>,
        patience: Patience,
    ) -> Result<(), Errno> {
        let data = &mut self.buffer[..payload.length as usize];
        let scratch = &mut self.scratch[..];
        if let Some(zero_copy) = self.zero_copy.as_mut().filter(|z| z.is_for(payload)) {
            let mut write = |store: &File, at| {
                if zero_copy.transfer(payload, Direction::ToStore, store, at) {
                    return Ok(Way::ZeroCopy);
                }
                payload.fetch(data)?;
                store.write_all_at(data, at)?;
                Ok(Way::Copied)
            };
            let length = payload.length;
            if let Some(done) = served.write_by(offset, length, &mut write, patience, scratch) {
                return done;
            }
        }
        payload.fetch(data)?;
        served.change(Change::Write { offset, data }, patience, scratch)
    }
}

/// A request, and who is to be told its result.
pub struct Job {
    pub queue: u16,
    pub tag: u16,
    pub request: Request,
    pub answers: Arc<Answers>,
    pub patience: Patience,
}

impl Job {
    /// From now on it may wait.
    pub fn patiently(self) -> Self {
        Job {
            patience: Patience::from_now(),
            ..self
        }
    }
}

/// Jobs of all queues of a device that wait for a worker.
#[derive(Default)]
pub struct Jobs {
    waiting: Mutex<VecDeque<Job>>,
    more: Condvar,
}

impl Jobs {
    pub fn put(&self, jobs: impl Iterator<Item = Job>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for job in jobs {
            waiting.push_back(job);
            self.more.notify_one();
        }
    }

    fn take(&self) -> Job {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match waiting.pop_front() {
                Some(job) => return job,
                None => {
                    waiting = self
                        .more
                        .wait(waiting)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// A worker's life. What has to wait goes to the worker of `held`.
    pub fn work(&self, mut hands: Hands, service: &Service, held: &Jobs) -> ! {
        loop {
            let job = self.take();
            match hands.carry_out(service, &job) {
                Some(result) => job.answers.give(job.tag, result),
                None => held.put(std::iter::once(job.patiently())),
            }
        }
    }
}
