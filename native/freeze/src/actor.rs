//! The actor: freezes the group, has every snapshot taken, thaws.
//!
//! Between the first freeze and the last thaw it makes only the calls freeze, sendmsg, poll, read, thaw and clock, on
//! memory that is resident and descriptors that are open; what happened is kept as numbers and told afterwards.
//!
//! A snapshot counts as taken only if the actor itself thawed every mount, within the deadline, and nobody had asked for
//! an end: a mount that was already thawed may have been written to before its engine was asked.

use crate::activation::{Activation, Reply};
use crate::group::Volume;
use crate::guardian::{DEADLINE_SET, SIGNALLED};
use crate::request::MAX_VOLUMES;
use crate::shared::{Abort, Mount, Shared};
use crate::sys;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

const RETRY_THAW_AFTER: u64 = 1_000_000;

/// Why the freeze ended without a snapshot, and at which volume. The first cause stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The deadline passed; at the volume that it waited for.
    Deadline(usize),
    /// Somebody else thawed this mount.
    ThawedByOther(usize),
    ControlClosed,
    Signal,
    GuardianDied,
    /// With the errno.
    FreezeFailed(usize, i32),
    ThawFailed(usize, i32),
    /// The engine could not be asked or did not answer; 0 where it closed the connection.
    EngineLost(usize, i32),
}

/// Nanoseconds of the monotonic clock for one mount; 0 where it did not come to that.
#[derive(Clone, Copy, Default)]
pub struct Marks {
    pub freeze_called: u64,
    pub frozen: u64,
    pub answered: u64,
    pub thaw_called: u64,
    pub thawed: u64,
}

/// What happened.
pub struct Course {
    pub marks: [Marks; MAX_VOLUMES],
    pub stop: Option<Stop>,
}

pub struct Actor<'a> {
    pub volumes: &'a [Volume],
    pub activations: &'a mut [Activation],
    pub shared: &'a Shared,
    pub to_guardian: &'a OwnedFd,
    pub from_guardian: &'a OwnedFd,
    pub deadline_ms: u64,
}

impl Actor<'_> {
    /// Freezes, takes and thaws. `waiting` is scratch room for one entry a volume and one for the guardian.
    pub fn run(&mut self, waiting: &mut [libc::pollfd]) -> Course {
        let mut course = Course {
            marks: [Marks::default(); MAX_VOLUMES],
            stop: self.asked_to_end(),
        };
        if course.stop.is_some() {
            return course;
        }
        let deadline = sys::now() + self.deadline_ms * 1_000_000;
        self.shared.set_deadline(Some(deadline));
        sys::write_once(self.to_guardian.as_raw_fd(), &[DEADLINE_SET]);
        course.stop = self.freeze(&mut course.marks, deadline);
        if course.stop.is_none() {
            course.stop = self.activate(&mut course.marks, deadline, waiting);
        }
        let thaw_stop = self.thaw(&mut course.marks, deadline);
        course.stop = course.stop.or(thaw_stop).or_else(|| self.asked_to_end());
        self.shared.set_deadline(None);
        course
    }

    fn freeze(&self, marks: &mut [Marks], deadline: u64) -> Option<Stop> {
        for (i, volume) in self.volumes.iter().enumerate() {
            if let Some(stop) = self.ended(deadline, i) {
                return Some(stop);
            }
            self.shared.set_mount(i, Mount::Freezing);
            marks[i].freeze_called = sys::now();
            let result = sys::freeze(volume.mount.as_fd());
            if let Err(errno) = result {
                self.shared.set_mount(i, Mount::Untouched);
                return Some(Stop::FreezeFailed(i, errno));
            }
            marks[i].frozen = sys::now();
            self.shared.set_mount(i, Mount::Frozen);
            if let Some(stop) = self.ended(deadline, i) {
                return Some(stop);
            }
        }
        None
    }

    /// Asks all engines at once, then waits for all.
    fn activate(
        &mut self,
        marks: &mut [Marks],
        deadline: u64,
        waiting: &mut [libc::pollfd],
    ) -> Option<Stop> {
        for (i, activation) in self.activations.iter_mut().enumerate() {
            self.shared.set_activation_sent(i);
            waiting[i] = sys::poll_entry(activation.socket());
            if let Err(errno) = activation.send() {
                return Some(Stop::EngineLost(i, errno));
            }
        }
        let count = self.activations.len();
        waiting[count] = sys::poll_entry(self.from_guardian.as_raw_fd());
        while let Some(first) = waiting[..count].iter().position(|entry| entry.fd >= 0) {
            if let Some(stop) = self.ended(deadline, first) {
                return Some(stop);
            }
            sys::poll_until(&mut waiting[..=count], Some(deadline));
            if waiting[count].revents != 0 {
                return self.ended(deadline, first).or(Some(Stop::GuardianDied));
            }
            for i in 0..count {
                if waiting[i].revents == 0 {
                    continue;
                }
                match self.activations[i].receive() {
                    Reply::Pending => {}
                    Reply::Complete => {
                        marks[i].answered = sys::now();
                        waiting[i].fd = -1;
                    }
                    Reply::Broken(errno) => return Some(Stop::EngineLost(i, errno)),
                }
            }
        }
        None
    }

    fn thaw(&self, marks: &mut [Marks], deadline: u64) -> Option<Stop> {
        let mut stop = None;
        for (i, volume) in self.volumes.iter().enumerate().rev() {
            // What the guardian marked as thawed is tried too: that is how it is known not to be ours any more.
            if marks[i].frozen == 0 {
                continue;
            }
            marks[i].thaw_called = sys::now();
            match self.thaw_one(volume, deadline) {
                Ok(()) => {
                    marks[i].thawed = sys::now();
                    if marks[i].thawed > deadline {
                        stop = stop.or(Some(Stop::Deadline(i)));
                    }
                }
                // When it was thawed is not known here.
                Err(libc::EINVAL) => {
                    stop = stop
                        .or_else(|| self.asked_to_end())
                        .or(Some(Stop::ThawedByOther(i)));
                }
                // The guardian goes on trying, and this process waits for its end.
                Err(errno) => {
                    self.shared.set_abort(Abort::Deadline);
                    stop = stop.or(Some(Stop::ThawFailed(i, errno)));
                    continue;
                }
            }
            self.shared.set_mount(i, Mount::Thawed);
        }
        stop
    }

    /// Tries until the deadline.
    fn thaw_one(&self, volume: &Volume, deadline: u64) -> Result<(), i32> {
        loop {
            match sys::thaw(volume.mount.as_fd()) {
                Err(errno) if errno != libc::EINVAL && sys::now() < deadline => {
                    sys::poll_until(&mut [], Some(sys::now() + RETRY_THAW_AFTER));
                }
                other => return other,
            }
        }
    }

    /// Whether to end now, while busy with volume `at`.
    fn ended(&self, deadline: u64, at: usize) -> Option<Stop> {
        match self.shared.abort() {
            Abort::None if sys::now() < deadline => None,
            Abort::None | Abort::Deadline => Some(Stop::Deadline(at)),
            _ => self.asked_to_end(),
        }
    }

    fn asked_to_end(&self) -> Option<Stop> {
        match self.shared.abort() {
            Abort::None => None,
            Abort::Deadline => Some(Stop::Deadline(0)),
            Abort::ControlClosed => Some(Stop::ControlClosed),
            Abort::Signal | Abort::ActorDied => Some(Stop::Signal),
        }
    }
}

/// Where the signal handler tells the guardian.
static SIGNAL_PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn tell_guardian(_signal: libc::c_int) {
    // SAFETY: the location of this thread's errno is always valid.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { *errno };
    sys::write_once(SIGNAL_PIPE.load(Ordering::Relaxed), &[SIGNALLED]);
    // SAFETY: as above.
    unsafe { *errno = before };
}

/// From now on a signal to the actor ends the freeze by way of the guardian, which is never inside a freeze call.
///
/// # Errors
/// The handlers cannot be set.
pub fn pass_signals_to_guardian(to_guardian: &OwnedFd) -> std::io::Result<()> {
    SIGNAL_PIPE.store(to_guardian.as_raw_fd(), Ordering::Relaxed);
    sys::on_ending_signals(tell_guardian)
}
