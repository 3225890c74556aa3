//! One page that actor and guardian share: who froze what, and whether it must end.

use crate::request::MAX_VOLUMES;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// State of one mount. The actor moves it on; either of the two may set `Thawed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mount {
    Untouched = 0,
    /// The actor is inside the call: it may be frozen already, or only later.
    Freezing = 1,
    Frozen = 2,
    Thawed = 3,
}

/// Why the guardian ended the freeze. The first reason stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Abort {
    None = 0,
    Deadline = 1,
    ControlClosed = 2,
    Signal = 3,
    ActorDied = 4,
}

#[repr(C)]
pub struct Shared {
    abort: AtomicU8,
    finished: AtomicBool,
    answered: AtomicBool,
    /// Monotonic nanoseconds; 0 before the first freeze and after the last thaw.
    deadline: AtomicU64,
    mounts: [AtomicU8; MAX_VOLUMES],
    activations: [AtomicBool; MAX_VOLUMES],
}

impl Shared {
    /// Maps the page; it stays for the life of the process.
    pub fn map() -> io::Result<&'static Self> {
        // SAFETY: a new anonymous mapping of the right size; all-zero is a valid value of every field, and every
        // access is atomic.
        unsafe {
            let at = libc::mmap(
                std::ptr::null_mut(),
                size_of::<Self>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if at == libc::MAP_FAILED {
                Err(io::Error::last_os_error())
            } else {
                Ok(&*at.cast::<Self>())
            }
        }
    }

    pub fn mount(&self, index: usize) -> Mount {
        match self.mounts[index].load(Ordering::SeqCst) {
            0 => Mount::Untouched,
            1 => Mount::Freezing,
            2 => Mount::Frozen,
            _ => Mount::Thawed,
        }
    }

    pub fn set_mount(&self, index: usize, state: Mount) {
        self.mounts[index].store(state as u8, Ordering::SeqCst);
    }

    /// Marks as thawed what was known to be frozen; a mount in between stays as it is.
    pub fn set_thawed_if_frozen(&self, index: usize) {
        let (frozen, thawed) = (Mount::Frozen as u8, Mount::Thawed as u8);
        let _ =
            self.mounts[index].compare_exchange(frozen, thawed, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub fn abort(&self) -> Abort {
        match self.abort.load(Ordering::SeqCst) {
            0 => Abort::None,
            1 => Abort::Deadline,
            2 => Abort::ControlClosed,
            3 => Abort::Signal,
            _ => Abort::ActorDied,
        }
    }

    pub fn set_abort(&self, reason: Abort) {
        let none = Abort::None as u8;
        let _ = self
            .abort
            .compare_exchange(none, reason as u8, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub fn deadline(&self) -> Option<u64> {
        Some(self.deadline.load(Ordering::SeqCst)).filter(|&at| at != 0)
    }

    pub fn set_deadline(&self, at: Option<u64>) {
        self.deadline.store(at.unwrap_or(0), Ordering::SeqCst);
    }

    /// The engine was asked: its snapshot may be active.
    pub fn activation_sent(&self, index: usize) -> bool {
        self.activations[index].load(Ordering::SeqCst)
    }

    pub fn set_activation_sent(&self, index: usize) {
        self.activations[index].store(true, Ordering::SeqCst);
    }

    /// True for the first who asks: it writes the one report.
    pub fn claim_report(&self) -> bool {
        !self.answered.swap(true, Ordering::SeqCst)
    }

    /// The actor's report is about to be written: nothing is left to the guardian but mounts whose thaw failed.
    pub fn finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }

    pub fn set_finished(&self) {
        self.finished.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_to_end_stays() {
        let shared = Shared::map().unwrap();
        assert_eq!(shared.abort(), Abort::None);
        shared.set_abort(Abort::ControlClosed);
        shared.set_abort(Abort::Deadline);
        assert_eq!(shared.abort(), Abort::ControlClosed);
    }

    #[test]
    fn only_one_of_the_two_writes_the_report() {
        let shared = Shared::map().unwrap();
        assert!(shared.claim_report());
        assert!(!shared.claim_report());
    }

    #[test]
    fn a_mount_that_is_still_freezing_is_not_taken_for_thawed() {
        let shared = Shared::map().unwrap();
        shared.set_mount(3, Mount::Freezing);
        shared.set_thawed_if_frozen(3);
        assert_eq!(shared.mount(3), Mount::Freezing);
        shared.set_mount(3, Mount::Frozen);
        shared.set_thawed_if_frozen(3);
        assert_eq!(shared.mount(3), Mount::Thawed);
    }
}
