//! Data of large requests between the kernel's pages and the backing store, without a copy in this process.
//!
//! A thread has a ring with room for one buffer. The kernel puts the pages of a request there, reads or writes the
//! file with them, and takes them out again: three entries linked, one system call, and complete when it returns. What
//! it cannot do at once it refuses (RWF_NOWAIT), for else it would start a thread in the middle of a request. Whoever
//! is refused copies, which is always possible; so nothing here has to tell why.
//!
//! # An engine's death
//!
//! What the kernel has begun it ends after the process is gone. A write of the dead engine that landed after a newer
//! one of the next would be a lost write. But the device holds on to a request whose pages somebody uses, and
//! START_USER_RECOVERY is refused until all are free again, so the next engine gets nothing to do before. Drivers
//! before 6.18 do not all wait like that, so who makes the device says whether it may have this.

use super::abi::{self, RequestCommand};
use super::payload::Payload;
use super::ring::{self, Ring};
use crate::served::Direction;
use io_uring::squeue::{Entry128, Flags};
use io_uring::{IoUring, opcode, types};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Below this, copying costs less than the kernel's administration of the pages.
const WORTH_BYTES: u64 = 32 << 10;
/// After a refusal the next 2, 4, 8, … transfers are left out, at most so many.
const MOST_LEFT_OUT: u32 = 4096;

const REGISTER: u64 = 0;
const MOVE: u64 = 1;
const UNREGISTER: u64 = 2;
const ENTRIES: usize = 3;

/// Of one thread.
pub struct ZeroCopy {
    ring: Ring,
    /// Transfers to leave out before the next.
    left_out: u32,
    /// How many the next refusal makes that.
    next_left_out: u32,
}

impl ZeroCopy {
    /// On the thread that will use it: the ring belongs to it.
    pub fn new() -> io::Result<Self> {
        let mut builder = IoUring::builder();
        builder
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all();
        let ring: Ring = builder.build(ENTRIES.next_power_of_two() as u32)?;
        ring.submitter().register_buffers_sparse(1)?;
        Ok(ZeroCopy {
            ring,
            left_out: 0,
            next_left_out: 1,
        })
    }

    /// Whether it is worth the try.
    pub fn is_for(&self, payload: &Payload<'_>) -> bool {
        payload.length >= WORTH_BYTES
    }

    /// Moves all of it to or from the store, from `offset` on. False: not done, or in part; it is to be copied.
    pub fn transfer(
        &mut self,
        payload: &Payload<'_>,
        direction: Direction,
        store: &File,
        offset: u64,
    ) -> bool {
        if self.left_out > 0 {
            self.left_out -= 1;
            return false;
        }
        let moved = self.carry_out(payload, direction, store, offset);
        if moved {
            self.next_left_out = 1;
        } else {
            self.left_out = self.next_left_out;
            self.next_left_out = (self.next_left_out * 2).min(MOST_LEFT_OUT);
        }
        moved
    }

    fn carry_out(
        &mut self,
        payload: &Payload<'_>,
        direction: Direction,
        store: &File,
        offset: u64,
    ) -> bool {
        let pages = |operation| {
            let command = RequestCommand {
                queue: payload.queue,
                tag: payload.tag,
                result: 0,
                // Of the ring's room for buffers.
                address: 0,
            };
            ring::command(payload.character.as_raw_fd(), operation, &command)
        };
        let (file, length) = (types::Fd(store.as_raw_fd()), payload.length as u32);
        let first_byte = std::ptr::null_mut();
        let transfer = match direction {
            Direction::ToStore => opcode::WriteFixed::new(file, first_byte, length, 0)
                .offset(offset)
                .rw_flags(libc::RWF_NOWAIT)
                .build(),
            Direction::FromStore => opcode::ReadFixed::new(file, first_byte, length, 0)
                .offset(offset)
                .rw_flags(libc::RWF_NOWAIT)
                .build(),
        };
        let results = self.complete([
            pages(abi::REGISTER_IO_BUF)
                .flags(Flags::IO_LINK)
                .user_data(REGISTER),
            // However it ends, the pages are taken out again.
            Entry128::from(transfer)
                .flags(Flags::IO_HARDLINK)
                .user_data(MOVE),
            pages(abi::UNREGISTER_IO_BUF).user_data(UNREGISTER),
        ]);
        // A request whose pages stay here is never answered; the next engine gets it anew.
        assert!(
            results[REGISTER as usize] != 0 || results[UNREGISTER as usize] == 0,
            "the kernel keeps the pages of {payload:?}: {results:?}"
        );
        u32::try_from(results[MOVE as usize]) == Ok(length)
    }

    /// Submits entries that have their index as `user_data`, and waits for all: the kernel is at nothing more when
    /// this returns.
    fn complete(&mut self, entries: [Entry128; ENTRIES]) -> [i32; ENTRIES] {
        for entry in &entries {
            // SAFETY: the files outlive the call, which waits for the end of all entries; the buffer is the kernel's.
            let pushed = unsafe { self.ring.submission().push(entry) };
            pushed.expect("a ring with room for all, and nothing under way");
        }
        let mut results = [0; ENTRIES];
        let mut ended = 0;
        while ended < ENTRIES {
            match self.ring.submit_and_wait(ENTRIES - ended) {
                // Short of memory for a moment, or interrupted: what was not taken up yet is then.
                Err(e) if matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EINTR)) => {
                    std::thread::yield_now();
                }
                result => drop(result.expect("a ring that works")),
            }
            for event in self.ring.completion() {
                results[event.user_data() as usize] = event.result();
                ended += 1;
            }
        }
        results
    }
}
