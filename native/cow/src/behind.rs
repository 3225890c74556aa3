//! Writes that go on behind the thread that began them.
//!
//! Whoever holds `open` exclusively must find no write in flight. A write that is complete when its call
//! returns holds `open` shared for as long; one whose data is still under way then is counted here instead. The
//! count rises only while `open` is held shared, so once it is held exclusively the count can only fall, and
//! [`Behind::wait_for_none`] ends.

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Condvar, Mutex, PoisonError};
use crate::volume::Volume;

#[derive(Default)]
pub(crate) struct Behind {
    under_way: AtomicU64,
    awaited: AtomicBool,
    /// Held between looking at the count and sleeping, and to wake who sleeps.
    turn: Mutex<()>,
    none: Condvar,
}

impl Behind {
    /// With `open` held shared.
    fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self) {
        let others = self.under_way.fetch_sub(1, Ordering::SeqCst) - 1;
        // One of this load and the other's look at the count comes later, and sees what the other stored.
        if others == 0 && self.awaited.load(Ordering::SeqCst) {
            drop(self.turn.lock().unwrap_or_else(PoisonError::into_inner));
            self.none.notify_all();
        }
    }

    /// With `open` held exclusively.
    pub fn wait_for_none(&self) {
        if self.under_way.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.awaited.store(true, Ordering::SeqCst);
        while self.under_way.load(Ordering::SeqCst) > 0 {
            turn = self.none.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        self.awaited.store(false, Ordering::SeqCst);
    }
}

impl Volume {
    /// Begins a write whose data the caller puts into the backing store by itself, behind this call's back, and then
    /// says so by [`Volume::end_write`]: until then no snapshot is taken, released or lost. False: nothing was
    /// begun, as a block must be preserved first, a part of what the store writes at once be read, or somebody else be
    /// waited for. It never waits, so that whoever begins writes may be who tells of their ends.
    pub fn begin_write(&self, offset: u64, length: u64) -> bool {
        if self.whole_only || length == 0 {
            return false;
        }
        let (first, last) = blocks(offset, length);
        let Ok(open) = self.open.try_read() else {
            return false;
        };
        if self.aligned(offset, length as usize) != (offset, offset + length)
            || self.needs_any(&open, first, last)
        {
            return false;
        }
        self.write_begins();
        self.mark(&open, first, last);
        self.behind.begin();
        true
    }

    /// Its data lies in the backing store, or never will.
    pub fn end_write(&self) {
        self.behind.end();
    }
}

/// The first and the last block of a range that is not empty.
pub(crate) fn blocks(offset: u64, length: u64) -> (u64, u64) {
    let block = crate::BLOCK as u64;
    (offset / block, (offset + length - 1) / block)
}
