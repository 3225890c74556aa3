//! The guardian: a forked process whose only task is that every mount is thawed, whatever becomes of the actor.
//!
//! It ends the freeze
//! - at the deadline,
//! - at the end of the control pipe (standard input): whoever asked is gone,
//! - on SIGTERM, SIGINT or SIGHUP, its own or the actor's,
//! - at the actor's death, which it sees as the end of a pipe that only the actor holds.
//!
//! It lives in a session of its own, so that a signal to the caller's process group does not take both.
//!
//! **A thaw may block**: ext4 writes its superblock during it, which waits for the engine of that volume. So each mount
//! has a thread that does nothing but thaw it, and a thaw that takes long delays the others by [`THAW_PATIENCE`] only.
//! Until then the order is kept: the last frozen is thawed first.
//!
//! **A freeze may still be under way** when the guardian wants to thaw: the kernel then answers `EINVAL`. The guardian
//! repeats itself every [`AGAIN_AFTER`] until nothing is left, also where a thaw fails and the actor has said so. A process cannot die inside the freeze
//! call, so the end of the actor's pipe means that no further freeze comes, and one last round thaws the rest.
//!
//! **The actor may hang inside a call** of which an engine that does not answer keeps hold. Whoever asked must not wait for
//! that: [`ANSWER_AFTER`] the end was ordered the guardian gives the report, which was written beforehand. The actor's own
//! is dropped then.

use crate::group::{Volume, release_activated};
use crate::haste::Haste;
use crate::report::{Failure, Kind, Times, Tried, line};
use crate::shared::{Abort, Mount, Shared};
use crate::sys;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

const THAW_PATIENCE: u64 = 100_000_000;
const AGAIN_AFTER: u64 = 10_000_000;
/// How often to look whether the actor froze one more mount, just before it was told to end.
const LOOK_AFTER: u64 = 100_000_000;
/// How long the actor may take to come back out of its calls once the end is ordered.
const ANSWER_AFTER: u64 = 1_000_000_000;
/// Small, because every page of it is made resident.
const THAWER_STACK: usize = 64 << 10;

/// The actor says that it set the deadline; the guardian looks at it.
pub const DEADLINE_SET: u8 = b'F';
/// The actor was told by a signal to end.
pub const SIGNALLED: u8 = b'S';
/// The guardian is ready.
pub const READY: u8 = b'R';
/// The guardian ends the freeze.
pub const ENDING: u8 = b'E';

/// The guardian's ends of what it watches.
pub struct Watch {
    /// Standard input of the program.
    pub control: i32,
    /// Bytes from the actor; its end is the actor's death.
    pub from_actor: OwnedFd,
    pub to_actor: OwnedFd,
    pub signals: OwnedFd,
}

/// Guards until the actor is gone. Runs in the forked process, which must end after it.
///
/// # Errors
/// It could not get ready, and has not said [`READY`]: nothing may be frozen.
pub fn guard(
    watch: &Watch,
    volumes: &'static [Volume],
    shared: &'static Shared,
    haste: &Haste,
    deadline_ms: u64,
) -> io::Result<()> {
    sys::go_first();
    let thawers = Thawers::start(volumes, shared)?;
    let answers = Answers::prepare(volumes, deadline_ms);
    if let Err(error) = sys::lock_memory() {
        eprintln!("stillframe-freeze: the guardian's memory could not be locked: {error}");
    }
    if !sys::write_once(watch.to_actor.as_raw_fd(), &[READY]) {
        return Err(io::Error::last_os_error());
    }
    until_actor_is_gone(watch, &thawers, &answers, shared);
    let finished = shared.finished();
    if !finished {
        shared.set_abort(Abort::ActorDied);
    }
    // An actor that has said everything may leave a mount whose thaw failed: it waits until this process has ended.
    while thawers.round(shared, true) {
        sys::poll_until(&mut [], Some(sys::now() + AGAIN_AFTER));
    }
    if !finished {
        haste.end();
        let (kind, text) = match shared.abort() {
            Abort::Deadline => (
                Kind::Deadline,
                "The freeze outlived its deadline and the freeze helper was killed",
            ),
            _ => (Kind::Interrupted, "The freeze helper was killed"),
        };
        let text = format!("{text}; everything is thawed and no snapshot was taken");
        if shared.claim_report() {
            sys::write_once(
                libc::STDOUT_FILENO,
                line(&Failure::new(kind, text)).as_bytes(),
            );
        }
        release_activated(volumes, shared);
    }
    Ok(())
}

fn until_actor_is_gone(watch: &Watch, thawers: &Thawers, answers: &Answers, shared: &Shared) {
    let mut fds = [
        watch.control,
        watch.from_actor.as_raw_fd(),
        watch.signals.as_raw_fd(),
    ]
    .map(sys::poll_entry);
    let mut bytes = [0; 256];
    let mut told = false;
    let mut answer_at = None;
    loop {
        let mut until = shared.deadline();
        if shared.abort() != Abort::None {
            if !told {
                told = sys::write_once(watch.to_actor.as_raw_fd(), &[ENDING]);
            }
            let left = thawers.round(shared, false);
            let due = *answer_at.get_or_insert_with(|| sys::now() + ANSWER_AFTER);
            if sys::now() >= due {
                answers.give(shared);
            }
            until = Some(sys::now() + if left { AGAIN_AFTER } else { LOOK_AFTER });
        }
        sys::poll_until(&mut fds, until);
        if fds[0].revents != 0 && !matches!(sys::read_once(watch.control, &mut bytes), Ok(1..)) {
            shared.set_abort(Abort::ControlClosed);
            fds[0].fd = -1;
        }
        if fds[2].revents != 0 {
            let _ = sys::read_once(watch.signals.as_raw_fd(), &mut bytes);
            shared.set_abort(Abort::Signal);
        }
        if fds[1].revents != 0 {
            match sys::read_once(watch.from_actor.as_raw_fd(), &mut bytes) {
                Ok(count @ 1..) if bytes[..count].contains(&SIGNALLED) => {
                    shared.set_abort(Abort::Signal)
                }
                Ok(1..) => {}
                _ => return,
            }
        }
        if shared
            .deadline()
            .is_some_and(|deadline| sys::now() >= deadline)
        {
            shared.set_abort(Abort::Deadline);
        }
    }
}

/// What is said for an actor that hangs at a mount, written before anything is frozen: (deadline, interrupted).
struct Answers(Vec<(String, String)>);

impl Answers {
    fn prepare(volumes: &[Volume], deadline_ms: u64) -> Self {
        let answer = |at: &Volume, kind, cause: String| {
            let (name, mount) = (&at.request.name, at.request.mount.display());
            let tried = |volume: &Volume| Tried {
                name: volume.request.name.clone(),
                times: Times::default(),
            };
            line(&Failure {
                mount: Some(name.clone()),
                volumes: volumes.iter().map(tried).collect(),
                ..Failure::new(
                    kind,
                    format!("{cause} at {name} ({mount}), which holds on inside the kernel"),
                )
            })
        };
        let late = || format!("The freeze outlived its deadline of {deadline_ms} ms");
        let ended = || "The freeze was ended".to_owned();
        Self(
            volumes
                .iter()
                .map(|at| {
                    (
                        answer(at, Kind::Deadline, late()),
                        answer(at, Kind::Interrupted, ended()),
                    )
                })
                .collect(),
        )
    }

    /// Says at which mount the actor hangs, if it does and nobody has said anything yet.
    fn give(&self, shared: &Shared) {
        let at = |state| (0..self.0.len()).find(|&i| shared.mount(i) == state);
        let Some(i) = at(Mount::Freezing).or_else(|| at(Mount::Frozen)) else {
            return;
        };
        if shared.claim_report() {
            let (late, ended) = &self.0[i];
            let text = match shared.abort() {
                Abort::Deadline => late,
                _ => ended,
            };
            sys::write_once(libc::STDOUT_FILENO, text.as_bytes());
        }
    }
}

/// One thread for each mount, waiting for a byte.
struct Thawers {
    kicks: Vec<OwnedFd>,
    busy: &'static [AtomicBool],
    done: OwnedFd,
}

impl Thawers {
    fn start(volumes: &'static [Volume], shared: &'static Shared) -> io::Result<Self> {
        let busy: &'static [AtomicBool] = volumes
            .iter()
            .map(|_| AtomicBool::new(true))
            .collect::<Vec<_>>()
            .leak();
        let (done, report) = sys::pipe()?;
        let mut thawers = Self {
            kicks: Vec::new(),
            busy,
            done,
        };
        for (i, volume) in volumes.iter().enumerate() {
            let (wait, kick) = sys::pipe()?;
            let report = report.try_clone()?;
            let thaw_when_kicked = move || {
                loop {
                    busy[i].store(false, Ordering::SeqCst);
                    sys::write_once(report.as_raw_fd(), &[0]);
                    let mut byte = [0];
                    if !matches!(sys::read_once(wait.as_raw_fd(), &mut byte), Ok(1)) {
                        return;
                    }
                    match sys::thaw(volume.mount.as_fd()) {
                        Ok(()) => shared.set_mount(i, Mount::Thawed),
                        Err(libc::EINVAL) => shared.set_thawed_if_frozen(i),
                        // Stays frozen in the table, and is tried again.
                        Err(_) => {}
                    }
                }
            };
            std::thread::Builder::new()
                .stack_size(THAWER_STACK)
                .spawn(thaw_when_kicked)?;
            thawers.kicks.push(kick);
            thawers.wait_for(i);
        }
        Ok(thawers)
    }

    /// Tries once to thaw whatever is frozen, or may be, the last frozen first. Answers whether something is left.
    fn round(&self, shared: &Shared, actor_gone: bool) -> bool {
        let mounts = self.kicks.len();
        // What is surely frozen goes first: a freeze under way may make its thawer wait.
        for state in [Mount::Frozen, Mount::Freezing] {
            for i in (0..mounts).rev().filter(|&i| shared.mount(i) == state) {
                if !self.busy[i].swap(true, Ordering::SeqCst) {
                    sys::write_once(self.kicks[i].as_raw_fd(), &[0]);
                }
                self.wait_for(i);
            }
        }
        // The actor died before the kernel froze it: the thaw just tried was the last word.
        if actor_gone {
            for i in (0..mounts).filter(|&i| {
                shared.mount(i) == Mount::Freezing && !self.busy[i].load(Ordering::SeqCst)
            }) {
                shared.set_mount(i, Mount::Thawed);
            }
        }
        (0..mounts).any(|i| matches!(shared.mount(i), Mount::Frozen | Mount::Freezing))
    }

    /// Until the thread of mount `i` is idle, at most [`THAW_PATIENCE`].
    fn wait_for(&self, i: usize) {
        let until = sys::now() + THAW_PATIENCE;
        let mut fds = [sys::poll_entry(self.done.as_raw_fd())];
        let mut bytes = [0; 256];
        while self.busy[i].load(Ordering::SeqCst) && sys::now() < until {
            sys::poll_until(&mut fds, Some(until));
            if fds[0].revents != 0 {
                let _ = sys::read_once(self.done.as_raw_fd(), &mut bytes);
            }
        }
    }
}
