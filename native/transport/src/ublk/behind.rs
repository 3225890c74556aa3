//! Small requests whose data goes between memory and disk behind the queue's thread.
//!
//! The store makes threads wait, so a request would need a worker: to be woken for it, to sleep over it, and to wake
//! the queue's thread at its end. Here that thread hands the I/O over by itself, and the end rings the bell that it
//! waits for anyway. Large requests go to the workers, who move them without a copy where the kernel has that.

use super::MAX_QUEUES;
use super::abi;
use super::payload::Payload;
use super::work::{Job, Service};
use crate::aio::{self, Aio, Batch, Event};
use crate::fuse::buffer::Resident;
use crate::served::{Begun, Direction, Errno};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

/// Longer requests are for the workers. Pages of databases are not.
const MOST_BYTES: usize = 16 << 10;
/// Of a queue at once.
const SLOTS: usize = 64;

/// Of one queue.
pub struct Behind {
    aio: Aio,
    memory: Resident,
    free: Vec<usize>,
    under_way: Vec<Option<UnderWay>>,
    /// What begins next.
    next: Batch,
}

struct UnderWay {
    job: Job,
    transfer: Transfer,
    begun: Begun,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Transfer {
    direction: Direction,
    offset: u64,
    length: usize,
}

impl Transfer {
    /// None: it is for the workers.
    fn of(request: &abi::Request) -> Option<Transfer> {
        if request.operation & abi::FLAG_FUA != 0 {
            return None;
        }
        let direction = match request.operation as u8 {
            abi::OP_READ => Direction::FromStore,
            abi::OP_WRITE => Direction::ToStore,
            _ => return None,
        };
        let length = (request.sectors as usize) << 9;
        (1..=MOST_BYTES).contains(&length).then_some(Transfer {
            direction,
            offset: request.first_sector << 9,
            length,
        })
    }

    fn with(self, memory: &mut [u8]) -> aio::Transfer {
        aio::Transfer {
            direction: self.direction,
            offset: self.offset,
            memory: memory.as_mut_ptr(),
            length: memory.len(),
        }
    }
}

impl Behind {
    pub const BYTES: usize = SLOTS * MOST_BYTES;
    pub const ALL_BYTES: usize = MAX_QUEUES * Behind::BYTES;

    /// With buffers in `memory` from `at` on. `bell`: an eventfd that ends of transfers ring.
    pub fn new(memory: &File, at: usize, bell: OwnedFd) -> io::Result<Self> {
        Ok(Behind {
            aio: Aio::new(SLOTS, Some(bell))?,
            memory: Resident::of(memory, at, Behind::BYTES)?,
            free: (0..SLOTS).rev().collect(),
            under_way: (0..SLOTS).map(|_| None).collect(),
            next: Batch::default(),
        })
    }

    fn room(&mut self, slot: usize, length: usize) -> &mut [u8] {
        &mut self.memory[slot * MOST_BYTES..][..length]
    }

    /// Begins what the jobs ask for; returns those that are to be done by a worker.
    pub fn begin(&mut self, jobs: Vec<Job>, service: &Service) -> Vec<Job> {
        let mut left = Vec::new();
        for job in jobs {
            left.extend(self.add(job, service).err());
            if self.next.is_full() {
                left.extend(self.begin_next(service));
            }
        }
        left.extend(self.begin_next(service));
        left
    }

    fn begin_next(&mut self, service: &Service) -> Vec<Job> {
        // SAFETY: nobody looks at a slot's memory until its end is told; it is mapped as long as this lives.
        let refused = unsafe { self.aio.begin(&mut self.next) };
        let taken_back = refused.into_iter().map(|slot| {
            let slot = slot as usize;
            let refused = self.under_way[slot].take().expect("put there before");
            service.served.end(refused.begun, false);
            self.free.push(slot);
            refused.job
        });
        taken_back.collect()
    }

    /// Or returns it: it is to be done by a worker.
    fn add(&mut self, job: Job, service: &Service) -> Result<(), Job> {
        let (Some(transfer), Some(store)) = (Transfer::of(&job.request), service.served.store())
        else {
            return Err(job);
        };
        let Transfer {
            direction,
            offset,
            length,
        } = transfer;
        let Some(slot) = self.free.pop() else {
            return Err(job);
        };
        let Some(begun) = service.served.begin(direction, offset, length as u64) else {
            self.free.push(slot);
            return Err(job);
        };
        let payload = payload_of(&job, length, service);
        let fetched = match direction {
            Direction::ToStore => payload.fetch(self.room(slot, length)),
            Direction::FromStore => Ok(()),
        };
        if fetched.is_err() {
            service.served.end(begun, false);
            self.free.push(slot);
            return Err(job);
        }
        let what = transfer.with(self.room(slot, length));
        self.aio.add(&mut self.next, what, store, slot as u64);
        self.under_way[slot] = Some(UnderWay {
            job,
            transfer,
            begun,
        });
        Ok(())
    }

    /// What the kernel is told of those that have ended since this was last asked, with their tags.
    pub fn ended(&mut self, service: &Service) -> Vec<(u16, i32)> {
        let mut events = [Event::default(); SLOTS];
        let ended = self.aio.ended(&mut events);
        ended.iter().map(|event| self.end(event, service)).collect()
    }

    fn end(&mut self, event: &Event, service: &Service) -> (u16, i32) {
        let slot = event.tag as usize;
        let UnderWay {
            job,
            transfer,
            begun,
        } = self.under_way[slot]
            .take()
            .expect("one end for each that was begun");
        let store = service.served.store();
        let store = store.expect("it was there when this was begun");
        let what = transfer.with(self.room(slot, transfer.length));
        // SAFETY: the slot's memory, which is ours again.
        let made = unsafe { what.complete(event.result(), store) };
        service.served.end(begun, made.is_ok());
        let told = made.and_then(|()| match transfer.direction {
            Direction::ToStore => Ok(()),
            Direction::FromStore => {
                let length = transfer.length;
                payload_of(&job, length, service).fill(self.room(slot, length))
            }
        });
        self.free.push(slot);
        let result = match told {
            Ok(()) => transfer.length as i32,
            Err(e) => -Errno::from(e).0,
        };
        (job.tag, result)
    }
}

fn payload_of<'a>(job: &Job, length: usize, service: &'a Service) -> Payload<'a> {
    Payload {
        character: &service.character,
        queue: job.queue,
        tag: job.tag,
        length: length as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_reads_and_writes_that_need_no_flush_go_behind() {
        let request = |operation: u32, sectors| abi::Request {
            operation,
            sectors,
            first_sector: 3,
            address: 0,
        };
        let of = |operation, sectors| Transfer::of(&request(operation, sectors));
        let (read, write) = (u32::from(abi::OP_READ), u32::from(abi::OP_WRITE));
        let small = Transfer {
            direction: Direction::ToStore,
            offset: 1536,
            length: 4096,
        };
        assert_eq!(of(write, 8), Some(small));
        assert_eq!(of(read, 32).map(|t| t.length), Some(16384));
        assert_eq!(of(read, 33), None);
        assert_eq!(of(read, 0), None);
        assert_eq!(of(write | abi::FLAG_FUA, 8), None);
        assert_eq!(of(abi::OP_DISCARD.into(), 8), None);
        assert_eq!(of(abi::OP_FLUSH.into(), 0), None);
    }
}
