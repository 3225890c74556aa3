//! The keeper: a small process that holds what an engine's death must not take along, and lets the
//! next engine serve.
//!
//! It holds the FUSE descriptor (requests in flight belong to it), the memory file, the memory of the
//! request buffers, the listening sockets and the backing store's lock, at fixed numbers that every
//! engine inherits. It has one thread and reads no request (`watch`).
//!
//! Should the keeper itself be killed, the standby takes its place ([`take_place`]): the same program,
//! the same descriptors, and a pidfd of the engine that serves, which goes on as if nothing had been.
//! Where none stands by, the engine sees to a new keeper (`watched`).

pub mod channel;
pub mod child;
mod crashes;
mod renewal;
mod watch;
pub mod watched;

use crate::failure::{Context, Failure, Outcome};
use crate::protocol::ErrorKind;
use crate::residence;
use crate::run_directory::{self, RunDirectory};
use crate::signals::EndRequests;
use crate::state::{Configuration, State, Word};
use crate::{descriptors, live, log, signals, urgency};
use child::Child;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use watch::{Ended, Watch};

/// An engine's exit status when the next one stands by as it asked.
pub const HANDED_OVER: i32 = 4;
/// How long a keeper's lock may be held by the one that has just died.
const CLAIM_TIME: Duration = Duration::from_secs(2);

/// Sets everything up, tells `ready` on standard output, then keeps until the engine ends for good.
pub fn keep(configuration: &Configuration, own_groups: bool) -> Outcome<()> {
    let run = RunDirectory::new(configuration.run_directory.as_ref())?;
    // SAFETY: takes no argument; it fails only for a process that leads a group already.
    unsafe { libc::setsid() };
    signals::ignore_requests_to_end();
    std::env::set_current_dir("/").context(|| "changing to /".into())?;
    let Some(alive) = run_directory::claim_keeper(&run)? else {
        return Err(another_keeper());
    };
    let log_file = log::open(&run.log()).context(|| "opening the log".into())?;
    let mut refused = Vec::new();
    if own_groups {
        refused = residence::enter_own_groups(&configuration.id);
    }
    if let Err(e) = residence::spare_from_oom_killer() {
        refused.push(format!("protection from the OOM killer: {e}"));
    }
    let (memory, state) = State::create(configuration)?;
    descriptors::place(memory.as_raw_fd(), descriptors::STATE)?;
    let _ = std::fs::remove_file(run.socket());
    let listener = UnixListener::bind(run.socket()).context(|| "making the socket".into())?;
    descriptors::place(listener.as_raw_fd(), descriptors::LISTENER)?;
    let fuse = transport::fuse::connection::mount(&run.fuse())
        .context(|| "mounting the FUSE file system".into())?;
    descriptors::place(fuse.as_raw_fd(), descriptors::FUSE)?;
    let buffers = transport::fuse::buffer::memory_file().context(|| "buffers".into())?;
    descriptors::place(buffers.as_raw_fd(), descriptors::BUFFERS)?;
    let (shelf_in, shelf_out) = UnixDatagram::pair().context(|| "making the shelf".into())?;
    descriptors::place(shelf_in.as_raw_fd(), descriptors::SHELF_IN)?;
    descriptors::place(shelf_out.as_raw_fd(), descriptors::SHELF_OUT)?;
    channel::make().context(|| "making the keeper's sockets".into())?;
    drop((memory, listener, fuse, buffers, shelf_in, shelf_out));
    if configuration.ublk.is_some()
        && let Err(e) = residence::enter_own_mount_namespace()
    {
        refused.push(format!("a mount namespace of its own: {e}"));
    }
    let stderr = log_file.try_clone().context(|| "log".into())?;
    descriptors::place(stderr.as_raw_fd(), 2)?;
    for text in refused {
        log::line(format!("keeper: not available: {text}"));
    }
    if let Some(reason) = &configuration.not_ublk_because {
        log::line(format!(
            "keeper: the live device is not made with ublk: {reason}"
        ));
    }
    let _ = residence::lock_memory();
    if let Err(e) = urgency::go_first() {
        log::line(format!(
            "keeper: not available: going before other programs: {e}"
        ));
    }

    println!("ready");
    let _ = std::io::stdout().flush();
    descriptors::to_null(0)?;
    descriptors::to_null(1)?;
    let ended = Watch::new(&run, &state, alive, None, hear_end_requests()).keep();
    end(&run, &state, ended)
}

/// For a standby whose keeper is gone: becomes the keeper, in the same process. Returns only where
/// that fails.
pub fn take_place() -> io::Error {
    Command::new("/proc/self/exe")
        .args(["keeper", "--adopt"])
        .exec()
}

/// For a keeper: executes another program in the same process. Returns only where that fails.
fn become_program(program: &Path, lock: &File) -> io::Error {
    if let Err(e) = descriptors::replace(lock.as_raw_fd(), descriptors::LOCK) {
        return e;
    }
    let failed = Command::new(program)
        .args(["keeper", "--adopt", "--locked"])
        .exec();
    // SAFETY: placed above; engines must not inherit it.
    unsafe { libc::close(descriptors::LOCK) };
    failed
}

/// Goes on where another keeper left off. The engine that it kept may serve, or be dead. `locked`: it
/// was this very process, and its lock is kept.
pub fn adopt(locked: bool) -> Outcome<()> {
    // SAFETY: the keeper before placed these; nobody else in this process owns them.
    let (memory, engine) = unsafe {
        (
            descriptors::inherited(descriptors::STATE),
            descriptors::inherited(descriptors::ENGINE),
        )
    };
    let state = State::open(&memory)?;
    let known = engine.try_clone().context(|| "engine".into());
    // Engines inherit both numbers.
    std::mem::forget((memory, engine));
    let run = RunDirectory::new(state.configuration()?.run_directory.as_ref())?;
    // Before it is known as the keeper: until then SIGTERM is ignored, and one that is meant for it would be lost.
    let end_requests = hear_end_requests();
    if !locked && let Some(requests) = &end_requests {
        // What came while this process was an engine that stood by was not meant for a keeper.
        requests.take();
    }
    let alive = if locked {
        // SAFETY: placed by `become_program`; nobody else owns it.
        let lock = unsafe { descriptors::inherited(descriptors::LOCK) };
        // The copy is close-on-exec: engines must not inherit it.
        lock.try_clone().context(|| "the keeper's lock".into())?
    } else {
        claim_within(&run, CLAIM_TIME)?.ok_or_else(another_keeper)?
    };
    descriptors::to_null(0)?;
    let _ = residence::lock_memory();
    let _ = urgency::go_first();
    log::line(if locked {
        "keeper: goes on as another program"
    } else {
        "keeper: the one before is gone; this one goes on"
    });
    let engine = Child::adopt(OwnedFd::from(known?));
    let ended = Watch::new(&run, &state, alive, Some(engine), end_requests).keep();
    end(&run, &state, ended)
}

/// Its engines are gone. Whoever waits for the keeper's lock may open the backing store at once, so that is let go before.
fn end(run: &RunDirectory, state: &State, ended: Ended) -> Outcome<()> {
    // SAFETY: placed by attach, and inherited by every keeper; nothing in this process uses it any more.
    unsafe { libc::close(descriptors::BACKING) };
    let result = match live::end::refuse_if_used(run) {
        // Nobody meant the live device, and taken from under a file system it loses what that has not written yet.
        Err(why) if ended.gave_up || state.get(Word::Shutdown) == 2 => {
            log::line(format!(
                "keeper: {why}; it waits for an engine: attach the volume again, or detach it with force"
            ));
            Ok(())
        }
        _ => live::end::tear_down(run),
    };
    drop(ended.lock);
    result
}

fn hear_end_requests() -> Option<EndRequests> {
    EndRequests::new()
        .inspect_err(|e| log::line(format!("keeper: not available: hearing SIGTERM: {e}")))
        .ok()
}

fn claim_within(run: &RunDirectory, time: Duration) -> Outcome<Option<File>> {
    let end = Instant::now() + time;
    loop {
        let claimed = run_directory::claim_keeper(run)?;
        if claimed.is_some() || Instant::now() > end {
            return Ok(claimed);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn another_keeper() -> Failure {
    Failure::new(ErrorKind::Busy, "another keeper runs for this directory")
}
